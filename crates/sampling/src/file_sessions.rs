//! Sessions read from an encoded log, over and over, without ever holding it.

use catchment_schema::{
    Error, InteractionColumns, InteractionRows, Interactions, InteractionsFile, Result, UserIdx,
};

use crate::sessions::SHARD_EVENTS;
use crate::{Session, SessionRules, SessionSource, SessionStream};

/// The sessions of an encoded log, the same as [`MemorySessions::of_log`](crate::MemorySessions::of_log) gives, in the
/// same shards: what is trained on the one and on the other has the same bytes.
///
/// In memory are the file's footer and 24 bytes a shard; a stream has one batch of rows and one user's history.
///
/// A shard begins with a session, and so within a user, wherever the file's row groups end: it knows the row with
/// which that user begins, and how many sessions of theirs are before it. A user whose rows cross into another row
/// group is one history, since a stream reads on into the next group.
#[derive(Clone, Debug)]
pub struct FileSessions {
    file: InteractionsFile,
    rules: SessionRules,
    shards: Vec<Shard>,
    n_sessions: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Shard {
    /// Where the user begins whose session is the first.
    row: u64,
    /// How many of their sessions come before it.
    skip: usize,
    n_sessions: usize,
}

impl FileSessions {
    /// Reads the file once, to see where its shards begin.
    ///
    /// # Errors
    /// As [`InteractionsFile::open`] and [`InteractionRows::next_rows`]; [`Error::Inconsistent`] when rows are not
    /// sorted by user.
    pub fn open(path: impl AsRef<std::path::Path>, rules: &SessionRules) -> Result<Self> {
        let mut sessions = Self {
            file: InteractionsFile::open(path)?,
            rules: rules.clone(),
            shards: Vec::new(),
            n_sessions: 0,
        };
        let mut users = Users::begin(&sessions.file, rules, 0)?;
        let mut session = Session::default();
        let (mut n_items, mut shard) = (0, None);
        while let Some(row) = users.next_user()? {
            let mut of_user = 0;
            rules.cut_rows(
                &mut users.user.events,
                &mut users.user.sessions,
                &mut session,
                |session| {
                    let open: &mut Shard = shard.get_or_insert(Shard {
                        row,
                        skip: of_user,
                        n_sessions: 0,
                    });
                    of_user += 1;
                    open.n_sessions += 1;
                    sessions.n_sessions += 1;
                    n_items += session.items.len();
                    if n_items >= SHARD_EVENTS {
                        sessions.shards.extend(shard.take());
                        n_items = 0;
                    }
                    Ok::<_, Error>(())
                },
            )?;
        }
        sessions.shards.extend(shard);
        Ok(sessions)
    }

    /// How many sessions there are.
    pub fn len(&self) -> usize {
        self.n_sessions
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n_sessions == 0
    }
}

impl SessionSource for FileSessions {
    fn n_shards(&self) -> usize {
        self.shards.len()
    }

    fn shard(&self, shard: usize) -> Result<Box<dyn SessionStream + '_>> {
        let shard = self.shards[shard];
        Ok(Box::new(FileStream {
            users: Users::begin(&self.file, &self.rules, shard.row)?,
            rules: &self.rules,
            skip: shard.skip,
            left: shard.n_sessions,
            cut: Vec::new(),
            next: 0,
        }))
    }
}

struct FileStream<'a> {
    users: Users,
    rules: &'a SessionRules,
    /// Sessions that belong to the shard before.
    skip: usize,
    left: usize,
    /// The sessions of the user.
    cut: Vec<Session>,
    next: usize,
}

impl SessionStream for FileStream<'_> {
    fn next_session(&mut self, session: &mut Session) -> Result<bool> {
        session.clear();
        if self.left == 0 {
            return Ok(false);
        }
        while self.next == self.cut.len() {
            self.cut.clear();
            self.next = 0;
            if self.users.next_user()?.is_none() {
                return Err(self.users.changed());
            }
            let cut = &mut self.cut;
            let (user, mut buffer) = (&mut self.users.user, Session::default());
            self.rules
                .cut_rows(&mut user.events, &mut user.sessions, &mut buffer, |session| {
                    cut.push(session.clone());
                    Ok::<_, Error>(())
                })?;
            self.next = std::mem::take(&mut self.skip).min(self.cut.len());
        }
        std::mem::swap(session, &mut self.cut[self.next]);
        self.next += 1;
        self.left -= 1;
        Ok(true)
    }
}

/// Users of a file, one after the other.
struct Users {
    file: InteractionsFile,
    rows: InteractionRows,
    batch: Interactions,
    /// How many rows of the batch are used up, and which row of the file it begins with.
    used: usize,
    batch_begins: u64,
    user: Interactions,
}

impl Users {
    fn begin(file: &InteractionsFile, rules: &SessionRules, row: u64) -> Result<Self> {
        let columns = InteractionColumns {
            time: rules.gap_ms.is_some(),
            event: rules.goal.is_some() || !rules.kinds.is_empty(),
            value: false,
            session: rules.as_given,
            dwell: rules.min_dwell_ms.is_some(),
        };
        Ok(Self {
            rows: file.rows(columns, row)?,
            file: file.clone(),
            batch: Interactions::default(),
            used: 0,
            batch_begins: row,
            user: Interactions::default(),
        })
    }

