//! Reads a recipe, and says exactly where it is wrong.

use std::fs;
use std::path::{Path, PathBuf};

use catchment_prepare::{Inputs, PrepareConfig};
use catchment_schema::import::Source;
use toml::de::DeTable;

use super::problem::{Problem, RecipeError};
use super::{Recipe, RecipeFile, check};

/// What to do about a text that is no TOML at all.
const NOT_TOML: &str = "each line is a [table], or key = value with text in quotes and dots in fractions";

impl Recipe {
    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// [`RecipeError`] with file, line, and the nearest known key for a misspelt one.
    pub(crate) fn read(path: &Path) -> Result<Self, RecipeError> {
        let text = fs::read_to_string(path).map_err(|error| RecipeError {
            path: path.to_owned(),
            line: None,
            message: format!("cannot be read: {error}"),
            help: "name a recipe (a TOML file): `catchment-train init --interactions LOG` writes one for a log, and \
                   `catchment-train synth -o FOLDER` one with a made world"
                .to_owned(),
            is_missing: error.kind() == std::io::ErrorKind::NotFound,
        })?;
        Self::parse(&text, path, &|name| std::env::var(name).ok())
            .map_err(|problem| problem.in_text(path, &text))
    }

    pub(super) fn parse(
        text: &str,
        path: &Path,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Problem> {
        if let Err(error) = DeTable::parse(text) {
            let problem = Problem::from(error);
            return Err(problem.about("this is not TOML: ").with_help(NOT_TOML));
        }
        let file: RecipeFile = toml::from_str(text)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let resolve = |path: &str, key: &str| {
            resolve_path(path, folder, variable)
                .map_err(|fault| Problem::at_path(key, fault.0).with_help(fault.1))
        };
        let source = |source: Source, key: &str| -> Result<Source, Problem> {
            check::source(&source, key)?;
            let path = resolve(&source.path, &format!("data.{key}.path"))?;
            Ok(Source { path, ..source })
        };
        let optional = |given: Option<Source>, key| given.map(|given| source(given, key)).transpose();
        let channels: Vec<_> = file
            .channel
            .into_iter()
            .enumerate()
            .map(|(position, channel)| channel.resolve(position))
            .collect::<Result<_, _>>()?;
        let recipe = Self {
            path: path.to_owned(),
            text: text.to_owned(),
            name: file.name,
            seed: file.seed,
            threads: file.threads,
            data: Inputs {
                interactions: source(file.data.interactions, "interactions")?,
                test: optional(file.data.test, "test")?,
                items: optional(file.data.items, "items")?,
                users: optional(file.data.users, "users")?,
            },
            prepare: PrepareConfig {
                negative: file.data.negative,
                ..file.prepare
            },
            split: file.split,
            features: file.features,
            channels,
            merge: file.merge,
            ranker: file
                .ranker
                .map(super::channel::RankerTable::resolve)
                .transpose()?,
            evaluate: file.evaluate,
            lists: file
                .lists
                .into_iter()
                .map(|(name, path)| {
                    let path = resolve(&path, &format!("lists.{name}"))?;
                    Ok((name, PathBuf::from(path)))
                })
                .collect::<Result<_, Problem>>()?,
            published: file.published,
            tune: file.tune,
        };
        check::whole(&recipe)?;
        Ok(recipe)
    }
}

/// `${VAR}` from the environment, `~` nowhere, relative paths from the recipe's folder. What is wrong comes with
/// what to do.
fn resolve_path(
    path: &str,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, (String, String)> {
    let mut resolved = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after.split_once('}').ok_or_else(|| {
            let help = "close it: ${NAME}".to_owned();
            (format!("unfinished `${{` in {path:?}"), help)
        })?;
        resolved.push_str(before);
        resolved.push_str(&variable(name).ok_or_else(|| unset(name))?);
        rest = after;
    }
    resolved.push_str(rest);
    let joined = folder.join(&resolved);
    Ok(joined.to_str().map_or(resolved, str::to_owned))
}

fn unset(name: &str) -> (String, String) {
    let help = if name == "CATCHMENT_DATA" {
        "set it to the folder that holds one folder per dataset; `cargo xtask data NAME` says where each comes from"
            .to_owned()
    } else {
        format!("set it (export {name}=…), or write the path into the recipe")
    };
    (format!("the environment variable {name} is not set"), help)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
