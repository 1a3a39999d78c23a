//! `catchment-train tune`: a random search over settings of a recipe, judged on its validation part.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use catchment_models::progress::Flow;
use catchment_pipeline::Pipeline;
use catchment_prepare::Prepared;
use catchment_recall::MergeConfig;
use catchment_schema::{AtomicFile, Error, Interactions};
use serde::{Deserialize, Serialize};
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use super::{evaluate, prepare, train};
use crate::cli::{Output, RecipeArgs};
use crate::draft::Draft;
use crate::failure::Failure;
use crate::judge::{self, Judgement};
use crate::recipe::Recipe;
use crate::recipe::tune::{Settings, TuneConfig, in_words};
use crate::work::Work;
use crate::{fitted, folder, interrupt, rank, tables};

/// Earlier trials that a training is compared with while it runs; with fewer it goes to its end.
const ENOUGH_EARLIER: usize = 5;
/// Of its passes, the share that a training has in any case.
const ANY_CASE: f64 = 0.25;
/// Rows of the table for people.
const SHOWN: usize = 10;

/// The folder of trials, in that of the recipe.
const FOLDER: &str = "tune";

/// How a trial came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// It was trained to its end, and measured.
    Finished,
    /// It fell behind earlier ones.
    StoppedEarly,
    /// Its loss was no number any more.
    Diverged,
}

/// One trial.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    /// Of all that decides about it.
    key: String,
    /// Which one: 0 is the recipe as it stands.
    #[serde(rename = "trial")]
    number: usize,
    settings: Settings,
    outcome: Outcome,
    /// On the validation part; none of one that was not finished.
    metrics: BTreeMap<String, f64>,
    /// What was seen on the way: after which share of the passes, and what the metric was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    looks: Vec<(f64, f64)>,
    seconds: f64,
}

impl Trial {
    fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).copied()
    }

    /// What the metric was after a share of the passes, by the last look until then.
    fn value_at(&self, share: f64) -> Option<f64> {
        let mut looks = self.looks.iter().rev();
        looks.find(|(at, _)| *at <= share + 1e-9).map(|&(_, value)| value)
    }
}

pub(crate) fn run(args: &RecipeArgs, trials: Option<usize>, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let Some(mut config) = work.recipe.tune.clone() else {
        return Err(Failure::usage(
            format!("{} does not say what to search", work.recipe.path.display()),
            "add [tune] with metric = \"recall@20\", and [tune.space] with \"channel.NAME.model.dim\" = [32, 64]: docs/contracts.md, \
             section 3",
        ));
    };
    config.trials = trials.unwrap_or(config.trials);
    let list = config.list.clone().unwrap_or_else(|| work.headline());
    let planned = planned(&work, &config, &list)?;
    let training = interrupt::Training::begin();
    prepare::prepare(&work)?;
    let prepared = work.prepared()?;
    for (_, recipe) in &planned {
        recipe.check_against(&prepared)?;
    }
    let beside = work.beside(work.recipe.clone(), FOLDER)?;
    if work.fresh {
        folder::remove_file(&beside.trials())?;
    }
    let search = Search {
        work: &work,
        prepared: &prepared,
        train: prepared.train()?,
        validation: evaluate::held_out(&work, &prepared, &prepared.validation()?, "validation").into_owned(),
        config: &config,
        list,
    };
    if search.validation.is_empty() {
        let what = "the validation part is empty, and there is nothing to choose by";
        return Err(Failure::with_help(anyhow::anyhow!(what), rank::NOT_ENOUGH));
    }
    let done = search.all(&planned, &beside)?;
    drop(training);
    search.tell(&done)
}

/// Which settings are tried, each once, and the recipes that have them: the recipe as it stands comes first. All of them are
/// checked before any is trained.
fn planned(work: &Work, config: &TuneConfig, list: &str) -> Result<Vec<(Settings, Recipe)>, Failure> {
    let mut seen = BTreeSet::new();
    let mut planned = vec![];
    for trial in 0..=config.trials {
        let settings = match trial {
            0 => Settings::new(),
            _ => config.settings(work.recipe.seed, trial),
        };
        if !seen.insert(in_words(&settings)) {
            continue;
        }
        let mut recipe = work.recipe.with_settings(&settings)?;
        recipe.seed = work.recipe.seed;
        recipe.threads = work.recipe.threads;
        planned.push((settings, only(recipe, list)));
    }
    Ok(planned)
}

/// What of a recipe a list needs.
fn only(mut recipe: Recipe, list: &str) -> Recipe {
    recipe.lists.clear();
    if list != "ranked" {
        recipe.ranker = None;
    }
    if recipe.channels.iter().any(|channel| channel.name == list) {
        recipe.channels.retain(|channel| channel.name == list);
        recipe.merge = MergeConfig::default();
    }
    recipe
}

