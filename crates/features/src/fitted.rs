//! Fitted features: the one path from raw rows to what a model sees, in training and in serving.

use catchment_schema::{AttributeTable, Histories, Vocabulary};
use rayon::prelude::*;

use crate::candidate::{CandidateInput, CandidateRule, ChannelHit};
use crate::context::ContextInput;
use crate::fingerprint::StateHash;
use crate::item::{self, ItemRule};
use crate::item_times::ItemTimes;
use crate::number::signed_log;
use crate::profile::UserProfile;
use crate::space::Attached;
use crate::standard::Standard;
use crate::state::{Feature, Rule, State};
use crate::user::{UserInput, UserRule};
use crate::{ColumnKind, ColumnShape, Error, FeatureBatch, FeatureColumn, Fingerprint, Result, Side};

/// Below this many rows a column is written faster than a thread wakes up.
const ROWS_WORTH_A_THREAD: usize = 2048;

/// A spec that has seen data. Made by [`crate::FeatureSpec::fit`] or [`FittedFeatures::open`]; immutable but
/// for [`FittedFeatures::fit_channel_scores`].
///
/// # Laws
/// 1. Every number in a batch is finite, and every id below its column's cardinality.
/// 2. A row depends on its own input alone: rows transformed one by one and together are equal to the bit.
/// 3. A user or candidate row does not depend on events at or after its `now`.
/// 4. Equal fingerprints and equal inputs give equal bytes.
/// 5. A transform that fails leaves the batch as it was.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedFeatures {
    state: State,
    sides: [Fingerprint; 4],
}

