//! What was built, why, and how good it is.

use catchment_schema::Metric;
use serde::{Deserialize, Serialize};

use crate::IndexKind;

/// What [`crate::build_index`] did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IndexReport {
    /// The engine that answers; never `auto`.
    pub kind: IndexKind,
    /// Why it is this one.
    pub because: Choice,
    /// How many vectors there are.
    pub n_items: usize,
    /// Their width.
    pub dim: usize,
    /// How they are compared.
    pub metric: Metric,
    /// The graph that was built and measured, also where it was then not good enough for `auto`.
    pub hnsw: Option<HnswReport>,
}

/// Why an engine was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The configuration named it.
    Asked,
    /// So few items that a scan is as fast and always right.
    SmallCatalogue,
    /// Graphs lose low-norm items under raw inner product.
    RawInnerProduct,
    /// No approximate engine was compiled in.
    NotCompiled,
    /// Recall 1 was asked, which only a scan can promise.
    PerfectRecall,
    /// The graph stayed below the asked recall, so the exact index took its place.
    RecallNotReached,
    /// The graph reached the asked recall.
    RecallReached,
}

/// How a graph was built, and its gap to the exact answer, measured after the build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HnswReport {
    /// Edges of a node in the upper layers.
    pub max_connections: usize,
    /// Pool while building.
    pub ef_construction: usize,
    /// Pool while searching that tuning ended with.
    pub ef: usize,
    /// Whether the same vectors give the same graph again.
    pub reproducible: bool,
    /// Where the queries came from.
    pub sampled_from: SampledFrom,
    /// How many queries recall was measured on.
    pub n_sampled: usize,
    /// Share of the true top 10 found at `ef`, 0 to 1; ties at the tenth place count as found.
    pub recall_at_10: f32,
    /// The same at 100.
    pub recall_at_100: f32,
    /// The length of list at which recall was asked.
    pub k: usize,
    /// Recall at `k`, measured.
    pub recall_at_k: f32,
    /// Recall at `k`, asked.
    pub asked: f32,
    /// `max(0, asked − recall_at_k)`: 0 where the graph is as good as asked.
    pub gap: f32,
}

/// The queries of a recall measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampledFrom {
    /// Indexed vectors, evenly spread. Easier than users' vectors where the two are distributed differently.
    Items,
    /// Queries that the caller gave.
    Queries,
}
