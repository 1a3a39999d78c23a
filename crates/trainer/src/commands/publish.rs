//! `catchment-train publish`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use catchment_bundle::{ManifestInfo, PartEntry, Publisher, TrainedOn, Version};
use catchment_pipeline::golden;

use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::folder;
use crate::judge::Judgement;
use crate::work::Work;

/// How many users' answers are kept to be replayed at load.
const GOLDEN_USERS: usize = 32;

pub(crate) fn run(args: &RecipeArgs, to: &Path, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let version = publish(&work, to)?;
    if output.json {
        super::print_json(&serde_json::json!({ "bundle": version.to_string(), "root": to }))?;
    }
    Ok(())
}

/// The stage itself.
pub(crate) fn publish(work: &Work, to: &Path) -> Result<Version, Failure> {
    let prepared = work.prepared()?;
    let pipeline = work.trained(&prepared)?;
    let model = work.model();
    golden::record(&pipeline, GOLDEN_USERS, &model.golden())?;
    let publisher = Publisher::begin(to, None)?;
    for (file, name) in folder::files_below(model.root())? {
        fs::copy(&file, publisher.path(&name)?).map_err(catchment_schema::Error::io(&file))?;
    }
    let summary = prepared.summary();
    let version = publisher.commit(ManifestInfo {
        created_by: concat!("catchment-train ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at_ms: now_millis(),
        trained_on: TrainedOn {
            dataset: work.recipe.name.clone(),
            split: serde_json::to_string(&work.recipe.split)?,
            rows: pipeline.catalogue().histories().n_events() as u64,
            hash: summary.hash.clone(),
        },
        seed: work.recipe.seed,
        feature_fingerprint: pipeline.feature_fingerprint(),
        metrics: measured(work)?,
        parts: parts(work)?,
    })?;
    work.say(format!("published {version} below {}", to.display()));
    Ok(version)
}

/// What the last evaluation found, by `list/metric`; nothing where there was none.
fn measured(work: &Work) -> Result<BTreeMap<String, f64>, Failure> {
    let path = work.metrics();
    let Ok(bytes) = fs::read(&path) else {
        return Ok(BTreeMap::new());
    };
    let judgements: Vec<Judgement> =
        serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?;
    let each = |judgement: Judgement| {
        let list = judgement.list;
        judgement
            .report
            .metrics
            .into_iter()
            .map(move |(name, value)| (format!("{list}/{name}"), value))
    };
    Ok(judgements.into_iter().flat_map(each).collect())
}

fn parts(work: &Work) -> Result<Vec<PartEntry>, Failure> {
    let channels = work.recipe.channels.iter().map(|channel| {
        let config = serde_json::to_value(channel)?;
        Ok(PartEntry {
            part: format!("channels/{}", channel.name),
            config,
        })
    });
    channels.collect()
}

fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
