//! One fixed score for each item, and the items in the order of their scores.

use catchment_schema::{ItemIdx, Score, ScoredItem};

use crate::ConfigError;

/// Item scores that do not depend on the query, sorted once.
#[derive(Clone, Debug)]
pub(crate) struct RankedScores {
    scores: Vec<Score>,
    best_first: Vec<ScoredItem>,
}

impl RankedScores {
    /// `scores[i]` belongs to item `i`; `channel` and `what` name them in the error.
    pub(crate) fn new(channel: &str, what: &'static str, scores: &[f32]) -> Result<Self, ConfigError> {
        let checked = scores.iter().enumerate().map(|(item, &value)| {
            Score::new(value).ok_or_else(|| ConfigError::NotFinite {
                channel: channel.to_owned(),
                what,
                item,
                value,
            })
        });
        let scores = checked.collect::<Result<Vec<_>, _>>()?;
        let mut best_first: Vec<_> = scores
            .iter()
            .enumerate()
            .map(|(item, &score)| ScoredItem::new(ItemIdx::from_index(item), score))
            .collect();
        best_first.sort_unstable();
        Ok(Self { scores, best_first })
    }

    pub(crate) fn len(&self) -> usize {
        self.scores.len()
    }

    /// The item's score; `None` beyond the catalogue.
    pub(crate) fn score(&self, item: ItemIdx) -> Option<Score> {
        self.scores.get(item.index()).copied()
    }

    /// All items: falling score, ties by item.
    pub(crate) fn best_first(&self) -> &[ScoredItem] {
        &self.best_first
    }
}
