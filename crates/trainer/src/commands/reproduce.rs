//! `catchment-train reproduce`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use catchment_schema::AtomicFile;
use serde_json::{Value, json};

use super::{evaluate, prepare, print_json, train};
use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::judge::Judgement;
use crate::work::Work;

pub(crate) fn run(args: &RecipeArgs, seeds: u32, file: &Path, output: Output) -> Result<(), Failure> {
    if seeds == 0 {
        return Err(Failure::usage(
            "--seeds 0 would measure nothing",
            "give at least 1",
        ));
    }
    let start = Instant::now();
    let mut used = Vec::new();
    let mut runs: Vec<Vec<Judgement>> = Vec::new();
    let mut work = Work::open(args, output)?;
    // What is not done is not timed.
    work.fresh = true;
    let first = work.recipe.seed;
    for offset in 0..u64::from(seeds) {
        work.recipe.seed = first.wrapping_add(offset);
        used.push(work.recipe.seed);
        prepare::prepare(&work)?;
        train::train(&work, &[])?;
        let measured = evaluate::evaluate(&work)?;
        work.say(measured.told);
        runs.push(measured.judgements);
    }
    let judged = runs.first().and_then(|run| run.last());
    let protocol = judged.map(|judgement| judgement.report.protocol.clone());
    let lists: BTreeMap<&str, Value> = runs[0]
        .iter()
        .enumerate()
        .map(|(position, judgement)| (judgement.list.as_str(), over_seeds(&runs, position)))
        .collect();
    // The headline is the whole river: the last of our own lists.
    let headline = work.recipe.headline();
    let metrics = lists.get(headline.as_str()).cloned().unwrap_or(Value::Null);
    let selected_on = if work.recipe.split.validation.is_some() {
        "validation"
    } else {
        "fixed in the recipe"
    };
    let result = json!({
        "recipe": work.recipe.name,
        "dataset": work.recipe.data.interactions.format,
        "protocol": protocol,
        "seeds": used,
        "selected_on": selected_on,
        "list": headline,
        "metrics": metrics,
        "lists": lists,
        "published": work.recipe.published,
        "seconds": start.elapsed().as_secs_f64(),
        "peak_rss_bytes": peak_rss_bytes(),
        "threads": rayon::current_num_threads(),
        "commit": std::env::var("CATCHMENT_COMMIT").ok(),
    });
    AtomicFile::write(file, &serde_json::to_vec_pretty(&result)?)?;
    for (metric, published) in &work.recipe.published {
        let list = published.list.as_deref().unwrap_or(&headline);
        let ours = lists.get(list).and_then(|list| list[metric]["mean"].as_f64());
        let ours = ours.map_or("not measured".to_owned(), |value| format!("{value:.4}"));
        work.say(format!(
            "{metric} of {list}: {ours}, published {} ({})",
            published.value, published.source
        ));
    }
    if output.json {
        print_json(&result)?;
    }
    Ok(())
}

/// Mean, standard deviation and a 95 % interval over seeds, for each metric of one list.
fn over_seeds(runs: &[Vec<Judgement>], position: usize) -> Value {
    let names = runs[0][position].report.metrics.keys();
    let summary = names.map(|name| {
        let values: Vec<f64> = runs
            .iter()
            .map(|run| run[position].report.metrics[name])
            .collect();
        (name.to_owned(), summarise(&values))
    });
    Value::Object(summary.collect())
}

/// One run has no spread to speak of: its deviation and interval are null rather than zero.
fn summarise(values: &[f64]) -> Value {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    if values.len() < 2 {
        return json!({ "mean": mean, "std": null, "ci95": null });
    }
    let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let half = student_t_975(values.len() - 1) * std / n.sqrt();
    json!({ "mean": mean, "std": std, "ci95": [mean - half, mean + half] })
}

/// The 97.5 % quantile of Student's t; beyond ten degrees of freedom the normal one with a first-order correction.
fn student_t_975(degrees: usize) -> f64 {
    const TABLE: [f64; 10] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
    ];
    match TABLE.get(degrees - 1) {
        Some(&quantile) => quantile,
        None => 1.96 + 2.4 / degrees as f64,
    }
}

/// The largest resident size so far, where the system tells (Linux).
fn peak_rss_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_claims_no_spread_and_three_give_a_t_interval() {
        assert_eq!(summarise(&[0.5])["std"], Value::Null);
        let three = summarise(&[1.0, 2.0, 3.0]);
        assert!((three["mean"].as_f64().expect("a number") - 2.0).abs() < 1e-12);
        assert!((three["ci95"][1].as_f64().expect("a number") - (2.0 + 4.303 / 3f64.sqrt())).abs() < 1e-9);
    }
}
