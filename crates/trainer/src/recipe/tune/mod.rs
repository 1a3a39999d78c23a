//! `[tune]`: which settings of a recipe are searched, and where.

mod range;
mod settings;

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Recipe;
use super::place::Place;
use super::problem::{IN_RANGE, Problem, nearest};
pub(crate) use range::number;
use range::{Range, check_range, space};
pub(crate) use settings::{Settings, Unfit, in_words};

/// More trials than this are a slip of the finger.
const MOST_TRIALS: usize = 10_000;

/// A random search (Bergstra and Bengio 2012) over settings of a recipe, judged on its validation part.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TuneConfig {
    /// What is to be as large as it can: `recall@20`.
    pub(crate) metric: String,
    /// Of which list: a channel, `merge` or `ranked`. The whole river otherwise.
    pub(crate) list: Option<String>,
    /// How many settings are tried beside the recipe's own.
    #[serde(default = "default_trials")]
    pub(crate) trials: usize,
    /// After so many trials without a better one the search ends; after all of them otherwise.
    pub(crate) patience: Option<usize>,
    /// Whether a training ends early that is, after the same share of its passes, below the middle of those before it. Only a
    /// channel of towers is looked at while it is trained.
    #[serde(default = "default_early_stop")]
    pub(crate) early_stop: bool,
    /// Where each setting is drawn from, by its place in the recipe: `channel.NAME.model.dim`, `ranker.…`, `merge.…`.
    #[serde(deserialize_with = "space")]
    pub(crate) space: BTreeMap<String, Range>,
}

fn default_trials() -> usize {
    20
}

fn default_early_stop() -> bool {
    true
}

impl TuneConfig {
    /// What `trial` has, from 1. The settings of a trial do not depend on how many there are, and those of one key not on the
    /// others.
    pub(crate) fn settings(&self, seed: u64, trial: usize) -> Settings {
        let draw = |(key, range): (&String, &Range)| {
            let stream = xxh3_64_with_seed(format!("{trial} {key}").as_bytes(), seed);
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(stream);
            (key.clone(), range.draw(&mut rng))
        };
        self.space.iter().map(draw).collect()
    }

    /// What of it no other table can make right.
    pub(super) fn validate(&self, recipe: &Recipe) -> Result<(), Problem> {
        if !(1..=MOST_TRIALS).contains(&self.trials) {
            let message = format!("tune.trials = {}: 1 to {MOST_TRIALS} are allowed", self.trials);
            return Err(Problem::at_path("tune.trials", message).with_help(IN_RANGE));
        }
        if self.patience == Some(0) {
            let message = "tune.patience = 0 would end the search before it begins";
            return Err(
                Problem::at_path("tune.patience", message).with_help("give at least 1, or take it out")
            );
        }
        let metrics: Vec<String> = recipe.evaluate.names();
        if !metrics.contains(&self.metric) {
            let message = format!("tune.metric: nothing called `{}` is measured", self.metric);
            return Err(Problem::at_path("tune.metric", message).with_help(known(&self.metric, &metrics)));
        }
        let lists = lists(recipe);
        if let Some(list) = &self.list
            && !lists.contains(list)
        {
            let message = format!("tune.list: there is no list `{list}`");
            return Err(Problem::at_path("tune.list", message).with_help(known(list, &lists)));
        }
        if recipe.split.validation.is_none() {
            let message = "[tune] needs split.validation: settings are never chosen on the test part";
            return Err(Problem::at_path("tune", message)
                .with_help("add validation = { kind = \"leave-last\" } to [split]"));
        }
        if self.space.is_empty() {
            return Err(Problem::at_path("tune", "tune.space names no setting")
                .with_help("add one: \"channel.NAME.model.dim\" = [32, 64]"));
        }
        let list = self.list.clone().unwrap_or_else(|| recipe.headline());
        self.space.iter().try_for_each(|(key, range)| {
            check_key(key, &list, recipe)?;
            check_range(recipe, key, range)
        })?;
        self.space
            .iter()
            .try_for_each(|(key, range)| self.check_in_recipe(key, range, recipe))
    }

