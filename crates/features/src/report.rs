//! What a fit has seen, for whoever has to choose the settings.

use serde::Serialize;

use crate::lookup::Lookup;
use crate::{ColumnKind, FittedFeatures, Side};

/// Fitted features and how the fit went.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// What was fitted.
    pub features: FittedFeatures,
    /// One entry a feature, sides in the order of [`Side::ALL`].
    pub report: Vec<FeatureReport>,
}

/// How the fit of one feature went. Counts of words are 0 where a feature has none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FeatureReport {
    /// The side.
    pub side: Side,
    /// The feature's name.
    pub name: String,
    /// The layout of its column.
    pub kind: ColumnKind,
    /// Different words (or raw ids) in the data of this fit.
    pub words: u64,
    /// Words with an id of their own, those of earlier fits included.
    pub known: u64,
    /// Words of this data that have none, because they are rarer than `min_count`.
    pub left_out: u64,
    /// Words that this fit added to the vocabulary of an earlier one.
    pub appended: u64,
    /// Words of a `hash` whose ids and weights are also those of another word: no model can tell them apart.
    pub collisions: u64,
}

/// The counts of a report.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) words: u64,
    pub(crate) known: u64,
    pub(crate) left_out: u64,
    pub(crate) appended: u64,
    pub(crate) collisions: u64,
}

impl Seen {
    pub(crate) fn of_lookup(&mut self, lookup: &Lookup, previous: Option<&Lookup>) {
        self.known = u64::from(lookup.n_words());
        self.appended = previous.map_or(0, |previous| {
            u64::from(lookup.n_words()) - u64::from(previous.n_words())
        });
    }

    pub(crate) fn report(self, side: Side, name: &str, kind: ColumnKind) -> FeatureReport {
        let Self {
            words,
            known,
            left_out,
            appended,
            collisions,
        } = self;
        FeatureReport {
            side,
            name: name.to_owned(),
            kind,
            words,
            known,
            left_out,
            appended,
            collisions,
        }
    }
}
