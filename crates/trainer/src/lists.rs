//! A pipeline, seen by the evaluator as something that makes lists.

use catchment_evaluation::{Recommends, TopKLists};
use catchment_pipeline::{Catalogue, Pipeline, Request, Scratch, Stages, UserState};
use catchment_prepare::Prepared;
use catchment_recall::Candidate;
use catchment_schema::{History, ItemIdx, ScoredItem, Time, UserIdx};

/// Which of a pipeline's lists is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JudgedList<'a> {
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
    pub(crate) judged: JudgedList<'a>,
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
        if let JudgedList::Channel(name) = self.judged {
            let recalled = self
                .pipeline
                .recall_channel_batch(name, &request, &states, &mut scratch);
            for list in recalled.map_err(|error| error.to_string())? {
                lists.push(list);
            }
            return Ok(());
        }
        if self.judged == JudgedList::Merged {
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

/// Lists of another catalogue, in the indices of ours: users and items are matched by their ids.
pub(crate) struct Translated<'a> {
    lists: Box<dyn Recommends + 'a>,
    /// Theirs, by our index; somebody beyond their vocabulary where they do not know ours.
    users: Vec<UserIdx>,
    /// Ours, by their index; beyond our vocabulary, and each another one, where we do not know theirs.
    items: Vec<ItemIdx>,
}

impl<'a> Translated<'a> {
    pub(crate) fn new(lists: Box<dyn Recommends + 'a>, theirs: &Catalogue, ours: &Prepared) -> Self {
        let stranger = UserIdx::from_index(theirs.users().len());
        let users = ours.users().ids().iter();
        let items = theirs.items().ids().iter().enumerate();
        let beyond = |position: usize| ItemIdx::from_index(ours.items().len() + position);
        Self {
            lists,
            users: users
                .map(|id| theirs.users().user(id).unwrap_or(stranger))
                .collect(),
            items: items
                .map(|(position, id)| ours.items().item(id).unwrap_or_else(|| beyond(position)))
                .collect(),
        }
    }
}

impl Recommends for Translated<'_> {
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        // Somebody that neither knows stays beyond both vocabularies.
        let theirs = |user: &UserIdx| self.users.get(user.index()).copied();
        let beyond = UserIdx(u32::MAX);
        let theirs: Vec<UserIdx> = users.iter().map(|user| theirs(user).unwrap_or(beyond)).collect();
        let mut found = TopKLists::default();
        self.lists.top_k(&theirs, k, &mut found)?;
        lists.clear();
        for position in 0..found.len() {
            let ours = |scored: &ScoredItem| ScoredItem::new(self.items[scored.item.index()], scored.score);
            lists.push(found.list(position).iter().map(ours));
        }
        Ok(())
    }
}
