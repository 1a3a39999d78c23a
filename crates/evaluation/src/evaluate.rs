//! Judges lists against the truth.

use catchment_schema::{ItemIdx, UserIdx};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::config::EvaluateConfig;
use crate::metric_table::MetricTable;
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
    /// How many users' lists have fewer items than the longest cut-off, empty ones included: metrics at cut-offs
    /// beyond a list's end count what is missing as misses.
    pub short_lists: usize,
    /// Mean over users of each metric, by name (`recall@20`), in the order of the config.
    pub metrics: MetricTable,
}

/// What a block of users adds to the report.
struct Block {
    sums: Vec<f64>,
    short_lists: usize,
}

/// The mean of every metric at every cut-off over all users with held-out items.
///
/// The lists' makers take seen items out (or not); `config.exclude_seen` only says so in the protocol.
/// The same numbers to the bit for any number of threads.
///
/// # Errors
/// [`Error::Config`], [`Error::NoTruth`], [`Error::Lists`] when the lists cannot be had,
/// [`Error::NotARanking`] for a list with an item twice or with more items than were asked for.
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
    let blocks: Vec<Block> = (0..truth.users().len())
        .into_par_iter()
        .step_by(BLOCK)
        .map(|start| judge_block(lists, truth, config, &metrics, start))
        .collect::<Result<_, Error>>()?;
    // Blocks are the same and are added in the same order, whichever thread judged them.
    let mut sums = vec![0.0; metrics.n_values()];
    for block in &blocks {
        for (sum, value) in sums.iter_mut().zip(&block.sums) {
            *sum += value;
        }
    }
    let n = truth.users().len();
    let means = sums.into_iter().map(|sum| sum / n as f64);
    Ok(MetricReport {
        protocol: config.protocol(split),
        users: n,
        cold_users: truth.n_cold_users(),
        pairs: truth.n_pairs(),
        cold_pairs: truth.n_cold_pairs(),
        items: truth.n_items(),
        short_lists: blocks.iter().map(|block| block.short_lists).sum(),
        metrics: metrics.names().into_iter().zip(means).collect(),
    })
}

fn judge_block(
    lists: &dyn Recommends,
    truth: &GroundTruth,
    config: &EvaluateConfig,
    metrics: &ListMetrics,
    start: usize,
) -> Result<Block, Error> {
    let users = &truth.users()[start..truth.users().len().min(start + BLOCK)];
    let longest = config.longest();
    let mut top = TopKLists::default();
    lists.top_k(users, longest, &mut top).map_err(Error::Lists)?;
    if top.len() != users.len() {
        let reason = format!("{} lists for {} users", top.len(), users.len());
        return Err(Error::Lists(reason));
    }
    let mut block = Block {
        sums: vec![0.0; metrics.n_values()],
        short_lists: 0,
    };
    let (mut list, mut sorted) = (Vec::new(), Vec::new());
    for (position, &user) in users.iter().enumerate() {
        list.clear();
        list.extend(top.list(position).iter().map(|scored| scored.item));
        check_ranking(user, &list, longest, &mut sorted)?;
        block.short_lists += usize::from(list.len() < longest);
        let position = start + position;
        let n_relevant = truth.relevant(position).len();
        metrics.add(&list, truth.reachable(position), n_relevant, &mut block.sums);
    }
    Ok(block)
}

fn check_ranking(
    user: UserIdx,
    list: &[ItemIdx],
    longest: usize,
    sorted: &mut Vec<ItemIdx>,
) -> Result<(), Error> {
    let wrong = |reason: String| Err(Error::NotARanking { user: user.0, reason });
    if list.len() > longest {
        return wrong(format!("{} items where {longest} were asked for", list.len()));
    }
    sorted.clear();
    sorted.extend_from_slice(list);
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => wrong(format!("item {} comes twice", pair[0].0)),
        None => Ok(()),
    }
}
