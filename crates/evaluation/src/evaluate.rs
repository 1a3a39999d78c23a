//! Judges one list against the truth.

use crate::Error;
use crate::config::EvaluateConfig;
use crate::evaluator::Evaluator;
use crate::metric_report::MetricReport;
use crate::named_lists::{NamedLists, Role};
use crate::recommends::Recommends;
use crate::truth::GroundTruth;

/// The mean of every metric at every cut-off over all users with held-out items. [`Evaluator`] gives intervals,
/// segments and the rest as well.
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
    let named = NamedLists {
        name: "",
        lists,
        role: Role::Other,
    };
    let evaluator = Evaluator::new(truth, config, split, 0).means_alone();
    let mut judged = evaluator.judge(&[named])?;
    judged.reports.pop().ok_or(Error::NoTruth)
}
