//! A recipe with comments, from what was guessed.

use std::fmt::Write as _;
use std::path::Path;

use catchment_schema::Error;
use catchment_schema::import::{Source, TimeUnit};

use super::guess::{Certainty, Guessed, unit_name};
use super::synonyms::{NEGATIVE_EVENTS, plain};
use crate::failure::Failure;

/// Below this many rows a ranker has too little to learn from.
const ROWS_FOR_A_RANKER: usize = 1_000;
/// Users have at least this many rows on average: one to test, one to validate, some to learn from.
const ROWS_FOR_LEAVE_LAST: f64 = 4.0;

/// The text of the recipe that will lie at `file`.
pub(super) fn recipe(
    file: &Path,
    log: &Guessed,
    items: Option<&Guessed>,
    users: Option<&Guessed>,
) -> Result<String, Failure> {
    let mut text = String::new();
    let name = recipe_name(&log.source.path);
    let looked = if log.more { "the first " } else { "all " };
    let _ = writeln!(
        text,
        "# Written by `catchment-train init` after a look at {looked}{} rows. Everything here is a guess: check it.\n\
         # docs/contracts.md, section 3, explains every key. Then:  catchment-train run {}\n\
         name = {}\nseed = 7\n\n[data]",
        log.rows,
        file.display(),
        quoted(&name)
    );
    for (key, guessed) in [("interactions", Some(log)), ("items", items), ("users", users)] {
        let Some(guessed) = guessed else { continue };
        for guess in &guessed.guesses {
            let doubt = match guess.sure {
                Certainty::Sure => "",
                Certainty::Likely => "  (likely)",
                Certainty::Guess => "  (A GUESS: check it)",
            };
            let _ = writeln!(text, "# {} is {}: {}{doubt}", guess.means, guess.found, guess.why);
        }
        let _ = writeln!(text, "{key} = {}\n", source(file, &guessed.source)?);
    }
    text += &prepare(log);
    text += &split(log);
    text += &models(log, items);
    Ok(text)
}

fn prepare(log: &Guessed) -> String {
    let mut text = "[prepare]\n".to_owned();
    if let Some(looks) = log.looks.get("event") {
        let all: Vec<String> = looks
            .frequent
            .iter()
            .map(|(word, count)| format!("{word} ({count})"))
            .collect();
        let _ = writeln!(text, "# The log's events: {}", all.join(", "));
        let is_no = |word: &str| NEGATIVE_EVENTS.iter().any(|no| plain(no) == plain(word));
        let yes: Vec<&String> = looks
            .frequent
            .iter()
            .map(|(word, _)| word)
            .filter(|word| !is_no(word))
            .collect();
        // More words than were counted cannot be listed.
        if yes.len() < looks.frequent.len() && !yes.is_empty() && looks.n_distinct == looks.frequent.len() {
            let words: Vec<String> = yes.iter().map(|word| quoted(word)).collect();
            let _ = writeln!(
                text,
                "# Those that say no are left out.\nevents = [{}]",
                words.join(", ")
            );
        } else {
            text += "events = []                # event words to keep; empty keeps all\n";
        }
    }
    text += "min_user_events = 1        # users with fewer events are left out\n\
             min_item_events = 1\n\
             deduplicate = \"none\"       # none | first | last: what to keep of several events of a user with one item\n\
             session_gap = \"30m\"        # a longer pause begins a new session\n";
    if let Some((least, most)) = log.looks.get("value").and_then(|looks| looks.numbers)
        && least >= 0.0
        && most > 1.0
        && most <= 10.0
    {
        let _ = writeln!(
            text,
            "# Values go from {least} to {most}. To learn only from those who liked what they saw:\n\
             # positive = \"value >= {}\"",
            (most * 0.8).round()
        );
    }
    text += "# memory_limit = \"4GiB\"    # for logs that are larger than memory\n\n";
    text
}

fn split(log: &Guessed) -> String {
    let repeats = log.looks.get("user_id").map_or(0.0, super::kind::Looks::repeats);
    if !log.has.contains("timestamp") {
        return "# No column could be read as a time, so each user's test events are drawn by lot. With times a split by\n\
                # them would tell more: what is to come is guessed from what was.\n\
                [split]\nkind = \"random\"\nfraction = 0.2\nvalidation = { kind = \"random\", fraction = 0.1 }\n\n"
            .to_owned();
    }
    if repeats < ROWS_FOR_LEAVE_LAST && !log.more {
        return format!(
            "# Users have {repeats:.1} events on average, too few to leave one of each out: the latest fifth is the test.\n\
             [split]\nkind = \"temporal\"\nat = 0.8                   # a share of the events, or a moment such as \"2026-06-01T00:00:00Z\"\n\
             validation = {{ kind = \"temporal\", at = 0.9 }}\n\n"
        );
    }
    "# The last event of each user is the test; the one before it chooses settings and teaches the ranker.\n\
     [split]\nkind = \"leave-last\"\nvalidation = { kind = \"leave-last\" }\n\n"
        .to_owned()
}

