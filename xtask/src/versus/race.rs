//! Two workers in turns.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::contest::Task;
use super::worker::Worker;
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
        let quality_ours = ours.work()?.quality;
        let quality_peer = peer.work()?.quality;
        let (mut our_times, mut peer_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..rounds {
            let (our_time, peer_time) = if round % 2 == 0 {
                let our_time = ours.work()?.seconds;
                (our_time, peer.work()?.seconds)
            } else {
                let peer_time = peer.work()?.seconds;
                (ours.work()?.seconds, peer_time)
            };
            our_times.push(our_time);
            peer_times.push(peer_time);
            ratios.push(peer_time / our_time);
        }
        let ratio = Spread {
            median: median(&mut ratios),
            min: ratios[0],
            max: ratios[ratios.len() - 1],
        };
        Ok(Row {
            work: task.work,
            settings: serde_json::from_str(task.settings)?,
            ours: median(&mut our_times),
            peer: median(&mut peer_times),
            unit: "s",
            ratio,
            quality_ours,
            quality_peer,
        })
    })
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
    fn the_median_of_an_even_number_is_between_the_two_in_the_middle() {
        assert!((median(&mut [4.0, 1.0, 3.0]) - 3.0).abs() < 1e-12);
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert!((median(&mut values) - 2.5).abs() < 1e-12);
        assert!(values.is_sorted());
    }
}
