//! DSSM over texts beside BM25, on judged collections: NDCG at 1, 3 and 10 over all documents, cross-validated by query.
//!
//! `cargo xtask versus tantivy` runs it beside its peer. By hand, with the folder that this makes:
//! `text_retrieval --make FOLDER '{"collection": "cranfield"}'`, the peer's `--make` in the same folder, then
//! `text_retrieval --tune FOLDER SETTINGS` for what each way to train comes to on queries that are held out of the training
//! part of the first fold, or `text_retrieval FOLDER SETTINGS`, which answers each line on its input with a line of JSON.
//!
//! Queries fall into five parts by a lot of the seed; each part is judged by towers that were trained on the four others. What is
//! chosen (a way to train, how much of it goes beside BM25) is chosen in a quarter of those four, and the rest of them
//! learned from; then all four are.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example prints")]

mod collection;
mod dssm;
mod judge;

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Deserialize;
use serde_json::{Value, json};

use collection::Collection;
use dssm::{Dssm, Pairs, Settings};
use judge::{KS, Mean, Scores, best, differences, mean, means, ndcg};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Parts that queries fall into.
const FOLDS: usize = 5;
/// Of a training part, one in so many queries chooses.
const CHOOSING: usize = 4;
/// What is tried for how much a cosine counts beside BM25, whose best document has 1.
const WEIGHTS: [f32; 10] = [0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 4.0, 8.0];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    collection: String,
    #[serde(default = "seed")]
    seed: u64,
    /// Ways to train, of which one is chosen; those of `ways.toml` where there are none.
    #[serde(default)]
    choose: Vec<Settings>,
    /// Ways to train that are judged as they are; the same.
    #[serde(default)]
    fixed: Vec<Settings>,
}

/// `ways.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ways {
    paper: Vec<Settings>,
    /// For abstracts that questions of a sentence are asked of.
    abstracts: Vec<Settings>,
    /// For products that are asked for by a word or three.
    products: Vec<Settings>,
}

impl Task {
    fn read(settings: &str) -> Result<Self> {
        let mut task: Self = serde_json::from_str(settings)?;
        if task.choose.is_empty() && task.fixed.is_empty() {
            let ways: Ways = toml::from_str(include_str!("ways.toml"))?;
            task.fixed = ways.paper;
            task.choose = match task.collection.as_str() {
                "chorus-icecat" => ways.products,
                _ => ways.abstracts,
            };
        }
        Ok(task)
    }
}

/// The rankings of the peer.
const BM25: &str = "BM25";
const STEMMED: &str = "BM25, stemmed";

fn seed() -> u64 {
    7
}

/// Everything that a comparison is made of.
struct Comparison {
    task: Task,
    collection: Collection,
    bm25: Scores,
    stemmed: Scores,
    /// Queries by part.
    parts: Vec<Vec<usize>>,
}

impl Comparison {
    fn open(folder: &Path, task: Task, data: &Path) -> Result<Self> {
        let collection = Collection::open(data, &task.collection)?;
        let n = [collection.queries.len(), collection.documents.len()];
        let mut order: Vec<usize> = (0..n[0]).collect();
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(task.seed);
        for place in (1..order.len()).rev() {
            order.swap(place, rng.random_range(0..=place));
        }
        let part = |part: usize| order.iter().copied().skip(part).step_by(FOLDS).collect();
        Ok(Self {
            bm25: scores_of(&folder.join("bm25.tsv"), n)?,
            stemmed: scores_of(&folder.join("bm25_stemmed.tsv"), n)?,
            parts: (0..FOLDS).map(part).collect(),
            collection,
            task,
        })
    }

    /// The queries of all parts but one: those that are learned from while something is chosen, and those that choose.
    fn split(&self, part: usize) -> (Vec<usize>, Vec<usize>) {
        let others = self.parts.iter().enumerate().filter(|(other, _)| *other != part);
        let train: Vec<usize> = others.flat_map(|(_, queries)| queries.iter().copied()).collect();
        let (chooses, learns): (Vec<_>, Vec<_>) = train
            .iter()
            .enumerate()
            .partition(|(place, _)| place % CHOOSING == 0);
        let queries = |places: Vec<(usize, &usize)>| places.into_iter().map(|(_, &query)| query).collect();
        (queries(learns), queries(chooses))
    }

    fn judge(&self, queries: &[usize], scores: &[Vec<f32>]) -> Vec<[f32; 3]> {
        let pairs = queries.iter().zip(scores);
        pairs
            .map(|(&query, scores)| ndcg(scores, &self.collection.queries[query]))
            .collect()
    }

    fn fit(&self, train: &[usize], settings: &Settings) -> Result<Dssm> {
        Dssm::fit(&self.collection, train, settings, self.task.seed)
    }

