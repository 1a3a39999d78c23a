//! Requests with their outcome, as rows for a linear model.

use catchment_features::{FeatureBatch, FeatureRow};
use catchment_models::factorization::lr::SparseRows;

use crate::{Layout, RankError, Side, TrainingRequest};

/// Requests, flattened to one sparse row for each candidate: the user's and the context's features are repeated in
/// each. Memory: 8 bytes for each feature of each row that is not zero.
#[derive(Clone, Debug)]
pub struct TrainingSet<'a> {
    layout: Layout,
    items: &'a FeatureBatch,
    feature_fingerprint: String,
    rows: SparseRows,
    labels: Vec<f32>,
    weights: Vec<f32>,
    /// `[requests + 1]`: the rows of request `r` are `starts[r]..starts[r + 1]`.
    starts: Vec<usize>,
}

impl<'a> TrainingSet<'a> {
    /// No request yet. `items` are the features of the whole catalogue; `feature_fingerprint` names the fitted
    /// features that all rows come from, is kept in the ranker, and is for the caller to compare when it is opened.
    pub fn new(layout: Layout, items: &'a FeatureBatch, feature_fingerprint: impl Into<String>) -> Self {
        Self {
            rows: SparseRows::new(layout.width()),
            layout,
            items,
            feature_fingerprint: feature_fingerprint.into(),
            labels: Vec::new(),
            weights: Vec::new(),
            starts: vec![0],
        }
    }

    /// Adds a request. One without candidates adds nothing.
    ///
    /// # Errors
    /// [`RankError::Lengths`], [`RankError::UnknownItem`], [`RankError::WrongShape`], [`RankError::NotFinite`];
    /// [`RankError::Model`] for a label or weight out of range, with its place among the candidates. Nothing is
    /// added then.
    pub fn push(&mut self, request: &TrainingRequest<'_>) -> Result<(), RankError> {
        let start = self.rows.len();
        let added = self.add(request);
        if added.is_err() {
            self.rows.truncate(start);
        } else if self.rows.len() > start {
            self.labels.extend_from_slice(request.labels);
            match request.weights {
                Some(weights) => self.weights.extend_from_slice(weights),
                None => self.weights.resize(self.labels.len(), 1.0),
            }
            self.starts.push(self.rows.len());
        }
        added
    }

    fn add(&mut self, request: &TrainingRequest<'_>) -> Result<(), RankError> {
        request.check_outcome()?;
        let mut shared = Vec::new();
        collect(&self.layout, Side::User, request.user, &mut shared)?;
        collect(&self.layout, Side::Context, request.context, &mut shared)?;
        let mut entries = Vec::new();
        for (row, &item) in request.candidates.iter().enumerate() {
            if item.index() >= self.items.rows {
                return Err(RankError::UnknownItem {
                    item: item.0,
                    n_items: self.items.rows,
                });
            }
            entries.clear();
            entries.extend_from_slice(&shared);
            collect(
                &self.layout,
                Side::Item,
                self.items.row(item.index()),
                &mut entries,
            )?;
            collect(
                &self.layout,
                Side::Candidate,
                request.candidate_features.row(row),
                &mut entries,
            )?;
            self.rows.push(entries.iter().copied())?;
        }
        Ok(())
    }

    /// How many requests there are.
    pub fn n_requests(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many rows there are: candidates over all requests.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Where the features have their place.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Which fitted features the rows come from.
    pub fn feature_fingerprint(&self) -> &str {
        &self.feature_fingerprint
    }

    pub(crate) fn rows(&self) -> &SparseRows {
        &self.rows
    }

    pub(crate) fn labels(&self) -> &[f32] {
        &self.labels
    }

    pub(crate) fn weights(&self) -> &[f32] {
        &self.weights
    }

    /// The rows of a request.
    pub(crate) fn request(&self, request: usize) -> std::ops::Range<usize> {
        self.starts[request]..self.starts[request + 1]
    }
}

/// Appends the entries of a row that are not zero.
fn collect(
    layout: &Layout,
    side: Side,
    row: FeatureRow<'_>,
    entries: &mut Vec<(u32, f32)>,
) -> Result<(), RankError> {
    let mut all_finite = true;
    layout.visit(side, row, |index, value| {
        all_finite &= value.is_finite();
        if value != 0.0 {
            entries.push((index, value));
        }
    })?;
    if all_finite {
        Ok(())
    } else {
        Err(RankError::NotFinite { side, row: row.row })
    }
}

#[cfg(test)]
mod tests {
    use catchment_features::FeatureColumn;
    use catchment_models::Error;
    use catchment_schema::ItemIdx;

    use super::*;
    use crate::Shapes;

    fn dense(width: usize, values: &[f32]) -> FeatureBatch {
        let column = FeatureColumn::Dense {
            width,
            values: values.to_vec(),
        };
        FeatureBatch {
            rows: values.len() / width,
            columns: vec![column],
        }
    }

    /// Five items, one number on each side.
    struct Case {
        user: FeatureBatch,
        context: FeatureBatch,
        items: FeatureBatch,
        features: FeatureBatch,
        layout: Layout,
    }

