//! Which column means what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use catchment_schema::import::{Format, OnError, Peek, Source, TIME_FORMS, TimeUnit};
use serde::Serialize;

use super::columns::Columns;
use super::item_ids::ItemIds;
use super::kind::Looks;
use super::synonyms::{ITEMS, LOG, USERS, says_time};

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
    pub(super) file: String,
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
    /// What the user should know before the recipe is used.
    pub(super) warnings: Vec<String>,
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

/// A log, beside the ids of its items where a file of them was given. The error is the name of what cannot be found.
pub(super) fn log(source: Source, peeked: &Peek, items: Option<&ItemIds>) -> Result<Guessed, &'static str> {
    if fixed(source.format) {
        return Ok(known_format(source, peeked));
    }
    let mut columns = Columns::of(&source, peeked);
    if let Some((position, why)) = items.and_then(|items| items.named_alike(peeked)) {
        columns.take("item_id", position, Certainty::Sure, why);
    }
    columns.by_name(&LOG, &fits_log);
    columns.by_content(
        "timestamp",
        |_, looks| looks.is_read_as_times(),
        "every value is a moment between 1985 and 2100",
    );
    let is_nearly_times = |_: &str, looks: &Looks| {
        let unit = looks.times.as_ref().map(|times| times.unit);
        unit == Some(TimeUnit::Rfc3339)
    };
    columns.by_content("timestamp", is_nearly_times, "nearly every value is a moment");
    unread_times(&mut columns);
    let is_word = |name: &str, looks: &Looks| {
        let comes_again = (2..=20).contains(&looks.n_distinct) && looks.repeats() >= 10.0;
        looks.numbers.is_none() && comes_again && !tells_time(name, looks)
    };
    columns.by_content("event", is_word, "a few words that come again and again");
    for (means, place) in [("user_id", "first"), ("item_id", "next")] {
        let is_id = |name: &str, looks: &Looks| {
            let is_filled = is_filled(looks, peeked.rows) && looks.n_distinct > 1;
            is_filled && !is_fraction(looks) && !tells_time(name, looks)
        };
        let why = format!("the {place} column with a value in nearly every row that could be an id");
        columns.by_content(means, is_id, &why);
    }
    let lacks_ids = missing_ids(&mut columns, peeked.rows);
    let mut guessed = columns.finish(&["user_id", "item_id"])?;
    if lacks_ids {
        guessed.source.on_error = OnError::Skip;
    }
    if let Some(times) = guessed
        .looks
        .get("timestamp")
        .and_then(|looks| looks.times.as_ref())
    {
        guessed.source.time_unit = times.unit;
        if times.n_unread > 0 {
            guessed.source.on_error = OnError::Skip;
        }
    }
    if let Some(items) = items {
        guessed.warnings.extend(items.warning(&guessed, peeked));
    }
    Ok(guessed)
}

/// Says how many rows have no id of a user or an item, and whether any has none.
fn missing_ids(columns: &mut Columns<'_>, n_rows: usize) -> bool {
    let mut lacks = false;
    for means in ["user_id", "item_id"] {
        let Some((name, looks)) = columns.taken(means) else {
            continue;
        };
        let n_missing = n_rows.saturating_sub(looks.n_values);
        if n_missing > 0 {
            lacks = true;
            columns.warn(format!(
                "{n_missing} of {n_rows} rows have nothing in column {name:?}, the {means}: the recipe has on_error = \"skip\", \
                 which leaves them out and counts them"
            ));
        }
    }
    lacks
}

/// Says which times cannot be read: some of the column that was taken, or all of one that was not.
fn unread_times(columns: &mut Columns<'_>) {
    if let Some((name, looks)) = columns.taken("timestamp") {
        let Some(times) = looks.times.as_ref().filter(|times| times.n_unread > 0) else {
            return;
        };
        let examples: Vec<String> = times.unread.iter().map(|cell| format!("{cell:?}")).collect();
        let warning = format!(
            "{} of {} values of column {name:?} cannot be read as a time, such as {}: the recipe has on_error = \"skip\", \
             which leaves their rows out and counts them; to keep the rows without a time, empty these cells",
            times.n_unread,
            looks.n_values,
            examples.join(", ")
        );
        columns.warn(warning);
        return;
    }
    let unread: Vec<String> = columns
        .free()
        .filter(|(_, name, looks)| looks.n_values > 0 && tells_time(name, looks))
        .map(|(_, name, looks)| {
            let example = looks.frequent.first().map_or("", |(cell, _)| cell.as_str());
            format!(
                "column {name:?} seems to hold times in a form that is not read, such as {example:?}, and is not used; \
                 forms that are read: {TIME_FORMS}"
            )
        })
        .collect();
    for warning in unread {
        columns.warn(warning);
    }
}

/// Whether a column is about times, whether or not they can be read: it is no id and no event then.
fn tells_time(name: &str, looks: &Looks) -> bool {
    let in_words = looks
        .times
        .as_ref()
        .is_some_and(|times| times.unit == TimeUnit::Rfc3339);
    in_words || looks.is_like_dates || says_time(name)
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
        |_, looks| is_key(looks),
        "the first column with another value in every row",
    );
    let mut guessed = columns.finish(&["item_id"])?;
    let published = guessed.looks.get("published_at");
    if let Some(times) = published.and_then(|looks| looks.times.as_ref()) {
        guessed.source.time_unit = times.unit;
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
        |_, looks| is_key(looks),
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
        warnings: vec![],
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
        "published_at" => looks.is_read_as_times(),
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
