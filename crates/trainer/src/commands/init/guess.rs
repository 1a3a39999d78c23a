//! Which column means what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catchment_schema::import::{Format, Peek, Source, TimeUnit};
use serde::Serialize;

use super::kind::Looks;
use super::synonyms::{ITEMS, LOG, Name, USERS, fits, plain};

/// Names that the importer reads in its own way: a column that carries one and holds something else is renamed.
const READ_AS_TIME: [&str; 3] = ["timestamp", "published_at", "expires_at"];
const READ_AS_NUMBER: [&str; 6] = ["value", "price", "latitude", "longitude", "dwell_ms", "order"];
/// What may stand between the words of a cell.
const BETWEEN_WORDS: [&str; 3] = ["|", ";", ","];

/// How sure a guess is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Certainty {
    /// Its name is one of those that people use, and its cells fit.
    Sure,
    /// Its name is like one of those, and its cells fit.
    Likely,
    /// Nothing but its cells, or its place, speaks for it.
    Guess,
}

/// One guess, for the user to check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Guess {
    file: String,
    /// Our name.
    pub(super) means: String,
    /// The column in the file, or what else was found.
    pub(super) found: String,
    pub(super) sure: Certainty,
    pub(super) why: String,
}

impl fmt::Display for Guess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sure = match self.sure {
            Certainty::Sure => "sure",
            Certainty::Likely => "likely",
            Certainty::Guess => "a guess",
        };
        let Self {
            file,
            means,
            found,
            why,
            ..
        } = self;
        write!(formatter, "{file}: {means} is {found} ({sure}: {why})")
    }
}

/// A file whose columns have a meaning.
pub(super) struct Guessed {
    /// With mappings, unit and delimiter.
    pub(super) source: Source,
    pub(super) guesses: Vec<Guess>,
    /// Our names that are there, mapped or not.
    pub(super) has: BTreeSet<&'static str>,
    /// Columns by our name, looked at.
    pub(super) looks: BTreeMap<&'static str, Looks>,
    /// Rows of the sample.
    pub(super) rows: usize,
    /// Whether the file has more.
    pub(super) more: bool,
    /// Columns that were taken for nothing, as the file names them. The import keeps them.
    pub(super) unmapped: Vec<String>,
}

/// A log. The error is the name of what cannot be found.
pub(super) fn log(source: Source, peeked: &Peek) -> Result<Guessed, &'static str> {
    if fixed(source.format) {
        return Ok(known_format(source, peeked));
    }
    let mut columns = Columns::of(&source, peeked);
    columns.by_name(&LOG, &fits_log);
    let is_moment = |looks: &Looks| looks.times.is_some();
    columns.by_content(
        "timestamp",
        is_moment,
        "every value is a moment between 1985 and 2100",
    );
    let is_word = |looks: &Looks| {
        looks.numbers.is_none() && (2..=20).contains(&looks.n_distinct) && looks.repeats() >= 10.0
    };
    columns.by_content("event", is_word, "a few words that come again and again");
    for (means, place) in [("user_id", "first"), ("item_id", "next")] {
        let is_id =
            |looks: &Looks| is_filled(looks, peeked.rows) && looks.n_distinct > 1 && !is_fraction(looks);
        let why = format!("the {place} column with a value in nearly every row that could be an id");
        columns.by_content(means, is_id, &why);
    }
    let mut guessed = columns.finish(&["user_id", "item_id"])?;
    if let Some(unit) = guessed.looks.get("timestamp").and_then(|looks| looks.times) {
        guessed.source.time_unit = unit;
    }
    Ok(guessed)
}

/// Whether at most one row in fifty lacks a value: logs have a few broken rows, and a column of ids is still one.
fn is_filled(looks: &Looks, n_rows: usize) -> bool {
    (n_rows - looks.n_values.min(n_rows)) * 50 <= n_rows
}

/// A table of items. The error is the name of what cannot be found.
pub(super) fn items(source: Source, peeked: &Peek) -> Result<Guessed, &'static str> {
    if fixed(source.format) {
        return Ok(known_format(source, peeked));
    }
    let mut columns = Columns::of(&source, peeked);
    columns.by_name(&ITEMS, &fits_item);
    columns.by_content(
        "item_id",
        is_key,
        "the first column with another value in every row",
    );
    let mut guessed = columns.finish(&["item_id"])?;
    if let Some(unit) = guessed.looks.get("published_at").and_then(|looks| looks.times) {
        guessed.source.time_unit = unit;
    }
    if let Some(looks) = guessed.looks.get("category")
        && let Some(between) = between_words(looks)
    {
        guessed
            .source
            .lists
            .insert("category".to_owned(), between.to_owned());
    }
    Ok(guessed)
}

