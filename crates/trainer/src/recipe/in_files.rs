//! What a recipe says of files, and the files do not have: a path, a column, an event that says no.

use std::fs;
use std::path::{Path, PathBuf};

use catchment_prepare::Error as PrepareError;
use catchment_schema::Error;
use catchment_schema::import::Source;

use super::Recipe;
use super::problem::{Problem, nearest};
use crate::failure::Failure;

impl Recipe {
    /// The line of the recipe to blame for what is wrong with a file, where it is one: a file that is not there, a column
    /// that the file does not have, an event word that the log does not have, or that is not kept of it.
    pub(crate) fn blamed(&self, error: PrepareError) -> Failure {
        let problem = match &error {
            PrepareError::File(inner) => self
                .sources()
                .find_map(|(key, source)| blamed(key, source, inner)),
            PrepareError::UnknownNegative { word, known } => {
                let help = match nearest(word, known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "name one of these events, or take it out".to_owned(),
                };
                Some(self.no_such_no(word, &format!("the log has only: {}", known.join(", ")), help))
            }
            PrepareError::NegativeLeftOut { word, kept } => {
                let but = format!("`prepare.events` keeps only: {}", kept.join(", "));
                Some(self.no_such_no(word, &but, error.help()))
            }
            _ => None,
        };
        match problem {
            Some(problem) => {
                let text = fs::read_to_string(&self.path).unwrap_or_default();
                problem.in_text(&self.path, &text).into()
            }
            None => error.into(),
        }
    }

    /// At a word that is named as one that says no.
    fn no_such_no(&self, word: &str, but: &str, help: impl Into<String>) -> Problem {
        let place = self.prepare.negative.iter().position(|no| no == word);
        let path = format!("data.negative.{}", place.unwrap_or_default());
        Problem::at_path(path, format!("[data]: `negative` = {word:?}, but {but}")).with_help(help)
    }

    /// By their keys in `[data]`.
    fn sources(&self) -> impl Iterator<Item = (&'static str, &Source)> {
        let data = &self.data;
        [
            ("interactions", Some(&data.interactions)),
            ("test", data.test.as_ref()),
            ("items", data.items.as_ref()),
            ("users", data.users.as_ref()),
        ]
        .into_iter()
        .filter_map(|(key, source)| Some((key, source?)))
    }
}

/// What is wrong at the place of a source, where the error is about it.
fn blamed(key: &str, source: &Source, error: &Error) -> Option<Problem> {
    match error {
        Error::Io { path, source: why } if why.kind() == std::io::ErrorKind::NotFound => {
            let is_it = path == Path::new(&source.path);
            is_it.then(|| no_file(key, &format!("there is no file {}", whole(path).display())))
        }
        Error::NoFiles { path, .. } if path == Path::new(&source.path) => Some(no_file(
            key,
            &format!("{error} (in full: {})", whole(path).display()),
        )),
        Error::MissingColumn {
            path,
            column,
            available,
        } if is_of(source, path) => Some(no_column(key, source, path, column, available)),
        _ => None,
    }
}

fn no_file(key: &str, what: &str) -> Problem {
    let place = format!("data.{key}.path");
    Problem::at_path(place.clone(), format!("`{place}`: {what}"))
        .with_help("correct the path; a relative one starts at the folder of the recipe")
}

fn no_column(key: &str, source: &Source, path: &Path, column: &str, available: &[String]) -> Problem {
    let mapped = source.columns.iter().find(|(_, theirs)| *theirs == column);
    let near = nearest(column, available);
    let file = path.display();
    let there = available.join(", ");
    match mapped {
        Some((ours, _)) => Problem::at_path(
            format!("data.{key}.columns.{ours}"),
            format!("`data.{key}.columns.{ours}` = {column:?}, but {file} has only: {there}"),
        )
        .with_help(near.map_or_else(
            || "name one of these columns".to_owned(),
            |near| format!("did you mean `{near}`?"),
        )),
        None => Problem::at_path(
            format!("data.{key}.columns"),
            format!("`data.{key}`: {file} has no column `{column}`; it has: {there}"),
        )
        .with_help(format!(
            "map the column: columns = {{ {column} = {:?} }}",
            near.unwrap_or("…")
        )),
    }
}

/// Whether a file is one of a source, which may be a folder or a glob.
fn is_of(source: &Source, file: &Path) -> bool {
    let begins = source.path.split(['*', '?', '[']).next().unwrap_or_default();
    file.starts_with(&source.path) || (begins != source.path && file.to_string_lossy().starts_with(begins))
}

/// From the root.
fn whole(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
