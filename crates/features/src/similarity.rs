//! How near a candidate is to what the user did lately: cosines to centroids, a market each.

use std::collections::BTreeMap;

use catchment_schema::{Event, ItemIdx, Time};
use serde::{Deserialize, Serialize};

use crate::config::SimilarityConfig;
use crate::exact::Exact;
use crate::fingerprint::StateHash;
use crate::space::Attached;
use crate::{Error, Result, UserInput};

/// A fitted `similarity`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimilarityRule {
    pub(crate) channel: String,
    /// Words; empty: all events.
    pub(crate) events: Vec<String>,
    pub(crate) min_dwell_ms: Option<u32>,
    pub(crate) last: Option<usize>,
    pub(crate) days: Exact,
    pub(crate) market: Option<String>,
}

const MILLIS_PER_DAY: f64 = 86_400_000.0;

/// What a user did lately, as directions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Centroids {
    /// `[n, dim]`, each of length 1; empty where there is nothing.
    vectors: Vec<f32>,
    dim: usize,
}

impl SimilarityRule {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range, and a cast saturates"
    )]
    pub(crate) fn new(config: &SimilarityConfig) -> Self {
        Self {
            channel: config.channel.clone(),
            events: config.events.clone(),
            min_dwell_ms: config.min_dwell_seconds.map(|seconds| (seconds * 1000.0) as u32),
            last: config.last,
            days: Exact(config.days),
            market: config.market.clone(),
        }
    }

    /// Whether an event counts. One whose time is not known is as old as it may be; one whose dwell is not known is no
    /// long one.
    fn counts(&self, event: &Event, now: Time, attached: &Attached) -> bool {
        let is_new = match (event.time.millis(), now.millis()) {
            (Some(time), Some(now)) => (now.saturating_sub(time)) as f64 <= self.days.0 * MILLIS_PER_DAY,
            (_, None) => true,
            (None, Some(_)) => false,
        };
        let is_long = self
            .min_dwell_ms
            .is_none_or(|least| event.dwell_ms.is_some_and(|dwell| dwell >= least));
        let is_kind = || {
            self.events.is_empty()
                || self
                    .events
                    .iter()
                    .any(|word| attached.kind(word) == Some(event.kind))
        };
        is_new && is_long && is_kind()
    }

    /// The centroid of each market, in the order of the markets' numbers.
    pub(crate) fn centroids(
        &self,
        input: &UserInput<'_>,
        attached: &Attached,
        out: &mut Centroids,
    ) -> Result<()> {
        out.vectors.clear();
        let space = attached.space(&self.channel).ok_or_else(|| Error::BadSpace {
            feature: String::new(),
            channel: self.channel.clone(),
            reason: "it has no vectors".to_owned(),
        })?;
        out.dim = space.dim;
        let mut sums: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
        let known = if self.events.is_empty() {
            input.known_history()
        } else {
            input.known_everything()
        };
        let events = known.events().iter().rev();
        let events = events.filter(|event| self.counts(event, input.now, attached));
        for event in events.take(self.last.unwrap_or(usize::MAX)) {
            let Some(vector) = space.item(event.item) else {
                continue;
            };
            let market = attached.market(self.market.as_deref(), event.item);
            let sum = sums.entry(market).or_insert_with(|| vec![0.0; space.dim]);
            for (sum, &x) in sum.iter_mut().zip(vector) {
                *sum += f64::from(x);
            }
        }
        for sum in sums.values() {
            let length = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
            if length > 1e-9 {
                #[expect(clippy::cast_possible_truncation, reason = "features are f32")]
                out.vectors.extend(sum.iter().map(|x| (x / length) as f32));
            }
        }
        Ok(())
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        hash.text("similarity");
        hash.text(&self.channel);
        hash.count(self.events.len() as u64);
        self.events.iter().for_each(|word| hash.text(word));
        hash.count(self.min_dwell_ms.map_or(u64::MAX, u64::from));
        hash.count(self.last.map_or(u64::MAX, |last| last as u64));
        hash.number(self.days.0);
        hash.text(self.market.as_deref().unwrap_or_default());
    }
}

impl Centroids {
    /// The one direction of a user's kind.
    pub(crate) fn set(&mut self, vector: Option<&[f32]>, dim: usize) {
        self.vectors.clear();
        self.vectors.extend_from_slice(vector.unwrap_or_default());
        self.dim = dim;
    }

    pub(crate) fn clear(&mut self) {
        self.vectors.clear();
        self.dim = 0;
    }

    /// `[known, cosine]`: the largest cosine of the item with a centroid; zeros where there is none.
    pub(crate) fn nearest(&self, item: Option<&[f32]>) -> [f32; 2] {
        let Some(item) = item.filter(|item| item.len() == self.dim && self.dim > 0) else {
            return [0.0; 2];
        };
        let cosine = |centroid: &[f32]| {
            centroid
                .iter()
                .zip(item)
                .map(|(a, b)| a * b)
                .fold(0.0, |a: f32, b| a + b)
        };
        let cosines = self.vectors.chunks_exact(self.dim).map(cosine);
        cosines
            .reduce(f32::max)
            .map_or([0.0; 2], |cosine| [1.0, cosine.clamp(-1.0, 1.0)])
    }
}

/// Items that the user had a goal with, oldest first.
pub(crate) fn goals(input: &UserInput<'_>, goal: catchment_schema::EventKind) -> Vec<ItemIdx> {
    let known = input.known_history();
    let events = known.events().iter().filter(|event| event.kind == goal);
    events.map(|event| event.item).collect()
}