    fn ask(&self, dssm: &Dssm, queries: &[usize]) -> Result<Scores> {
        dssm.scores(
            queries
                .iter()
                .map(|&query| self.collection.queries[query].text.as_str()),
        )
    }

    fn of(scores: &Scores, queries: &[usize]) -> Scores {
        queries.iter().map(|&query| scores[query].clone()).collect()
    }

    /// What each way to train comes to where the first part is held out.
    fn tune(&self) -> Result<()> {
        let (learns, chooses) = self.split(0);
        let show = |name: &str, scores: &Scores| {
            let rows = self.judge(&chooses, scores);
            println!(
                "{name:<40} {:.4} {:.4} {:.4}",
                mean(&rows, 0),
                mean(&rows, 1),
                mean(&rows, 2)
            );
        };
        println!(
            "{} learn, {} choose, {} documents",
            learns.len(),
            chooses.len(),
            self.collection.documents.len()
        );
        let bm25 = Self::of(&self.bm25, &chooses);
        show("bm25", &bm25);
        show("bm25 stemmed", &Self::of(&self.stemmed, &chooses));
        for settings in self.task.choose.iter().chain(&self.task.fixed) {
            let begun = Instant::now();
            let dssm = self.fit(&learns, settings)?;
            let seconds = begun.elapsed().as_secs_f64();
            let scores = self.ask(&dssm, &chooses)?;
            show(&settings.name, &scores);
            let (weight, value) = self.weight(&chooses, &bm25, &scores);
            let losses = dssm.losses();
            println!(
                "  {seconds:.0} s, loss {:.3} to {:.3}; beside bm25 at {weight}: {value:.4}",
                losses[0],
                losses[losses.len() - 1]
            );
        }
        Ok(())
    }

    /// The best of [`WEIGHTS`], by the NDCG at the last of the cuts.
    fn weight(&self, queries: &[usize], bm25: &Scores, dssm: &Scores) -> (f32, f64) {
        let value = |weight: f32| mean(&self.judge(queries, &blend(bm25, dssm, weight)), KS.len() - 1);
        let tried = WEIGHTS.map(|weight| (weight, value(weight)));
        tried.into_iter().fold(
            (0.0, f64::NEG_INFINITY),
            |best, one| if one.1 > best.1 { one } else { best },
        )
    }

    /// Every ranking's figures, over all queries; and the towers of the last part.
    fn run(&self) -> Result<(Value, Dssm)> {
        let mut rows: BTreeMap<String, Vec<[f32; 3]>> = BTreeMap::new();
        let mut order: Vec<String> = vec![];
        let mut add = |name: &str, judged: Vec<[f32; 3]>| {
            if !order.iter().any(|one| one == name) {
                order.push(name.to_owned());
            }
            rows.entry(name.to_owned()).or_default().extend(judged);
        };
        let mut chosen = vec![];
        let mut last = None;
        for (part, queries) in self.parts.iter().enumerate() {
            let (learns, chooses) = self.split(part);
            let train = [&learns[..], &chooses].concat();
            add(BM25, self.judge(queries, &Self::of(&self.bm25, queries)));
            add(STEMMED, self.judge(queries, &Self::of(&self.stemmed, queries)));
            for settings in &self.task.fixed {
                let dssm = self.fit(&train, settings)?;
                add(&settings.name, self.judge(queries, &self.ask(&dssm, queries)?));
            }
            let (mut best_way, mut best_blind) = (None::<(f64, &Settings, Scores)>, None::<(f64, &Settings)>);
            for settings in &self.task.choose {
                let dssm = self.fit(&learns, settings)?;
                let scores = self.ask(&dssm, &chooses)?;
                let value = mean(&self.judge(&chooses, &scores), KS.len() - 1);
                eprintln!("part {part}, {}: {value:.4}", settings.name);
                if !settings.pairs.contains(&Pairs::Judged)
                    && best_blind.as_ref().is_none_or(|(other, _)| value > *other)
                {
                    best_blind = Some((value, settings));
                }
                if best_way.as_ref().is_none_or(|(other, ..)| value > *other) {
                    best_way = Some((value, settings, scores));
                }
            }
            if let Some((_, settings)) = best_blind {
                let dssm = self.fit(&train, settings)?;
                add(
                    "DSSM, no judgements",
                    self.judge(queries, &self.ask(&dssm, queries)?),
                );
            }
            let (value, settings, inner) = best_way.context("`choose` names at least one way to train")?;
            let dssm = self.fit(&train, settings)?;
            let scores = self.ask(&dssm, queries)?;
            add("DSSM", self.judge(queries, &scores));
            let mut weights = vec![];
            for (name, of) in [
                ("BM25 + DSSM", &self.bm25),
                ("BM25, stemmed + DSSM", &self.stemmed),
            ] {
                let (weight, _) = self.weight(&chooses, &Self::of(of, &chooses), &inner);
                add(
                    name,
                    self.judge(queries, &blend(&Self::of(of, queries), &scores, weight)),
                );
                weights.push(weight);
            }
            chosen.push(json!({
                "part": part, "dssm": settings.name, "ndcg@10": value, "weights": weights,
                "no_judgements": best_blind.map(|(_, settings)| &settings.name),
            }));
            last = Some(dssm);
        }
        let first = self.parts[0].len();
        let quality = json!({
            "queries": self.collection.queries.len(),
            "figures": figures(&order, &rows, usize::MAX),
            // Its queries had no part in finding the ways either.
            "first_part": { "queries": first, "figures": figures(&order, &rows, first) },
            "chosen": chosen,
        });
        Ok((quality, last.context("there is a last part")?))
    }
}

