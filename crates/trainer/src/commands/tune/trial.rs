//! A trial of a search: what it had, what came of it, and the file that keeps them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use catchment_schema::{AtomicFile, Error};
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::recipe::tune::Settings;

/// Earlier trials that a training is compared with while it runs; with fewer it goes to its end.
const ENOUGH_EARLIER: usize = 5;

/// How a trial came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// It was trained to its end, and measured.
    Finished,
    /// It fell behind earlier ones.
    StoppedEarly,
    /// Its loss was no number any more.
    Diverged,
    /// It could not be trained with these settings.
    Failed,
}

/// One trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Trial {
    /// Of all that decides about it.
    pub(super) key: String,
    /// Which one: 0 is the recipe as it stands.
    #[serde(rename = "trial")]
    pub(super) number: usize,
    pub(super) settings: Settings,
    pub(super) outcome: Outcome,
    /// On the validation part; none of one that was not finished.
    pub(super) metrics: BTreeMap<String, f64>,
    /// What was seen on the way: after which share of the passes, and what the metric was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) looks: Vec<(f64, f64)>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    pub(super) seconds: f64,
}

/// What was seen of a trial that is not over.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Looks {
    pub(super) key: String,
    pub(super) looks: Vec<(f64, f64)>,
}

impl Trial {
    /// One that could not be trained.
    pub(super) fn failed(number: usize, settings: &Settings, why: Option<String>) -> Self {
        Self {
            key: String::new(),
            number,
            settings: settings.clone(),
            outcome: Outcome::Failed,
            metrics: BTreeMap::new(),
            looks: vec![],
            why,
            seconds: 0.0,
        }
    }

    pub(super) fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).copied()
    }

    /// What the metric was after a share of the passes, by the last look until then; `None` of one that did not come so far.
    pub(super) fn value_at(&self, share: f64) -> Option<f64> {
        let share = share + 1e-9;
        let came_so_far = match self.outcome {
            Outcome::Finished => true,
            Outcome::StoppedEarly => self.looks.last().is_some_and(|&(at, _)| at + 2e-9 >= share),
            Outcome::Diverged | Outcome::Failed => false,
        };
        let mut looks = self.looks.iter().rev().filter(|_| came_so_far);
        looks.find(|(at, _)| *at <= share).map(|&(_, value)| value)
    }
}

/// The middle of what earlier trials had after a share of their passes, those that were stopped there, or later, among them;
/// `None` of too few.
pub(super) fn middle_at(earlier: &[Trial], share: f64) -> Option<f64> {
    let mut values: Vec<f64> = earlier.iter().filter_map(|trial| trial.value_at(share)).collect();
    if values.len() < ENOUGH_EARLIER {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some(values[values.len() / 2])
}

/// What was done before. A last line that was cut is of a trial that is done again.
pub(super) fn read(file: &Path) -> Result<Vec<Trial>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(Error::io(file)(error).into()),
    }
}

/// All of the file.
pub(super) fn write_anew(file: &Path, trials: &[Trial]) -> Result<(), Failure> {
    let mut text = String::new();
    for trial in trials {
        text.push_str(&serde_json::to_string(trial)?);
        text.push('\n');
    }
    Ok(AtomicFile::write(file, text.as_bytes())?)
}

pub(super) fn append(file: &Path, trial: &Trial) -> Result<(), Failure> {
    // A line of its own, also after one that was cut.
    let line = format!("\n{}\n", serde_json::to_string(trial)?);
    let open = File::options().create(true).append(true).open(file);
    let written = open.and_then(|mut open| open.write_all(line.as_bytes()));
    Ok(written.map_err(Error::io(file))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_is_compared_with_those_that_came_as_far() {
        let trial = |outcome, looks: &[(f64, f64)]| Trial {
            key: String::new(),
            number: 0,
            settings: Settings::new(),
            outcome,
            metrics: BTreeMap::new(),
            looks: looks.to_vec(),
            why: None,
            seconds: 0.0,
        };
        let mut earlier: Vec<Trial> = (1..=5)
            .map(|n| {
                let value = f64::from(n);
                trial(
                    Outcome::Finished,
                    &[(0.25, value), (0.5, 10.0 * value), (1.0, 100.0 * value)],
                )
            })
            .collect();
        assert_eq!(middle_at(&earlier[1..], 0.5), None, "four are too few");
        assert_eq!(middle_at(&earlier, 0.5), Some(30.0));
        // By the last look until then.
        assert_eq!(middle_at(&earlier, 0.6), Some(30.0));
        // Those that were stopped count where they were stopped, and not further on.
        earlier.extend([0.1, 0.2, 0.3, 0.4].map(|value| trial(Outcome::StoppedEarly, &[(0.25, value)])));
        earlier.push(trial(Outcome::Diverged, &[(0.25, 0.0), (0.5, 0.0)]));
        assert_eq!(middle_at(&earlier, 0.25), Some(1.0));
        assert_eq!(middle_at(&earlier, 0.5), Some(30.0));
    }
}
