//! Fits a channel of towers: features, training, vectors of the items, the query tower.

use std::fs;

use catchment_evaluation::report::TrainingCurve;
use catchment_features::{FeatureBatch, FeatureConfig, FitTables, FittedFeatures};
use catchment_models::progress::Flow;
use catchment_models::towers::plan::ItemSide;
use catchment_models::towers::training::{self, Current, Towers, TowersData, TowersReport};
use catchment_models::towers::{HistoryExamples, Order, Plan, ShownItems, file};
use catchment_pipeline::{ChannelSpec, Layout};
use catchment_prepare::Prepared;
use catchment_schema::{AtomicFile, Error, Histories};

use crate::failure::Failure;
use crate::fit::{Course, tell_memory};
use crate::progress::Bar;
use crate::shown::shown_items;
use crate::work::Work;

/// How a channel of towers was trained, in its folder.
const TRAINING_FILE: &str = "training.json";

/// Writes all of it into the channel's folder; nothing for a channel of another kind.
pub(crate) fn fit(
    work: &Work,
    prepared: &Prepared,
    histories: &Histories,
    channel: &ChannelSpec,
    layout: &Layout,
    course: &Course<'_>,
    bar: &mut Bar,
) -> anyhow::Result<()> {
    let checkpoint = course.checkpoint;
    let Some((spec, plan)) = channel.model.towers() else {
        return Ok(());
    };
    let (name, items) = (&channel.name, prepared.items());
    let features = spec.fit(&FitTables {
        users: prepared.users(),
        items,
        user_attributes: prepared.user_attributes(),
        item_attributes: prepared.item_attributes(),
        histories,
        channels: &[],
    })?;
    let mut catalogue = FeatureBatch::default();
    features.transform_items(items, prepared.item_attributes(), &mut catalogue)?;
    let examples = HistoryExamples::new(
        histories,
        &features,
        prepared.users(),
        prepared.user_attributes(),
        &plan.examples,
    )?;
    let shown = shown(work, prepared, name, &plan)?;
    let examples = match &shown {
        Some(shown) => examples.with_shown(shown),
        None => examples,
    };
    let histories_of: Vec<String> = spec
        .user
        .iter()
        .filter(|feature| matches!(feature, FeatureConfig::History(_)))
        .map(|feature| feature.name().to_owned())
        .collect();
    let item_id = spec
        .item
        .iter()
        .find(|feature| matches!(feature, FeatureConfig::Id(_)));
    let data = TowersData {
        features: &features,
        items: &catalogue,
        n_items: items.len(),
        histories,
        histories_of: &histories_of,
        item_id: item_id.map(FeatureConfig::name),
        examples: &examples,
    };
    if checkpoint.exists() {
        work.note(format!("channel `{name}` goes on where it was stopped"));
    }
    tell_memory(work, name, training::memory_bytes(&plan, &data)?);
    let write = |towers: &Towers| write(work, prepared, channel, layout, (&features, &plan), towers);
    let n_passes = plan.epochs * data.examples.n_shards();
    let mut failed = None;
    let mut look = |pass: usize, current: &Current<'_>| {
        let Some(watch) = course.watch.filter(|_| pass + 1 < n_passes) else {
            return Ok(());
        };
        let towers = current.towers()?;
        let flow = write(&towers).and_then(|()| watch((pass + 1) as f64 / n_passes as f64));
        match flow {
            Ok(Flow::Continue) => Ok(()),
            Ok(Flow::Stop) => Err(catchment_models::Error::Stopped),
            Err(error) => {
                failed = Some(error);
                Err(catchment_models::Error::Stopped)
            }
        }
    };
    let (device, seed) = (work.output.device, work.recipe.seed);
    let fitted = training::fit_shards(&plan, &data, device, seed, Some(checkpoint), &mut look, bar);
    if let Some(error) = failed {
        return Err(error);
    }
    let towers = fitted?;
    write(&towers)?;
    let curve = curve(name, &plan, &towers.report);
    AtomicFile::write(
        layout.channel(name).join(TRAINING_FILE),
        &serde_json::to_vec(&curve)?,
    )?;
    tell(work, name, &plan, &towers.report);
    Ok(())
}

