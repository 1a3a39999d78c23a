//! The candidate side: how this user and this item met.

use catchment_schema::ItemIdx;
use serde::{Deserialize, Serialize};

use crate::context::ContextRule;
use crate::cross::{CrossPart, CrossRule};
use crate::fingerprint::StateHash;
use crate::item::ItemRule;
use crate::item_times::ItemTimes;
use crate::number::{NumberRule, signed_log, to_f32};
use crate::profile::UserProfile;
use crate::similarity::SimilarityRule;
use crate::spec::wrong_side;
use crate::standard::Standard;
use crate::state::{Feature, Rule, State};
use crate::user::UserRule;
use crate::{ColumnKind, Error, FeatureBatch, FeatureColumn, FeatureConfig, FitTables, Result, Side};

/// One candidate of a request.
#[derive(Clone, Copy, Debug)]
pub struct CandidateInput<'a> {
    /// Which item.
    pub item: ItemIdx,
    /// Which channels found it.
    pub sources: &'a [ChannelHit],
}

/// A channel found a candidate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChannelHit {
    /// Which channel: its place in [`crate::FittedFeatures::channels`].
    pub channel: u16,
    /// Its rank in that channel, from 1 (0 is read as 1).
    pub rank: u32,
    /// The channel's own score.
    pub score: f32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum CandidateRule {
    /// `[found, 1 / rank, standardised log(score)]`; three zeros where it did not find the item.
    Channel {
        name: String,
        channel: u16,
        scale: Standard,
    },
    ChannelCount,
    ItemCount(NumberRule),
    CategoryAffinity {
        item_feature: usize,
        last: usize,
    },
    Similarity(SimilarityRule),
    TypeSimilarity {
        channel: String,
    },
    Cross(CrossRule),
}

impl CandidateRule {
    pub(crate) fn fit(
        config: &FeatureConfig,
        tables: &FitTables<'_>,
        others: &Others<'_>,
        previous: Option<&Self>,
    ) -> Result<Self> {
        match config {
            FeatureConfig::Channel(channel) => {
                let position = tables.channels.iter().position(|name| *name == channel.channel);
                let position = position.and_then(|position| u16::try_from(position).ok());
                Ok(Self::Channel {
                    name: channel.channel.clone(),
                    channel: position.ok_or_else(|| Error::UnknownChannel {
                        feature: channel.name.clone(),
                        channel: channel.channel.clone(),
                        known: tables.channels.to_vec(),
                    })?,
                    scale: match previous {
                        Some(Self::Channel { name, scale, .. }) if *name == channel.channel => *scale,
                        _ => Standard::IDENTITY,
                    },
                })
            }
            FeatureConfig::Similarity(similarity) => {
                known_channel(&similarity.name, &similarity.channel, tables)?;
                Ok(Self::Similarity(SimilarityRule::new(similarity)))
            }
            FeatureConfig::TypeSimilarity(types) => {
                known_channel(&types.name, &types.channel, tables)?;
                Ok(Self::TypeSimilarity {
                    channel: types.channel.clone(),
                })
            }
            FeatureConfig::ChannelCount(_) => Ok(Self::ChannelCount),
            FeatureConfig::ItemCount(count) => match others.item_times.filter(|times| times.any_known()) {
                Some(times) => Ok(Self::ItemCount(NumberRule::fit(
                    &count.transform,
                    false,
                    times.counts_seen(),
                ))),
                None => Err(Error::NoTimes {
                    feature: count.name.clone(),
                }),
            },
            FeatureConfig::CategoryAffinity(affinity) => {
                let reads_it = |feature: &Feature<ItemRule>| {
                    feature.rule.words_column() == Some(affinity.column.as_str())
                };
                match others.item.iter().position(reads_it) {
                    Some(item_feature) => Ok(Self::CategoryAffinity {
                        item_feature,
                        last: affinity.last,
                    }),
                    None => Err(Error::BadConfig {
                        key: format!("features.candidate.{}.column", affinity.name),
                        reason: format!(
                            "an item feature of kind `category` or `bag` must read the column `{}`",
                            affinity.column
                        ),
                    }),
                }
            }
            FeatureConfig::Cross(cross) => {
                let find = |name: &str| others.find(name);
                CrossRule::fit(cross, Side::Candidate, find, previous.and_then(Rule::cross)).map(Self::Cross)
            }
            other => Err(wrong_side(other, Side::Candidate)),
        }
    }

    /// The item feature and the number of events, where this is an affinity.
    pub(crate) fn affinity(&self) -> Option<(usize, usize)> {
        match *self {
            Self::CategoryAffinity { item_feature, last } => Some((item_feature, last)),
            _ => None,
        }
    }

    /// The channel whose vectors it looks into.
    pub(crate) fn space(&self) -> Option<&str> {
        match self {
            Self::Similarity(rule) => Some(&rule.channel),
            Self::TypeSimilarity { channel } => Some(channel),
            _ => None,
        }
    }