impl FittedFeatures {
    pub(crate) fn new(state: State) -> Self {
        let sides = Side::ALL.map(|side| state.fingerprint(side));
        Self { state, sides }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    pub(crate) fn set_attached(&mut self, attached: Attached) {
        self.state.attached = Some(attached);
    }

    /// The names of the channels that [`ChannelHit::channel`] counts through.
    pub fn channels(&self) -> &[String] {
        &self.state.channels
    }

    /// The columns of a side, in order.
    pub fn shape(&self, side: Side) -> Vec<ColumnShape> {
        let names = self.state.names(side);
        let shape = |(name, kind): (&String, ColumnKind)| ColumnShape {
            name: name.clone(),
            kind,
        };
        names.into_iter().zip(self.state.kinds(side)).map(shape).collect()
    }

    /// The features of a side that read text (`words`, `trigrams`), with what their ids mean: two features of equal
    /// meanings give the same words the same ids, whichever side they are on, and may share a table of embeddings.
    pub fn texts(&self, side: Side) -> Vec<(&str, Fingerprint)> {
        let texts = self.state.text_ids(side).into_iter();
        texts.map(|(name, ids)| (name, Fingerprint(ids))).collect()
    }

    /// A feature of the user whose events fade with time: where the moment is unknown it has no event at all.
    pub fn fades_with_time(&self) -> Option<&str> {
        self.user_feature(|rule| matches!(rule, UserRule::History(history) if history.fades_with_time()))
    }

    /// A feature of the user that counts their events: of a history with gaps it says too little.
    pub fn counts_events(&self) -> Option<&str> {
        self.user_feature(|rule| matches!(rule, UserRule::EventCount(_)))
    }

    fn user_feature(&self, is_so: impl Fn(&UserRule) -> bool) -> Option<&str> {
        let found = self.state.user.iter().find(|feature| is_so(&feature.rule));
        found.map(|feature| feature.name.as_str())
    }

    /// This fit with the previous one, and those before it, as its lineage. Where no output has changed it is the
    /// previous one over again.
    pub(crate) fn grown_from(mut self, previous: &Self) -> Self {
        self.state.lineage.clone_from(&previous.state.lineage);
        if self.sides != previous.sides {
            self.state.lineage.push(previous.fingerprint());
        }
        self
    }

    /// These features with the items' events counted anew, in a log that has gone on: `item_count` of either side.
    /// Vocabularies, scales, quantiles and whatever else a model was trained on stay, so that every id and every weight
    /// keeps its meaning; an item that had no event at the fit has its own count now. The fingerprint is another one,
    /// with this one in its [`FittedFeatures::lineage`], unless no count has changed.
    #[must_use]
    pub fn recount(&self, histories: &Histories) -> Self {
        let mut state = self.state.clone();
        for feature in &mut state.item {
            feature.rule.recount(histories);
        }
        if state.item_times.is_some() {
            state.item_times = Some(ItemTimes::collect(histories, state.items.len as usize));
        }
        Self::new(state).grown_from(self)
    }

    /// The fingerprints of the fits that this one has grown from ([`crate::FeatureSpec::grow`]), oldest first; none
    /// where it was fitted anew.
    pub fn lineage(&self) -> &[Fingerprint] {
        &self.state.lineage
    }

    /// The fingerprint over all sides, and over the lineage where there is one.
    pub fn fingerprint(&self) -> Fingerprint {
        let mut hash = StateHash::new();
        self.sides.iter().for_each(|side| hash.hash(side.0));
        if !self.state.lineage.is_empty() {
            hash.extension("lineage");
            self.state.lineage.iter().for_each(|parent| hash.hash(parent.0));
        }
        Fingerprint(hash.finish())
    }

    /// The fingerprint of one side: a model that reads only this side need not care about the others.
    pub fn side_fingerprint(&self, side: Side) -> Fingerprint {
        match side {
            Side::User => self.sides[0],
            Side::Item => self.sides[1],
            Side::Context => self.sides[2],
            Side::Candidate => self.sides[3],
        }
    }

    /// Learns mean and deviation of each channel's (logarithmic) scores, so that the score column of a
    /// `channel` feature is standardised. Call it with the hits of the ranker's training candidates,
    /// before the ranker is trained; without it mean is 0 and deviation 1. Changes the fingerprint.
    ///
    /// # Errors
    /// [`Error::ChannelOutOfRange`]; nothing is changed then.
    pub fn fit_channel_scores(&mut self, hits: impl IntoIterator<Item = ChannelHit>) -> Result<()> {
        let mut scores = vec![Vec::new(); self.state.channels.len()];
        for hit in hits {
            self.check_channel(&hit)?;
            if hit.score.is_finite() {
                scores[usize::from(hit.channel)].push(signed_log(f64::from(hit.score)));
            }
        }
        for feature in &mut self.state.candidate {
            if let CandidateRule::Channel { channel, scale, .. } = &mut feature.rule {
                *scale = Standard::fit(&scores[usize::from(*channel)]);
            }
        }
        self.sides = Side::ALL.map(|side| self.state.fingerprint(side));
        Ok(())
    }

    /// The whole catalogue: `out` is cleared, then row `i` is item `i` of `items`.
    ///
    /// # Errors
    /// [`Error::OtherVocabulary`], [`Error::RowCount`], [`Error::MissingColumn`], [`Error::WrongType`];
    /// `out` is then empty.
    pub fn transform_items(
        &self,
        items: &Vocabulary,
        attributes: &AttributeTable,
        out: &mut FeatureBatch,
    ) -> Result<()> {
        out.clear();
        self.begin(Side::Item, out)?;
        if !self.state.items.begins(items) {
            return Err(Error::OtherVocabulary);
        }
        let reads_attributes = |feature: &Feature<ItemRule>| feature.rule.reads_table();
        if attributes.n_rows() != items.len() && self.state.item.iter().any(reads_attributes) {
            return Err(Error::RowCount {
                table: item::TABLE,
                rows: attributes.n_rows(),
                expected: items.len(),
            });
        }
        append(out, items.len(), |columns| {
            // Columns do not depend on each other, so they are written side by side; crosses come after what they read.
            let write =
                |(feature, column): (&Feature<ItemRule>, &mut FeatureColumn)| match feature.rule.cross() {
                    Some(_) => Ok(()),
                    None => feature.rule.write(&feature.name, items, attributes, &[], column),
                };
            let features = &self.state.item;
            let written: Vec<Result<()>> = if items.len() < ROWS_WORTH_A_THREAD {
                features.iter().zip(&mut *columns).map(write).collect()
            } else {
                features.par_iter().zip(&mut *columns).map(write).collect()
            };
            written.into_iter().collect::<Result<()>>()?;
            for (place, feature) in features.iter().enumerate() {
                if feature.rule.cross().is_some() {
                    let (before, rest) = columns.split_at_mut(place);
                    let column = &mut rest[0];
                    feature
                        .rule
                        .write(&feature.name, items, attributes, before, column)?;
                }
            }
            Ok(())
        })
    }

    /// Adds one row for a user at a moment. At serving: clear, then once a request.
    ///
    /// # Errors
    /// [`Error::MissingColumn`], [`Error::WrongType`]; [`Error::WrongShape`] when `out` has rows of something else.
    pub fn transform_user(&self, input: &UserInput<'_>, out: &mut FeatureBatch) -> Result<()> {
        self.begin(Side::User, out)?;
        let known = input.known_history();
        let row = out.rows;
        append(out, 1, |columns| {
            for (place, feature) in self.state.user.iter().enumerate() {
                let (before, rest) = columns.split_at_mut(place);
                let column = &mut rest[0];
                feature
                    .rule
                    .write(&feature.name, input, known, row, before, column)?;
            }
            Ok(())
        })
    }

    /// Adds one row for the context of a request.
    ///
    /// # Errors
    /// [`Error::WrongShape`] when `out` has rows of something else.
    pub fn transform_context(&self, input: &ContextInput, out: &mut FeatureBatch) -> Result<()> {
        self.begin(Side::Context, out)?;
        let row = out.rows;
        append(out, 1, |columns| {
            for (place, feature) in self.state.context.iter().enumerate() {
                let (before, rest) = columns.split_at_mut(place);
                feature.rule.write(input.now, row, before, &mut rest[0]);
            }
            Ok(())
        })
    }

    /// Adds one row for each candidate. `profile` is the user's ([`FittedFeatures::profile`]), `items` the
    /// transformed catalogue.
    ///
    /// # Errors
    /// [`Error::UnknownItem`], [`Error::ChannelOutOfRange`], [`Error::OtherProfile`];
    /// [`Error::WrongShape`] when `items` or `out` have rows of something else.
    pub fn transform_candidates(
        &self,
        profile: &UserProfile,
        items: &FeatureBatch,
        candidates: &[CandidateInput<'_>],
        out: &mut FeatureBatch,
    ) -> Result<()> {
        self.begin(Side::Candidate, out)?;
        self.check_items(items)?;
        self.check_profile(profile)?;
        for candidate in candidates {
            if candidate.item.index() >= items.rows {
                return Err(Error::UnknownItem {
                    item: candidate.item.0,
                    n_items: items.rows,
                });
            }
            candidate
                .sources
                .iter()
                .try_for_each(|hit| self.check_channel(hit))?;
        }
        append(out, candidates.len(), |columns| {
            let mut affinity = 0;
            for (place, (feature, column)) in self.state.candidate.iter().zip(columns).enumerate() {
                feature
                    .rule
                    .write([place, affinity], &self.state, profile, items, candidates, column);
                affinity += usize::from(feature.rule.affinity().is_some());
            }
            Ok(())
        })
    }

    /// Gives an empty batch the columns of a side; one that has rows must have them already.
    fn begin(&self, side: Side, out: &mut FeatureBatch) -> Result<()> {
        if self.has_shape(side, out) {
            return Ok(());
        }
        if out.rows > 0 {
            return Err(Error::WrongShape { side });
        }
        out.columns.clear();
        out.columns.extend(self.state.kinds(side).map(FeatureColumn::new));
        Ok(())
    }

    pub(crate) fn has_shape(&self, side: Side, batch: &FeatureBatch) -> bool {
        batch.has_kinds(self.state.kinds(side))
    }

    pub(crate) fn check_items(&self, items: &FeatureBatch) -> Result<()> {
        let side = Side::Item;
        if self.has_shape(side, items) {
            Ok(())
        } else {
            Err(Error::WrongShape { side })
        }
    }

    fn check_channel(&self, hit: &ChannelHit) -> Result<()> {
        let n_channels = self.state.channels.len();
        if usize::from(hit.channel) < n_channels {
            return Ok(());
        }
        Err(Error::ChannelOutOfRange {
            channel: hit.channel,
            n_channels,
        })
    }

    pub(crate) fn n_affinities(&self) -> usize {
        let rules = self.state.candidate.iter().map(|feature| &feature.rule);
        rules.filter_map(CandidateRule::affinity).count()
    }

    /// Ids of an item feature; 0 where it is dense.
    pub(crate) fn cardinality(&self, item_feature: usize) -> usize {
        match self
            .state
            .item
            .get(item_feature)
            .map(|feature| feature.rule.kind())
        {
            Some(ColumnKind::Bag { cardinality }) => cardinality as usize,
            _ => 0,
        }
    }
}

/// Writes rows, all or none.
fn append(
    out: &mut FeatureBatch,
    n_rows: usize,
    write: impl FnOnce(&mut [FeatureColumn]) -> Result<()>,
) -> Result<()> {
    match write(&mut out.columns) {
        Ok(()) => {
            out.rows += n_rows;
            Ok(())
        }
        Err(error) => {
            out.truncate(out.rows);
            Err(error)
        }
    }
}
