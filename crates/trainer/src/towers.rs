//! Fits a channel of towers: features, training, vectors of the items, the query tower.

use catchment_features::{FeatureBatch, FeatureConfig, FitTables};
use catchment_models::towers::device::TrainingDevice;
use catchment_models::towers::training::{self, TowersData};
use catchment_models::towers::{HistoryExamples, file};
use catchment_pipeline::{ChannelSpec, Layout};
use catchment_prepare::Prepared;
use catchment_schema::Histories;

use crate::progress::Bar;
use crate::work::Work;

/// Writes all of it into the channel's folder; nothing for a channel of another kind.
pub(crate) fn fit(
    work: &Work,
    prepared: &Prepared,
    histories: &Histories,
    channel: &ChannelSpec,
    layout: &Layout,
    bar: &mut Bar,
) -> anyhow::Result<()> {
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
    let towers = training::fit(&plan, &data, TrainingDevice::Cpu, work.recipe.seed, bar)?;
    let folder = layout.channel(name);
    features.save(&layout.tower_features(name))?;
    towers.query.save(&folder, &features.fingerprint().to_string())?;
    file::save_items(
        &folder,
        items,
        &towers.items,
        towers.dim,
        (channel.model.kind(), &work.recipe.name),
        plan.normalised,
    )?;
    let report = &towers.report;
    work.note(format!(
        "channel `{name}`: {} examples, loss {:.4} → {:.4}; waited for data {:.1} % of the time",
        report.examples,
        report.losses.first().copied().unwrap_or(0.0),
        report.losses.last().copied().unwrap_or(0.0),
        100.0 * report.waited,
    ));
    Ok(())
}