/// A table of users. The error is the name of what cannot be found.
pub(super) fn users(source: Source, peeked: &Peek) -> Result<Guessed, &'static str> {
    if fixed(source.format) {
        return Ok(known_format(source, peeked));
    }
    let mut columns = Columns::of(&source, peeked);
    columns.by_name(&USERS, &|_, _| true);
    columns.by_content(
        "user_id",
        is_key,
        "the first column with another value in every row",
    );
    columns.finish(&["user_id"])
}

/// Formats that say themselves what their columns are.
fn fixed(format: Format) -> bool {
    !matches!(
        format,
        Format::Parquet | Format::Csv | Format::Tsv | Format::Jsonl
    )
}

fn known_format(source: Source, peeked: &Peek) -> Guessed {
    let guess = Guess {
        file: source.path.clone(),
        means: "format".to_owned(),
        found: source.format.name().to_owned(),
        sure: Certainty::Likely,
        why: "by its name and its first lines; it fixes its columns".to_owned(),
    };
    let ours = LOG.iter().chain(&ITEMS).chain(&USERS).map(|(means, _)| *means);
    let named = |means: &str| peeked.columns.iter().find(|column| column.name == means);
    let looks: BTreeMap<&'static str, Looks> = ours
        .filter_map(|means| Some((means, Looks::of(named(means)?))))
        .collect();
    Guessed {
        has: looks.keys().copied().collect(),
        looks,
        source,
        guesses: vec![guess],
        rows: peeked.rows,
        more: peeked.more,
        unmapped: vec![],
    }
}

/// Whether a column that is called so can be it.
fn fits_log(means: &str, looks: &Looks) -> bool {
    match means {
        "timestamp" => looks.times.is_some(),
        "value" => looks.numbers.is_some(),
        "dwell_ms" => looks.is_whole && looks.numbers.is_some_and(|(least, _)| least >= 0.0),
        "event" => looks.n_distinct <= 1000,
        _ => looks.n_values > 0,
    }
}

fn fits_item(means: &str, looks: &Looks) -> bool {
    let within = |limit: f64| {
        looks
            .numbers
            .is_some_and(|(least, most)| least >= -limit && most <= limit)
    };
    match means {
        "price" => looks.numbers.is_some(),
        "published_at" => looks.times.is_some(),
        "latitude" => within(90.0),
        "longitude" => within(180.0),
        _ => looks.n_values > 0,
    }
}

fn is_fraction(looks: &Looks) -> bool {
    looks.numbers.is_some() && !looks.is_whole
}

fn is_key(looks: &Looks) -> bool {
    looks.n_values > 0 && looks.n_distinct == looks.n_values && !is_fraction(looks)
}

/// What stands between words in at least a fifth of the frequent cells. A comma also stands in names, and a JSON list
/// is read as one.
fn between_words(looks: &Looks) -> Option<&'static str> {
    let cells = || looks.frequent.iter().map(|(cell, _)| cell.as_str());
    if cells().all(|cell| cell.starts_with('[')) {
        return None;
    }
    let n_with = |between: &str| cells().filter(|cell| cell.contains(between)).count();
    BETWEEN_WORDS
        .into_iter()
        .find(|between| n_with(between) * 5 >= looks.frequent.len().max(1))
}

/// The columns of a file, and which of them are taken.
struct Columns<'a> {
    source: &'a Source,
    peeked: &'a Peek,
    looks: Vec<Option<Looks>>,
    taken: BTreeMap<&'static str, usize>,
    guesses: Vec<Guess>,
}

impl<'a> Columns<'a> {
    fn of(source: &'a Source, peeked: &'a Peek) -> Self {
        Self {
            source,
            peeked,
            looks: peeked
                .columns
                .iter()
                .map(|column| Some(Looks::of(column)))
                .collect(),
            taken: BTreeMap::new(),
            guesses: vec![],
        }
    }

    fn is_free(&self, position: usize) -> bool {
        self.taken.values().all(|&taken| taken != position)
    }

    fn take(&mut self, means: &'static str, position: usize, sure: Certainty, why: String) {
        self.taken.insert(means, position);
        self.guesses.push(Guess {
            file: self.source.path.clone(),
            means: means.to_owned(),
            found: format!("column {:?}", self.peeked.columns[position].name),
            sure,
            why,
        });
    }

