//! Spaces of trained vectors that features look into.
//!
//! A feature of kind `similarity` or `type_similarity` names a channel, and reads the vectors that the channel was trained
//! to have. They are part of what is fitted: their hash is in the fingerprint, and [`FittedFeatures::attach`] takes no
//! others. The vectors themselves stay in the channel's own files.

use std::collections::BTreeMap;

use catchment_schema::{AttributeTable, EventKind, ItemIdx};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::candidate::CandidateRule;
use crate::similarity::SimilarityRule;
use crate::type_rules::label;
use crate::{Error, Fingerprint, FittedFeatures, Result, TypeRules};

/// The vectors of a channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    /// The channel's name.
    pub channel: String,
    /// Width of a vector.
    pub dim: usize,
    /// `[n_items, dim]`: directions of the items, of length 1, or 0 where an item has none.
    pub items: Vec<f32>,
    /// Kinds of users and items, where the channel has them.
    pub types: Option<TypeSpace>,
}

/// Directions of kinds of users and of items, in one space.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeSpace {
    /// Width of a vector.
    pub dim: usize,
    /// The event by which a user has something.
    pub goal: EventKind,
    /// What makes a kind of user.
    pub rules: TypeRules,
    /// The direction of each kind of user, `[dim]`.
    pub users: BTreeMap<String, Vec<f32>>,
    /// Directions of kinds of items, `[kinds, dim]`.
    pub kinds: Vec<f32>,
    /// The kind of each item, where it has a direction.
    pub of_item: Vec<Option<u32>>,
}

/// What spaces need to know of the log and the items.
#[derive(Clone, Copy, Debug)]
pub struct SpaceTables<'a> {
    /// The words of the events; a kind is the position of its word.
    pub words: &'a [String],
    /// One row an item.
    pub items: &'a AttributeTable,
}

/// Which vectors a feature was fitted with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpaceMark {
    pub(crate) channel: String,
    pub(crate) hash: Fingerprint,
}

/// Spaces at hand.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attached {
    spaces: Vec<Space>,
    /// By word.
    kinds: BTreeMap<String, EventKind>,
    /// The market of each item, by column.
    markets: BTreeMap<String, Vec<u32>>,
    pub(crate) items: AttributeTable,
}

impl Space {
    /// Over everything that changes a feature.
    fn hash(&self) -> Fingerprint {
        let mut hash = self.hash_of_vectors();
        if let Some(types) = &self.types {
            hash.update(&types.goal.0.to_le_bytes());
            types.rules.hash(&mut hash);
        }
        Fingerprint(hash.digest128())
    }

    /// Whether these are the vectors of a mark. Marks did not always know the goal and the rules of `types`.
    fn is_marked(&self, mark: &SpaceMark) -> bool {
        mark.hash == self.hash() || mark.hash == Fingerprint(self.hash_of_vectors().digest128())
    }

    /// Over the vectors and whose they are.
    fn hash_of_vectors(&self) -> Xxh3Default {
        let mut hash = Xxh3Default::new();
        let mut numbers = |vectors: &[f32], dim: usize| {
            hash.update(&(vectors.len() as u64).to_le_bytes());
            hash.update(&(dim as u64).to_le_bytes());
            for number in vectors {
                hash.update(&number.to_le_bytes());
            }
        };
        numbers(&self.items, self.dim);
        if let Some(types) = &self.types {
            numbers(&types.kinds, types.dim);
            for vector in types.users.values() {
                numbers(vector, types.dim);
            }
            for name in types.users.keys() {
                hash.update(&(name.len() as u64).to_le_bytes());
                hash.update(name.as_bytes());
            }
            for kind in &types.of_item {
                hash.update(&kind.map_or(u64::MAX, u64::from).to_le_bytes());
            }
        }
        hash
    }

    /// The direction of an item; none where it has none.
    pub(crate) fn item(&self, item: ItemIdx) -> Option<&[f32]> {
        let begin = item.index() * self.dim;
        let vector = self.items.get(begin..begin + self.dim)?;
        vector.iter().any(|&x| x != 0.0).then_some(vector)
    }
}

impl TypeSpace {
    /// The direction of an item's kind.
    pub(crate) fn item(&self, item: ItemIdx) -> Option<&[f32]> {
        let kind = (*self.of_item.get(item.index())?)? as usize;
        self.kinds.get(kind * self.dim..(kind + 1) * self.dim)
    }
}

impl Attached {
    fn new(features: &FittedFeatures, spaces: Vec<Space>, tables: &SpaceTables<'_>) -> Result<Self> {
        let mut kinds = BTreeMap::new();
        let mut markets = BTreeMap::new();
        let rules = || features.similarities();
        for (name, rule) in rules() {
            for word in &rule.events {
                let kind = tables.words.iter().position(|known| known == word);
                let kind = kind.and_then(|kind| u16::try_from(kind).ok());
                let kind = kind.ok_or_else(|| Error::BadConfig {
                    key: format!("features.candidate.{name}.events"),
                    reason: format!(
                        "the log has no event `{word}`; its events: {}",
                        tables.words.join(", ")
                    ),
                })?;
                kinds.insert(word.clone(), EventKind(kind));
            }
            if let Some(column) = &rule.market {
                if tables.items.column(column).is_none() {
                    return Err(Error::MissingColumn {
                        feature: name.to_owned(),
                        table: "item attributes",
                        column: column.clone(),
                        available: tables.items.names().map(str::to_owned).collect(),
                    });
                }
                markets
                    .entry(column.clone())
                    .or_insert_with(|| markets_of(tables.items, column));
            }
        }
        Ok(Self {
            spaces,
            kinds,
            markets,
            items: tables.items.clone(),
        })
    }

