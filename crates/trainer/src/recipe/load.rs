//! Reads a recipe, and says exactly where it is wrong.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use catchment_prepare::Inputs;
use catchment_schema::import::Source;

use super::{Recipe, RecipeFile};

/// A recipe that cannot be used. Whoever wrote it can mend it at the line named.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {message}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub(crate) struct RecipeError {
    /// The file.
    pub(crate) path: PathBuf,
    /// The line, from 1, where it is known.
    pub(crate) line: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) help: String,
}

/// Something wrong at a place of the text.
pub(super) struct Problem {
    span: Option<Range<usize>>,
    message: String,
}

impl Problem {
    pub(super) fn at(span: Range<usize>, message: String) -> Self {
        Self {
            span: Some(span),
            message,
        }
    }

    fn anywhere(message: String) -> Self {
        Self { span: None, message }
    }

    /// With the line that it is in. A settings table knows only where it begins: the key that the
    /// message names is looked for from there.
    fn in_text(self, path: &Path, text: &str) -> RecipeError {
        let unknown = unknown_key(&self.message);
        let position = self.span.map(|span| {
            let within = text.get(span.clone()).unwrap_or_default();
            let key = unknown.as_ref().and_then(|(key, _)| within.find(key.as_str()));
            span.start + key.unwrap_or(0)
        });
        let line = position.map(|position| text[..position.min(text.len())].matches('\n').count() + 1);
        let help = match unknown {
            Some((key, known)) => match nearest(&key, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            },
            None => "see docs/contracts.md for the keys of a recipe".to_owned(),
        };
        RecipeError {
            path: path.to_owned(),
            line,
            message: self.message,
            help,
        }
    }
}

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
            help: "name a recipe (a TOML file); `catchment-train synth` writes one to start from".to_owned(),
        })?;
        Self::parse(&text, path, &|name| std::env::var(name).ok())
            .map_err(|problem| problem.in_text(path, &text))
    }

    fn parse(text: &str, path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problem> {
        let file: RecipeFile = toml::from_str(text).map_err(|error| Problem {
            span: error.span(),
            message: error.message().to_owned(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let resolve = |path: &str| resolve_path(path, folder, variable);
        let source = |source: Source| -> Result<Source, Problem> {
            Ok(Source {
                path: resolve(&source.path)?,
                ..source
            })
        };
        let channels: Vec<_> = file
            .channel
            .into_iter()
            .map(super::channel::ChannelTable::resolve)
            .collect::<Result<_, _>>()?;
        let recipe = Self {
            path: path.to_owned(),
            name: file.name,
            seed: file.seed,
            threads: file.threads,
            data: Inputs {
                interactions: source(file.data.interactions)?,
                test: file.data.test.map(source).transpose()?,
                items: file.data.items.map(source).transpose()?,
                users: file.data.users.map(source).transpose()?,
            },
            prepare: file.prepare,
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
                .map(|(name, path)| Ok((name, PathBuf::from(resolve(&path)?))))
                .collect::<Result<_, Problem>>()?,
            published: file.published,
        };
        recipe.check()?;
        Ok(recipe)
    }

    /// What no single table can check by itself.
    fn check(&self) -> Result<(), Problem> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            let name = &self.name;
            return Err(Problem::anywhere(format!(
                "name {name:?} is also the name of a folder: letters, digits, `_` and `-` only"
            )));
        }
        if self.channels.is_empty() {
            return Err(Problem::anywhere("needs at least one [[channel]]".to_owned()));
        }
        for (position, channel) in self.channels.iter().enumerate() {
            if self.channels[..position]
                .iter()
                .any(|other| other.name == channel.name)
            {
                return Err(Problem::anywhere(format!(
                    "two channels are called `{}`",
                    channel.name
                )));
            }
        }
        if self.ranker.is_some() && self.split.validation.is_none() {
            return Err(Problem::anywhere(
                "[ranker] needs split.validation: it learns from what the channels find for rows that they \
                 were not fitted on"
                    .to_owned(),
            ));
        }
        let checked = [
            self.prepare.validate().map_err(|error| error.to_string()),
            self.split.validate().map_err(|error| error.to_string()),
            self.evaluate.validate().map_err(|error| error.to_string()),
        ];
        checked
            .into_iter()
            .collect::<Result<(), _>>()
            .map_err(Problem::anywhere)
    }
}

/// `${VAR}` from the environment, `~` nowhere, relative paths from the recipe's folder.
fn resolve_path(
    path: &str,
    folder: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Problem> {
    let mut resolved = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| Problem::anywhere(format!("unfinished `${{` in {path:?}")))?;
        resolved.push_str(before);
        resolved.push_str(&variable(name).ok_or_else(|| Problem::anywhere(unset(name)))?);
        rest = after;
    }
    resolved.push_str(rest);
    let joined = folder.join(&resolved);
    Ok(joined.to_str().map_or(resolved, str::to_owned))
}

fn unset(name: &str) -> String {
    let hint = if name == "CATCHMENT_DATA" {
        "; it names the folder that holds one folder per dataset (`cargo xtask data NAME` says where each comes from)"
    } else {
        ""
    };
    format!("the environment variable {name} is not set{hint}")
}

/// The key that serde does not know, and those it does.
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let rest = ["unknown field `", "unknown variant `"]
        .iter()
        .find_map(|start| message.split_once(start))?
        .1;
    let (key, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((key.to_owned(), known))
}

fn nearest<'a>(key: &str, known: &'a [String]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(key, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.as_str())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const GOOD: &str = r#"
name = "shop"
[data]
interactions = { path = "log.csv", format = "csv" }
[split]
kind = "leave-last"
[[channel]]
name = "ials"
kind = "ials"
model = { dim = 16 }
"#;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "an expectation is used up by its one check"
    )]
    fn check(text: &str, expect: Expect) {
        let path = Path::new("shop/catchment.toml");
        let outcome = match Recipe::parse(text, path, &|name| (name == "DATA").then(|| "/data".to_owned())) {
            Ok(recipe) => format!("{} {}", recipe.name, recipe.data.interactions.path),
            Err(problem) => {
                let error = problem.in_text(path, text);
                format!("{error}\nhelp: {}", error.help)
            }
        };
        expect.assert_eq(&outcome);
    }

    #[test]
    fn paths_are_relative_to_the_recipe_and_variables_are_resolved() {
        check(GOOD, expect![]);
        check(&GOOD.replace("log.csv", "${DATA}/log.csv"), expect![]);
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_the_nearest_key() {
        check(&GOOD.replace("kind = \"ials\"", "knid = \"ials\""), expect![]);
        check(&GOOD.replace("dim = 16", "dimm = 16"), expect![]);
        check(&GOOD.replace("kind = \"ials\"", "kind = \"ialz\""), expect![]);
        check(&GOOD.replace("log.csv", "${ELSEWHERE}/log.csv"), expect![]);
        check(&GOOD.replace("name = \"shop\"", "name = \"../shop\""), expect![]);
        check(&format!("{GOOD}[ranker]\nkind = \"lr\"\n"), expect![]);
    }
}