    /// Whether the recipe is one with the ends of a range, or with each choice: by itself, or beside others of its kind.
    fn check_in_recipe(&self, key: &str, range: &Range, recipe: &Recipe) -> Result<(), Problem> {
        for value in range.ends() {
            let alone = Settings::from([(key.to_owned(), value.clone())]);
            let Err(error) = recipe.with_settings(&alone) else {
                continue;
            };
            let fits_beside_others = (1..=10).any(|trial| {
                let mut settings = self.settings(recipe.seed, trial);
                settings.insert(key.to_owned(), value.clone());
                recipe.with_settings(&settings).is_ok()
            });
            if !fits_beside_others {
                return Err(at(recipe, key, &format!("{value}: {}", error.cause)).with_help(error.help));
            }
        }
        Ok(())
    }
}

/// All lists that are judged of a recipe.
fn lists(recipe: &Recipe) -> Vec<String> {
    let channels = recipe.channels.iter().map(|channel| channel.name.clone());
    let merge = (recipe.channels.len() > 1).then(|| "merge".to_owned());
    let ranked = recipe.ranker.as_ref().map(|_| "ranked".to_owned());
    channels.chain(merge).chain(ranked).collect()
}

fn known(word: &str, known: &[String]) -> String {
    match nearest(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known here: {}", known.join(", ")),
    }
}

/// A problem of one range.
fn at(recipe: &Recipe, key: &str, message: &str) -> Problem {
    let space = Place::Path("tune.space".to_owned());
    let place = Place::Word {
        name: key.to_owned(),
        from: space.start(&recipe.text).unwrap_or(0),
    };
    Problem::new(place, format!("tune.space.\"{key}\": {message}"))
}

