//! What is wrong with a recipe, on its way from where it was found to who can mend it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::place::Place;

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
    /// Whether there is no such file.
    pub(super) is_missing: bool,
}

impl RecipeError {
    /// Whether there is no such file: whoever named it is to blame, not whoever wrote it.
    pub(crate) fn is_missing(&self) -> bool {
        self.is_missing
    }
}

/// What to do where nothing better is known.
const SEE_CONTRACTS: &str = "docs/contracts.md, section 3, lists the keys of a recipe";

/// What to do about a value out of its range.
pub(super) const IN_RANGE: &str = "choose an allowed value for that key";

/// Something wrong at a place of the text.
#[derive(Debug)]
pub(super) struct Problem {
    place: Option<Place>,
    message: String,
    help: Option<String>,
}

impl Problem {
    pub(super) fn new(place: Place, message: impl Into<String>) -> Self {
        Self {
            place: Some(place),
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(Place::Span(span), message)
    }

    /// At the key at the end of a path, as `split.fraction`.
    pub(super) fn at_path(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Place::Path(path.into()), message)
    }

    /// With what to do about it.
    pub(super) fn with_help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }

    /// Behind some words on what it is about.
    pub(super) fn about(self, what: &str) -> Self {
        Self {
            message: format!("{what}{}", self.message),
            ..self
        }
    }

    /// With the line that it is in.
    pub(super) fn in_text(self, path: &Path, text: &str) -> RecipeError {
        let unknown = unknown_word(&self.message);
        let place = match (self.place, &unknown) {
            (Some(place), Some((name, _))) => Some(Place::Word {
                name: name.clone(),
                from: place.start(text).unwrap_or(0),
            }),
            (place, _) => place,
        };
        let help = self.help.unwrap_or_else(|| match unknown {
            Some((name, known)) => match nearest(&name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known here: {}", known.join(", ")),
            },
            None => general_help(&self.message).to_owned(),
        });
        RecipeError {
            path: path.to_owned(),
            line: place.and_then(|place| place.line(text)),
            message: in_words(&self.message),
            help,
            is_missing: false,
        }
    }
}

fn general_help(message: &str) -> &'static str {
    if message.contains("missing field `metric`") || message.contains("missing field `space`") {
        "[tune] has metric = \"recall@20\", and [tune.space] keys such as \"channel.NAME.model.dim\" = [32, 64]"
    } else if message.contains("missing field") {
        "add the key; docs/contracts.md, section 3, has a whole recipe"
    } else if message.contains("invalid type") || message.contains("invalid value") {
        "give the key a value of that type"
    } else {
        SEE_CONTRACTS
    }
}

impl From<toml::de::Error> for Problem {
    fn from(error: toml::de::Error) -> Self {
        Self {
            place: error.span().map(Place::Span),
            // The parser tells what it expected on lines of their own.
            message: error.message().trim().replace('\n', "; "),
            help: None,
        }
    }
}

/// Serde's names of types, in the words of a recipe.
fn in_words(message: &str) -> String {
    let words = [
        ("expected usize", "expected a whole number from 0"),
        ("expected u64", "expected a whole number from 0"),
        ("expected u32", "expected a whole number from 0"),
        ("expected f64", "expected a number"),
        ("expected f32", "expected a number"),
        ("expected a boolean", "expected true or false"),
        ("expected a map", "expected a table"),
        ("expected a sequence", "expected a list"),
        ("unknown field", "unknown key"),
        ("missing field", "missing key"),
    ];
    words.iter().fold(message.to_owned(), |message, (theirs, ours)| {
        message.replace(theirs, ours)
    })
}

/// The key or word that serde does not know, and those it does.
fn unknown_word(message: &str) -> Option<(String, Vec<String>)> {
    let rest = ["unknown field `", "unknown variant `"]
        .iter()
        .find_map(|start| message.split_once(start))?
        .1;
    let (word, rest) = rest.split_once('`')?;
    let known = rest.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((word.to_owned(), known))
}

/// The known word most like one that is not, where one is like it at all.
pub(super) fn nearest<'a>(word: &str, known: &'a [String]) -> Option<&'a str> {
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.as_str())
}
