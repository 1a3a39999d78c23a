//! The ranker itself: what serving needs.

use catchment_features::{FeatureBatch, FeatureRow};
use catchment_models::factorization::lr::LogisticRegression;
use catchment_schema::{ItemIdx, Score};

use super::config::check_negative_rate;
use crate::{Calibration, Layout, RankError, RankQuery, Ranker, Side};

/// A calibrated logistic regression over the features of all four sides.
///
/// The log-odds are a sum over sides, `((bias + user + context) + item) + candidate`, each side summed by itself in
/// `f64`. The first part is computed once a request, the second once a catalogue where
/// [`Ranker::prepare_items`] was called, and only the last for each candidate. The order of summation is
/// always this one, so that no score depends on how it was computed.
#[derive(Clone, Debug)]
pub struct LrRanker {
    pub(super) layout: Layout,
    pub(super) model: LogisticRegression,
    pub(super) calibration: Calibration,
    pub(super) negative_rate: f64,
    pub(super) feature_fingerprint: String,
    item_logits: Option<Vec<f64>>,
}

impl LrRanker {
    /// A ranker from its parts; `negative_rate` as in [`crate::LrRankerConfig`].
    ///
    /// # Errors
    /// [`RankError::WrongShape`] when the model has not one weight for each place of the layout;
    /// [`RankError::Config`] for a rate out of range.
    pub fn new(
        layout: Layout,
        model: LogisticRegression,
        calibration: Calibration,
        negative_rate: f64,
        feature_fingerprint: impl Into<String>,
    ) -> Result<Self, RankError> {
        check_negative_rate(negative_rate)?;
        if model.weights.len() != layout.width() {
            let reason = format!("{} weights for {} places", model.weights.len(), layout.width());
            return Err(RankError::WrongShape {
                side: Side::Candidate,
                reason,
            });
        }
        Ok(Self {
            layout,
            model,
            calibration,
            negative_rate,
            feature_fingerprint: feature_fingerprint.into(),
            item_logits: None,
        })
    }

    /// Which fitted features it was trained on. The caller compares this with the features that it will use.
    pub fn feature_fingerprint(&self) -> &str {
        &self.feature_fingerprint
    }

    /// The same ranker for features that are those it was trained on but for counts of a log that has gone on
    /// (`FittedFeatures::recount`): every id and every scale has to be the same, which nobody can check here.
    #[must_use]
    pub fn for_recounted_features(mut self, feature_fingerprint: impl Into<String>) -> Self {
        self.feature_fingerprint = feature_fingerprint.into();
        self.item_logits = None;
        self
    }

    /// Where the features have their place.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The weights.
    pub fn model(&self) -> &LogisticRegression {
        &self.model
    }

    /// The map from log-odds to probabilities.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The probability for log-odds of the model: calibrated, then corrected for dropped negatives.
    pub(super) fn probability(&self, logit: f64) -> f64 {
        correct(self.calibration.probability(logit), self.negative_rate)
    }

    fn side_logit(&self, side: Side, row: FeatureRow<'_>) -> Result<f64, RankError> {
        let mut sum = 0.0;
        let weights = &self.model.weights;
        self.layout.visit(side, row, |index, value| {
            sum += f64::from(weights[index as usize]) * f64::from(value);
        })?;
        // Products of finite `f32` cannot overflow `f64`: whatever is not finite came in with the features.
        if sum.is_finite() {
            Ok(sum)
        } else {
            Err(RankError::NotFinite { side, row: row.row })
        }
    }
}

/// With a share `rate` of the negatives kept, the odds were `1 / rate` too high: `p / (p + (1 − p) / rate)`.
pub(super) fn correct(p: f64, rate: f64) -> f64 {
    if rate < 1.0 { p / (p + (1.0 - p) / rate) } else { p }
}

