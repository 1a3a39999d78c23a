//! Why an item is not in an answer: the stage that lost it, and by how much.

use std::fmt;

use catchment_recall::{Cause, ChannelError, MergeConfig, Recalled, Rule, merge};
use catchment_schema::{ItemIdx, ScoredItem};
use serde::Serialize;

use crate::recommend::recall_query;
use crate::{Error, Pipeline, Request, Scratch, UserState};

/// What became of an item, in the order of the stages.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum WhyNot {
    /// The bundle does not know the item: it was not in the data, or too rare for the recipe.
    UnknownItem,
    /// A rule forbids it.
    Filtered {
        /// The first rule that does.
        rule: Rule,
    },
    /// No channel had it among the items that it was asked for.
    NotRecalled {
        /// How far it was from each channel's list.
        channels: Vec<ChannelGap>,
    },
    /// Channels found it, and the merge had no place for it.
    CutInMerge {
        /// Its place, from 1, in the order that the merge makes where its limit lets everything in; none where it is
        /// cut all the same, by the seats of a quota.
        position: Option<usize>,
        /// How many places the merge had.
        places: usize,
        /// The merge's score for it, where it has a place in that order, and the score of the last one that was kept.
        score: Option<f32>,
        /// The score of the last candidate.
        last_score: Option<f32>,
        /// Who found it.
        found_by: Vec<FoundBy>,
    },
    /// It was ordered, and stands behind what was asked for.
    RankedBeyond {
        /// Its place, from 1.
        position: usize,
        /// How many items were asked for.
        n: usize,
        /// Its score: the ranker's, or the merge's where nothing ranked.
        score: f32,
        /// The score of the last item of the answer.
        last_score: f32,
        /// Who found it.
        found_by: Vec<FoundBy>,
    },
    /// It is in the answer.
    Answered {
        /// Its place, from 1.
        rank: usize,
        /// Its score.
        score: f32,
        /// Who found it; nobody where the most frequent items filled the answer up.
        found_by: Vec<FoundBy>,
    },
}

/// A channel that did not have the item in its list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChannelGap {
    /// The channel.
    pub channel: String,
    /// How many items it is asked for.
    pub asked: usize,
    /// The item's rank, from 1, where the channel is asked for everything; none where it has no score for the item.
    pub rank: Option<usize>,
    /// The item's score there.
    pub score: Option<f32>,
    /// The score of the last item of the list that it was too far for; none where the list is empty.
    pub last_score: Option<f32>,
    /// Why it had no list at all.
    pub missing: Option<String>,
}

/// A channel that had the item in its list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundBy {
    /// The channel.
    pub channel: String,
    /// The item's rank there, from 1.
    pub rank: u32,
    /// Its score there.
    pub score: f32,
}

impl Pipeline {
    /// Says why an item is not in the answer to a request, or where it stands there. `item` is the raw id. The request
    /// is answered once more, and the channels are asked for everything they have where none found the item: that
    /// costs many times what the answer did, so it is for people and not for every request.
    ///
    /// # Laws
    /// 1. `Answered { rank, .. }` exactly when the item is at that rank of [`Pipeline::recommend`].
    /// 2. Every item has exactly one stage, the first that lost it.
    ///
    /// Both hold as long as time is not up: a request whose deadline passes may be answered otherwise each time.
    ///
    /// # Errors
    /// As [`Pipeline::recommend`].
    pub fn why_not(
        &self,
        item: &str,
        request: &Request<'_>,
        user: &UserState<'_>,
        scratch: &mut Scratch,
    ) -> Result<WhyNot, Error> {
        let Some(item) = self.catalogue.items().item(item) else {
            return Ok(WhyNot::UnknownItem);
        };
        let there = self.catalogue.available_at(request.now);
        if let Some(rule) = self.filter(request, user, &there).rule(item) {
            return Ok(WhyNot::Filtered { rule });
        }
        let mut whole = *request;
        whole.n = self.catalogue.items().len();
        let answer = self.recommend(&whole, user, scratch)?;
        let position = answer.items.iter().position(|found| found.item == item);
        if let Some(position) = position {
            let found = &answer.items[position];
            let found_by = self.found_by(&found.sources);
            let score = found.score.get();
            if position < request.n {
                return Ok(WhyNot::Answered {
                    rank: position + 1,
                    score,
                    found_by,
                });
            }
            // What fills an answer up was found by nobody.
            if !found_by.is_empty() {
                let last = request
                    .n
                    .checked_sub(1)
                    .map(|last| answer.items[last].score.get());
                return Ok(WhyNot::RankedBeyond {
                    position: position + 1,
                    n: request.n,
                    score,
                    last_score: last.unwrap_or(score),
                    found_by,
                });
            }
        }
        match self.cut_in_merge(item, request, user, scratch)? {
            Some(cut) => Ok(cut),
            None => Ok(self.not_recalled(item, request, user, scratch)),
        }
    }

