//! Which index a catalogue gets.

use catchment_schema::Metric;

use crate::exact::ExactIndex;
use crate::{BuildError, Choice, IndexConfig, IndexKind, IndexReport, VectorIndex};

/// Up to so many items a scan is the default: as fast as a graph at high recall, always right, built at once.
pub const EXACT_UP_TO: usize = 50_000;

/// An index with the reasons for it.
pub struct BuiltIndex {
    /// The index.
    pub index: Box<dyn VectorIndex>,
    /// Which one it is, why, and its gap to the exact answer.
    pub report: IndexReport,
}

/// Builds what the configuration asks for.
///
/// `auto` picks exact for up to [`EXACT_UP_TO`] items, for raw inner product, for recall 1, and where the
/// feature `hnsw` is off; else it builds a graph, tunes it, and falls back to exact where the asked recall is
/// not reached. So `auto` never answers below the asked recall, as far as the sample can tell. `hnsw` keeps
/// the graph and reports the gap.
///
/// Recall is measured with items as queries; see [`build_index_for`] to use real ones.
///
/// # Shapes
/// `vectors`: `[n, dim]`, row-major; row `i` belongs to item `i`.
///
/// # Errors
/// [`BuildError`] for bad vectors and settings, and for `hnsw` without its feature or with inner product.
pub fn build_index(
    vectors: Vec<f32>,
    dim: usize,
    metric: Metric,
    config: &IndexConfig,
) -> Result<BuiltIndex, BuildError> {
    build_index_for(vectors, dim, metric, config, &[])
}

/// [`build_index`] with recall measured, and tuned, on the given queries.
///
/// # Shapes
/// `queries`: `[m, dim]`, row-major; a few hundred are enough.
///
/// # Errors
/// As [`build_index`].
pub fn build_index_for(
    vectors: Vec<f32>,
    dim: usize,
    metric: Metric,
    config: &IndexConfig,
    queries: &[f32],
) -> Result<BuiltIndex, BuildError> {
    config.validate()?;
    if dim == 0 {
        return Err(BuildError::ZeroDimension);
    }
    match config.kind {
        IndexKind::Exact => exact(vectors, dim, metric, Choice::Asked, None),
        IndexKind::Hnsw => graph(vectors, dim, metric, config, queries),
        IndexKind::Auto => match exact_reason(vectors.len() / dim, metric, config.recall) {
            Some(because) => exact(vectors, dim, metric, because, None),
            None => graph(vectors, dim, metric, config, queries),
        },
    }
}

/// Why `auto` takes the exact index without trying a graph.
fn exact_reason(n_items: usize, metric: Metric, recall: f32) -> Option<Choice> {
    if n_items <= EXACT_UP_TO {
        Some(Choice::SmallCatalogue)
    } else if metric == Metric::InnerProduct {
        Some(Choice::RawInnerProduct)
    } else if recall >= 1.0 {
        Some(Choice::PerfectRecall)
    } else if cfg!(not(feature = "hnsw")) {
        Some(Choice::NotCompiled)
    } else {
        None
    }
}

fn exact(
    vectors: Vec<f32>,
    dim: usize,
    metric: Metric,
    because: Choice,
    hnsw: Option<crate::HnswReport>,
) -> Result<BuiltIndex, BuildError> {
    let index = ExactIndex::build(vectors, dim, metric)?;
    let report = IndexReport {
        kind: IndexKind::Exact,
        because,
        n_items: index.len(),
        dim,
        metric,
        hnsw,
    };
    Ok(BuiltIndex {
        index: Box::new(index),
        report,
    })
}

#[cfg(feature = "hnsw")]
fn graph(
    vectors: Vec<f32>,
    dim: usize,
    metric: Metric,
    config: &IndexConfig,
    queries: &[f32],
) -> Result<BuiltIndex, BuildError> {
    let index = crate::hnsw::HnswIndex::build(&vectors, dim, metric, config, queries)?;
    let hnsw = index.report().clone();
    let because = match config.kind {
        IndexKind::Hnsw => Choice::Asked,
        _ if hnsw.gap > 0.0 => {
            drop(index);
            return exact(vectors, dim, metric, Choice::RecallNotReached, Some(hnsw));
        }
        _ => Choice::RecallReached,
    };
    let (kind, n_items) = (IndexKind::Hnsw, index.len());
    let report = IndexReport {
        kind,
        because,
        n_items,
        dim,
        metric,
        hnsw: Some(hnsw),
    };
    Ok(BuiltIndex {
        index: Box::new(index),
        report,
    })
}

#[cfg(not(feature = "hnsw"))]
fn graph(_: Vec<f32>, _: usize, _: Metric, _: &IndexConfig, _: &[f32]) -> Result<BuiltIndex, BuildError> {
    Err(BuildError::NotCompiled {
        engine: "hnsw",
        feature: "hnsw",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_takes_the_scan_where_it_is_the_better_or_the_only_one() {
        let check = |n_items, metric, recall, expected| {
            assert_eq!(
                exact_reason(n_items, metric, recall),
                expected,
                "{n_items} {metric:?} {recall}"
            );
        };
        let large = EXACT_UP_TO + 1;
        check(EXACT_UP_TO, Metric::Cosine, 0.9, Some(Choice::SmallCatalogue));
        check(large, Metric::InnerProduct, 0.9, Some(Choice::RawInnerProduct));
        check(large, Metric::L2, 1.0, Some(Choice::PerfectRecall));
        let otherwise = cfg!(not(feature = "hnsw")).then_some(Choice::NotCompiled);
        check(large, Metric::Cosine, 0.9, otherwise);
    }

    #[test]
    fn reports_say_what_was_built_and_survive_json() {
        let built = build_index(
            vec![1.0, 0.0, 0.0, 1.0],
            2,
            Metric::InnerProduct,
            &IndexConfig::default(),
        )
        .expect("valid");
        assert!(built.index.is_exact() && built.index.len() == 2);
        assert_eq!(built.report.because, Choice::SmallCatalogue);
        let json = serde_json::to_string(&built.report).expect("serialised");
        assert!(
            json.contains(r#""kind":"exact","because":"small_catalogue""#),
            "{json}"
        );
        assert_eq!(
            serde_json::from_str::<IndexReport>(&json).expect("read"),
            built.report
        );
    }

    #[test]
    fn bad_settings_are_refused_before_anything_is_built() {
        let config = IndexConfig {
            recall: 2.0,
            ..IndexConfig::default()
        };
        let error = build_index(vec![], 4, Metric::L2, &config).err();
        assert!(matches!(
            error,
            Some(BuildError::BadSetting { key: "recall", .. })
        ));
        let error = build_index(vec![], 0, Metric::L2, &IndexConfig::default()).err();
        assert_eq!(error, Some(BuildError::ZeroDimension));
    }

    #[cfg(not(feature = "hnsw"))]
    #[test]
    fn hnsw_without_its_feature_is_an_error_that_names_it() {
        let config = IndexConfig {
            kind: IndexKind::Hnsw,
            ..IndexConfig::default()
        };
        let error = build_index(vec![1.0], 1, Metric::Cosine, &config)
            .err()
            .expect("an error");
        assert!(error.to_string().contains("feature `hnsw`"), "{error}");
    }
}