fn models(log: &Guessed, items: Option<&Guessed>) -> String {
    let n_items = log.looks.get("item_id").map_or(0, |looks| looks.n_distinct);
    let with_ranker = log.rows >= ROWS_FOR_A_RANKER;
    let with_category = items.is_some_and(|items| items.has.contains("category"));
    let dim = if n_items < 1000 { 16 } else { 64 };
    let mut text = String::new();
    if with_ranker {
        text += "# What the ranker sees: docs/features.md.\n[features]\n\
                 user = [{ name = \"activity\", kind = \"event_count\" }]\n";
        if with_category {
            text += "item = [{ name = \"category\", kind = \"bag\", column = \"category\" }]\n";
        }
        text += "candidate = [\n  { name = \"item_cf\", kind = \"channel\", channel = \"item_cf\" },\n  \
                 { name = \"ials\", kind = \"channel\", channel = \"ials\" },\n";
        if with_category {
            text += "  { name = \"affinity\", kind = \"category_affinity\", column = \"category\" },\n";
        }
        text += "]\n\n";
    }
    let _ = write!(
        text,
        "# Three channels find candidates: what everybody takes, what goes with what the user took, and what people of\n\
         # like taste take.\n\
         [[channel]]\nname = \"popular\"\nkind = \"popular\"\nk = 100\n\n\
         [[channel]]\nname = \"item_cf\"\nkind = \"item_cf\"\nk = 200\n\n\
         [[channel]]\nname = \"ials\"\nkind = \"ials\"\nk = 200\nmodel = {{ dim = {dim} }}\n\n\
         [merge]\nkind = \"rrf\"\nlimit = 300\n\
         # The list that is the same for everybody fills gaps; it should not outvote those that know the user.\n\
         weights = {{ popular = 0.2 }}\n\n"
    );
    if with_ranker {
        text += "[ranker]\nkind = \"lr\"\n\n";
    } else {
        text += "# With more events: [ranker] kind = \"lr\", and [features] that it sees.\n\n";
    }
    text += "[evaluate]\nks = [10, 20, 50]\nmetrics = [\"recall\", \"ndcg\", \"mrr\"]\n\
             exclude_seen = true        # false where people come back to items\n";
    text
}

/// The source as an inline table.
fn source(file: &Path, source: &Source) -> Result<String, Failure> {
    let path = quoted(&seen_from(file, Path::new(&source.path))?);
    let mut keys = vec![
        format!("path = {path}"),
        format!("format = {}", quoted(source.format.name())),
    ];
    if let Some(delimiter) = source.delimiter {
        keys.push(format!("delimiter = {}", quoted(&delimiter.to_string())));
    }
    if !source.columns.is_empty() {
        let pairs = source
            .columns
            .iter()
            .map(|(ours, theirs)| format!("{ours} = {}", quoted(theirs)));
        keys.push(format!(
            "columns = {{ {} }}",
            pairs.collect::<Vec<_>>().join(", ")
        ));
    }
    if !source.lists.is_empty() {
        let pairs = source
            .lists
            .iter()
            .map(|(ours, between)| format!("{ours} = {}", quoted(between)));
        keys.push(format!("lists = {{ {} }}", pairs.collect::<Vec<_>>().join(", ")));
    }
    if source.time_unit != TimeUnit::Auto {
        keys.push(format!("time_unit = {}", quoted(unit_name(source.time_unit))));
    }
    Ok(format!("{{ {} }}", keys.join(", ")))
}

/// Paths in a recipe start at its folder: shorter where the data lies below it, whole elsewhere.
fn seen_from(file: &Path, path: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(path).map_err(Error::io(path))?;
    let file = std::path::absolute(file).map_err(Error::io(file))?;
    let folder = file.parent().unwrap_or(Path::new("/"));
    let short = whole.strip_prefix(folder).unwrap_or(&whole);
    Ok(short.to_string_lossy().into_owned())
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The name of the log, as far as it can be the name of a folder.
fn recipe_name(path: &str) -> String {
    let stem = Path::new(path)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let stem = stem.split('.').next().unwrap_or_default();
    let name: String = stem
        .chars()
        .map(|letter| {
            if letter.is_ascii_alphanumeric() || "_-".contains(letter) {
                letter
            } else {
                '-'
            }
        })
        .collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() {
        "catchment".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_become_names_of_folders() {
        assert_eq!(recipe_name("a/My log 2.csv.gz"), "My-log-2");
        assert_eq!(recipe_name("日志.csv"), "catchment");
    }
}
