//! What was measured of one list.

use serde::{Deserialize, Serialize};

use crate::metric_table::MetricTable;
use crate::resample::Interval;

/// What was measured, with the protocol that makes it mean something.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricReport {
    /// Split, corpus, seen-item rule and ideal, in one line.
    pub protocol: String,
    /// How many users the means are over.
    pub users: usize,
    /// How many of them the vocabulary does not know.
    pub cold_users: usize,
    /// How many held-out pairs there are.
    pub pairs: usize,
    /// How many of them have an item that the vocabulary does not know.
    pub cold_pairs: usize,
    /// How many items compete.
    pub items: usize,
    /// How many users' lists have fewer items than the longest cut-off, empty ones included: metrics at cut-offs
    /// beyond a list's end count what is missing as misses.
    pub short_lists: usize,
    /// Mean over users of each metric, by name (`recall@20`), in the order of the config.
    pub metrics: MetricTable,
    /// What the lists do to the catalogue ([`crate::catalogue_metrics`]), by name and in that order.
    #[serde(default, skip_serializing_if = "MetricTable::is_empty")]
    pub catalogue: MetricTable,
    /// Where the means may lie ([`crate::resample`]), in the order of `metrics`; empty where it was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub intervals: Vec<NamedInterval>,
    /// The same metrics of some users or some held-out items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentReport>,
    /// How right the scores are as probabilities, where they were said to be some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<ListCalibration>,
}

impl MetricReport {
    /// The interval of a metric.
    pub fn interval(&self, metric: &str) -> Option<Interval> {
        let found = self.intervals.iter().find(|named| named.metric == metric);
        found.map(|named| named.interval)
    }
}

/// The interval of one metric's mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NamedInterval {
    /// The metric, `recall@20`.
    pub metric: String,
    /// Where its mean may lie.
    #[serde(flatten)]
    pub interval: Interval,
}

/// The metrics of all segments of one segmentation. Segments that nobody is in are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentReport {
    /// The segmentation, `item.popularity_decile`.
    pub by: String,
    /// Its segments.
    pub segments: Vec<SegmentMetrics>,
}

/// The metrics of one segment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentMetrics {
    /// The segment, `20–49 items`.
    pub label: String,
    /// How many users the means are over.
    pub users: usize,
    /// How many held-out pairs are in it.
    pub pairs: usize,
    /// Mean over those users of each metric, by name.
    pub metrics: MetricTable,
    /// Standard errors of those means (√(variance / users)), by name; empty for one user.
    #[serde(default, skip_serializing_if = "MetricTable::is_empty")]
    pub standard_errors: MetricTable,
}

/// Scores of listed items as probabilities that the item was held out, against whether it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListCalibration {
    /// How many listed items.
    pub rows: usize,
    /// Expected calibration error ([`crate::calibration()`]).
    pub ece: f64,
    /// The bins that it is made of.
    pub bins: Vec<crate::calibration::ReliabilityBin>,
    /// Area under the ROC curve within each user, weighted by listed items ([`crate::gauc()`]); none where no user has
    /// both classes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gauc: Option<crate::gauc::Gauc>,
}
