//! `catchment-train init`: from a log to a recipe that runs.

mod columns;
mod guess;
mod item_ids;
mod kind;
mod synonyms;
mod write;

use std::path::{Path, PathBuf};

use catchment_schema::AtomicFile;
use catchment_schema::import::{Source, Table, guess_format, peek};
use serde::Serialize;

use self::guess::{Guess, Guessed};
use self::item_ids::ItemIds;
use crate::cli::Output;
use crate::failure::Failure;
use crate::recipe::Recipe;
use crate::speech;

/// What to look at.
pub(crate) struct Sources {
    pub(crate) interactions: PathBuf,
    pub(crate) items: Option<PathBuf>,
    pub(crate) users: Option<PathBuf>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report<'a> {
    recipe: &'a Path,
    guesses: Vec<Guess>,
    warnings: Vec<Warning>,
    unmapped: &'a [Unmapped],
}

/// What to know before the recipe is used.
#[derive(Serialize)]
struct Warning {
    file: String,
    message: String,
}

/// Columns of a file that were taken for nothing.
#[derive(Serialize)]
struct Unmapped {
    file: String,
    columns: Vec<String>,
}

pub(crate) fn run(sources: &Sources, file: &Path, force: bool, output: Output) -> Result<(), Failure> {
    // Whoever mistypes the log hears of that first.
    let is_plain = |path: &Path| !path.to_string_lossy().contains(['*', '?', '[']);
    let is_missing = is_plain(&sources.interactions) && !sources.interactions.exists();
    if file.exists() && !force && !is_missing {
        return Err(Failure::usage(
            format!("{} is there already", file.display()),
            "name another file with -o, or write over it with --force",
        ));
    }
    // The items first: their ids tell which column of the log names them.
    let items = sources
        .items
        .as_ref()
        .map(|path| look(path, Table::Items, None))
        .transpose()?;
    let (items, ids) = items.unzip();
    let (log, _) = look(&sources.interactions, Table::Interactions, ids.flatten().as_ref())?;
    let users = sources
        .users
        .as_ref()
        .map(|path| look(path, Table::Users, None))
        .transpose()?
        .map(|(users, _)| users);
    let text = write::recipe(file, &log, items.as_ref(), users.as_ref())?;
    AtomicFile::write(file, text.as_bytes())?;
    // A recipe that cannot be read would be a fault of this program, and is better known now.
    Recipe::read(file)?;
    let looked_at = || [Some(&log), items.as_ref(), users.as_ref()].into_iter().flatten();
    let unmapped: Vec<Unmapped> = looked_at()
        .filter(|guessed| !guessed.unmapped.is_empty())
        .map(|guessed| Unmapped {
            file: guessed.source.path.clone(),
            columns: guessed.unmapped.clone(),
        })
        .collect();
    let guesses: Vec<Guess> = looked_at().flat_map(|guessed| guessed.guesses.clone()).collect();
    let warnings: Vec<Warning> = looked_at()
        .flat_map(|guessed| {
            guessed.warnings.iter().map(|message| Warning {
                file: guessed.source.path.clone(),
                message: message.clone(),
            })
        })
        .collect();
    if output.json {
        return super::print_json(&Report {
            recipe: file,
            guesses,
            warnings,
            unmapped: &unmapped,
        });
    }
    if !output.quiet {
        for guess in &guesses {
            speech::say(guess.to_string());
        }
        for Warning { file, message } in &warnings {
            speech::say(format!("{file}: warning: {message}"));
        }
        for Unmapped { file, columns } in &unmapped {
            let columns = columns.join(", ");
            speech::say(format!(
                "{file}: not mapped: {columns} (kept as they are; [features] may name them)"
            ));
        }
        speech::say(format!(
            "wrote {0}: read it, then catchment-train run {0}",
            file.display()
        ));
    }
    Ok(())
}

/// Guesses what one file is and what its columns mean, a log beside the ids of its items. Of a table of items come its ids.
fn look(path: &Path, table: Table, items: Option<&ItemIds>) -> Result<(Guessed, Option<ItemIds>), Failure> {
    let missing = |error| Failure::from(error).blame_missing_file();
    let (format, delimiter) = guess_format(path).map_err(missing)?;
    let mut source = Source::new(path.to_string_lossy(), format);
    source.delimiter = delimiter;
    let peeked = peek(&source, table)?;
    let what = match table {
        Table::Interactions => "interactions",
        Table::Items => "items",
        Table::Users => "users",
    };
    let guessed = match table {
        Table::Interactions => guess::log(source, &peeked, items),
        Table::Items => guess::items(source, &peeked),
        Table::Users => guess::users(source, &peeked),
    };
    let guessed = guessed.map_err(|missing| {
        let missing_column = catchment_schema::Error::MissingColumn {
            path: path.to_owned(),
            column: missing.to_owned(),
            available: peeked.columns.iter().map(|column| column.name.clone()).collect(),
        };
        Failure::with_help(
            anyhow::anyhow!(
                missing_column
                    .to_string()
                    .replace("has no column `", "has no column that could be `")
            ),
            format!("give the file a header that names it, such as `{missing}`, and pass it as --{what}"),
        )
    })?;
    let ids = (table == Table::Items)
        .then(|| ItemIds::of(&guessed, &peeked))
        .flatten();
    Ok((guessed, ids))
}
