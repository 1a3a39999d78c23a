//! The feature spec: all sides of `[features]`.

use catchment_schema::{AttributeTable, Histories, Vocabulary};
use serde::{Deserialize, Serialize};

use crate::candidate::{CandidateRule, Others};
use crate::context::ContextRule;
use crate::item::ItemRule;
use crate::item_times::ItemTimes;
use crate::report::{FeatureReport, Fit, Seen};
use crate::state::{Feature, Rule, State};
use crate::user::UserRule;
use crate::vocabulary_mark::VocabularyMark;
use crate::{Error, FeatureConfig, FittedFeatures, Result, Side};

/// The features of each side, in the order in which the columns of a batch will stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FeatureSpec {
    /// Kinds: `id`, `category`, `bag`, `hash`, `number`, `history`, `event_count`, `hour`, `weekday`, `month`, `weekend`,
    /// `cross`.
    pub user: Vec<FeatureConfig>,
    /// Kinds: `id`, `category`, `bag`, `hash`, `number`, `item_count`, `hour`, `weekday`, `month`, `weekend`, `cross`.
    pub item: Vec<FeatureConfig>,
    /// Kinds: `hour`, `weekday`, `month`, `weekend`, `cross`.
    pub context: Vec<FeatureConfig>,
    /// Kinds: `channel`, `channel_count`, `item_count`, `category_affinity`, `similarity`, `type_similarity`,
    /// `cross`.
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

    /// Checks what can be checked without data: names, sides, ranges, and the features that a cross names.
    /// [`FeatureSpec::fit`] does it too.
    ///
    /// # Errors
    /// [`Error::BadConfig`] with the key and what it may be; [`Error::WrongSide`].
    pub fn validate(&self) -> Result<()> {
        crate::spec_check::check(self)
    }

    /// Learns vocabularies, means, quantiles and counts from `tables`.
    ///
    /// # Errors
    /// Those of [`FeatureSpec::validate`]; [`Error::MissingColumn`], [`Error::WrongType`], [`Error::RowCount`],
    /// [`Error::UnknownChannel`], [`Error::NoTimes`]; [`Error::BadConfig`] for a cross with too many combinations and a
    /// half-life in time over a log without times.
    pub fn fit(&self, tables: &FitTables<'_>) -> Result<FittedFeatures> {
        Ok(self.fit_with_report(tables)?.features)
    }

    /// As [`FeatureSpec::fit`], and says what the fit has seen.
    ///
    /// # Errors
    /// Those of [`FeatureSpec::fit`].
    pub fn fit_with_report(&self, tables: &FitTables<'_>) -> Result<Fit> {
        fit(self, tables, None)
    }

    /// Fits on new data and keeps the ids of `previous`: what had an id keeps it, also where it no longer occurs;
    /// the buckets of unknown words stay where they are; new words are appended behind everything. So the rows of an
    /// embedding table stay those of the same words, and a model can be trained on instead of anew. Means, quantiles
    /// and counts are learnt from the new data. A feature whose kind or column has changed under its name is fitted anew.
    ///
    /// The fingerprint covers those of the fits before ([`FittedFeatures::lineage`]), unless no output has changed:
    /// then it is the previous one.
    ///
    /// # Errors
    /// Those of [`FeatureSpec::fit`]; [`Error::OtherVocabulary`] when the item vocabulary does not begin with the
    /// previous one; [`Error::BadConfig`] when `oov_buckets` has changed, or when a cross without buckets has a part
    /// that grew.
    pub fn grow(&self, previous: &FittedFeatures, tables: &FitTables<'_>) -> Result<Fit> {
        if !previous.state().items.begins(tables.items) {
            return Err(Error::OtherVocabulary);
        }
        fit(self, tables, Some(previous))
    }
}

fn fit(spec: &FeatureSpec, tables: &FitTables<'_>, previous: Option<&FittedFeatures>) -> Result<Fit> {
    spec.validate()?;
    let mut report = Vec::new();
    let old = previous.map(FittedFeatures::state);
    let user = fit_side(
        Side::User,
        &spec.user,
        old.map(|old| &old.user[..]),
        &mut report,
        |config, fitted, old| UserRule::fit(config, tables, fitted, old),
    )?;
    let item = fit_side(
        Side::Item,
        &spec.item,
        old.map(|old| &old.item[..]),
        &mut report,
        |config, fitted, old| ItemRule::fit(config, tables, fitted, old),
    )?;
    let old_context = old.map(|old| &old.context[..]);
    let context = fit_side(
        Side::Context,
        &spec.context,
        old_context,
        &mut report,
        |config, fitted, old| Ok((ContextRule::fit(config, fitted, old)?, Seen::default())),
    )?;
    let counts_items = |config: &FeatureConfig| matches!(config, FeatureConfig::ItemCount(_));
    let item_times = spec.candidate.iter().any(counts_items);
    let item_times = item_times.then(|| ItemTimes::collect(tables.histories, tables.items.len()));
    let others = Others {
        user: &user,
        item: &item,
        context: &context,
        item_times: item_times.as_ref(),
    };
    let old_candidate = old.map(|old| &old.candidate[..]);
    let candidate = fit_side(
        Side::Candidate,
        &spec.candidate,
        old_candidate,
        &mut report,
        |config, _, old| Ok((CandidateRule::fit(config, tables, &others, old)?, Seen::default())),
    )?;
    let features = FittedFeatures::new(State {
        items: VocabularyMark::of(tables.items),
        channels: tables.channels.to_vec(),
        user,
        item,
        context,
        candidate,
        lineage: Vec::new(),
        item_times,
        spaces: Vec::new(),
        attached: None,
    });
    let features = match previous {
        Some(previous) => features.grown_from(previous),
        None => features,
    };
    Ok(Fit { features, report })
}

fn fit_side<R: Rule>(
    side: Side,
    configs: &[FeatureConfig],
    previous: Option<&[Feature<R>]>,
    report: &mut Vec<FeatureReport>,
    fit: impl Fn(&FeatureConfig, &[Feature<R>], Option<&R>) -> Result<(R, Seen)>,
) -> Result<Vec<Feature<R>>> {
    let mut fitted: Vec<Feature<R>> = Vec::with_capacity(configs.len());
    for config in configs {
        let mut old = previous.into_iter().flatten();
        let old = old.find(|feature| feature.name == config.name());
        let (rule, seen) = fit(config, &fitted, old.map(|feature| &feature.rule))?;
        report.push(seen.report(side, config.name(), rule.kind()));
        fitted.push(Feature {
            name: config.name().to_owned(),
            rule,
        });
    }
    Ok(fitted)
}

/// The error for a kind that cannot stand on a side.
pub(crate) fn wrong_side(config: &FeatureConfig, side: Side) -> Error {
    Error::WrongSide {
        side,
        feature: config.name().to_owned(),
        kind: config.kind(),
    }
}