/// Whether there is such a setting, and the list depends on it.
fn check_key(key: &str, list: &str, recipe: &Recipe) -> Result<(), Problem> {
    let channels: Vec<String> = recipe
        .channels
        .iter()
        .map(|channel| channel.name.clone())
        .collect();
    let steps: Vec<&str> = key.split('.').collect();
    let matters = match steps[..] {
        ["channel", _, "name" | "kind"] => {
            let problem = at(recipe, key, "another name or kind is another channel");
            return Err(problem.with_help("search its other settings, or give the recipe both channels"));
        }
        ["channel", name, _, ..] => {
            if !channels.iter().any(|channel| channel == name) {
                let problem = at(recipe, key, &format!("there is no channel `{name}`"));
                return Err(problem.with_help(known(name, &channels)));
            }
            name == list || !channels.iter().any(|channel| channel == list)
        }
        ["merge", ..] => !channels.iter().any(|channel| channel == list),
        ["ranker", ..] => {
            if recipe.ranker.is_none() {
                return Err(
                    at(recipe, key, "the recipe has no [ranker]").with_help("add one, or take the key out")
                );
            }
            list == "ranked"
        }
        _ => {
            let problem = at(
                recipe,
                key,
                "only settings of channels, the merge and the ranker are searched",
            );
            return Err(problem.with_help(
                "\"channel.NAME.model.dim\", \"merge.kind\", \"ranker.model.ftrl.alpha\" are such keys",
            ));
        }
    };
    if matters {
        return Ok(());
    }
    let problem = at(
        recipe,
        key,
        &format!("the list `{list}` is the same whatever that is"),
    );
    Err(problem.with_help("take the key out, or choose another tune.list"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use toml::{Table, Value};

    use super::*;
    use crate::recipe::RecipeError;

    const RECIPE: &str = r#"
        name = "t"
        [data]
        interactions = { path = "a.csv", format = "csv" }
        [split]
        kind = "leave-last"
        validation = { kind = "leave-last" }
        [[channel]]
        name = "popular"
        kind = "popular"
        [[channel]]
        name = "ials"
        kind = "ials"
        model = { dim = 8 }
        [tune]
        metric = "recall@20"
        list = "ials"
        [tune.space]
        "channel.ials.model.dim" = [16, 32, 64]
        "channel.ials.model.regularization" = { from = 1e-4, to = 1e-1, scale = "log" }
        "channel.ials.model.sweeps" = { from = 3, to = 5 }
        "channel.ials.k" = { from = 1, to = 4, scale = "log" }
        "channel.ials.model.alpha0" = { from = 1000.5, to = 1004.5 }
    "#;

    fn read(text: &str) -> Result<Recipe, RecipeError> {
        let path = Path::new("t.toml");
        Recipe::parse(text, path, &|_| None).map_err(|problem| problem.in_text(path, text))
    }

    #[test]
    fn settings_are_drawn_from_their_ranges_each_trial_its_own() {
        let recipe = read(RECIPE).expect("a recipe");
        let tune = recipe.tune.as_ref().expect("[tune]");
        let trials: Vec<Settings> = (1..=200).map(|trial| tune.settings(7, trial)).collect();
        assert_eq!(trials[4], tune.settings(7, 5), "the same again");
        for trial in 1..20 {
            let others = tune.settings(8, trial);
            assert!(!trials.contains(&others), "by another seed others: {others:?}");
        }
        let of = |key: &str| {
            trials
                .iter()
                .map(move |trial| trial[key].clone())
                .collect::<Vec<_>>()
        };
        for (key, wanted) in [
            ("channel.ials.model.dim", vec![16, 32, 64]),
            ("channel.ials.model.sweeps", vec![3, 4, 5]),
        ] {
            let mut found: Vec<i64> = of(key).iter().filter_map(Value::as_integer).collect();
            assert_eq!(found.len(), 200);
            for value in &wanted {
                let n = found.iter().filter(|found| *found == value).count();
                assert!((40..95).contains(&n), "{key} = {value}: {n} of 200");
            }
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, wanted);
        }
        let rates: Vec<f64> = of("channel.ials.model.regularization")
            .iter()
            .filter_map(Value::as_float)
            .collect();
        assert!(rates.iter().all(|rate| (1e-4..=1e-1).contains(rate)));
        // Of 1 to 4 each has the room until the next: ln 2, ln 3/2, ln 4/3, ln 5/4, of ln 5.
        for (k, least, most) in [(1, 62, 110), (2, 32, 70), (3, 20, 52), (4, 12, 45)] {
            let n = of("channel.ials.k")
                .iter()
                .filter(|value| value.as_integer() == Some(k))
                .count();
            assert!((least..most).contains(&n), "k = {k}: {n} of 200");
        }
        // A narrow range has more than what three digits tell apart.
        let mut narrow: Vec<f64> = of("channel.ials.model.alpha0")
            .iter()
            .filter_map(Value::as_float)
            .collect();
        assert!(narrow.iter().all(|alpha| (1000.5..=1004.5).contains(alpha)));
        narrow.sort_by(f64::total_cmp);
        narrow.dedup();
        assert!(narrow.len() > 100, "{narrow:?}");
        assert!(rates.iter().all(|rate| rate.to_string().len() <= 8), "{rates:?}");
        for decade in [1e-4, 1e-3, 1e-2] {
            let n = rates
                .iter()
                .filter(|&&rate| rate >= decade && rate < 10.0 * decade)
                .count();
            assert!((40..95).contains(&n), "from {decade}: {n} of 200");
        }
    }

    #[test]
    fn a_recipe_with_settings_is_the_one_that_has_them() {
        let recipe = read(RECIPE).expect("a recipe");
        let value = |text: &str| -> Value {
            toml::from_str::<Table>(&format!("x = {text}")).expect("a value")["x"].clone()
        };
        let settings = Settings::from([
            ("channel.ials.model.dim".to_owned(), value("24")),
            ("channel.ials.index.kind".to_owned(), value("\"exact\"")),
            ("merge.kind".to_owned(), value("\"snake\"")),
        ]);
        let other = recipe.with_settings(&settings).expect("a recipe");
        let written = RECIPE
            .replace(
                "model = { dim = 8 }",
                "model = { dim = 24 }\nindex = { kind = \"exact\" }",
            )
            .replace("[tune]", "[merge]\nkind = \"snake\"\n[tune]");
        let written = read(&written).expect("a recipe");
        assert_eq!(other.channels, written.channels);
        assert_eq!(other.merge, written.merge);
        assert_ne!(other.channels, recipe.channels);
        let wrong = Settings::from([("channel.ials.model.dims".to_owned(), value("24"))]);
        let error = recipe.with_settings(&wrong).expect_err("no such key");
        assert!(
            error.cause.contains("`dims`") && error.help.contains("`dim`"),
            "{error:?}"
        );
        // Lines of one are not those of another; a table is given whole.
        let both = Settings::from([
            ("channel.ials.k".to_owned(), value("7")),
            ("channel.popular.k".to_owned(), value("7")),
            ("merge".to_owned(), value("{ kind = \"snake\", limit = 9 }")),
        ]);
        assert_eq!(
            recipe.lines_with(&both),
            [
                "in [[channel]] \"ials\":",
                "  k = 7",
                "in [[channel]] \"popular\":",
                "  k = 7",
                "instead of all that is in [merge]:",
                "  kind = \"snake\"",
                "  limit = 9",
            ]
        );
        // As it is written, whole lines.
        let lines = recipe.lines_with(&settings);
        assert_eq!(
            lines,
            [
                "in [[channel]] \"ials\":",
                "  index = { kind = \"exact\" }",
                "  model = { dim = 24 }",
                "in [merge]:",
                "  kind = \"snake\"",
            ]
        );
    }

    #[test]
    fn what_cannot_be_searched_is_told() {
        let swapped = |from: &str, to: &str| read(&RECIPE.replace(from, to)).expect_err("no recipe");
        for (from, to, told) in [
            ("metric = \"recall@20\"", "metric = \"recall@21\"", "recall@21"),
            ("list = \"ials\"", "list = \"isla\"", "isla"),
            ("list = \"ials\"", "trials = 0", "trials"),
            ("list = \"ials\"", "patience = 0", "patience"),
            (
                "\"channel.ials.model.dim\" = [16, 32, 64]",
                "\"channel.ials.model.dim\" = []",
                "nothing",
            ),
            ("\"channel.ials.model.dim\"", "\"channel.isla.model.dim\"", "isla"),
            (
                "\"channel.ials.model.dim\"",
                "\"split.fraction\"",
                "split.fraction",
            ),
            ("\"channel.ials.model.dim\"", "\"ranker.dim\"", "[ranker]"),
            ("from = 1e-4, to", "from = 0, to", "logarithm"),
            ("from = 3, to = 5", "from = 5, to = 3", "not below"),
            (
                "from = 3, to = 5",
                "from = 3, til = 5",
                "sweeps\": unknown key `til`",
            ),
            ("from = 3, to = 5", "a = 3", "unknown key `a`"),
            (
                "\"channel.ials.model.dim\"",
                "channel.ials.model.dim",
                "\"channel.ials.model.dim\" = …",
            ),
            ("[16, 32, 64]", "16", "looks like"),
            ("[16, 32, 64]", "[16, 99999]", "99999: "),
            ("ials.model.dim\"", "ials.name\"", "another channel"),
            ("model.sweeps\"", "model.sweps\"", "unknown key `sweps`"),
            ("from = 3, to = 5", "min = 3, max = 5", "unknown key `"),
            (
                "\"channel.ials.model.dim\"",
                "\"channel.popular.k\"",
                "the same whatever",
            ),
            ("\"channel.ials.model.dim\"", "\"merge.k\"", "the same whatever"),
            ("validation = { kind = \"leave-last\" }", "", "validation"),
        ] {
            let error = swapped(from, to);
            assert!(error.message.contains(told), "{to}: {}", error.message);
            assert!(error.line.is_some() && !error.help.is_empty(), "{to}: {error}");
        }
    }
}