/// What is served of a channel, into its folder.
fn write(
    work: &Work,
    prepared: &Prepared,
    channel: &ChannelSpec,
    layout: &Layout,
    (features, plan): (&FittedFeatures, &Plan),
    towers: &Towers,
) -> anyhow::Result<()> {
    let folder = layout.channel(&channel.name);
    features.save(&layout.tower_features(&channel.name))?;
    towers.query.save(&folder, &features.fingerprint().to_string())?;
    file::save_items(
        &folder,
        prepared.items(),
        &towers.items,
        towers.dim,
        (channel.model.kind(), &work.recipe.name),
        is_of_length_one(plan),
    )?;
    Ok(())
}

/// How it went, for the report.
fn curve(name: &str, plan: &Plan, report: &TowersReport) -> TrainingCurve {
    TrainingCurve {
        channel: name.to_owned(),
        losses: report.losses.clone(),
        gradients: report.gradients.clone(),
        examples: report.examples,
        temperature: f64::from(report.temperature),
        by_shard: matches!(plan.examples.order, Order::ByTime(_)),
        frequencies: report
            .frequencies
            .iter()
            .map(|of| [of.counted, of.estimated])
            .collect(),
    }
}

/// What was shown beside what was taken, where the plan asks for it.
fn shown(work: &Work, prepared: &Prepared, name: &str, plan: &Plan) -> anyhow::Result<Option<ShownItems>> {
    let Some(config) = &plan.shown else {
        return Ok(None);
    };
    let (shown, n_unknown) = shown_items(prepared, config)?;
    if n_unknown > 0 {
        work.note(format!(
            "channel `{name}`: {n_unknown} ids in `{}` are of no item that training may know",
            config.column
        ));
    }
    Ok(Some(shown))
}

/// How it went.
fn tell(work: &Work, name: &str, plan: &Plan, report: &TowersReport) {
    if let Some(reason) = &report.kept_here {
        work.note(format!(
            "channel `{name}`: its tables stay beside the processor: {reason}"
        ));
    }
    if plan.shown.is_some() {
        work.note(format!(
            "channel `{name}`: {:.1} % of the examples were compared with what was shown beside them",
            100.0 * report.with_shown as f64 / report.examples.max(1) as f64
        ));
    }
    work.note(format!(
        "channel `{name}`: {} examples, loss {:.4} → {:.4}; waited for data {:.1} % of the time",
        report.examples,
        report.losses.first().copied().unwrap_or(0.0),
        report.losses.last().copied().unwrap_or(0.0),
        100.0 * report.waited,
    ));
}

/// Whether the vectors that are written have length one: a bias is a dimension more, which is of any size.
pub(crate) fn is_of_length_one(plan: &Plan) -> bool {
    plan.normalised && !matches!(plan.item, ItemSide::Table { bias: true, .. })
}

/// How the channels of the models were trained, for the report; none for kinds that leave no word of it.
pub(crate) fn trainings(work: &Work) -> Result<Vec<TrainingCurve>, Failure> {
    let mut curves = vec![];
    for channel in &work.recipe.channels {
        let path = work.model().channel(&channel.name).join(TRAINING_FILE);
        if channel.model.towers().is_none() || !path.exists() {
            continue;
        }
        let bytes = fs::read(&path).map_err(Error::io(&path))?;
        curves.push(serde_json::from_slice(&bytes).map_err(anyhow::Error::from)?);
    }
    Ok(curves)
}

#[cfg(test)]
mod tests {
    use catchment_models::towers::{TwoTowerConfig, YoutubeDnnConfig};

    use super::*;

    /// An index of directions over vectors that have lengths would answer something else than was trained.
    #[test]
    fn only_vectors_of_length_one_are_compared_by_direction() {
        let youtube = |normalised, bias| YoutubeDnnConfig {
            normalised,
            bias,
            ..YoutubeDnnConfig::default()
        };
        assert!(is_of_length_one(&youtube(true, false).plan()));
        assert!(!is_of_length_one(&youtube(true, true).plan()));
        assert!(!is_of_length_one(&youtube(false, false).plan()));
        assert!(is_of_length_one(&TwoTowerConfig::default().plan()));
    }
}
