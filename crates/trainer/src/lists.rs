//! A pipeline, seen by the evaluator as something that makes lists.

use catchment_evaluation::{Recommends, TopKLists};
use catchment_pipeline::{Pipeline, Request, Scratch, Stages, UserState};
use catchment_recall::Candidate;
use catchment_schema::{History, ScoredItem, Time, UserIdx};

/// Which of a pipeline's lists is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judged<'a> {
    /// One channel by itself.
    Channel(&'a str),
    /// What the merge makes of all channels.
    Merged,
    /// What the ranker makes of that.
    Ranked,
}

/// The lists of a pipeline for users whose histories it holds: what is served is what is judged.
pub(crate) struct PipelineLists<'a> {
    pub(crate) pipeline: &'a Pipeline,
    pub(crate) judged: Judged<'a>,
    pub(crate) exclude_seen: bool,
    pub(crate) now: Time,
}

impl PipelineLists<'_> {
    fn state(&self, user: UserIdx) -> UserState<'_> {
        let catalogue = self.pipeline.catalogue();
        let known = user.index() < catalogue.users().len();
        UserState {
            user: known.then_some(user),
            history: if known {
                catalogue.history(user)
            } else {
                History::EMPTY
            },
        }
    }
}

impl Recommends for PipelineLists<'_> {
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        let mut scratch = Scratch::default();
        let mut request = Request::new(k, self.now);
        request.exclude_seen = Some(self.exclude_seen);
        let states: Vec<UserState<'_>> = users.iter().map(|&user| self.state(user)).collect();
        if let Judged::Channel(name) = self.judged {
            let recalled = self
                .pipeline
                .recall_channel_batch(name, &request, &states, &mut scratch);
            for list in recalled.map_err(|error| error.to_string())? {
                lists.push(list);
            }
            return Ok(());
        }
        if self.judged == Judged::Merged {
            request.stages = Stages::Merged;
        }
        for state in &states {
            let answer = self.pipeline.recommend(&request, state, &mut scratch);
            let answer = answer.map_err(|error| error.to_string())?;
            let scored = |item: &Candidate| ScoredItem::new(item.item, item.score);
            lists.push(answer.items.iter().map(scored));
        }
        Ok(())
    }
}
