//! The feature spec: all sides of `[features]`.

use std::collections::BTreeSet;

use catchment_schema::{AttributeTable, Histories, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::state::{Feature, State};
use crate::{Error, FeatureConfig, FittedFeatures, Result, Side};
use crate::{candidate, context, item, user};

/// The features of each side, in the order in which the columns of a batch will stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSpec {
    /// `id`, `category`, `number`, `bag`, `history`, `event_count`.
    pub user: Vec<FeatureConfig>,
    /// `id`, `category`, `number`, `bag`, `item_count`.
    pub item: Vec<FeatureConfig>,
    /// `hour`, `weekday`.
    pub context: Vec<FeatureConfig>,
    /// `channel`, `channel_count`, `item_count`, `category_affinity`.
    pub candidate: Vec<FeatureConfig>,
}

/// What a fit looks at. Whatever is in here counts as known: to train a ranker without leaks, give the
/// histories that end before its training rows begin.
#[derive(Clone, Copy, Debug)]
pub struct FitTables<'a> {
    /// The users of the training part.
    pub users: &'a Vocabulary,
    /// The items of the training part.
    pub items: &'a Vocabulary,
    /// One row a user.
    pub user_attributes: &'a AttributeTable,
    /// One row an item.
    pub item_attributes: &'a AttributeTable,
    /// What happened, by user: counts come from here, not from the vocabularies.
    pub histories: &'a Histories,
    /// The channels' names; a [`crate::ChannelHit`] points into this list.
    pub channels: &'a [String],
}

impl FeatureSpec {
    /// The features of a side.
    pub fn side(&self, side: Side) -> &[FeatureConfig] {
        match side {
            Side::User => &self.user,
            Side::Item => &self.item,
            Side::Context => &self.context,
            Side::Candidate => &self.candidate,
        }
    }

    /// Checks what can be checked without data: names and ranges. [`FeatureSpec::fit`] does it too.
    ///
    /// # Errors
    /// [`Error::BadConfig`] with the key and what it may be.
    pub fn validate(&self) -> Result<()> {
        for side in Side::ALL {
            let mut names = BTreeSet::new();
            for config in self.side(side) {
                let fault = if config.name().is_empty() {
                    Some("a feature needs a name".to_owned())
                } else if names.insert(config.name()) {
                    None
                } else {
                    Some(format!("two features are called `{}`", config.name()))
                };
                if let Some(reason) = fault {
                    let key = format!("features.{side}.name");
                    return Err(Error::BadConfig { key, reason });
                }
                config.validate(side)?;
            }
        }
        Ok(())
    }

    /// Learns vocabularies, means, quantiles and counts from `tables`.
    ///
    /// # Errors
    /// Those of [`FeatureSpec::validate`]; [`Error::WrongSide`], [`Error::MissingColumn`],
    /// [`Error::WrongType`], [`Error::RowCount`], [`Error::UnknownChannel`], [`Error::NoTimes`].
    pub fn fit(&self, tables: &FitTables<'_>) -> Result<FittedFeatures> {
        self.validate()?;
        let item_features = fit_side(&self.item, |config| item::ItemRule::fit(config, tables))?;
        let counts_items = |config: &FeatureConfig| matches!(config, FeatureConfig::ItemCount(_));
        let item_times = self
            .candidate
            .iter()
            .any(counts_items)
            .then(|| crate::item_times::ItemTimes::collect(tables.histories, tables.items.len()));
        let candidate_features = fit_side(&self.candidate, |config| {
            candidate::CandidateRule::fit(config, tables, &item_features, item_times.as_ref())
        })?;
        Ok(FittedFeatures::new(State {
            items: crate::vocabulary_mark::VocabularyMark::of(tables.items),
            channels: tables.channels.to_vec(),
            user: fit_side(&self.user, |config| user::UserRule::fit(config, tables))?,
            item: item_features,
            context: fit_side(&self.context, context::ContextRule::fit)?,
            candidate: candidate_features,
            item_times,
        }))
    }
}

fn fit_side<R>(
    configs: &[FeatureConfig],
    fit: impl Fn(&FeatureConfig) -> Result<R>,
) -> Result<Vec<Feature<R>>> {
    let feature = |config: &FeatureConfig| {
        Ok(Feature {
            name: config.name().to_owned(),
            rule: fit(config)?,
        })
    };
    configs.iter().map(feature).collect()
}

/// The error for a kind that cannot stand on a side.
pub(crate) fn wrong_side(config: &FeatureConfig, side: Side, allowed: &'static str) -> Error {
    Error::WrongSide {
        side,
        feature: config.name().to_owned(),
        kind: config.kind(),
        allowed,
    }
}