    const CANDIDATES: &[ItemIdx] = &[ItemIdx(4), ItemIdx(0), ItemIdx(2)];
    const LABELS: &[f32] = &[1.0, 0.0, 0.0];

    fn case() -> Case {
        let one = vec![crate::ColumnShape::Dense { width: 1 }];
        let shapes = Shapes {
            user: one.clone(),
            context: one.clone(),
            item: one.clone(),
            candidate: one,
        };
        Case {
            user: dense(1, &[0.5]),
            context: dense(1, &[0.0]),
            items: dense(1, &[10.0, 11.0, 12.0, 13.0, 14.0]),
            features: dense(1, &[7.0, 8.0, 9.0]),
            layout: Layout::new(shapes).expect("narrow enough"),
        }
    }

    impl Case {
        fn request(&self) -> TrainingRequest<'_> {
            TrainingRequest {
                user: self.user.row(0),
                context: self.context.row(0),
                candidates: CANDIDATES,
                candidate_features: &self.features,
                labels: LABELS,
                weights: None,
            }
        }

        fn set(&self) -> TrainingSet<'_> {
            TrainingSet::new(self.layout.clone(), &self.items, "print")
        }

        fn fails(&self, request: TrainingRequest<'_>) -> RankError {
            let mut set = self.set();
            let error = set.push(&request).expect_err("refused");
            assert_eq!((set.n_rows(), set.n_requests()), (0, 0), "nothing is left behind");
            set.push(&self.request()).expect("a good one can follow");
            assert_eq!((set.n_rows(), set.n_requests()), (3, 1));
            error
        }
    }

    #[test]
    fn a_candidate_becomes_a_row_of_all_four_sides_without_zeros() {
        let case = case();
        let mut set = case.set();
        set.push(&case.request()).expect("good request");
        assert_eq!(set.rows().row(0).entries, [(0, 0.5), (2, 14.0), (3, 7.0)]);
        assert_eq!(set.rows().row(2).entries, [(0, 0.5), (2, 12.0), (3, 9.0)]);
        set.push(&TrainingRequest {
            weights: Some(&[2.0, 0.0, 1.0]),
            ..case.request()
        })
        .expect("good request");
        assert_eq!(set.weights(), [1.0, 1.0, 1.0, 2.0, 0.0, 1.0]);
        assert_eq!(set.request(1), 3..6);
    }

    #[test]
    fn a_request_without_candidates_adds_nothing() {
        let case = case();
        let features = dense(1, &[]);
        let mut set = case.set();
        let request = TrainingRequest {
            candidates: &[],
            candidate_features: &features,
            labels: &[],
            ..case.request()
        };
        set.push(&request).expect("nothing to add");
        assert_eq!(set.n_requests(), 0);
    }

    #[test]
    fn bad_outcomes_are_refused_whole() {
        let case = case();
        let fails = |labels, weights| {
            case.fails(TrainingRequest {
                labels,
                weights,
                ..case.request()
            })
        };
        assert!(matches!(
            fails(&[1.0], None),
            RankError::Lengths {
                what: "labels",
                found: 1,
                ..
            }
        ));
        assert!(matches!(
            fails(LABELS, Some(&[1.0])),
            RankError::Lengths { what: "weights", .. }
        ));
        let label = fails(&[0.0, 1.5, 0.0], None);
        assert!(
            matches!(label, RankError::Model(Error::Label { row: 1, .. })),
            "{label}"
        );
        let weight = fails(LABELS, Some(&[1.0, 1.0, f32::NAN]));
        assert!(
            matches!(weight, RankError::Model(Error::Weight { row: 2, .. })),
            "{weight}"
        );
    }

    #[test]
    fn bad_features_are_refused_whole() {
        let case = case();
        let strangers = [ItemIdx(4), ItemIdx(0), ItemIdx(5)];
        let unknown = case.fails(TrainingRequest {
            candidates: &strangers,
            ..case.request()
        });
        assert!(matches!(unknown, RankError::UnknownItem { item: 5, n_items: 5 }));
        let (nan, wide, few) = (
            dense(1, &[0.0, f32::NAN, 0.0]),
            dense(2, &[0.0; 6]),
            dense(1, &[0.0]),
        );
        let fails = |candidate_features| {
            case.fails(TrainingRequest {
                candidate_features,
                ..case.request()
            })
        };
        assert!(matches!(
            fails(&nan),
            RankError::NotFinite {
                side: Side::Candidate,
                row: 1
            }
        ));
        assert!(matches!(
            fails(&wide),
            RankError::WrongShape {
                side: Side::Candidate,
                ..
            }
        ));
        assert!(matches!(
            fails(&few),
            RankError::WrongShape {
                side: Side::Candidate,
                ..
            }
        ));
        let user = dense(1, &[f32::INFINITY]);
        let error = case.fails(TrainingRequest {
            user: user.row(0),
            ..case.request()
        });
        assert!(matches!(
            error,
            RankError::NotFinite {
                side: Side::User,
                row: 0
            }
        ));
    }
}
