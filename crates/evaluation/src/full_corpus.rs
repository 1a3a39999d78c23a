//! Lists of a model that scores every item.

use catchment_ann_index::exact::TopK;
use catchment_schema::{Histories, ItemFilter, ItemIdx, ItemSet, UserIdx};

use crate::recommends::{Recommends, TopKLists};

/// Ranks the whole catalogue by a scorer: falling score, ties by item. The exact reference of whatever finds its
/// lists faster.
///
/// The scorer gets a user and a row of zeros, `[n_items]`, and writes a score for each item. Users at or beyond
/// the vocabulary are cold: the scorer decides what they get. A NaN is an error, because it would be ranked
/// somewhere; infinities count as the extremes. Vocabularies number items by falling popularity, so that a
/// scorer that knows nothing (all scores equal) gives the popular items first.
///
/// Memory is one row of scores and one list for each thread, however many users there are.
pub struct FullCorpus<'a, F> {
    n_items: usize,
    scorer: F,
    seen: Option<&'a Histories>,
}

impl<F> FullCorpus<'static, F>
where
    F: Fn(UserIdx, &mut [f32]) -> Result<(), String> + Sync,
{
    /// All of `n_items` compete.
    pub fn new(n_items: usize, scorer: F) -> Self {
        Self {
            n_items,
            scorer,
            seen: None,
        }
    }
}

impl<F> FullCorpus<'_, F> {
    /// Takes the items of each user's history out of their list: `exclude_seen`.
    #[must_use]
    pub fn excluding_seen(self, histories: &Histories) -> FullCorpus<'_, F> {
        FullCorpus {
            n_items: self.n_items,
            scorer: self.scorer,
            seen: Some(histories),
        }
    }
}

impl<F> Recommends for FullCorpus<'_, F>
where
    F: Fn(UserIdx, &mut [f32]) -> Result<(), String> + Sync,
{
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        let mut scores = vec![0.0; self.n_items];
        let mut top = TopK::new(k);
        for &user in users {
            scores.fill(0.0);
            (self.scorer)(user, &mut scores)?;
            if let Some(item) = scores.iter().position(|score| score.is_nan()) {
                return Err(format!("the score of item {item} for user {} is NaN", user.0));
            }
            let seen: Option<ItemSet> = self
                .seen
                .map(|seen| seen.of(user).events().iter().map(|event| event.item).collect());
            let filter = seen.as_ref().map_or(ItemFilter::NONE, ItemFilter::excluding);
            top.reset(k);
            top.push_scores(ItemIdx(0), &scores, filter);
            lists.push(top.sorted().iter().copied());
        }
        Ok(())
    }
}
