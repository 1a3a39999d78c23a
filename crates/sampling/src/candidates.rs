//! What a sampler hands out.

use catchment_schema::ItemIdx;

/// Sampled items, each with the logarithm of how often it was expected in the sample. Only samplers of this crate can
/// make one, so that the two cannot come apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidates {
    ids: Vec<ItemIdx>,
    log_expected_count: Vec<f32>,
}

impl Candidates {
    /// For samplers: `log_expected_count[i]` belongs to `ids[i]`.
    pub(crate) fn new(ids: Vec<ItemIdx>, log_expected_count: Vec<f32>) -> Self {
        debug_assert_eq!(ids.len(), log_expected_count.len());
        Self {
            ids,
            log_expected_count,
        }
    }

    /// The items, in the order in which they were drawn; one can occur more than once.
    pub fn ids(&self) -> &[ItemIdx] {
        &self.ids
    }

    /// `[ids.len()]`: natural logarithms, for a loss to *subtract* from the logit after any temperature.
    pub fn log_expected_count(&self) -> &[f32] {
        &self.log_expected_count
    }

    /// These and then the others, each with what was expected of it where it comes from.
    #[must_use]
    pub fn followed_by(mut self, others: &Self) -> Self {
        self.ids.extend_from_slice(&others.ids);
        self.log_expected_count
            .extend_from_slice(&others.log_expected_count);
        self
    }

    /// The same as part of a sample in which each is expected `factor` times as often: of a batch that remembers others, for
    /// one. Where the positive is corrected as well that cancels; where it is not, it does not.
    ///
    /// # Panics
    /// For a factor that is not above 0.
    #[must_use]
    pub fn expected_times(mut self, factor: f64) -> Self {
        assert!(factor > 0.0, "something is expected");
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a logarithm needs no more than f32"
        )]
        let log = factor.ln() as f32;
        for expected in &mut self.log_expected_count {
            *expected += log;
        }
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}
