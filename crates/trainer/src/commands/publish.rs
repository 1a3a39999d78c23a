//! `catchment-train publish`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use catchment_bundle::{ManifestInfo, PartEntry, Publisher, TrainedOn, Version};
use catchment_pipeline::{Layout, Pipeline, golden};
use catchment_prepare::Prepared;
use catchment_schema::{Interactions, Metadata};

use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::fitted::FITTED;
use crate::folder;
use crate::judge::Judgement;
use crate::stamp::TRAINED_ON;
use crate::work::{REPORT, Work};

/// In the root of a bundle.
const SPEC: &str = "pipeline.json";
/// How many users' answers are kept to be replayed at load.
const GOLDEN_USERS: usize = 32;

pub(crate) fn run(args: &RecipeArgs, to: &Path, whole_log: bool, output: Output) -> Result<(), Failure> {
    let work = Work::open(args, output)?;
    let version = publish(&work, to, whole_log)?;
    if output.json {
        super::print_json(&serde_json::json!({ "bundle": version.to_string(), "root": to }))?;
    }
    Ok(())
}

/// The stage itself. With the whole log, users have what the test part holds in their histories: channels and rankers stay as they
/// were trained and measured, and are asked with all that is known.
pub(crate) fn publish(work: &Work, to: &Path, whole_log: bool) -> Result<Version, Failure> {
    let prepared = work.prepared()?;
    let pipeline = work.trained(&prepared)?;
    let model = work.model();
    golden::record(&pipeline, GOLDEN_USERS, &model.golden())?;
    let mut created_at_ms = now_millis();
    // A version is a second and a short hash of the content: the same content again within one second is a clash.
    let version = loop {
        match publish_at(work, to, &prepared, &pipeline, whole_log, created_at_ms) {
            Err(error) if is_clash(&error) => created_at_ms += 1000,
            outcome => break outcome?,
        }
    };
    work.say(format!("published {version} below {}", to.display()));
    Ok(version)
}

fn is_clash(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(catchment_bundle::Error::VersionExists { .. })
    )
}

fn publish_at(
    work: &Work,
    to: &Path,
    prepared: &Prepared,
    pipeline: &Pipeline,
    whole_log: bool,
    created_at_ms: i64,
) -> anyhow::Result<Version> {
    let publisher = Publisher::begin(to, None)?;
    let files = folder::files_below(work.model().root())?;
    for (file, name) in files
        .iter()
        .filter(|(_, name)| name != TRAINED_ON && !name.ends_with(FITTED))
    {
        fs::copy(file, publisher.path(name)?).map_err(catchment_schema::Error::io(file))?;
    }
    let mut rows = pipeline.catalogue().histories().n_events() as u64;
    if whole_log {
        rows += add_test_part(prepared, &publisher)?;
    }
    if work.metrics().exists() && work.report().exists() {
        let report = work.report();
        fs::copy(&report, publisher.path(REPORT)?).map_err(catchment_schema::Error::io(&report))?;
    }
    let summary = prepared.summary();
    Ok(publisher.commit(ManifestInfo {
        created_by: concat!("catchment-train ", env!("CARGO_PKG_VERSION")).to_owned(),
        created_at_ms,
        trained_on: TrainedOn {
            dataset: work.recipe.name.clone(),
            split: serde_json::to_string(&work.recipe.split)?,
            rows,
            hash: summary.hash.clone(),
        },
        // That of the training: models by another are not published.
        seed: work.recipe.seed,
        feature_fingerprint: pipeline.feature_fingerprint(),
        metrics: measured(work)?,
        parts: parts(work)?,
    })?)
}

/// Puts the rows of the test part that the vocabularies know into the histories of a bundle, and asks its golden queries anew. How
/// many these are.
fn add_test_part(prepared: &Prepared, publisher: &Publisher) -> anyhow::Result<u64> {
    let spec = publisher.path(SPEC)?;
    let layout = Layout::new(spec.parent().unwrap_or(&spec));
    let known = Interactions::read(layout.histories())?;
    let all = super::train::together(&known, &prepared.test()?, prepared);
    all.write(layout.histories(), &Metadata::new())?;
    golden::record(&Pipeline::open_folder(&layout)?, GOLDEN_USERS, &layout.golden())?;
    Ok((all.len() - known.len()) as u64)
}

/// What the last evaluation found, by `list/metric`; nothing where there was none.
fn measured(work: &Work) -> anyhow::Result<BTreeMap<String, f64>> {
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

fn parts(work: &Work) -> anyhow::Result<Vec<PartEntry>> {
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
