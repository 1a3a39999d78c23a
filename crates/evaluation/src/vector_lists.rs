//! Lists of a model whose score is a product of vectors.

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex};
use catchment_schema::{ItemFilter, ItemSet, Metric, ScoredItem, UserIdx};

use crate::Error;
use crate::recommends::{Recommends, TopKLists};
use crate::seen_items::SeenItems;

/// Ranks the whole catalogue by user vector · item vector, exactly: blocks of users against blocks of items, a list of
/// the best k for each user while the scores are in the cache, seen items masked as they would enter it. No row of
/// scores is ever written out.
///
/// ```
/// use catchment_evaluation::{EvaluateConfig, GroundTruth, SeenItems, VectorLists, evaluate};
/// use catchment_schema::{ItemIdx, Metric, UserIdx};
///
/// let (users, items) = (vec![1.0, 0.0, 0.0, 1.0], vec![3.0, 0.0, 2.0, 0.0, 0.0, 1.0]);
/// let seen = SeenItems::from_csr(&[0, 1, 1], &[0])?; // user 0 had item 0
/// let lists = VectorLists::new(users, items, 2, Metric::InnerProduct)?.excluding_seen(&seen);
/// let truth = GroundTruth::from_pairs([(UserIdx(0), ItemIdx(1)), (UserIdx(1), ItemIdx(2))], 2, 3);
/// let config = EvaluateConfig { ks: vec![1], ..EvaluateConfig::default() };
/// assert_eq!(evaluate(&lists, &truth, &config, "test")?.metrics.get("recall@1"), Some(1.0));
/// # Ok::<(), catchment_evaluation::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct VectorLists<'a> {
    users: Vec<f32>,
    index: ExactIndex,
    seen: Option<&'a SeenItems>,
}

impl VectorLists<'static> {
    /// # Shapes
    /// `users`: `[n_users, dim]`; `items`: `[n_items, dim]`; row-major, finite.
    ///
    /// # Errors
    /// [`Error::Shape`] where they are not.
    pub fn new(users: Vec<f32>, items: Vec<f32>, dim: usize, metric: Metric) -> Result<Self, Error> {
        let index = ExactIndex::build(items, dim, metric).map_err(|error| Error::Shape {
            what: "item vectors",
            reason: error.to_string(),
        })?;
        let wrong = |reason: String| Error::Shape {
            what: "user vectors",
            reason,
        };
        if !users.len().is_multiple_of(dim) {
            return Err(wrong(format!("{} values are no rows of {dim}", users.len())));
        }
        if let Some(position) = users.iter().position(|value| !value.is_finite()) {
            let (user, column) = (position / dim, position % dim);
            return Err(wrong(format!(
                "user {user} has a value that is not finite at {column}"
            )));
        }
        Ok(Self {
            users,
            index,
            seen: None,
        })
    }
}

impl VectorLists<'_> {
    /// Takes what each user had before out of their list: `exclude_seen`.
    #[must_use]
    pub fn excluding_seen(self, seen: &SeenItems) -> VectorLists<'_> {
        VectorLists {
            users: self.users,
            index: self.index,
            seen: Some(seen),
        }
    }
}

impl Recommends for VectorLists<'_> {
    /// A user beyond the last vector has an empty list.
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        let dim = self.index.dim();
        let vector = |user: &UserIdx| self.users.get(user.index() * dim..(user.index() + 1) * dim);
        let known: Vec<UserIdx> = users
            .iter()
            .copied()
            .filter(|user| vector(user).is_some())
            .collect();
        let queries: Vec<f32> = known.iter().filter_map(vector).flatten().copied().collect();
        let sets: Vec<ItemSet> = match self.seen {
            Some(seen) => known.iter().map(|&user| seen.set_of(user)).collect(),
            None => Vec::new(),
        };
        let filters: Vec<ItemFilter<'_>> = sets.iter().map(ItemFilter::excluding).collect();
        let mut found: Vec<Vec<ScoredItem>> = Vec::new();
        self.index
            .search_batch(&queries, k, &SearchParams::default(), &filters, &mut found)
            .map_err(|error| error.to_string())?;
        let mut found = found.into_iter();
        for user in users {
            let list = vector(user).and_then(|_| found.next());
            lists.push(list.unwrap_or_default());
        }
        Ok(())
    }
}
