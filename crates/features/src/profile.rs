//! What a user's history says about categories, worked out once a request.

use catchment_schema::Time;

use crate::candidate::CandidateRule;
use crate::similarity::{self, Centroids};
use crate::state::Rule;
use crate::{ContextInput, Error, FeatureBatch, FittedFeatures, Result, Side, UserInput};

/// A user at one moment, as the candidate side needs them: made once by [`FittedFeatures::profile`],
/// then read for each candidate. Meant to be reused, so that a steady state allocates nothing.
#[derive(Clone, Debug)]
pub struct UserProfile {
    pub(crate) now: Time,
    pub(crate) shares: Vec<CategoryShares>,
    /// Of each candidate feature, what the user did lately; empty where it does not ask.
    pub(crate) centroids: Vec<Centroids>,
    /// The user's row, where a cross on the candidate side reads it.
    pub(crate) user: FeatureBatch,
    /// The row of the moment, where a cross on the candidate side reads it.
    pub(crate) context: FeatureBatch,
}

impl Default for UserProfile {
    fn default() -> Self {
        Self {
            now: Time::UNKNOWN,
            shares: Vec::new(),
            centroids: Vec::new(),
            user: FeatureBatch::default(),
            context: FeatureBatch::default(),
        }
    }
}

/// For each category, the share of the looked-at events whose item has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct CategoryShares {
    /// `[cardinality]`, zero but for `touched`.
    pub(crate) values: Vec<f32>,
    touched: Vec<u32>,
}

impl CategoryShares {
    fn reset(&mut self, cardinality: usize) {
        for category in self.touched.drain(..) {
            self.values[category as usize] = 0.0;
        }
        self.values.resize(cardinality, 0.0);
    }

    fn add(&mut self, category: u32, share: f32) {
        if let Some(value) = self.values.get_mut(category as usize) {
            if *value == 0.0 {
                self.touched.push(category);
            }
            *value += share;
        }
    }

    /// The mean share of the categories; 0 where there are none.
    pub(crate) fn affinity(&self, categories: &[u32]) -> f32 {
        let share = |&category: &u32| self.values.get(category as usize).copied().unwrap_or(0.0);
        // The sum of nothing is −0, which is another byte pattern than 0.
        let sum = categories
            .iter()
            .map(share)
            .fold(0.0, |sum: f32, share| sum + share);
        sum / categories.len().max(1) as f32
    }
}

impl FittedFeatures {
    /// Looks through the user's known history once. `items` is what
    /// [`FittedFeatures::transform_items`] gave; events of items beyond it are left out.
    ///
    /// # Errors
    /// [`Error::WrongShape`] when `items` are not the item features of this fit; where a cross reads the user's features,
    /// those of [`FittedFeatures::transform_user`].
    pub fn profile(
        &self,
        input: &UserInput<'_>,
        items: &FeatureBatch,
        profile: &mut UserProfile,
    ) -> Result<()> {
        self.check_items(items)?;
        profile.now = input.now;
        profile
            .shares
            .resize_with(self.n_affinities(), CategoryShares::default);
        let history = input.known_history();
        let rules = self.state().candidate.iter().map(|feature| &feature.rule);
        let affinities = rules.filter_map(CandidateRule::affinity);
        for ((item_feature, last), shares) in affinities.zip(&mut profile.shares) {
            shares.reset(self.cardinality(item_feature));
            let events = history.last(last).events().iter();
            let rows = events
                .map(|event| event.item.index())
                .filter(|&row| row < items.rows);
            let share = 1.0 / rows.clone().count().max(1) as f32;
            for row in rows {
                for &category in items.row(row).bag(item_feature).0 {
                    shares.add(category, share);
                }
            }
        }
        self.look_into_spaces(input, profile)?;
        profile.user.clear();
        if self.crosses(Side::User) {
            self.transform_user(input, &mut profile.user)?;
        }
        profile.context.clear();
        if self.crosses(Side::Context) {
            self.transform_context(&ContextInput { now: input.now }, &mut profile.context)?;
        }
        Ok(())
    }

    /// Centroids of what the user did lately, and the direction of their kind.
    fn look_into_spaces(&self, input: &UserInput<'_>, profile: &mut UserProfile) -> Result<()> {
        let features = &self.state().candidate;
        profile.centroids.resize_with(features.len(), Centroids::default);
        for (feature, centroids) in features.iter().zip(&mut profile.centroids) {
            centroids.clear();
            let Some(channel) = feature.rule.space() else {
                continue;
            };
            let missing = || Error::BadSpace {
                feature: feature.name.clone(),
                channel: channel.to_owned(),
                reason: "its vectors were not attached".to_owned(),
            };
            let attached = self.state().attached.as_ref().ok_or_else(missing)?;
            if let CandidateRule::Similarity(rule) = &feature.rule {
                rule.centroids(input, attached, centroids)?;
            } else {
                let types = attached.space(channel).and_then(|space| space.types.as_ref());
                let types = types.ok_or_else(missing)?;
                let goals = similarity::goals(input, types.goal);
                let kind = types.rules.of_user(input.attributes, &goals, &attached.items);
                centroids.set(types.users.get(&kind).map(Vec::as_slice), types.dim);
            }
        }
        Ok(())
    }

    /// Whether a cross on the candidate side reads this side.
    fn crosses(&self, side: Side) -> bool {
        let rules = self.state().candidate.iter().map(|feature| &feature.rule);
        let mut parts = rules.filter_map(Rule::cross).flat_map(|cross| &cross.parts);
        parts.any(|part| part.side == side)
    }

    pub(crate) fn check_profile(&self, profile: &UserProfile) -> Result<()> {
        let rules = self.state().candidate.iter().map(|feature| &feature.rule);
        let cardinalities = rules
            .filter_map(CandidateRule::affinity)
            .map(|(item_feature, _)| self.cardinality(item_feature));
        let shares = profile.shares.iter().map(|shares| shares.values.len());
        let has_row = |side, batch: &FeatureBatch| {
            !self.crosses(side) || (batch.rows == 1 && self.has_shape(side, batch))
        };
        if shares.eq(cardinalities)
            && profile.centroids.len() == self.state().candidate.len()
            && has_row(Side::User, &profile.user)
            && has_row(Side::Context, &profile.context)
        {
            return Ok(());
        }
        Err(Error::OtherProfile)
    }
}
