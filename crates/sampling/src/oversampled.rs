//! Sessions with a goal, read more often than the others.

use catchment_schema::Result;

use crate::{Session, SessionSource, SessionStream};

/// The sessions of a source, those with a goal so many times: few sessions lead to one, and they say the most (Grbovic
/// and Cheng 2018 take them five times).
///
/// The copies are in shards of their own, so that a training that goes through the shards in any order meets them
/// apart.
#[derive(Clone, Copy, Debug)]
pub struct Oversampled<S> {
    source: S,
    times: usize,
}

impl<S: SessionSource> Oversampled<S> {
    /// Sessions with a goal `times` times; 0 is taken for 1.
    pub fn new(source: S, times: u32) -> Self {
        Self {
            source,
            times: times.max(1) as usize,
        }
    }
}

impl<S: SessionSource> SessionSource for Oversampled<S> {
    fn n_shards(&self) -> usize {
        self.source.n_shards() * self.times
    }

    fn shard(&self, shard: usize) -> Result<Box<dyn SessionStream + '_>> {
        let n_shards = self.source.n_shards();
        let stream = self.source.shard(shard % n_shards)?;
        if shard < n_shards {
            return Ok(stream);
        }
        Ok(Box::new(WithGoal(stream)))
    }
}

/// Of a stream, the sessions that have a goal.
struct WithGoal<'a>(Box<dyn SessionStream + 'a>);

impl SessionStream for WithGoal<'_> {
    fn next_session(&mut self, session: &mut Session) -> Result<bool> {
        while self.0.next_session(session)? {
            if session.goal.is_some() {
                return Ok(true);
            }
        }
        session.clear();
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::ItemIdx;

    use super::*;
    use crate::MemorySessions;

    fn session(items: &[u32], goal: Option<u32>) -> Session {
        Session {
            items: items.iter().copied().map(ItemIdx).collect(),
            goal: goal.map(ItemIdx),
            rejects: Vec::new(),
        }
    }

    #[test]
    fn sessions_with_a_goal_come_so_often_and_the_others_once() {
        let mut sessions = MemorySessions::default();
        for number in 0..5_000 {
            sessions.push(&session(
                &[number, number + 1],
                (number % 10 == 0).then_some(number + 1),
            ));
        }
        for times in [0, 1, 5] {
            let source = Oversampled::new(sessions.clone(), times);
            let mut read = vec![0; 5_000];
            let mut session = Session::default();
            for shard in 0..source.n_shards() {
                let mut stream = source.shard(shard).expect("in memory");
                while stream.next_session(&mut session).expect("in memory") {
                    read[session.items[0].index()] += 1;
                }
            }
            for (number, read) in read.into_iter().enumerate() {
                assert_eq!(read, if number % 10 == 0 { times.max(1) } else { 1 });
            }
        }
        let empty = Oversampled::new(MemorySessions::default(), 5);
        assert_eq!(empty.n_shards(), 0);
    }
}
