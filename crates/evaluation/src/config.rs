//! What is measured, and by which protocol.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::segment_by::SegmentBy;

/// The largest cut-off that is accepted: beyond it a list is a catalogue.
pub const LARGEST_K: usize = 100_000;
/// The most resamples and sign flips that are accepted.
pub const MOST_RESAMPLES: usize = 1_000_000;

/// A metric of one user's list; the mean over users is reported.
/// `rel` are the user's held-out items, cold ones included; `hits@k` those among the first k.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MetricKind {
    /// `hits@k / |rel|`.
    Recall,
    /// `Σ_{hits} 1/log2(rank + 1)` over its ideal, see [`NdcgIdeal`] (Järvelin & Kekäläinen 2002, binary relevance).
    Ndcg,
    /// 1 when there is any hit among the first k.
    HitRate,
    /// `1 / rank` of the first hit among the first k, 0 without one.
    Mrr,
    /// `hits@k / k`, also for lists shorter than k.
    Precision,
    /// Average precision: `Σ_{hits among the first k} hits@rank / rank`, over `min(k, |rel|)`, so that a perfect list
    /// has 1 (Manning, Raghavan & Schütze 2008, section 8.4, cut at k; `trec_eval` divides by `|rel|` instead).
    Map,
    /// `hits@k / mean |rel|`, the mean over all users: so that the reported mean is the share of all held-out rows that were
    /// found, every row counting as much as another and a user as much as they have rows. `TensorFlow` Recommenders calls it
    /// top-k accuracy. Between 0 and 1 as a mean, not for each user.
    PooledRecall,
}

impl MetricKind {
    /// Its name in recipes and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Recall => "recall",
            Self::Ndcg => "ndcg",
            Self::HitRate => "hit_rate",
            Self::Mrr => "mrr",
            Self::Precision => "precision",
            Self::Map => "map",
            Self::PooledRecall => "pooled_recall",
        }
    }
}

/// What a perfect list would have scored. Published numbers differ in this; there is no silent choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NdcgIdeal {
    /// The ideal list has `min(k, |rel|)` hits at its top: the usual definition.
    #[default]
    #[serde(rename = "min(k, relevant)")]
    MinKRelevant,
    /// The ideal list has `|rel|` hits, though only k are looked at: lower values.
    #[serde(rename = "relevant")]
    Relevant,
    /// The ideal list has k hits, though the user may have fewer: lower values for users with few items.
    #[serde(rename = "k")]
    K,
}

impl NdcgIdeal {
    /// Its name in recipes and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::MinKRelevant => "min(k, relevant)",
            Self::Relevant => "relevant",
            Self::K => "k",
        }
    }
}

/// Which items compete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Corpus {
    /// Every item of the vocabulary. Sampled negatives are not offered: they reorder models
    /// (Krichene & Rendle 2020).
    #[default]
    All,
}

/// `[evaluate]` of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvaluateConfig {
    /// Cut-offs, each from 1 to [`LARGEST_K`] and there once. Their order is that of the report.
    pub ks: Vec<usize>,
    /// Metrics, each at every cut-off and there once. Their order is that of the report.
    pub metrics: Vec<MetricKind>,
    /// Whether items of the user's history are taken out of the lists. Whoever makes the lists does it;
    /// [`crate::evaluate()`] only says so in the protocol.
    pub exclude_seen: bool,
    /// Which items compete.
    pub corpus: Corpus,
    /// The ideal of NDCG.
    pub ndcg_ideal: NdcgIdeal,
    /// Whose metrics are given apart, in the words of `--segments`; see [`crate::SegmentBy`].
    pub segments: Vec<SegmentBy>,
    /// Resamples of the bootstrap behind each interval, 0 (no intervals) or from 100 to [`MOST_RESAMPLES`].
    pub resamples: usize,
    /// Which share of the resamples an interval holds, from 0.5 to 0.999.
    pub confidence: f64,
    /// Sign flips behind each p-value, from 100 to [`MOST_RESAMPLES`]: no p-value is below one over them.
    pub randomisations: usize,
}

impl Default for EvaluateConfig {
    fn default() -> Self {
        Self {
            ks: vec![10, 20, 50, 100],
            metrics: vec![
                MetricKind::Recall,
                MetricKind::Ndcg,
                MetricKind::HitRate,
                MetricKind::Mrr,
            ],
            exclude_seen: true,
            corpus: Corpus::All,
            ndcg_ideal: NdcgIdeal::MinKRelevant,
            segments: vec![SegmentBy::PopularityDecile, SegmentBy::HistoryLength],
            resamples: 1000,
            confidence: 0.95,
            randomisations: 10_000,
        }
    }
}

impl EvaluateConfig {
    /// `recall@10`, …: what is measured, in the order of the report.
    pub fn names(&self) -> Vec<String> {
        let at_each_k = |metric: &MetricKind| {
            let name = metric.name();
            self.ks.iter().map(move |k| format!("{name}@{k}"))
        };
        self.metrics.iter().flat_map(at_each_k).collect()
    }

