//! What a fit has learnt.

use serde::{Deserialize, Serialize};

use crate::candidate::CandidateRule;
use crate::context::ContextRule;
use crate::cross::{CrossPart, CrossRule};
use crate::fingerprint::StateHash;
use crate::item::ItemRule;
use crate::item_times::ItemTimes;
use crate::space::{Attached, SpaceMark};
use crate::user::UserRule;
use crate::vocabulary_mark::VocabularyMark;
use crate::{ColumnKind, Fingerprint, Side};

/// A name and what was learnt for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Feature<R> {
    pub(crate) name: String,
    pub(crate) rule: R,
}

/// What the rules of all sides have in common.
pub(crate) trait Rule {
    /// The layout of its column.
    fn kind(&self) -> ColumnKind;

    /// Itself, where it is a cross.
    fn cross(&self) -> Option<&CrossRule>;
}

impl<R: Rule> Feature<R> {
    /// The place and layout of the feature with this name.
    pub(crate) fn find(features: &[Self], side: Side, name: &str) -> Option<(Side, usize, ColumnKind)> {
        let place = features.iter().position(|feature| feature.name == name)?;
        Some((side, place, features[place].rule.kind()))
    }
}

/// All that was learnt. Item times have a file of their own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    pub(crate) items: VocabularyMark,
    pub(crate) channels: Vec<String>,
    pub(crate) user: Vec<Feature<UserRule>>,
    pub(crate) item: Vec<Feature<ItemRule>>,
    pub(crate) context: Vec<Feature<ContextRule>>,
    pub(crate) candidate: Vec<Feature<CandidateRule>>,
    /// The fingerprints of the fits that this one has grown from, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lineage: Vec<Fingerprint>,
    /// Which vectors features look into.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) spaces: Vec<SpaceMark>,
    #[serde(skip)]
    pub(crate) item_times: Option<ItemTimes>,
    #[serde(skip)]
    pub(crate) attached: Option<Attached>,
}

impl State {
    /// The layouts of a side's columns.
    pub(crate) fn kinds(&self, side: Side) -> impl Iterator<Item = ColumnKind> {
        // One iterator type for four: three of the slices are empty. No allocation in the hot path.
        let of = |wanted| side == wanted;
        let user = self.user.iter().take(if of(Side::User) { usize::MAX } else { 0 });
        let item = self.item.iter().take(if of(Side::Item) { usize::MAX } else { 0 });
        let context = self
            .context
            .iter()
            .take(if of(Side::Context) { usize::MAX } else { 0 });
        let candidate = self
            .candidate
            .iter()
            .take(if of(Side::Candidate) { usize::MAX } else { 0 });
        let user = user.map(|feature| feature.rule.kind());
        let item = item.map(|feature| feature.rule.kind());
        let context = context.map(|feature| feature.rule.kind());
        let candidate = candidate.map(|feature| feature.rule.kind());
        user.chain(item).chain(context).chain(candidate)
    }

    pub(crate) fn fingerprint(&self, side: Side) -> Fingerprint {
        let mut hash = StateHash::new();
        hash.text(side.name());
        let names: Vec<&String> = self.names(side);
        for (place, name) in names.into_iter().enumerate() {
            hash.text(name);
            self.hash_rule(side, place, &mut hash);
        }
        Fingerprint(hash.finish())
    }

    /// The names of a side's features, in order.
    pub(crate) fn names(&self, side: Side) -> Vec<&String> {
        match side {
            Side::User => self.user.iter().map(|feature| &feature.name).collect(),
            Side::Item => self.item.iter().map(|feature| &feature.name).collect(),
            Side::Context => self.context.iter().map(|feature| &feature.name).collect(),
            Side::Candidate => self.candidate.iter().map(|feature| &feature.name).collect(),
        }
    }

    /// Hashes the rule of one feature; nothing where there is none at this place.
    pub(crate) fn hash_rule(&self, side: Side, place: usize, hash: &mut StateHash) {
        match side {
            Side::User => self.user.get(place).map(|feature| feature.rule.hash(hash)),
            Side::Item => self.item.get(place).map(|feature| feature.rule.hash(hash)),
            Side::Context => self.context.get(place).map(|feature| feature.rule.hash(hash)),
            Side::Candidate => self
                .candidate
                .get(place)
                .map(|feature| feature.rule.hash(self, hash)),
        };
    }

    /// Of the features of texts on a side, the name and [`crate::attribute::AttributeRule::text_ids`].
    pub(crate) fn text_ids(&self, side: Side) -> Vec<(&str, u128)> {
        let user = self
            .user
            .iter()
            .map(|feature| (feature.name.as_str(), feature.rule.text_ids()));
        let item = self
            .item
            .iter()
            .map(|feature| (feature.name.as_str(), feature.rule.text_ids()));
        let all: Vec<(&str, Option<u128>)> = match side {
            Side::User => user.collect(),
            Side::Item => item.collect(),
            Side::Context | Side::Candidate => vec![],
        };
        let texts = all.into_iter().filter_map(|(name, ids)| Some((name, ids?)));
        texts.collect()
    }

    /// Whether every cross reads features of ids that there are, and on its own side only earlier ones.
    pub(crate) fn has_sound_crosses(&self) -> bool {
        Side::ALL.into_iter().all(|side| match side {
            Side::User => self.are_sound(side, &self.user),
            Side::Item => self.are_sound(side, &self.item),
            Side::Context => self.are_sound(side, &self.context),
            Side::Candidate => self.are_sound(side, &self.candidate),
        })
    }

    fn are_sound<R: Rule>(&self, side: Side, features: &[Feature<R>]) -> bool {
        let crosses = features.iter().enumerate();
        let mut crosses = crosses.filter_map(|(place, feature)| Some((place, feature.rule.cross()?)));
        crosses.all(|(place, cross)| {
            let is_there = |part: &CrossPart| {
                let sides_fit = match side {
                    Side::Candidate => part.side != side,
                    _ => part.side == side && part.column < place,
                };
                let expected = ColumnKind::Bag {
                    cardinality: part.cardinality,
                };
                sides_fit && self.kinds(part.side).nth(part.column) == Some(expected)
            };
            cross.is_sound() && cross.parts.iter().all(is_there)
        })
    }
}