    /// Whether the merge cut it; none where no channel offered it.
    fn cut_in_merge(
        &self,
        item: ItemIdx,
        request: &Request<'_>,
        user: &UserState<'_>,
        scratch: &mut Scratch,
    ) -> Result<Option<WhyNot>, Error> {
        let there = self.catalogue.available_at(request.now);
        let filter = self.filter(request, user, &there);
        let gathered = self.gather(request, user, &filter, scratch.executor())?;
        let mut lists = gathered.channel_lists();
        lists.retain(|list| request.asks(list.name));
        let found_by: Vec<FoundBy> = lists
            .iter()
            .filter_map(|list| {
                let rank = list.items.iter().position(|found| found.item == item)?;
                Some(FoundBy {
                    channel: list.name.to_owned(),
                    rank: u32::try_from(rank + 1).unwrap_or(u32::MAX),
                    score: list.items[rank].score.get(),
                })
            })
            .collect();
        if found_by.is_empty() {
            return Ok(None);
        }
        let merged = merge(&lists, &self.spec.merge);
        let wide = merge(&lists, &unlimited(&self.spec.merge, merged.report.distinct));
        let position = wide
            .candidates
            .iter()
            .position(|candidate| candidate.item == item);
        Ok(Some(WhyNot::CutInMerge {
            position: position.map(|position| position + 1),
            places: merged.candidates.len(),
            score: position.map(|position| wide.candidates[position].score.get()),
            last_score: merged.candidates.last().map(|last| last.score.get()),
            found_by,
        }))
    }

    /// Asks every channel for all it has.
    fn not_recalled(
        &self,
        item: ItemIdx,
        request: &Request<'_>,
        user: &UserState<'_>,
        scratch: &mut Scratch,
    ) -> WhyNot {
        let there = self.catalogue.available_at(request.now);
        let filter = self.filter(request, user, &there);
        let liked = self.liked(user);
        let query = recall_query(self.catalogue(), request, user, &liked, filter.item_filter());
        let mut channels = Vec::new();
        for (number, spec) in self.spec.channels.iter().enumerate() {
            let Some(channel) = self.executor.channel(number).filter(|_| request.asks(&spec.name)) else {
                continue;
            };
            let found = channel.recall(&query, self.catalogue.items().len(), scratch.channel());
            channels.push(gap(&spec.name, spec.k, item, found));
        }
        WhyNot::NotRecalled { channels }
    }

    fn found_by(&self, sources: &[catchment_recall::Source]) -> Vec<FoundBy> {
        let of = |source: &catchment_recall::Source| FoundBy {
            channel: self.channel_name(source.channel).unwrap_or_default().to_owned(),
            rank: source.rank,
            score: source.score.get(),
        };
        sources.iter().map(of).collect()
    }
}

fn gap(channel: &str, asked: usize, item: ItemIdx, found: Result<Recalled, ChannelError>) -> ChannelGap {
    let (items, missing): (Vec<ScoredItem>, _) = match found {
        Ok(Recalled {
            cut_short: true,
            items,
        }) => (items, Some(Cause::Deadline.to_string())),
        Ok(Recalled { items, .. }) => (items, None),
        Err(ChannelError::NothingToGoOn) => (Vec::new(), Some(Cause::NothingToGoOn.to_string())),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    let rank = items.iter().position(|scored| scored.item == item);
    let last = items.get(asked.min(items.len()).wrapping_sub(1));
    ChannelGap {
        channel: channel.to_owned(),
        asked,
        rank: rank.map(|rank| rank + 1),
        score: rank.map(|rank| items[rank].score.get()),
        last_score: last.map(|last| last.score.get()),
        missing,
    }
}

/// The same merge with room for everything. Every kind has a `limit`, and is told by its own name here as in a recipe,
/// so that a new kind needs no arm.
fn unlimited(config: &MergeConfig, distinct: usize) -> MergeConfig {
    let widened = serde_json::to_value(config).and_then(|mut value| {
        value["limit"] = distinct.max(1).into();
        serde_json::from_value(value)
    });
    widened.unwrap_or_else(|_| config.clone())
}

/// In one or two sentences.
impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownItem => write!(f, "the bundle does not know the item"),
            Self::Filtered { rule } => {
                write!(f, "it was filtered out: {}", rule.reason())
            }
            Self::NotRecalled { channels } => {
                write!(f, "no channel had it in its list")?;
                channels.iter().try_for_each(|gap| write!(f, "; {gap}"))
            }
            Self::CutInMerge {
                position: Some(position),
                places,
                ..
            } => write!(f, "the merge put it at place {position} and had {places} places"),
            Self::CutInMerge { places, .. } => {
                write!(
                    f,
                    "the merge had {places} places, and none for it among the seats of its channels"
                )
            }
            Self::RankedBeyond {
                position,
                n,
                score,
                last_score,
                ..
            } => write!(
                f,
                "it stands at place {position}, and {n} were asked for: its score is {score:.4}, the last one's {last_score:.4}"
            ),
            Self::Answered { rank, score, .. } => {
                write!(f, "it is in the answer, at place {rank} with score {score:.4}")
            }
        }
    }
}

impl fmt::Display for ChannelGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { channel, asked, .. } = self;
        if let Some(missing) = &self.missing {
            return write!(f, "{channel}: {missing}");
        }
        match (self.rank, self.score, self.last_score) {
            (Some(rank), Some(score), Some(last)) => write!(
                f,
                "{channel}: rank {rank}, asked for {asked}, score {score:.4} below {last:.4}"
            ),
            _ => write!(f, "{channel}: has no score for it"),
        }
    }
}

#[cfg(test)]
mod tests;
