//! `catchment-train tune`: a random search over settings of a recipe, judged on its validation part.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use catchment_evaluation::report::{SearchReport, SearchSetting, SearchTrial};
use catchment_models::progress::Flow;
use catchment_pipeline::Pipeline;
use catchment_prepare::Prepared;
use catchment_recall::MergeConfig;
use catchment_schema::{AtomicFile, Error, Interactions, UserIdx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::train::Parts;
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
/// How many times as many draws as trials there are at most, where the same come again.
const ENOUGH_DRAWS: usize = 50;
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
    /// It could not be trained with these settings.
    Failed,
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
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    seconds: f64,
}

/// What was seen of a trial that is not over.
#[derive(Default, Serialize, Deserialize)]
struct Looks {
    key: String,
    looks: Vec<(f64, f64)>,
}

impl Trial {
    fn value(&self, metric: &str) -> Option<f64> {
        self.metrics.get(metric).copied()
    }

    /// What the metric was after a share of the passes, by the last look until then; `None` of one that did not come so far.
    fn value_at(&self, share: f64) -> Option<f64> {
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
    let list = config.list.clone().unwrap_or_else(|| work.recipe.headline());
    let planned = planned(&work, &config)?;
    // Data that were split by the recipe's own seed are as good.
    if work.fresh || work.prepared().is_err() {
        prepare::prepare(&work)?;
    }
    let prepared = work.prepared()?;
    for (_, recipe) in &planned {
        recipe.check_against(&prepared)?;
    }
    let beside = work.beside(work.recipe.clone(), FOLDER)?;
    if work.fresh {
        // What was tried by other settings, or for other lists, is kept.
        for made in [beside.draft(), beside.interrupted(), beside.checkpoints()] {
            folder::remove(&made)?;
        }
        folder::remove(beside.selection().root())?;
        folder::remove_file(&beside.looks())?;
    }
    fs::create_dir_all(beside.folder()).map_err(Error::io(beside.folder()))?;
    let validation = evaluate::held_out(&work, &prepared, &prepared.validation()?, "validation").into_owned();
    if validation.is_empty() {
        let what = "the validation part is empty, and there is nothing to choose by";
        let help = "hold more out by split.validation, or bring more data";
        return Err(Failure::with_help(anyhow::anyhow!(what), help));
    }
    let (to_rank, to_judge) = if list == "ranked" {
        halves(&validation, work.recipe.seed)
    } else {
        (Interactions::default(), validation)
    };
    if list == "ranked" && (to_rank.is_empty() || to_judge.is_empty()) {
        let what = "too few users have validation rows: half of them are for the ranker, half to judge by";
        return Err(Failure::with_help(anyhow::anyhow!(what), rank::NOT_ENOUGH));
    }
    let search = Search {
        work: &work,
        prepared: &prepared,
        train: prepared.train()?,
        to_rank,
        to_judge,
        config: &config,
        list,
    };
    let n_others = planned.len() - 1;
    if n_others < config.trials {
        work.say(format!(
            "{} trials were asked for, and {ENOUGH_DRAWS} times as many draws gave no more than {n_others} other settings",
            config.trials
        ));
    }
    let training = interrupt::Training::begin();
    let done = search.all(&planned, &beside)?;
    drop(training);
    search.tell(&done)
}

/// Which settings are tried, each once, and the recipes that have them: the recipe as it stands comes first. All of them are
/// checked before any is trained.
fn planned(work: &Work, config: &TuneConfig) -> Result<Vec<(Settings, Recipe)>, Failure> {
    let mut seen = BTreeSet::new();
    let mut planned = vec![];
    // A space of few settings is drawn from again and again until each was there.
    for draw in 0..=ENOUGH_DRAWS * config.trials {
        if planned.len() > config.trials {
            break;
        }
        let settings = match draw {
            0 => Settings::new(),
            _ => config.settings(work.recipe.seed, draw),
        };
        if !seen.insert(in_words(&settings)) {
            continue;
        }
        let recipe = work.recipe.with_settings(&settings);
        let mut recipe = recipe.map_err(|unfit| {
            let what = format!(
                "{}: with {}: {}",
                work.recipe.path.display(),
                in_words(&settings),
                unfit.cause
            );
            Failure::with_help(anyhow::anyhow!(what), unfit.help)
        })?;
        recipe.seed = work.recipe.seed;
        recipe.threads = work.recipe.threads;
        planned.push((settings, recipe));
    }
    Ok(planned)
}

/// Two halves by users: a ranker's list is too good for those that the ranker learned from, and the better the more it
/// learned by heart.
fn halves(rows: &Interactions, seed: u64) -> (Interactions, Interactions) {
    let is_first = |user: UserIdx| xxh3_64_with_seed(&user.0.to_le_bytes(), seed).is_multiple_of(2);
    let part = |first: bool| {
        let chosen = (0..rows.len()).filter(move |&row| is_first(rows.users[row]) == first);
        Interactions {
            users: chosen.clone().map(|row| rows.users[row]).collect(),
            events: chosen.clone().map(|row| rows.events[row]).collect(),
            sessions: chosen.map(|row| rows.sessions[row]).collect(),
        }
    };
    (part(true), part(false))
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
    /// Of the validation part, without what says no: what a ranker learns from.
    to_rank: Interactions,
    /// And what trials are judged by.
    to_judge: Interactions,
    config: &'a TuneConfig,
    list: String,
}

impl Search<'_> {
    /// All trials, but for those that were done before.
    fn all(&self, planned: &[(Settings, Recipe)], beside: &Work) -> Result<Vec<Trial>, Failure> {
        let file = beside.trials();
        let before = if self.work.fresh { vec![] } else { read(&file)? };
        let mut done: Vec<Trial> = vec![];
        let mut best: Option<(usize, f64)> = None;
        for (place, (settings, recipe)) in planned.iter().enumerate() {
            let work = self.work.beside(only(recipe.clone(), &self.list), FOLDER)?;
            let key = self.key(&work)?;
            // The last word on it.
            let known = done.iter().chain(&before).rev().find(|trial| trial.key == key);
            let known = known.filter(|trial| self.is_as_good(trial, &done)).cloned();
            let is_known = known.is_some();
            let trial = match known {
                Some(known) => Trial {
                    number: place,
                    settings: settings.clone(),
                    ..known
                },
                None => self.one(&work, key, (place, settings), &done)?,
            };
            if !is_known && trial.outcome != Outcome::Failed {
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
            self.write(&done)?;
            let since = best.map_or(place, |(best, _)| place - best);
            if self.config.patience.is_some_and(|patience| since >= patience) && place + 1 < planned.len() {
                self.work
                    .say(format!("{since} trials without a better one: the search ends"));
                break;
            }
        }
        Ok(done)
    }

    /// Whether a trial that was done before came out as it would now: one that was stopped is done again where nothing would
    /// stop it.
    fn is_as_good(&self, trial: &Trial, earlier: &[Trial]) -> bool {
        let Some(&(share, value)) = trial
            .looks
            .last()
            .filter(|_| trial.outcome == Outcome::StoppedEarly)
        else {
            return true;
        };
        self.config.early_stop && middle_at(earlier, share).is_some_and(|middle| value < middle)
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
        // Of a trial that was interrupted, what was seen until then.
        let seen = work.looks();
        let earlier_looks = fs::read(&seen)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Looks>(&bytes).ok())
            .filter(|looks| looks.key == key);
        let looks = RefCell::new(Looks {
            looks: earlier_looks.map(|earlier| earlier.looks).unwrap_or_default(),
            key: key.clone(),
        });
        let is_behind = Cell::new(false);
        let look = |share: f64| {
            let pipeline = Pipeline::open_folder(&draft.selection)?;
            let judged = judge::all(work, self.prepared, &pipeline, &self.to_judge, "validation");
            let judged = judged.map_err(Failure::into_error)?;
            let value = self.metrics(&judged).get(&self.config.metric).copied();
            let Some(value) = value else {
                return Ok(Flow::Continue);
            };
            {
                let mut looks = looks.borrow_mut();
                looks.looks.retain(|(at, _)| *at < share - 1e-9);
                looks.looks.push((share, value));
                AtomicFile::write(&seen, &serde_json::to_vec(&*looks)?)?;
            }
            let falls_behind =
                share >= ANY_CASE && middle_at(earlier, share).is_some_and(|middle| value < middle);
            is_behind.set(falls_behind);
            Ok(if falls_behind { Flow::Stop } else { Flow::Continue })
        };
        // Others, and a ranker, are not there yet while one channel of several is trained.
        let is_one = work.recipe.channels.len() == 1 && work.recipe.ranker.is_none();
        let watch: crate::fit::Watch<'_> = if self.config.early_stop && is_one {
            Some(&look)
        } else {
            None
        };
        let parts = Parts {
            train: &self.train,
            to_rank: &self.to_rank,
            to_judge: &self.to_judge,
        };
        let mut why = None;
        let judged = train::select(work, self.prepared, &draft, &parts, &[], watch);
        let (outcome, metrics) = match judged {
            Ok(judged) => (Outcome::Finished, self.metrics(&judged)),
            Err(_) if interrupt::asked() => return Err(self.interrupted(earlier.len())),
            Err(_) if is_behind.get() => (Outcome::StoppedEarly, BTreeMap::new()),
            Err(failure) if failure.is_diverged() => (Outcome::Diverged, BTreeMap::new()),
            // What the recipe itself does not do is to be mended first.
            Err(failure) if settings.is_empty() => return Err(failure),
            Err(failure) if failure.is_of_the_machine() => {
                return Err(failure.about(format!("trial {place}, {}", in_words(settings))));
            }
            Err(failure) => {
                why = Some(failure.told().0);
                (Outcome::Failed, BTreeMap::new())
            }
        };
        match outcome {
            Outcome::Finished => draft.finish(work)?,
            Outcome::StoppedEarly | Outcome::Diverged | Outcome::Failed => drop(draft),
        }
        folder::remove(&work.checkpoints())?;
        folder::remove_file(&seen)?;
        let mut looks = looks.into_inner().looks;
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
            why,
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
        let trials = if n_done == 1 {
            "1 trial"
        } else {
            &format!("{n_done} trials")
        };
        Failure::with_help(
            anyhow::anyhow!(
                "interrupted; {trials} done until then, kept in {}",
                self.work.tuned().display()
            ),
            format!(
                "go on by: catchment-train tune {} --trials {}",
                self.work.recipe_and_place(),
                self.config.trials
            ),
        )
    }

    /// How one trial went.
    fn line(&self, trial: &Trial, n: usize, best: Option<(usize, f64)>, is_known: bool) -> String {
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
    fn write(&self, done: &[Trial]) -> Result<Value, Failure> {
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
        self.to_judge.users.iter().collect::<BTreeSet<_>>().len()
    }

    /// The table, the best settings, and where all of them are.
    fn tell(&self, done: &[Trial]) -> Result<(), Failure> {
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
            super::print_json(&result)?;
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
                    let number = crate::recipe::tune::number(value).map(SearchSetting::Number);
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

/// The middle of what earlier trials had after a share of their passes, those that were stopped there, or later, among them;
/// `None` of too few.
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

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, ItemIdx, Time};

    use super::*;

    #[test]
    fn users_are_in_one_half_or_the_other() {
        let users: Vec<UserIdx> = (0..2000).map(|row| UserIdx(row / 2)).collect();
        let event = |row: u32| Event::new(ItemIdx(row % 7), Time::from_millis(i64::from(row)));
        let rows = Interactions {
            events: (0..2000).map(event).collect(),
            sessions: vec![0; 2000],
            users,
        };
        let (one, other) = halves(&rows, 7);
        assert_eq!(one.len() + other.len(), rows.len());
        let of = |part: &Interactions| part.users.iter().copied().collect::<BTreeSet<_>>();
        assert!(of(&one).is_disjoint(&of(&other)));
        assert!((400..600).contains(&of(&one).len()), "{}", of(&one).len());
        assert!(
            one.events
                .iter()
                .zip(&one.users)
                .all(|(event, user)| event.time.millis().map(|time| time / 2) == Some(i64::from(user.0)))
        );
        assert_ne!(halves(&rows, 8).0, one, "by another seed others");
    }

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
