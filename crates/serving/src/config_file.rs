//! `serve.toml`: every flag of the command line, in a file.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::de::{DeTable, DeValue};

use crate::ServeConfig;

/// Keys whose values are paths; relative ones start at the file's folder.
const PATHS: [&str; 2] = ["bundles", "data"];
/// Keys whose values are texts: a number there would be taken for a name of digits.
const TEXTS: [&str; 5] = ["bundles", "data", "listen", "admin", "log"];
const FILE_FLAG: &str = "--config";
const FILE_VARIABLE: &str = "CATCHMENT_SERVE_CONFIG";

/// Settings that cannot be used. Whoever wrote them can mend them at the line named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Flags or variables that make no sense, or a call for help: print it as clap does.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// The file cannot be read. Check `--config`.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not TOML, or a value is no text, number or truth value.
    #[error("{}:{line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// There is no such key. Keys are named as flags are, with `_` for `-`.
    #[error("{}:{line}: there is no key `{key}`{}", path.display(), did_you_mean(nearest.as_deref()))]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The key that is most like it.
        nearest: Option<String>,
    },
    /// The value is not one that the key may have.
    #[error("{}:{line}: `{key}`: {reason}", path.display())]
    BadValue {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// What is wrong, with the range that is allowed.
        reason: String,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or(String::new(), |nearest| format!("; `{nearest}` is the nearest"))
}

impl ServeConfig {
    /// Reads the command line. A flag stands above its variable `CATCHMENT_SERVE_…`, this above the key of the same
    /// name in the file that `--config` names, and that above the default.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn load(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, ConfigError> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let command = Self::command().args_override_self(true);
        if let Some(path) = file_of(&arguments) {
            let settings = read(&path, &command)?;
            // In front of the command line, whose flags then win; a variable wins by our not naming the key.
            let wins = |setting: &Setting| !setting.is_in_environment;
            let flags = settings.into_iter().filter(wins).map(|setting| setting.flag);
            let at = arguments.len().min(1);
            arguments.splice(at..at, flags);
        }
        let matches: ArgMatches = command.try_get_matches_from(arguments)?;
        Ok(Self::from_arg_matches(&matches)?)
    }
}

/// The file that the command line or else the environment names.
fn file_of(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == FILE_FLAG {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os(FILE_VARIABLE).map(PathBuf::from)
}

/// One key of the file as a flag.
struct Setting {
    flag: OsString,
    is_in_environment: bool,
}

fn read(path: &Path, command: &Command) -> Result<Vec<Setting>, ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    let line = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
    let malformed = |at: usize, reason: &str| ConfigError::Malformed {
        path: path.to_owned(),
        line: line(at),
        reason: reason.to_owned(),
    };
    let table = DeTable::parse(&text)
        .map_err(|error| malformed(error.span().map_or(0, |span| span.start), error.message()))?;
    let mut settings = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, at) = (key.get_ref().as_ref(), key.span().start);
        let Some(argument) = known(command).find(|argument| argument.get_id() == name) else {
            return Err(ConfigError::UnknownKey {
                path: path.to_owned(),
                line: line(at),
                key: name.to_owned(),
                nearest: nearest(name, command),
            });
        };
        if TEXTS.contains(&name) && matches!(value.get_ref(), DeValue::Integer(_) | DeValue::Boolean(_)) {
            return Err(ConfigError::BadValue {
                path: path.to_owned(),
                line: line(at),
                key: name.to_owned(),
                reason: format!("has to be a text, in quotes: {name} = \"…\""),
            });
        }
        let value = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.to_string(),
            DeValue::Boolean(flag) => flag.to_string(),
            _ => {
                return Err(malformed(
                    at,
                    &format!("`{name}` is a text, a whole number, `true` or `false`"),
                ));
            }
        };
        let value = if PATHS.contains(&name) {
            path.parent()
                .unwrap_or(Path::new(""))
                .join(value)
                .into_os_string()
        } else {
            value.into()
        };
        let mut flag = OsString::from(format!("--{}=", name.replace('_', "-")));
        flag.push(value);
        check(argument, &flag).map_err(|reason| ConfigError::BadValue {
            path: path.to_owned(),
            line: line(at),
            key: name.to_owned(),
            reason,
        })?;
        settings.push(Setting {
            flag,
            is_in_environment: argument
                .get_env()
                .is_some_and(|name| std::env::var_os(name).is_some()),
        });
    }
    Ok(settings)
}

/// What may stand in a file: everything that has a variable, but the file itself.
fn known(command: &Command) -> impl Iterator<Item = &Arg> {
    let has_variable = |argument: &&Arg| argument.get_env().is_some() && argument.get_id() != "config";
    command.get_arguments().filter(has_variable)
}

/// Whether the flag alone makes sense, so that the file can be blamed, and not the command line.
fn check(argument: &Arg, flag: &OsString) -> Result<(), String> {
    let alone = Command::new("file").arg(argument.clone());
    match alone.try_get_matches_from(["file".into(), flag.clone()]) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            Err(first.strip_prefix("error: ").unwrap_or(first).to_owned())
        }
    }
}

/// The known key most like one that is not, where one is like it at all.
fn nearest(word: &str, command: &Command) -> Option<String> {
    known(command)
        .map(|argument| argument.get_id().as_str())
        .map(|key| (strsim::jaro_winkler(word, key), key))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, key)| key.to_owned())
}
