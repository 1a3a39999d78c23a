//! What is measured, and by which protocol.

use serde::{Deserialize, Serialize};

use crate::Error;

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
    /// Cut-offs, each at least 1.
    pub ks: Vec<usize>,
    /// Metrics, each at every cut-off.
    pub metrics: Vec<MetricKind>,
    /// Whether items of the user's history are taken out of the lists.
    pub exclude_seen: bool,
    /// Which items compete.
    pub corpus: Corpus,
    /// The ideal of NDCG.
    pub ndcg_ideal: NdcgIdeal,
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
        }
    }
}

impl EvaluateConfig {
    /// # Errors
    /// [`Error::Config`] that names the key.
    pub fn validate(&self) -> Result<(), Error> {
        let config = |key, reason: &str| Error::Config {
            key,
            reason: reason.to_owned(),
        };
        if self.ks.is_empty() || self.ks.contains(&0) {
            return Err(config("ks", "needs at least one cut-off, each at least 1"));
        }
        if self.metrics.is_empty() {
            return Err(config(
                "metrics",
                "needs at least one of recall, ndcg, hit_rate, mrr, precision",
            ));
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
        let ideal = match self.ndcg_ideal {
            NdcgIdeal::MinKRelevant => "min(k, relevant)",
            NdcgIdeal::Relevant => "relevant",
            NdcgIdeal::K => "k",
        };
        format!(
            "split {split}; all items ranked; {seen}; NDCG ideal {ideal}; mean over users with held-out items"
        )
    }
}
