//! A recipe with comments, from what was guessed.

use std::fmt::Write as _;
use std::path::Path;

use catchment_schema::Error;
use catchment_schema::import::{OnError, Source, TimeUnit};

use super::guess::{Certainty, Guessed, unit_name};
use super::synonyms::{NEGATIVE_EVENTS, plain};
use crate::failure::Failure;

/// Below this many rows a ranker has too little to learn from.
const ROWS_FOR_A_RANKER: usize = 1_000;
/// Users have at least this many rows on average: one to test, one to validate, some to learn from.
const ROWS_FOR_LEAVE_LAST: f64 = 4.0;

/// Below each source: what may be said about its rows.
const ON_ERROR: &str = "# A row that cannot be read ends the import, as on_error = \"fail\" would; on_error = \"skip\" inside the braces \
                        leaves it out,\n# counts it, and lists the first ten.\n";

/// The same where rows are left out.
const SKIPS: &str = "# on_error = \"skip\": a row that cannot be read is left out, counted, and the first ten are listed; \"fail\" would \
                     end the\n# import at the first.\n";

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
        for warning in &guessed.warnings {
            let _ = writeln!(text, "# WARNING: {warning}");
        }
        if !guessed.unmapped.is_empty() {
            let names: Vec<String> = guessed.unmapped.iter().map(|name| quoted(name)).collect();
            let _ = writeln!(
                text,
                "# Not mapped: {}. The import keeps them, and [features] may name them; to say that one is ours, name it\n\
                 # in columns, as in  category = {}",
                names.join(", "),
                names[0]
            );
        }
        let _ = writeln!(text, "{key} = {}", source(file, &guessed.source)?);
        text += match guessed.source.on_error {
            OnError::Fail => ON_ERROR,
            OnError::Skip => SKIPS,
        };
        text.push('\n');
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
             deduplicate = \"none\"       # none | exact | first | last: what to keep of several events of a user with one item\n\
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
    let has = |column: &str| items.is_some_and(|items| items.has.contains(column));
    let (with_category, with_release) = (
        has("category"),
        has("published_at") && log.has.contains("timestamp"),
    );
    let with_ranker = log.rows >= ROWS_FOR_A_RANKER;
    let mut text = String::new();
    if with_ranker {
        text += &features(log, with_category, with_release);
    }
    text += "# What finds candidates: what everybody takes, what goes with what the user took, and what people of like\n\
             # taste take";
    text += match (with_category, with_release) {
        (true, true) => "; what is popular in the user's own categories; what has come out lately.\n",
        (true, false) => "; what is popular in the user's own categories.\n",
        (false, true) => "; what has come out lately.\n",
        (false, false) => ".\n",
    };
    let dim = if n_items < 1000 { 16 } else { 64 };
    let _ = write!(
        text,
        "[[channel]]\nname = \"popular\"\nkind = \"popular\"\nk = 100\n\n\
         [[channel]]\nname = \"item_cf\"\nkind = \"item_cf\"\nk = 200\n\n\
         [[channel]]\nname = \"ials\"\nkind = \"ials\"\nk = 200\nmodel = {{ dim = {dim} }}\n\n"
    );
    let mut weights = "popular = 0.2".to_owned();
    if with_category {
        text += "[[channel]]\nname = \"popular_in_category\"\nkind = \"popular\"\nk = 100\n\
                 query = { category = \"category\" }\n\n";
        weights += ", popular_in_category = 0.2";
    }
    if with_release {
        text += "[[channel]]\nname = \"newest\"\nkind = \"newest\"\nk = 50\n\n";
        weights += ", newest = 0.1";
    }
    let _ = write!(
        text,
        "[merge]\nkind = \"rrf\"\nlimit = 300\n\
         # Lists that hardly know the user fill gaps; they should not outvote those that do.\n\
         weights = {{ {weights} }}\n\n"
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

/// What the channels say of a candidate, and what popularity means to users with no, few and many events. It is not the
/// score of `popular` that tells: beside the channels that know the user its weight may well be negative, and the list of
/// a stranger, whom only `popular` finds anything for, would stand on its head.
fn features(log: &Guessed, with_category: bool, with_release: bool) -> String {
    let mut text = format!(
        "# What the ranker sees: docs/features.md. `fame` learns how much the popularity of an item means to users without,\n\
         # with few and with many events; it alone orders the list of somebody without a history.\n[features]\n\
         user = [{{ name = \"activity\", kind = \"event_count\", transform = {{ boundaries = [1, 5, 20, 100] }} }}]\n\
         item = [\n  {{ name = \"popularity\", kind = \"item_count\", transform = {{ boundaries = {:?} }} }},\n",
        popularity_steps(log)
    );
    if with_category {
        text += "  { name = \"category\", kind = \"bag\", column = \"category\" },\n";
    }
    text += "]\ncandidate = [\n";
    let optional = [("popular_in_category", with_category), ("newest", with_release)];
    let channels = ["item_cf", "ials"]
        .into_iter()
        .chain(optional.into_iter().filter(|(_, has)| *has).map(|(name, _)| name));
    for name in channels {
        let _ = writeln!(
            text,
            "  {{ name = \"{name}\", kind = \"channel\", channel = \"{name}\" }},"
        );
    }
    text += "  { name = \"fame\", kind = \"cross\", features = [\"user.activity\", \"item.popularity\"] },\n";
    if with_category {
        text += "  { name = \"affinity\", kind = \"category_affinity\", column = \"category\" },\n";
    }
    text += "]\n\n";
    text
}

/// Numbers of events, each half as many again as the one before, up to what the most popular item can have: the sample's
/// highest count, or a thousand times that where the log has more than the sample.
fn popularity_steps(log: &Guessed) -> Vec<usize> {
    let highest = log.looks.get("item_id").and_then(|looks| looks.frequent.first());
    let highest = highest.map_or(1, |(_, count)| *count) * if log.more { 1000 } else { 1 };
    std::iter::successors(Some(1_usize), |step| Some(step + step.div_ceil(2)))
        .take_while(|&step| step <= highest.max(2))
        .collect()
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
    if source.on_error == OnError::Skip {
        keys.push("on_error = \"skip\"".to_owned());
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
    use catchment_schema::import::PeekColumn;

    use super::*;

    #[test]
    fn a_step_of_popularity_is_half_as_many_again() {
        let guessed = |count: usize, more: bool| {
            let cells = vec![Some("a".to_owned()); count];
            let name = "item_id".to_owned();
            let looks = super::super::kind::Looks::of(&PeekColumn { name, cells });
            Guessed {
                source: Source::new("log.csv", catchment_schema::import::Format::Csv),
                guesses: vec![],
                warnings: vec![],
                has: ["item_id"].into(),
                looks: [("item_id", looks)].into(),
                rows: count,
                more,
                unmapped: vec![],
            }
        };
        assert_eq!(popularity_steps(&guessed(1, false)), [1, 2]);
        assert_eq!(popularity_steps(&guessed(12, false)), [1, 2, 3, 5, 8, 12]);
        let many = popularity_steps(&guessed(12, true));
        assert_eq!((many.len(), many.last()), (22, Some(&8091)));
    }

    #[test]
    fn names_of_files_become_names_of_folders() {
        assert_eq!(recipe_name("a/My log 2.csv.gz"), "My-log-2");
        assert_eq!(recipe_name("日志.csv"), "catchment");
    }
}
