//! Judges lists against the truth.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::config::EvaluateConfig;
use crate::ranking_metrics::ListMetrics;
use crate::recommends::{Recommends, TopKLists};
use crate::truth::GroundTruth;

/// Users are asked for in blocks of this many, so that memory does not grow with users × items.
const BLOCK: usize = 256;

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
    /// Mean over users of each metric, by name (`recall@20`).
    pub metrics: BTreeMap<String, f64>,
}

/// The mean of every metric at every cut-off over all users with held-out items.
/// The same numbers to the bit for any number of threads.
///
/// # Errors
/// [`Error::Config`], [`Error::NoTruth`], [`Error::Lists`] when the lists cannot be had,
/// [`Error::NotARanking`] for a list with an item twice.
pub fn evaluate(
    lists: &dyn Recommends,
    truth: &GroundTruth,
    config: &EvaluateConfig,
    split: &str,
) -> Result<MetricReport, Error> {
    config.validate()?;
    if truth.users().is_empty() {
        return Err(Error::NoTruth);
    }
    let metrics = ListMetrics::new(config);
    let blocks: Vec<Vec<f64>> = (0..truth.users().len())
        .into_par_iter()
        .step_by(BLOCK)
        .map(|start| judge_block(lists, truth, config, &metrics, start))
        .collect::<Result<_, Error>>()?;
    let mut sums = vec![0.0; metrics.n_values()];
    for block in blocks {
        for (sum, value) in sums.iter_mut().zip(block) {
            *sum += value;
        }
    }
    let n = truth.users().len();
    Ok(MetricReport {
        protocol: config.protocol(split),
        users: n,
        cold_users: truth.n_cold_users(),
        pairs: truth.n_pairs(),
        cold_pairs: truth.n_cold_pairs(),
        items: truth.n_items(),
        metrics: metrics
            .names()
            .into_iter()
            .zip(sums.into_iter().map(|sum| sum / n as f64))
            .collect(),
    })
}

fn judge_block(
    lists: &dyn Recommends,
    truth: &GroundTruth,
    config: &EvaluateConfig,
    metrics: &ListMetrics,
    start: usize,
) -> Result<Vec<f64>, Error> {
    let users = &truth.users()[start..truth.users().len().min(start + BLOCK)];
    let mut top = TopKLists::default();
    lists
        .top_k(users, config.longest(), &mut top)
        .map_err(Error::Lists)?;
    if top.len() != users.len() {
        return Err(Error::Lists(format!(
            "{} lists for {} users",
            top.len(),
            users.len()
        )));
    }
    let mut sums = vec![0.0; metrics.n_values()];
    let mut sorted = Vec::new();
    for (position, &user) in users.iter().enumerate() {
        let list = top.list(position);
        sorted.clear();
        sorted.extend(list.iter().map(|scored| scored.item));
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            let reason = format!("item {} comes twice", pair[0].0);
            return Err(Error::NotARanking { user: user.0, reason });
        }
        metrics.add(
            list.iter().map(|scored| scored.item),
            truth.relevant(start + position),
            &mut sums,
        );
    }
    Ok(sums)
}