    /// Puts the next user's rows into `user`; the row with which they begin.
    fn next_user(&mut self) -> Result<Option<u64>> {
        self.user.clear();
        let mut begins = None;
        loop {
            if self.used == self.batch.len() {
                self.batch_begins += self.batch.len() as u64;
                self.used = 0;
                if !self.rows.next_rows(&mut self.batch)? {
                    return Ok(begins);
                }
            }
            let left = &self.batch.users[self.used..];
            let Some(&first) = left.first() else { continue };
            match self.user.users.last() {
                Some(&user) if user < first => return Ok(begins),
                Some(&user) if user > first => return Err(self.unsorted(user, first)),
                _ => {}
            }
            let rows = self.used..self.used + left.iter().take_while(|&&user| user == first).count();
            begins.get_or_insert(self.batch_begins + self.used as u64);
            self.user.users.extend_from_slice(&self.batch.users[rows.clone()]);
            self.user
                .events
                .extend_from_slice(&self.batch.events[rows.clone()]);
            self.user
                .sessions
                .extend_from_slice(&self.batch.sessions[rows.clone()]);
            self.used = rows.end;
        }
    }

    fn unsorted(&self, before: UserIdx, after: UserIdx) -> Error {
        Error::Inconsistent {
            path: self.file.path().to_owned(),
            reason: format!(
                "its rows are not sorted by user: user {} comes after user {}",
                after.0, before.0
            ),
        }
    }

    fn changed(&self) -> Error {
        Error::Inconsistent {
            path: self.file.path().to_owned(),
            reason: "it has fewer sessions than when it was opened".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, EventKind, InteractionsWriter, ItemIdx, Metadata, Time};
    use proptest::prelude::*;

    use super::*;
    use crate::MemorySessions;

    fn all(source: &dyn SessionSource) -> Vec<Vec<Session>> {
        let mut session = Session::default();
        (0..source.n_shards())
            .map(|shard| {
                let mut stream = source.shard(shard).expect("a shard");
                let mut sessions = Vec::new();
                while stream.next_session(&mut session).expect("read") {
                    sessions.push(session.clone());
                }
                sessions
            })
            .collect()
    }

    fn written(log: &Interactions, rows_a_group: usize, path: &std::path::Path) {
        let mut writer = InteractionsWriter::create(path, &Metadata::new()).expect("begun");
        for begin in (0..log.len()).step_by(rows_a_group.max(1)) {
            let rows = begin..log.len().min(begin + rows_a_group);
            let part = Interactions {
                users: log.users[rows.clone()].to_vec(),
                events: log.events[rows.clone()].to_vec(),
                sessions: log.sessions[rows].to_vec(),
            };
            writer.write(&part).expect("written");
            writer.end_row_group().expect("ended");
        }
        writer.commit().expect("committed");
    }

    /// Users with up to `most` events, among them long ones, whose sessions may be interwoven.
    fn log(n_users: u32, most: u32, seed: u32) -> Interactions {
        let mut log = Interactions::default();
        let mut state = seed;
        let mut draw = move |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        let mut first = 0;
        for user in 0..n_users {
            let mut time = 0;
            let n_sessions = 1 + draw(3);
            for _ in 0..draw(most) {
                time += i64::from(draw(50)) * 60_000;
                log.users.push(UserIdx(user));
                log.events.push(Event {
                    kind: EventKind(u16::try_from(draw(6) / 5).expect("small")),
                    dwell_ms: (draw(3) > 0).then(|| draw(60) * 1000),
                    ..Event::new(ItemIdx(draw(9)), Time::from((draw(9) > 0).then_some(time)))
                });
                log.sessions.push(first + draw(n_sessions));
            }
            first += n_sessions;
        }
        log
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn sessions_are_those_in_memory_whatever_the_row_groups(
            n_users in 0..40_u32,
            most in prop_oneof![Just(4_u32), Just(60), Just(3000)],
            rows_a_group in prop_oneof![1..30_usize, 100..5000_usize, Just(1_000_000)],
            rules in 0..32_u32,
            seed in any::<u32>(),
        ) {
            let has = |bit: u32| rules & (1 << bit) != 0;
            let rules = SessionRules {
                gap_ms: has(0).then_some(30 * 60_000),
                min_dwell_ms: has(1).then_some(30_000),
                goal: has(2).then_some(EventKind(1)),
                merge_repeats: has(3),
                as_given: has(4),
                ..SessionRules::default()
            };
            let log = log(n_users, most, seed);
            let folder = tempfile::tempdir().expect("temporary folder");
            let path = folder.path().join("log.parquet");
            // Few groups of many rows, or a file would have ten thousands of them.
            written(&log, rows_a_group.max(log.len() / 300), &path);
            let file = FileSessions::open(&path, &rules).expect("opened");
            let memory = MemorySessions::of_log(&log, &rules);
            prop_assert_eq!(file.len(), memory.len());
            prop_assert!(all(&file) == all(&memory), "the same sessions in the same shards");
        }
    }

    #[test]
    fn a_log_that_is_not_sorted_by_user_is_refused() {
        let mut log = log(3, 50, 1);
        log.users.reverse();
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("log.parquet");
        written(&log, 1_000_000, &path);
        let error = FileSessions::open(&path, &SessionRules::default()).expect_err("refused");
        assert!(error.to_string().contains("not sorted by user"), "{error}");
    }

    #[test]
    fn an_empty_log_has_no_shard() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("log.parquet");
        written(&Interactions::default(), 1, &path);
        let sessions = FileSessions::open(&path, &SessionRules::default()).expect("opened");
        assert!(sessions.is_empty() && sessions.n_shards() == 0);
    }
}