    pub(crate) fn space(&self, channel: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| space.channel == channel)
    }

    pub(crate) fn kind(&self, word: &str) -> Option<EventKind> {
        self.kinds.get(word).copied()
    }

    /// The market of an item; all are of one where no column says, and so are those of which the column says nothing.
    pub(crate) fn market(&self, column: Option<&str>, item: ItemIdx) -> u32 {
        let markets = column.and_then(|column| self.markets.get(column));
        markets
            .and_then(|markets| markets.get(item.index()))
            .copied()
            .unwrap_or(0)
    }
}

/// Numbered from 1 in the order in which the items name them; 0 where the column is empty.
fn markets_of(items: &AttributeTable, column: &str) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    let number = |row| {
        let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
        label(items, column, row).map_or(0, |market| *numbers.entry(market).or_insert(next))
    };
    (0..items.n_rows()).map(number).collect()
}

impl FittedFeatures {
    /// The features that look into a space, by name.
    fn similarities(&self) -> impl Iterator<Item = (&str, &SimilarityRule)> {
        let features = self.state().candidate.iter();
        features.filter_map(|feature| match &feature.rule {
            CandidateRule::Similarity(rule) => Some((feature.name.as_str(), rule)),
            _ => None,
        })
    }

    /// The channels whose vectors features look into, each once.
    pub fn spaces(&self) -> Vec<&str> {
        let features = self.state().candidate.iter();
        let mut channels: Vec<&str> = features.filter_map(|feature| feature.rule.space()).collect();
        channels.sort_unstable();
        channels.dedup();
        channels
    }

    /// Checks that all spaces are there that features look into, of the right widths.
    fn check_spaces(&self, spaces: &[Space]) -> Result<()> {
        for feature in &self.state().candidate {
            let Some(channel) = feature.rule.space() else {
                continue;
            };
            let fault = |reason: &str| {
                Err(Error::BadSpace {
                    feature: feature.name.clone(),
                    channel: channel.to_owned(),
                    reason: reason.to_owned(),
                })
            };
            let Some(space) = spaces.iter().find(|space| space.channel == channel) else {
                return fault("it has no vectors");
            };
            let n_items = self.state().items.len as usize;
            if space.items.len() != n_items * space.dim || !space.items.iter().all(|x| x.is_finite()) {
                return fault("its vectors are not one for each item, or not finite");
            }
            if matches!(feature.rule, CandidateRule::TypeSimilarity { .. }) {
                let Some(types) = &space.types else {
                    return fault("it has no `types`");
                };
                let fits =
                    |vector: &Vec<f32>| vector.len() == types.dim && vector.iter().all(|x| x.is_finite());
                if types.of_item.len() != n_items || !types.users.values().all(fits) {
                    return fault("its kinds are not one for each item, or not of one width");
                }
            }
        }
        Ok(())
    }

    /// These features with the vectors that they look into: part of the fingerprint from now on, with the one before in
    /// the [`FittedFeatures::lineage`] where these had vectors before. Call it before a ranker is trained, and again with
    /// the vectors of a channel that was fitted anew: a cosine means the same there.
    ///
    /// # Errors
    /// [`Error::BadSpace`] where vectors are missing or do not fit; [`Error::BadConfig`] for an event that the log does
    /// not have; [`Error::MissingColumn`] for a market's column.
    pub fn with_spaces(&self, spaces: Vec<Space>, tables: &SpaceTables<'_>) -> Result<Self> {
        self.check_spaces(&spaces)?;
        let mut state = self.state().clone();
        let had_marks = !state.spaces.is_empty();
        let needed = self.spaces();
        state.spaces = spaces
            .iter()
            .filter(|space| needed.contains(&space.channel.as_str()))
            .map(|space| SpaceMark {
                channel: space.channel.clone(),
                hash: space.hash(),
            })
            .collect();
        state.attached = Some(Attached::new(self, spaces, tables)?);
        let bound = Self::new(state);
        Ok(if had_marks { bound.grown_from(self) } else { bound })
    }

    /// Brings the vectors along after [`FittedFeatures::open`].
    ///
    /// # Errors
    /// As [`FittedFeatures::with_spaces`]; [`Error::BadSpace`] also where they are not those that were fitted.
    pub fn attach(&mut self, spaces: Vec<Space>, tables: &SpaceTables<'_>) -> Result<()> {
        self.check_spaces(&spaces)?;
        for feature in &self.state().candidate {
            let Some(channel) = feature.rule.space() else {
                continue;
            };
            let mark = self.state().spaces.iter().find(|mark| mark.channel == channel);
            let space = spaces.iter().find(|space| space.channel == channel);
            let is_marked = mark.zip(space).is_some_and(|(mark, space)| space.is_marked(mark));
            if !is_marked {
                return Err(Error::BadSpace {
                    feature: feature.name.clone(),
                    channel: channel.to_owned(),
                    reason: "its vectors, or the rules and the goal of its `types`, are not those that the features were \
                             fitted with"
                        .to_owned(),
                });
            }
        }
        let attached = Attached::new(self, spaces, tables)?;
        self.set_attached(attached);
        Ok(())
    }
}
