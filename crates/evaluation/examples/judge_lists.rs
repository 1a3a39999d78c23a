//! Judges lists against held-out items.
//!
//! `cargo run -p catchment-evaluation --example judge_lists`: four readers and six books, embedded, by two
//! recommenders.
//!
//! `cargo run -p catchment-evaluation --example judge_lists -- LISTS HELD_OUT [CHANNEL]`: a `candidates.parquet`
//! against a CSV with a header and the columns `user_id,item_id`; prints `metric,value` lines, which
//! `tests/ranx_parity.py` compares with ranx.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::path::Path;

use catchment_evaluation::{
    EvaluateConfig, FileLists, FullCorpus, GroundTruth, MetricKind, MetricReport, evaluate,
};
use catchment_schema::{Event, Histories, Time, Vocabulary};

const READ: [(&str, &str); 9] = [
    ("ann", "emma"),
    ("ann", "persuasion"),
    ("bob", "dracula"),
    ("bob", "carmilla"),
    ("bob", "emma"),
    ("eve", "dracula"),
    ("eve", "frankenstein"),
    ("eve", "carmilla"),
    ("zoe", "persuasion"),
];
const HELD_OUT: [(&str, &str); 4] = [
    ("ann", "villette"),
    ("bob", "frankenstein"),
    ("eve", "emma"),
    ("eve", "a new book"), // in no vocabulary: it stays in the denominator
];
const CATALOGUE: [&str; 6] = [
    "carmilla",
    "dracula",
    "emma",
    "frankenstein",
    "persuasion",
    "villette",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [] => judge_readers(),
        [lists, held_out] => judge_file(Path::new(lists), held_out, None),
        [lists, held_out, channel] => judge_file(Path::new(lists), held_out, Some(channel)),
        _ => Err("wanted: nothing, or LISTS HELD_OUT [CHANNEL]".into()),
    }
}

fn judge_readers() -> Result<(), Box<dyn std::error::Error>> {
    let users = Vocabulary::from_counts(READ.map(|(user, _)| (user, 1)));
    // Every book once, so that the one that nobody has read yet competes as well.
    let books = READ.map(|(_, book)| book).into_iter().chain(CATALOGUE);
    let items = Vocabulary::from_counts(books.map(|book| (book, 1)));
    let readers: Vec<_> = READ.iter().filter_map(|(user, _)| users.user(user)).collect();
    let events: Vec<_> = READ
        .iter()
        .filter_map(|(_, book)| Some(Event::new(items.item(book)?, Time::UNKNOWN)))
        .collect();
    let histories = Histories::group(users.len(), &readers, &events);
    let truth = truth(HELD_OUT.iter().copied(), &users, &items);

    let popular = FullCorpus::new(items.len(), |_, scores: &mut [f32]| {
        for (score, &count) in scores.iter_mut().zip(items.counts()) {
            *score = count as f32;
        }
        Ok(())
    });
    // A book counts once for each reader of it who shares a book with the user.
    let shared = FullCorpus::new(items.len(), |user, scores: &mut [f32]| {
        let mine = histories.of(user).events();
        for (_, theirs) in histories.iter() {
            let n_shared = theirs
                .events()
                .iter()
                .filter(|event| mine.iter().any(|my| my.item == event.item))
                .count();
            for event in theirs.events() {
                scores[event.item.index()] += n_shared as f32;
            }
        }
        Ok(())
    });
    let config = EvaluateConfig {
        ks: vec![1, 3],
        ..EvaluateConfig::default()
    };
    let popular = evaluate(&popular.excluding_seen(&histories), &truth, &config, "test")?;
    let shared = evaluate(&shared.excluding_seen(&histories), &truth, &config, "test")?;
    println!("{}", popular.protocol);
    println!(
        "{} users, {} held-out pairs ({} cold)\n",
        popular.users, popular.pairs, popular.cold_pairs
    );
    println!("{:<12}  popular  shared readers", "");
    for ((name, popular), (_, shared)) in popular.metrics.iter().zip(&shared.metrics) {
        println!("{name:<12}  {popular:>7.4}  {shared:>14.4}");
    }
    Ok(())
}

fn judge_file(lists: &Path, held_out: &str, channel: Option<&str>) -> Result<(), Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(held_out)?;
    let pairs: Vec<(&str, &str)> = text
        .lines()
        .skip(1)
        .map(|line| {
            line.split_once(',')
                .ok_or_else(|| format!("{held_out}: no pair: {line}"))
        })
        .collect::<Result<_, _>>()?;
    // Whatever nobody held out is no hit: it may as well be unknown.
    let users = Vocabulary::from_counts(pairs.iter().map(|&(user, _)| (user, 1)));
    let items = Vocabulary::from_counts(pairs.iter().map(|&(_, item)| (item, 1)));
    let lists = match channel {
        Some(channel) => FileLists::read_channel(lists, channel, &users, &items)?,
        None => FileLists::read(lists, &users, &items)?,
    };
    let config = EvaluateConfig {
        metrics: [EvaluateConfig::default().metrics, vec![MetricKind::Precision]].concat(),
        ..EvaluateConfig::default()
    };
    let report: MetricReport = evaluate(&lists, &truth(pairs, &users, &items), &config, held_out)?;
    for (name, value) in &report.metrics {
        println!("{name},{value}");
    }
    Ok(())
}

/// Held-out items of known users; an item that the vocabulary does not know is cold.
fn truth<'a>(
    pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    users: &Vocabulary,
    items: &Vocabulary,
) -> GroundTruth {
    let cold = catchment_schema::ItemIdx::from_index(items.len());
    let pairs = pairs
        .into_iter()
        .filter_map(|(user, item)| Some((users.user(user)?, items.item(item).unwrap_or(cold))));
    GroundTruth::from_pairs(pairs.collect::<Vec<_>>(), users.len(), items.len())
}