/// Of the first `n` queries of each ranking: means, and what they are above those of BM25 in its two forms.
fn figures(order: &[String], rows: &BTreeMap<String, Vec<[f32; 3]>>, n: usize) -> Value {
    let of = |name: &str| {
        let all = &rows[name];
        &all[..all.len().min(n)]
    };
    let one = |name: &String| {
        let judged = of(name);
        let figures = [
            ("", means(judged)),
            (" less BM25", means(&differences(judged, of(BM25)))),
            (" less BM25, stemmed", means(&differences(judged, of(STEMMED)))),
        ];
        let mut row = serde_json::Map::new();
        for (which, figures) in figures {
            for (k, figure) in KS.iter().zip(figures) {
                row.insert(format!("ndcg@{k}{which}"), json!(figure));
            }
            let cell = |mean: &Mean| format!("{:+.3} ({:+.3} to {:+.3})", mean.mean, mean.low, mean.high);
            let cells: Vec<String> = figures.iter().map(cell).collect();
            eprintln!("{:<44} {}", format!("{name}{which}"), cells.join("  "));
        }
        (name.clone(), Value::Object(row))
    };
    Value::Object(order.iter().map(one).collect())
}

/// BM25 over its best document's, and so much of the cosine beside it.
fn blend(bm25: &Scores, dssm: &Scores, weight: f32) -> Scores {
    let one = |(bm25, dssm): (&Vec<f32>, &Vec<f32>)| {
        let most = bm25.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
        bm25.iter()
            .zip(dssm)
            .map(|(bm25, cosine)| bm25 / most + weight * cosine)
            .collect()
    };
    bm25.iter().zip(dssm).map(one).collect()
}

/// What the peer wrote: `[queries][documents]`, 0 where there is no word in common.
fn scores_of(path: &Path, [queries, documents]: [usize; 2]) -> Result<Scores> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("{}: the peer's --make writes it", path.display()))?;
    let mut scores = vec![vec![0.0; documents]; queries];
    for line in text.lines() {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().context("three cells");
        let (query, document): (usize, usize) = (cell()?.parse()?, cell()?.parse()?);
        scores[query][document] = cell()?.parse()?;
    }
    Ok(scores)
}

fn main() -> Result<()> {
    let Some(data) = std::env::var_os("CATCHMENT_DATA") else {
        println!("skipped: CATCHMENT_DATA is not set");
        return Ok(());
    };
    let data = Path::new(&data);
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mode = match arguments.first() {
        Some(first) if first.starts_with("--") => arguments.remove(0),
        _ => String::new(),
    };
    let [folder, settings] = &arguments[..] else {
        anyhow::bail!("text_retrieval [--make | --tune] FOLDER SETTINGS");
    };
    let folder = Path::new(folder);
    let task = Task::read(settings)?;
    match mode.as_str() {
        "--make" => Collection::open(data, &task.collection)?.write(folder),
        "--tune" => Comparison::open(folder, task, data)?.tune(),
        _ => {
            let comparison = Comparison::open(folder, task, data)?;
            let (quality, dssm) = comparison.run()?;
            let queries: Vec<usize> = (0..comparison.collection.queries.len()).collect();
            for line in std::io::stdin().lock().lines() {
                line?;
                let begun = Instant::now();
                let scores = comparison.ask(&dssm, &queries)?;
                let found: usize = scores.iter().map(|scores| best(scores, 10).len()).sum();
                let seconds = begun.elapsed().as_secs_f64();
                anyhow::ensure!(found == 10 * queries.len(), "ten documents for each query");
                println!("{}", json!({ "seconds": seconds, "quality": quality }));
            }
            Ok(())
        }
    }
}