    /// Exact names of all meanings first, so that one that is merely like a name takes no column from another.
    fn by_name(&mut self, meanings: &[(&'static str, &[&str])], is_possible: &dyn Fn(&str, &Looks) -> bool) {
        let names: Vec<Name> = self
            .peeked
            .columns
            .iter()
            .map(|column| Name::of(&column.name))
            .collect();
        for (wanted, sure) in [(2, Certainty::Sure), (1, Certainty::Likely)] {
            for (means, synonyms) in meanings {
                if self.taken.contains_key(means) {
                    continue;
                }
                let synonyms: Vec<String> = synonyms.iter().map(|synonym| plain(synonym)).collect();
                // The earlier a name stands among the synonyms, the better; then the earlier column.
                let best = names
                    .iter()
                    .enumerate()
                    .filter_map(|(position, name)| match fits(name, &synonyms) {
                        (fit, exact) if fit == wanted => Some((exact, position)),
                        _ => None,
                    })
                    .filter(|&(_, position)| self.is_free(position))
                    .filter(|&(_, position)| {
                        self.looks[position]
                            .as_ref()
                            .is_some_and(|looks| is_possible(means, looks))
                    })
                    .min()
                    .map(|(_, position)| position);
                if let Some(position) = best {
                    let why = match sure {
                        Certainty::Sure => "by its name, and its values fit",
                        _ => "its name is like one that is used for it, and its values fit",
                    };
                    self.take(means, position, sure, why.to_owned());
                }
            }
        }
    }

    /// The first free column that looks like it.
    fn by_content(&mut self, means: &'static str, fits: impl Fn(&Looks) -> bool, why: &str) {
        if self.taken.contains_key(means) {
            return;
        }
        let found = (0..self.looks.len())
            .filter(|&position| self.is_free(position))
            .find(|&position| self.looks[position].as_ref().is_some_and(&fits));
        if let Some(position) = found {
            self.take(means, position, Certainty::Guess, why.to_owned());
        }
    }

    fn finish(mut self, needed: &[&'static str]) -> Result<Guessed, &'static str> {
        if let Some(missing) = needed.iter().find(|means| !self.taken.contains_key(*means)) {
            return Err(missing);
        }
        let mut source = self.source.clone();
        for (means, &position) in &self.taken {
            let name = &self.peeked.columns[position].name;
            if name != means {
                source.columns.insert((*means).to_owned(), name.clone());
            }
        }
        for position in 0..self.looks.len() {
            if self.is_free(position) {
                self.rename_impostor(position, &mut source);
            }
        }
        let written: Vec<&String> = source.columns.values().collect();
        let unmapped = (0..self.looks.len())
            .filter(|&position| self.is_free(position))
            .map(|position| &self.peeked.columns[position].name)
            .filter(|name| !written.contains(name))
            .cloned()
            .collect();
        let looks = self
            .taken
            .iter()
            .filter_map(|(means, &position)| Some((*means, self.looks[position].take()?)))
            .collect();
        Ok(Guessed {
            source,
            has: self.taken.keys().copied().collect(),
            looks,
            guesses: self.guesses,
            rows: self.peeked.rows,
            more: self.peeked.more,
            unmapped,
        })
    }

    /// A column that has a name of ours and holds something else would be refused when it is read.
    fn rename_impostor(&mut self, position: usize, source: &mut Source) {
        let name = &self.peeked.columns[position].name;
        let Some(looks) = &self.looks[position] else {
            return;
        };
        let is_impostor = (READ_AS_TIME.contains(&name.as_str()) && looks.times.is_none())
            || (READ_AS_NUMBER.contains(&name.as_str()) && looks.numbers.is_none());
        if is_impostor && looks.n_values > 0 && !source.columns.contains_key(name) {
            let other = format!("{name}_as_written");
            self.guesses.push(Guess {
                file: self.source.path.clone(),
                means: other.clone(),
                found: format!("column {name:?}"),
                sure: Certainty::Sure,
                why: format!(
                    "its values are not what `{name}` has to hold, so it is kept under another name"
                ),
            });
            source.columns.insert(other, name.clone());
        }
    }
}

/// The unit's name in a recipe.
pub(super) fn unit_name(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Auto => "auto",
        TimeUnit::Seconds => "s",
        TimeUnit::Millis => "ms",
        TimeUnit::Micros => "us",
        TimeUnit::Minutes => "min",
        TimeUnit::Rfc3339 => "rfc3339",
    }
}
