//! A pipeline, seen by the evaluator as something that makes lists.

use catchment_evaluation::{Recommends, TopKLists};
use catchment_pipeline::{Pipeline, Request, Scratch, Stages, UserState};
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

impl Recommends for PipelineLists<'_> {
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        let catalogue = self.pipeline.catalogue();
        let mut scratch = Scratch::default();
        for &user in users {
            let known = user.index() < catalogue.users().len();
            let state = UserState {
                user: known.then_some(user),
                history: if known {
                    catalogue.history(user)
                } else {
                    History::EMPTY
                },
            };
            let mut request = Request::new(k, self.now);
            request.exclude_seen = Some(self.exclude_seen);
            match self.judged {
                Judged::Channel(name) => {
                    let recalled = self.pipeline.recall_channel(name, &request, &state, &mut scratch);
                    lists.push(recalled.map_err(|error| error.to_string())?);
                }
                Judged::Merged | Judged::Ranked => {
                    if self.judged == Judged::Merged {
                        request.stages = Stages::Merged;
                    }
                    let answer = self.pipeline.recommend(&request, &state, &mut scratch);
                    let answer = answer.map_err(|error| error.to_string())?;
                    lists.push(
                        answer
                            .items
                            .iter()
                            .map(|item| ScoredItem::new(item.item, item.score)),
                    );
                }
            }
        }
        Ok(())
    }
}
