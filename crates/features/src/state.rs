//! What a fit has learnt.

use serde::{Deserialize, Serialize};

use crate::candidate::CandidateRule;
use crate::context::ContextRule;
use crate::fingerprint::StateHash;
use crate::item::ItemRule;
use crate::item_times::ItemTimes;
use crate::user::UserRule;
use crate::vocabulary_mark::VocabularyMark;
use crate::{ColumnKind, Fingerprint, Side};

/// A name and what was learnt for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feature<R> {
    pub(crate) name: String,
    pub(crate) rule: R,
}

/// All that was learnt. Item times have a file of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) items: VocabularyMark,
    pub(crate) channels: Vec<String>,
    pub(crate) user: Vec<Feature<UserRule>>,
    pub(crate) item: Vec<Feature<ItemRule>>,
    pub(crate) context: Vec<Feature<ContextRule>>,
    pub(crate) candidate: Vec<Feature<CandidateRule>>,
    #[serde(skip)]
    pub(crate) item_times: Option<ItemTimes>,
}

impl State {
    /// The layouts of a side's columns.
    pub(crate) fn kinds(&self, side: Side) -> impl Iterator<Item = ColumnKind> {
        // One iterator type for four: three of the slices are empty. No allocation in the hot path.
        let of = |wanted| side == wanted;
        let user = self.user.iter().take(if of(Side::User) { usize::MAX } else { 0 });
        let item = self.item.iter().take(if of(Side::Item) { usize::MAX } else { 0 });
        let context = self
            .context
            .iter()
            .take(if of(Side::Context) { usize::MAX } else { 0 });
        let candidate = self
            .candidate
            .iter()
            .take(if of(Side::Candidate) { usize::MAX } else { 0 });
        let user = user.map(|feature| feature.rule.kind());
        let item = item.map(|feature| feature.rule.kind());
        let context = context.map(|feature| feature.rule.kind());
        let candidate = candidate.map(|feature| feature.rule.kind());
        user.chain(item).chain(context).chain(candidate)
    }

    pub(crate) fn fingerprint(&self, side: Side) -> Fingerprint {
        let mut hash = StateHash::new();
        hash.text(side.name());
        match side {
            Side::User => self.user.iter().for_each(|feature| {
                hash.text(&feature.name);
                feature.rule.hash(&mut hash);
            }),
            Side::Item => self.item.iter().for_each(|feature| {
                hash.text(&feature.name);
                feature.rule.hash(&mut hash);
            }),
            Side::Context => self.context.iter().for_each(|feature| {
                hash.text(&feature.name);
                feature.rule.hash(&mut hash);
            }),
            Side::Candidate => self.candidate.iter().for_each(|feature| {
                hash.text(&feature.name);
                feature.rule.hash(self, &mut hash);
            }),
        }
        Fingerprint(hash.finish())
    }
}