    /// # Errors
    /// [`Error::Config`] that names the key and what is allowed.
    pub fn validate(&self) -> Result<(), Error> {
        let config = |key, reason: String| Err(Error::Config { key, reason });
        if self.ks.is_empty() {
            return config("ks", format!("needs at least one cut-off from 1 to {LARGEST_K}"));
        }
        if let Some(k) = self.ks.iter().find(|k| !(1..=LARGEST_K).contains(*k)) {
            return config("ks", format!("{k} is not a cut-off from 1 to {LARGEST_K}"));
        }
        if let Some(k) = first_twice(&self.ks) {
            return config(
                "ks",
                format!("{k} is there twice; each cut-off may be there once"),
            );
        }
        if self.metrics.is_empty() {
            let allowed = "needs at least one of recall, ndcg, hit_rate, mrr, precision, map, pooled_recall";
            return config("metrics", allowed.to_owned());
        }
        if let Some(metric) = first_twice(&self.metrics) {
            let name = metric.name();
            return config(
                "metrics",
                format!("{name} is there twice; each metric may be there once"),
            );
        }
        if let Some(by) = first_twice(&self.segments) {
            return config("segments", format!("{by} is there twice"));
        }
        let allowed = 100..=MOST_RESAMPLES;
        let range = format!("from 100 to {MOST_RESAMPLES}");
        if self.resamples != 0 && !allowed.contains(&self.resamples) {
            return config(
                "resamples",
                format!("{} is neither 0 nor {range}", self.resamples),
            );
        }
        if !allowed.contains(&self.randomisations) {
            return config(
                "randomisations",
                format!("{} is not {range}", self.randomisations),
            );
        }
        if !(0.5..=0.999).contains(&self.confidence) {
            return config(
                "confidence",
                format!("{} is not from 0.5 to 0.999", self.confidence),
            );
        }
        Ok(())
    }

    /// The longest list that is looked at.
    pub fn longest(&self) -> usize {
        self.ks.iter().copied().max().unwrap_or(0)
    }

    /// The protocol in one line: no metric is printed without it.
    pub fn protocol(&self, split: &str) -> String {
        let seen = if self.exclude_seen {
            "seen items removed"
        } else {
            "seen items kept"
        };
        let ideal = self.ndcg_ideal.name();
        format!(
            "split {split}; all items ranked; {seen}; NDCG ideal {ideal}; mean over users with held-out items"
        )
    }
}

fn first_twice<T: PartialEq>(values: &[T]) -> Option<&T> {
    let mut at = 0..values.len();
    at.find(|&at| values[..at].contains(&values[at]))
        .map(|at| &values[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(json: &str) -> String {
        match serde_json::from_str::<EvaluateConfig>(json) {
            Ok(config) => config.validate().expect_err(json).to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_setting_out_of_range_is_named_with_what_is_allowed() {
        let range = format!("from 1 to {LARGEST_K}");
        for json in [r#"{"ks":[]}"#, r#"{"ks":[10,0]}"#, r#"{"ks":[1000000000000]}"#] {
            let error = refused(json);
            assert!(
                error.starts_with("evaluate.ks: ") && error.contains(&range),
                "{error}"
            );
        }
        assert!(refused(r#"{"ks":[10,20,10]}"#).starts_with("evaluate.ks: 10 is there twice"));
        assert!(refused(r#"{"metrics":[]}"#).contains("hit_rate"));
        assert!(refused(r#"{"metrics":["mrr","mrr"]}"#).starts_with("evaluate.metrics: mrr is there twice"));
        assert!(refused(r#"{"resamples":7}"#).starts_with("evaluate.resamples: 7 is neither 0 nor from 100"));
        assert!(refused(r#"{"randomisations":0}"#).starts_with("evaluate.randomisations: 0 is not from 100"));
        assert!(refused(r#"{"confidence":1.0}"#).starts_with("evaluate.confidence: 1 is not from 0.5"));
        let twice = r#"{"segments":["user.history","user.history"]}"#;
        assert!(refused(twice).starts_with("evaluate.segments: user.history is there twice"));
    }

    #[test]
    fn unknown_keys_and_words_are_refused_with_the_known_ones() {
        assert!(refused(r#"{"cutoffs":[10]}"#).contains("`ks`"));
        assert!(refused(r#"{"metrics":["auc"]}"#).contains("`precision`"));
        assert!(refused(r#"{"corpus":"sampled"}"#).contains("`all`"));
        assert!(refused(r#"{"ndcg_ideal":"best"}"#).contains("`min(k, relevant)`"));
    }

    #[test]
    fn defaults_are_valid_and_names_are_those_of_recipes() {
        let config = EvaluateConfig::default();
        config.validate().expect("the default");
        assert_eq!(config.longest(), 100);
        let json = serde_json::to_value(&config).expect("json");
        for (kind, name) in config
            .metrics
            .iter()
            .zip(json["metrics"].as_array().expect("a list"))
        {
            assert_eq!(kind.name(), name);
        }
        assert_eq!(config.ndcg_ideal.name(), json["ndcg_ideal"]);
    }
}