    /// Adds one row for each candidate; this rule's place among all rules, and among the affinities.
    pub(crate) fn write(
        &self,
        [place, affinity]: [usize; 2],
        state: &State,
        profile: &UserProfile,
        items: &FeatureBatch,
        candidates: &[CandidateInput<'_>],
        column: &mut FeatureColumn,
    ) {
        for candidate in candidates {
            match self {
                Self::Channel { channel, scale, .. } => {
                    let hits = candidate.sources.iter().filter(|hit| hit.channel == *channel);
                    let found = hits.min_by_key(|hit| hit.rank).map_or([0.0; 3], |hit| {
                        let score = signed_log(f64::from(hit.score));
                        let score = if score.is_finite() {
                            scale.apply(score)
                        } else {
                            0.0
                        };
                        [1.0, 1.0 / hit.rank.max(1) as f32, to_f32(score)]
                    });
                    for number in found {
                        column.push_number(number);
                    }
                }
                Self::ChannelCount => column.push_number(n_channels(candidate.sources)),
                Self::ItemCount(rule) => {
                    let times = state.item_times.as_ref();
                    let count = times.map_or(0, |times| times.count_before(candidate.item, profile.now));
                    rule.write(Some(count as f64), column);
                }
                Self::CategoryAffinity { item_feature, .. } => {
                    let (categories, _) = items.row(candidate.item.index()).bag(*item_feature);
                    column.push_number(profile.shares[affinity].affinity(categories));
                }
                Self::Similarity(_) | Self::TypeSimilarity { .. } => {
                    let attached = state.attached.as_ref();
                    let space = attached.and_then(|attached| attached.space(self.space()?));
                    let item = match self {
                        Self::Similarity(_) => space.and_then(|space| space.item(candidate.item)),
                        _ => space.and_then(|space| space.types.as_ref()?.item(candidate.item)),
                    };
                    for number in profile.centroids[place].nearest(item) {
                        column.push_number(number);
                    }
                }
                Self::Cross(cross) => {
                    let bag = |part: &CrossPart| match part.side {
                        Side::User => profile.user.bag(part.column),
                        Side::Context => profile.context.bag(part.column),
                        _ => items.row(candidate.item.index()).bag(part.column),
                    };
                    cross.write(bag, column.bag_row());
                }
            }
        }
    }

    pub(crate) fn hash(&self, state: &State, hash: &mut StateHash) {
        match self {
            Self::Channel { name, channel, scale } => {
                hash.text("channel");
                hash.text(name);
                hash.count(u64::from(*channel));
                scale.hash(hash);
            }
            Self::ChannelCount => hash.text("channel_count"),
            Self::ItemCount(rule) => {
                hash.text("item_count");
                rule.hash(hash);
                state.items.hash(hash);
                if let Some(times) = &state.item_times {
                    times.hash(hash);
                }
            }
            Self::CategoryAffinity { item_feature, last } => {
                hash.text("category_affinity");
                hash.count(*last as u64);
                hash.count(*item_feature as u64);
                if let Some(feature) = state.item.get(*item_feature) {
                    feature.rule.hash(hash);
                }
            }
            Self::Similarity(rule) => {
                rule.hash(hash);
                hash_space(&rule.channel, state, hash);
            }
            Self::TypeSimilarity { channel } => {
                hash.text("type_similarity");
                hash_space(channel, state, hash);
            }
            Self::Cross(cross) => {
                cross.hash(hash);
                cross
                    .parts
                    .iter()
                    .for_each(|part| state.hash_rule(part.side, part.column, hash));
            }
        }
    }
}

impl Rule for CandidateRule {
    fn kind(&self) -> ColumnKind {
        match self {
            Self::Channel { .. } => ColumnKind::Dense { width: 3 },
            Self::ChannelCount | Self::CategoryAffinity { .. } => ColumnKind::Dense { width: 1 },
            Self::ItemCount(rule) => rule.kind(),
            Self::Similarity(_) | Self::TypeSimilarity { .. } => ColumnKind::Dense { width: 2 },
            Self::Cross(cross) => cross.kind(),
        }
    }

    fn cross(&self) -> Option<&CrossRule> {
        match self {
            Self::Cross(cross) => Some(cross),
            _ => None,
        }
    }
}

/// What the other sides have learnt, which come before this one.
pub(crate) struct Others<'a> {
    pub(crate) user: &'a [Feature<UserRule>],
    pub(crate) item: &'a [Feature<ItemRule>],
    pub(crate) context: &'a [Feature<ContextRule>],
    pub(crate) item_times: Option<&'a ItemTimes>,
}

impl Others<'_> {
    /// The feature called `side.name`.
    fn find(&self, name: &str) -> Option<(Side, usize, ColumnKind)> {
        let (side, name) = name.split_once('.')?;
        match Side::named(side)? {
            Side::User => Feature::find(self.user, Side::User, name),
            Side::Item => Feature::find(self.item, Side::Item, name),
            Side::Context => Feature::find(self.context, Side::Context, name),
            Side::Candidate => None,
        }
    }
}

fn known_channel(feature: &str, channel: &str, tables: &FitTables<'_>) -> Result<()> {
    if tables.channels.iter().any(|name| name == channel) {
        return Ok(());
    }
    Err(Error::UnknownChannel {
        feature: feature.to_owned(),
        channel: channel.to_owned(),
        known: tables.channels.to_vec(),
    })
}

fn hash_space(channel: &str, state: &State, hash: &mut StateHash) {
    let mark = state.spaces.iter().find(|mark| mark.channel == channel);
    hash.hash(mark.map_or(0, |mark| mark.hash.0));
}

/// How many different channels there are; the lists are short.
fn n_channels(sources: &[ChannelHit]) -> f32 {
    let first_of_its_channel = |&place: &usize| {
        let channel = sources[place].channel;
        sources[..place].iter().all(|other| other.channel != channel)
    };
    (0..sources.len()).filter(first_of_its_channel).count() as f32
}
