//! Two workers in turns.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Serialize;
use serde_json::Value;

use super::contest::Task;
use super::worker::{Answer, Worker};
use crate::workspace::stage;

/// One row of the result.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) work: &'static str,
    settings: Value,
    /// Median over the rounds.
    pub(crate) ours: f64,
    /// Median over the rounds.
    pub(crate) peer: f64,
    pub(crate) unit: &'static str,
    /// Ours and the peer's, where the workers say how many examples a run has.
    pub(crate) examples_per_second: Option<[f64; 2]>,
    pub(crate) ratio: Spread,
    pub(crate) quality_ours: Value,
    pub(crate) quality_peer: Value,
}

/// Of the rounds' ratios, the peer's time over ours.
#[derive(Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

/// Runs both, one after the other, changing who begins, so that a slow minute of the machine meets both.
pub(crate) fn run(
    task: &Task,
    input: &Path,
    [ours, peer]: [Command; 2],
    rounds: u32,
    threads: u32,
) -> Result<Row> {
    stage(task.work, || {
        let mut ours = Worker::start(ours, input, task.settings, threads)?;
        let mut peer = Worker::start(peer, input, task.settings, threads)?;
        let mut turn = |ours_first: bool| -> Result<[Answer; 2]> {
            let answers = if ours_first {
                let answer = ours.work()?;
                [answer, peer.work()?]
            } else {
                let answer = peer.work()?;
                [ours.work()?, answer]
            };
            if let Some(within) = task.agree {
                agree(&answers[0].quality, &answers[1].quality, within)?;
            }
            Ok(answers)
        };
        let [first_ours, first_peer] = turn(true)?;
        let (mut our_times, mut peer_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let [ours, peer] = turn(round % 2 == 0)?;
            our_times.push(ours.seconds);
            peer_times.push(peer.seconds);
            ratios.push(peer.seconds / ours.seconds);
        }
        let ratio = Spread {
            median: median(&mut ratios),
            min: ratios[0],
            max: ratios[ratios.len() - 1],
        };
        let (our_time, peer_time) = (median(&mut our_times), median(&mut peer_times));
        let examples = first_ours.examples.zip(first_peer.examples);
        Ok(Row {
            work: task.work,
            settings: serde_json::from_str(task.settings)?,
            ours: our_time,
            peer: peer_time,
            unit: "s",
            examples_per_second: examples.map(|(ours, peer)| [ours / our_time, peer / peer_time]),
            ratio,
            quality_ours: first_ours.quality,
            quality_peer: first_peer.quality,
        })
    })
}

/// Every number of one is there in the other, and no further from it than that part of itself.
fn agree(ours: &Value, peer: &Value, within: f64) -> Result<()> {
    let numbers = |side: &Value| side.as_object().cloned().unwrap_or_default();
    let (ours, peer) = (numbers(ours), numbers(peer));
    ensure!(
        !ours.is_empty() && ours.len() == peer.len(),
        "the two sides do not measure the same"
    );
    for (name, value) in &ours {
        let other = peer.get(name).and_then(Value::as_f64);
        let (ours, peer) = value
            .as_f64()
            .zip(other)
            .with_context(|| format!("{name} is not a number of both sides"))?;
        ensure!(
            (ours - peer).abs() <= within * peer.abs(),
            "no comparison: {name} is {ours} here and {peer} there, more than {within} of itself apart"
        );
    }
    Ok(())
}

/// Sorts, and takes the one in the middle (the mean of two).
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
    f64::midpoint(values[low], values[high])
}

/// The processor and its number of cores, as far as the system says.
pub(crate) fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{model}, {cores} cores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_that_arrive_elsewhere_do_not_agree() {
        let quality = |loss: f64| serde_json::json!({ "loss": loss, "hits": 3 });
        assert!(agree(&quality(5.0), &quality(5.004), 1e-3).is_ok());
        let message = |ours: &Value, peer: &Value| {
            let error = agree(ours, peer, 1e-3).expect_err("no agreement");
            error.to_string()
        };
        assert!(message(&quality(5.0), &quality(5.006)).contains("loss is 5 here and 5.006 there"));
        // JSON has no NaN: what is none of the numbers is `null`.
        assert!(message(&quality(f64::NAN), &quality(5.0)).contains("loss is not a number"));
        let other = serde_json::json!({ "loss": 5.0 });
        assert!(message(&quality(5.0), &other).contains("do not measure the same"));
        assert!(agree(&serde_json::json!({}), &serde_json::json!({}), 1e-3).is_err());
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert!((median(&mut [4.0, 1.0, 3.0]) - 3.0).abs() < 1e-12);
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert!((median(&mut values) - 2.5).abs() < 1e-12);
        assert!(values.is_sorted());
    }
}