/// A search, and what it is on.
struct Search<'a> {
    work: &'a Work,
    prepared: &'a Prepared,
    train: Interactions,
    /// Without what says no.
    validation: Interactions,
    config: &'a TuneConfig,
    list: String,
}

impl Search<'_> {
    /// All trials, but for those that were done before.
    fn all(&self, planned: &[(Settings, Recipe)], beside: &Work) -> Result<Vec<Trial>, Failure> {
        let file = beside.trials();
        let before = read(&file)?;
        let mut done: Vec<Trial> = vec![];
        let mut best: Option<(usize, f64)> = None;
        for (place, (settings, recipe)) in planned.iter().enumerate() {
            let work = self.work.beside(recipe.clone(), FOLDER)?;
            let key = self.key(&work)?;
            let known = before.iter().find(|trial| trial.key == key).cloned();
            let is_known = known.is_some();
            let trial = match known {
                Some(known) => Trial {
                    number: place,
                    settings: settings.clone(),
                    ..known
                },
                None => self.one(&work, key, (place, settings), &done)?,
            };
            if !is_known {
                append(&file, &trial)?;
            }
            let value = trial.value(&self.config.metric);
            if let Some(value) = value
                && best.is_none_or(|(_, best)| value > best)
            {
                best = Some((place, value));
            }
            self.work
                .say(self.line(&trial, planned.len() - 1, best, is_known));
            done.push(trial);
            let since = best.map_or(place, |(best, _)| place - best);
            if self.config.patience.is_some_and(|patience| since >= patience) && place + 1 < planned.len() {
                self.work
                    .say(format!("{since} trials without a better one: the search ends"));
                break;
            }
        }
        Ok(done)
    }

    /// Of all that decides about a trial.
    fn key(&self, work: &Work) -> Result<String, Failure> {
        let recipe = &work.recipe;
        let all = json!({
            "data": self.prepared.summary().hash,
            "spec": work.spec(true),
            "features": recipe.ranker.as_ref().map(|_| &recipe.features),
            "evaluate": recipe.evaluate,
            "list": self.list,
            "metric": self.config.metric,
            "seed": recipe.seed,
            "program": fitted::program(),
        });
        Ok(format!("{:016x}", xxh3_64(&serde_json::to_vec(&all)?)))
    }

    fn one(
        &self,
        work: &Work,
        key: String,
        (place, settings): (usize, &Settings),
        earlier: &[Trial],
    ) -> Result<Trial, Failure> {
        let start = Instant::now();
        let draft = Draft::begin(work, false)?;
        let looks = RefCell::new(vec![]);
        let is_behind = Cell::new(false);
        let look = |share: f64| {
            let pipeline = Pipeline::open_folder(&draft.selection)?;
            let judged = judge::all(work, self.prepared, &pipeline, &self.validation, "validation");
            let judged = judged.map_err(Failure::into_error)?;
            let value = self.metrics(&judged).get(&self.config.metric).copied();
            let Some(value) = value else {
                return Ok(Flow::Continue);
            };
            looks.borrow_mut().push((share, value));
            let falls_behind =
                share >= ANY_CASE && middle_at(earlier, share).is_some_and(|middle| value < middle);
            is_behind.set(falls_behind);
            Ok(if falls_behind { Flow::Stop } else { Flow::Continue })
        };
        // Others are not there yet while one channel of several is trained.
        let is_one = work.recipe.channels.len() == 1;
        let watch: crate::fit::Watch<'_> = if self.config.early_stop && is_one {
            Some(&look)
        } else {
            None
        };
        let judged = train::select(
            work,
            self.prepared,
            &draft,
            &self.train,
            &self.validation,
            &[],
            watch,
        );
        let (outcome, metrics) = match judged {
            Ok(judged) => (Outcome::Finished, self.metrics(&judged)),
            Err(_) if interrupt::asked() => return Err(self.interrupted(earlier.len())),
            Err(_) if is_behind.get() => (Outcome::StoppedEarly, BTreeMap::new()),
            Err(failure) if failure.is_diverged() => (Outcome::Diverged, BTreeMap::new()),
            Err(failure) => return Err(failure),
        };
        match outcome {
            Outcome::Finished => draft.finish(work)?,
            Outcome::StoppedEarly | Outcome::Diverged => drop(draft),
        }
        folder::remove(&work.checkpoints())?;
        let mut looks = looks.into_inner();
        if let (false, Some(&value)) = (looks.is_empty(), metrics.get(&self.config.metric)) {
            looks.push((1.0, value));
        }
        Ok(Trial {
            key,
            number: place,
            settings: settings.clone(),
            outcome,
            metrics,
            looks,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    fn metrics(&self, judged: &[Judgement]) -> BTreeMap<String, f64> {
        let ours = judged.iter().find(|judgement| judgement.list == self.list);
        let metrics = ours.map(|judgement| &judgement.report.metrics);
        let pairs = metrics.into_iter().flat_map(|metrics| {
            let pair = |name: &str| metrics.get(name).map(|value| (name.to_owned(), value));
            metrics.keys().filter_map(pair).collect::<Vec<_>>()
        });
        pairs.collect()
    }

    fn interrupted(&self, n_done: usize) -> Failure {
        Failure::with_help(
            anyhow::anyhow!("interrupted; the {n_done} trials that were done are kept"),
            format!("go on by: catchment-train tune {}", self.work.recipe_and_place()),
        )
    }

    /// How one trial went.
    fn line(&self, trial: &Trial, n: usize, best: Option<(usize, f64)>, is_known: bool) -> String {
        let metric = &self.config.metric;
        let came_out = match (trial.outcome, trial.value(metric)) {
            (Outcome::Finished, Some(value)) => format!("{metric} {value:.4}"),
            (Outcome::Diverged, _) => "the loss diverged".to_owned(),
            _ => {
                let (share, value) = trial.looks.last().copied().unwrap_or_default();
                format!("stopped after {:.0} % with {metric} {value:.4}", 100.0 * share)
            }
        };
        let what = if trial.settings.is_empty() {
            "the recipe as it stands".to_owned()
        } else {
            in_words(&trial.settings)
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

    /// The table, the best settings, and the file of all.
    fn tell(&self, done: &[Trial]) -> Result<(), Failure> {
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
        let result = json!({
            "recipe": self.work.recipe.name,
            "list": self.list,
            "metric": metric,
            "part": "validation",
            "seed": self.work.recipe.seed,
            "best": ranked.first().map(|best| json!({
                "trial": best.number, "settings": best.settings, "metrics": best.metrics,
            })),
            "trials": done,
        });
        AtomicFile::write(self.work.tuned(), &serde_json::to_vec_pretty(&result)?)?;
        let Some(best) = ranked.first() else {
            let what = "no trial came to an end: each diverged";
            return Err(Failure::with_help(
                anyhow::anyhow!(what),
                "search lower learning rates",
            ));
        };
        self.work
            .say(format!("\n{} by {metric} on the validation part:", self.list));
        self.work.say(self.table(&ranked));
        if best.settings.is_empty() {
            self.work
                .say("nothing that was tried is better than the recipe as it stands");
        } else {
            self.work.say("the best settings:");
            for (key, value) in &best.settings {
                self.work.say(format!("  {key} = {value}"));
            }
            self.work.say(format!(
                "(the best of {} looks better than it is: put it into the recipe, and `run` measures it once on the test part)",
                ranked.len()
            ));
        }
        if self.work.output.json {
            super::print_json(&result)?;
        }
        Ok(())
    }

    fn table(&self, ranked: &[&Trial]) -> String {
        let names = self.work.recipe.evaluate.names();
        let keys: Vec<&String> = self.config.space.keys().collect();
        let short = |key: &String| {
            let own = format!("channel.{}.", self.list);
            key.strip_prefix(&own).unwrap_or(key).to_owned()
        };
        let mut header = vec!["trial".to_owned()];
        header.extend(names.iter().cloned());
        header.extend(keys.iter().map(|key| short(key)));
        let row = |trial: &&Trial| {
            let values = names.iter().map(|name| {
                let value = trial.value(name);
                value.map_or("-".to_owned(), |value| format!("{value:.4}"))
            });
            let settings = keys.iter().map(|key| {
                let value = trial.settings.get(*key);
                value.map_or("(recipe)".to_owned(), toml::Value::to_string)
            });
            std::iter::once(trial.number.to_string())
                .chain(values)
                .chain(settings)
                .collect()
        };
        let rows: Vec<Vec<String>> = ranked.iter().take(SHOWN).map(row).collect();
        tables::render(&header, &rows)
    }
}

/// The middle of what earlier trials had after a share of their passes, those among them that were stopped after it; `None`
/// of too few.
fn middle_at(earlier: &[Trial], share: f64) -> Option<f64> {
    let mut values: Vec<f64> = earlier.iter().filter_map(|trial| trial.value_at(share)).collect();
    if values.len() < ENOUGH_EARLIER {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some(values[values.len() / 2])
}

/// What was done before. A last line that was cut is of a trial that is done again.
fn read(file: &Path) -> Result<Vec<Trial>, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(vec![]),
        Err(error) => Err(Error::io(file)(error).into()),
    }
}

fn append(file: &Path, trial: &Trial) -> Result<(), Failure> {
    // A line of its own, also after one that was cut.
    let line = format!("\n{}\n", serde_json::to_string(trial)?);
    let open = File::options().create(true).append(true).open(file);
    let written = open.and_then(|mut open| open.write_all(line.as_bytes()));
    Ok(written.map_err(Error::io(file))?)
}