impl Ranker for LrRanker {
    fn score(
        &self,
        query: &RankQuery<'_>,
        candidates: &[ItemIdx],
        candidate_features: &FeatureBatch,
        scores: &mut Vec<Score>,
    ) -> Result<(), RankError> {
        scores.clear();
        if candidate_features.rows != candidates.len() {
            let reason = format!(
                "{} rows for {} candidates",
                candidate_features.rows,
                candidates.len()
            );
            return Err(RankError::WrongShape {
                side: Side::Candidate,
                reason,
            });
        }
        let n_items = query.items.rows;
        if let Some(prepared) = self
            .item_logits
            .as_ref()
            .filter(|prepared| prepared.len() != n_items)
        {
            let reason = format!("{n_items} rows, but {} items were prepared", prepared.len());
            return Err(RankError::WrongShape {
                side: Side::Item,
                reason,
            });
        }
        let request = f64::from(self.model.bias)
            + self.side_logit(Side::User, query.user)?
            + self.side_logit(Side::Context, query.context)?;
        scores.reserve(candidates.len());
        for (row, &item) in candidates.iter().enumerate() {
            if item.index() >= n_items {
                return Err(RankError::UnknownItem {
                    item: item.0,
                    n_items,
                });
            }
            let item = match &self.item_logits {
                Some(prepared) => prepared[item.index()],
                None => self.side_logit(Side::Item, query.items.row(item.index()))?,
            };
            let candidate = self.side_logit(Side::Candidate, candidate_features.row(row))?;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a probability stays within 0 and 1"
            )]
            let probability = self.probability(request + item + candidate) as f32;
            scores.push(Score::clamped(probability));
        }
        Ok(())
    }

    fn prepare_items(&mut self, items: &FeatureBatch) -> Result<(), RankError> {
        let logits = (0..items.rows).map(|item| self.side_logit(Side::Item, items.row(item)));
        self.item_logits = Some(logits.collect::<Result<_, _>>()?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use catchment_features::FeatureColumn;
    use proptest::prelude::*;

    use super::*;
    use crate::calibration::{Isotonic, Platt};
    use crate::testing::ranker_laws;

    fn a_column(rows: usize) -> impl Strategy<Value = FeatureColumn> {
        let dense = (1_usize..4).prop_flat_map(move |width| {
            prop::collection::vec(-10.0_f32..10.0, rows * width)
                .prop_map(move |values| FeatureColumn::Dense { width, values })
        });
        let bag = prop::collection::vec(prop::collection::vec((0_u32..5, -2.0_f32..2.0), 0..4), rows)
            .prop_map(|rows| {
                let (mut offsets, mut ids, mut weights) = (vec![0], vec![], vec![]);
                for row in rows {
                    for (id, weight) in row {
                        ids.push(id);
                        weights.push(weight);
                    }
                    offsets.push(u32::try_from(ids.len()).expect("few ids"));
                }
                FeatureColumn::Bag {
                    cardinality: 5,
                    offsets,
                    ids,
                    weights,
                }
            });
        prop_oneof![dense, bag]
    }

    fn a_batch(rows: usize) -> impl Strategy<Value = FeatureBatch> {
        prop::collection::vec(a_column(rows), 0..4).prop_map(move |columns| FeatureBatch { rows, columns })
    }

    fn a_calibration() -> impl Strategy<Value = Calibration> {
        prop_oneof![
            Just(Calibration::None),
            (0.01_f64..3.0, -5.0_f64..5.0)
                .prop_map(|(slope, intercept)| Calibration::Platt(Platt { slope, intercept })),
            Just(Calibration::Isotonic(Isotonic {
                logits: vec![-20.0, 0.1, 30.0],
                probabilities: vec![0.01, 0.4, 0.9],
            })),
        ]
    }

    proptest! {
        #[test]
        fn the_laws_hold_for_any_shape_weights_and_calibration(
            user in a_batch(2),
            context in a_batch(1),
            items in a_batch(6),
            candidate_features in a_batch(5),
            candidates in prop::collection::vec(0_u32..6, 5),
            weights in prop::collection::vec(-3.0_f32..3.0, 60),
            calibration in a_calibration(),
            negative_rate in 0.01_f64..=1.0,
        ) {
            let layout = Layout::of(&user, &context, &items, &candidate_features).expect("narrow enough");
            let weights = weights[..layout.width()].to_vec();
            let model = LogisticRegression { weights, bias: -0.7 };
            let mut ranker = LrRanker::new(layout, model, calibration, negative_rate, "").expect("fits together");
            let query = RankQuery { user: user.row(1), context: context.row(0), items: &items };
            let candidates: Vec<ItemIdx> = candidates.into_iter().map(ItemIdx).collect();
            ranker_laws(&mut ranker, &query, &candidates, &candidate_features, true);
        }
    }
}
