//! `catchment-train tune`: a random search over settings of a recipe, judged on its validation part.

mod told;
mod trial;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Instant;

use catchment_models::progress::Flow;
use catchment_pipeline::Pipeline;
use catchment_prepare::Prepared;
use catchment_recall::MergeConfig;
use catchment_schema::{AtomicFile, Error, Interactions, UserIdx};
use serde_json::json;
use trial::{Looks, Outcome, Trial, append, middle_at, read, write_anew};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::train::Parts;
use super::{evaluate, prepare, train};
use crate::cli::{Output, RecipeArgs};
use crate::draft::Draft;
use crate::failure::Failure;
use crate::judge::{self, Judgement};
use crate::recipe::Recipe;
use crate::recipe::tune::{Settings, TuneConfig, Unfit, in_words};
use crate::work::Work;
use crate::{fitted, folder, interrupt, rank};

/// Of its passes, the share that a training has in any case.
const ANY_CASE: f64 = 0.25;
/// How many times as many draws as trials there are at most, where the same come again.
const ENOUGH_DRAWS: usize = 50;

/// The folder of trials, in that of the recipe.
const FOLDER: &str = "tune";

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
    // A seed on the command line is for training: the test part of the recipe stays what it is.
    if work.fresh || work.prepared().is_err() {
        prepare::prepare_by(&work, work.own_seed())?;
    }
    let prepared = work.prepared()?;
    for (_, recipe) in &planned {
        if let Ok(recipe) = recipe {
            recipe.check_against(&prepared)?;
        }
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

/// Settings, and the recipe that has them or why there is none.
type Planned = (Settings, Result<Recipe, Unfit>);

/// Which settings are tried, each once, and the recipes that have them: the recipe as it stands comes first.
///
/// # Errors
/// Where none fit.
fn planned(work: &Work, config: &TuneConfig) -> Result<Vec<Planned>, Failure> {
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
        let mut recipe = work.recipe.with_settings(&settings);
        if let Ok(recipe) = &mut recipe {
            recipe.seed = work.recipe.seed;
            recipe.threads = work.recipe.threads;
        }
        planned.push((settings, recipe));
    }
    if let Some((settings, Err(unfit))) = planned.get(1)
        && planned[1..].iter().all(|(_, recipe)| recipe.is_err())
    {
        let path = work.recipe.path.display();
        let what = format!("{path}: with {}: {}", in_words(settings), unfit.cause);
        return Err(Failure::with_help(anyhow::anyhow!(what), unfit.help.clone()));
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
    fn all(&self, planned: &[Planned], beside: &Work) -> Result<Vec<Trial>, Failure> {
        let file = beside.trials();
        let mut before = read(&file)?;
        let works = planned.iter().map(|(_, recipe)| match recipe {
            Ok(recipe) => {
                let work = self.work.beside(only(recipe.clone(), &self.list), FOLDER)?;
                let key = self.key(&work)?;
                Ok::<_, Failure>(Some((work, key)))
            }
            Err(_) => Ok(None),
        });
        let works: Vec<Option<(Work, String)>> = works.collect::<Result<_, _>>()?;
        if self.work.fresh {
            let keys: BTreeSet<&String> = works.iter().flatten().map(|(_, key)| key).collect();
            before.retain(|trial| !keys.contains(&trial.key));
            write_anew(&file, &before)?;
        }
        let mut done: Vec<Trial> = vec![];
        let mut best: Option<(usize, f64)> = None;
        for (place, ((settings, recipe), of)) in planned.iter().zip(&works).enumerate() {
            let Some((work, key)) = of else {
                let why = recipe.as_ref().err().map(|unfit| unfit.cause.clone());
                let trial = Trial::failed(place, settings, why);
                self.work.say(self.line(&trial, planned.len() - 1, best, false));
                done.push(trial);
                continue;
            };
            // The last word on it.
            let known = done.iter().rev().chain(before.iter().rev());
            let known = known.into_iter().find(|trial| trial.key == *key);
            let known = known.filter(|trial| self.is_as_good(trial, &done)).cloned();
            let is_known = known.is_some();
            let trial = match known {
                Some(known) => Trial {
                    number: place,
                    settings: settings.clone(),
                    ..known
                },
                None => self.one(work, key, (place, settings), &done)?,
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
        key: &str,
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
            key: key.to_owned(),
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
            Ok(judged) => {
                let metrics = self.metrics(&judged);
                if metrics.contains_key(&self.config.metric) {
                    (Outcome::Finished, metrics)
                } else {
                    why = Some(format!(
                        "`{}` could not be measured of `{}`",
                        self.config.metric, self.list
                    ));
                    (Outcome::Failed, BTreeMap::new())
                }
            }
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
            key: key.to_owned(),
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
}
