//! What a search says: a line a trial, a table, the files for machines and for people.

use catchment_evaluation::report::{SearchReport, SearchSetting, SearchTrial};
use catchment_schema::AtomicFile;
use serde_json::{Value, json};

use super::Search;
use super::trial::{Outcome, Trial};
use crate::commands::print_json;
use crate::failure::Failure;
use crate::recipe::tune::{in_words, number};
use crate::tables;

/// Rows of the table for people.
const SHOWN: usize = 10;

impl Search<'_> {
    /// How one trial went.
    pub(super) fn line(&self, trial: &Trial, n: usize, best: Option<(usize, f64)>, is_known: bool) -> String {
        let metric = &self.config.metric;
        let came_out = match (trial.outcome, trial.value(metric)) {
            (Outcome::Finished, Some(value)) => format!("{metric} {value:.4}"),
            (Outcome::Diverged, _) => "the loss diverged".to_owned(),
            (Outcome::Failed, _) => format!("failed: {}", trial.why.as_deref().unwrap_or_default()),
            _ => {
                let (share, value) = trial.looks.last().copied().unwrap_or_default();
                format!("stopped after {:.0} % with {metric} {value:.4}", 100.0 * share)
            }
        };
        let what = if trial.settings.is_empty() {
            "the recipe as it stands".to_owned()
        } else {
            let short = trial
                .settings
                .iter()
                .map(|(key, value)| (self.short(key), value.clone()));
            in_words(&short.collect())
        };
        let when = if is_known {
            "done before".to_owned()
        } else {
            format!("{:.1} s", trial.seconds)
        };
        let best = match best {
            Some((place, _)) if place == trial.number => "the best so far".to_owned(),
            Some((place, value)) => format!("best {value:.4} of trial {place}"),
            None => "none is finished yet".to_owned(),
        };
        format!(
            "trial {} of {n}: {came_out} ({best}; {when}): {what}",
            trial.number
        )
    }

    /// The finished ones, the best first.
    fn ranked<'b>(&self, done: &'b [Trial]) -> Vec<&'b Trial> {
        let metric = &self.config.metric;
        let mut ranked: Vec<&Trial> = done
            .iter()
            .filter(|trial| trial.value(metric).is_some())
            .collect();
        ranked.sort_by(|a, b| {
            b.value(metric)
                .unwrap_or(f64::MIN)
                .total_cmp(&a.value(metric).unwrap_or(f64::MIN))
        });
        ranked
    }

    /// The files of all trials, for machines and for people, as far as there are any.
    pub(super) fn write(&self, done: &[Trial]) -> Result<Value, Failure> {
        let result = json!({
            "recipe": self.work.recipe.name,
            "list": self.list,
            "metric": self.config.metric,
            "part": "validation",
            "users": self.n_users(),
            "seed": self.work.recipe.seed,
            "best": self.ranked(done).first().map(|best| json!({
                "trial": best.number, "settings": best.settings, "metrics": best.metrics,
            })),
            "trials": done,
        });
        AtomicFile::write(self.work.tuned(), &serde_json::to_vec_pretty(&result)?)?;
        let page = self.work.tuned_page();
        AtomicFile::write(&page, self.report(done).to_html().as_bytes())?;
        Ok(result)
    }

    /// Users that trials are judged by.
    fn n_users(&self) -> usize {
        // They stand together.
        self.to_judge.users.chunk_by(|a, b| a == b).count()
    }

    /// The table, the best settings, and where all of them are.
    pub(super) fn tell(&self, done: &[Trial]) -> Result<(), Failure> {
        let result = self.write(done)?;
        let (metric, ranked) = (&self.config.metric, self.ranked(done));
        let Some(best) = ranked.first() else {
            return Err(Failure::with_help(
                anyhow::anyhow!("no trial came to an end: each diverged, or failed"),
                "search lower learning rates",
            ));
        };
        let others = if self.to_rank.is_empty() {
            ""
        } else {
            "; the others taught the ranker"
        };
        self.work.say(format!(
            "\nlist `{}`, {metric} on the validation part ({} users{others}):",
            self.list,
            self.n_users()
        ));
        self.work.say(self.table(&ranked));
        let n_unfinished = done.len() - ranked.len();
        if n_unfinished > 0 {
            self.work.say(format!(
                "{n_unfinished} of {} trials did not come to their end, and are not in the table",
                done.len()
            ));
        }
        if best.settings.is_empty() {
            self.work
                .say("nothing that was tried is better than the recipe as it stands");
        } else {
            self.work.say("the best settings, as the recipe would have them:");
            for line in self.work.recipe.lines_with(&best.settings) {
                self.work.say(format!("  {line}"));
            }
            self.work.say(format!(
                "(the best of {} looks better than it is: put it into the recipe, and `run` measures it once on the test part)",
                ranked.len()
            ));
        }
        let page = self.work.tuned_page();
        self.work
            .say(format!("all trials, with plots: {}", page.display()));
        if self.work.output.json {
            print_json(&result)?;
        }
        Ok(())
    }

    /// What the page shows.
    fn report(&self, done: &[Trial]) -> SearchReport {
        let of = |trial: &Trial| SearchTrial {
            number: trial.number,
            settings: trial
                .settings
                .iter()
                .map(|(key, value)| {
                    let number = number(value).map(SearchSetting::Number);
                    let value = number.unwrap_or_else(|| SearchSetting::Word(value.to_string()));
                    (self.short(key), value)
                })
                .collect(),
            outcome: match trial.outcome {
                Outcome::Finished => "finished",
                Outcome::StoppedEarly => "stopped early",
                Outcome::Diverged => "diverged",
                Outcome::Failed => "failed",
            }
            .to_owned(),
            value: trial.value(&self.config.metric),
            looks: trial.looks.clone(),
        };
        SearchReport {
            name: self.work.recipe.name.clone(),
            list: self.list.clone(),
            metric: self.config.metric.clone(),
            part: "validation".to_owned(),
            trials: done.iter().map(of).collect(),
        }
    }

    /// A key as it is told where the list is known.
    fn short(&self, key: &str) -> String {
        let own = format!("channel.{}.", self.list);
        key.strip_prefix(&own).unwrap_or(key).to_owned()
    }

    fn table(&self, ranked: &[&Trial]) -> String {
        let names = self.work.recipe.evaluate.names();
        let keys: Vec<&String> = self.config.space.keys().collect();
        let mut header = vec!["trial".to_owned()];
        header.extend(names.iter().cloned());
        header.extend(keys.iter().map(|key| self.short(key)));
        let row = |trial: &&Trial| {
            let values = names.iter().map(|name| {
                let value = trial.value(name);
                value.map_or("-".to_owned(), |value| format!("{value:.4}"))
            });
            let settings = keys.iter().map(|key| {
                let value = trial.settings.get(*key);
                value.map_or("as it stands".to_owned(), toml::Value::to_string)
            });
            std::iter::once(trial.number.to_string())
                .chain(values)
                .chain(settings)
                .collect()
        };
        // And the recipe as it stands, wherever it stands.
        let beyond = ranked.iter().skip(SHOWN).filter(|trial| trial.number == 0);
        let rows: Vec<Vec<String>> = ranked.iter().take(SHOWN).chain(beyond).map(row).collect();
        tables::render(&header, &rows)
    }
}
