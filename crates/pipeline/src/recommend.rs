//! One request, from beginning to end.

use std::borrow::Cow;

use catchment_ranking::RankQuery;
use catchment_recall::{
    AvailableAt, Candidate, ChannelError, ChannelReport, ChannelScratch, ExecutorScratch, Gathered,
    RecallQuery, Recalled, RequestFilter, SeenEvents, Sources, merge,
};
use catchment_schema::{Event, History, ItemFilter, ItemIdx, ItemSet, Score, ScoredItem};

use crate::featurizer::RequestFeatures;
use crate::{Answer, Error, Pipeline, Request, Stages, Trace, UserState};

/// Buffers of one thread, reused from request to request.
#[derive(Debug, Default)]
pub struct Scratch {
    executor: ExecutorScratch,
    channel: ChannelScratch,
    features: RequestFeatures,
    items: Vec<ItemIdx>,
    scores: Vec<Score>,
}

impl Scratch {
    /// For all channels.
    pub(crate) fn executor(&mut self) -> &mut ExecutorScratch {
        &mut self.executor
    }

    /// For one channel alone.
    pub(crate) fn channel(&mut self) -> &mut ChannelScratch {
        &mut self.channel
    }

    /// For a vector search.
    pub(crate) fn index(&mut self) -> &mut catchment_ann_index::Scratch {
        &mut self.channel.index
    }
}

impl Pipeline {
    /// Answers a request: filter, channels, merge, ranker.
    ///
    /// A channel that is late or fails is left out and named in the trace; it never fails the request. Where
    /// because of that there are fewer than `n` items, or where no channel had anything to go on, the items with
    /// the most events of the vocabulary fill the answer up, under the same filter: that needs no channel and no
    /// time, so that somebody who asks always gets something (law 2).
    ///
    /// # Laws
    /// 1. The same request and state give the same answer, on any number of threads, as long as time is not up.
    /// 2. Without `allow` there are `n` items, or every item that the filter lets pass, whenever the answer is
    ///    degraded or no channel found anything.
    /// 3. No item comes twice, and none that is seen (where seen items are kept out), excluded, unavailable, not yet
    ///    published or expired at the request's `now`.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`] for a channel that the bundle does not have; [`Error::Features`] and
    /// [`Error::Rank`] when the bundle contradicts itself.
    pub fn recommend(
        &self,
        request: &Request<'_>,
        user: &UserState<'_>,
        scratch: &mut Scratch,
    ) -> Result<Answer, Error> {
        let mut trace = Trace::default();
        let mut last = request.stopwatch.micros();
        let mut lap = || {
            let now = request.stopwatch.micros();
            now.saturating_sub(std::mem::replace(&mut last, now))
        };
        let there = self.catalogue.available_at(request.now);
        let filter = self.filter(request, user, &there);
        trace.removed = filter.counts(self.catalogue.items().len());
        let ranker = self.ranker.as_ref().filter(|_| request.stages == Stages::Full);
        if let (Some(_), Some(featurizer)) = (ranker, &self.featurizer) {
            featurizer.request(&self.catalogue, user, request.now, &mut scratch.features)?;
        }
        trace.micros.features = lap();
        let gathered = self.gather(request, user, &filter, &mut scratch.executor)?;
        trace.micros.recall = lap();
        let mut lists = gathered.channel_lists();
        lists.retain(|list| request.asks(list.name));
        let merged = merge(&lists, &self.spec.merge);
        trace.micros.merge = lap();
        trace.merged = merged.candidates.len();
        let mut items = merged.candidates;
        if let (Some(ranker), Some(featurizer)) = (ranker, &self.featurizer) {
            trace.ranked = true;
            let features = &mut scratch.features;
            featurizer.candidates(&items, features)?;
            scratch.items.clear();
            scratch.items.extend(items.iter().map(|candidate| candidate.item));
            let query = RankQuery {
                user: features.user.row(0),
                context: features.context.row(0),
                items: featurizer.items(),
            };
            ranker.score(&query, &scratch.items, &features.candidates, &mut scratch.scores)?;
            for (candidate, &score) in items.iter_mut().zip(&scratch.scores) {
                candidate.score = score;
            }
            items.sort_by_key(|candidate| ScoredItem::new(candidate.item, candidate.score));
        }
        trace.micros.rank = lap();
        items.truncate(request.n);
        trace.channels = gathered.reports;
        trace.channels.retain(|report| request.asks(&report.name));
        if items.is_empty() || trace.channels.iter().any(ChannelReport::is_degraded) {
            let filled = self.fill_up(request.n, &filter, &mut items);
            trace.fallback = filled;
        }
        Ok(Answer { items, trace })
    }

    /// For each item of an answer, which of the user's own items (or of the request's seeds) speak for it most, as the
    /// channel says that found it at the best rank, of those that can say; an empty list where none can.
    pub fn because(
        &self,
        request: &Request<'_>,
        user: &UserState<'_>,
        answer: &[Candidate],
    ) -> Vec<Vec<ItemIdx>> {
        // Nothing is searched: no filter is needed.
        let liked = self.liked(user);
        let query = recall_query(&self.catalogue, request, user, &liked, ItemFilter::NONE);
        let mut reasons = vec![Vec::new(); answer.len()];
        let n_channels = self.spec.channels.len();
        // How good a rank the channel gave whose word was taken.
        let mut ranks = vec![u32::MAX; answer.len()];
        for number in 0..n_channels {
            let Some(channel) = self.executor.channel(number) else {
                continue;
            };
            let found: Vec<(usize, u32)> = answer
                .iter()
                .enumerate()
                .filter_map(|(place, candidate)| {
                    let mut sources = candidate.sources.iter();
                    let source = sources.find(|source| usize::from(source.channel) == number)?;
                    (source.rank < ranks[place]).then_some((place, source.rank))
                })
                .collect();
            if found.is_empty() {
                continue;
            }
            let items: Vec<ItemIdx> = found.iter().map(|&(place, _)| answer[place].item).collect();
            for (&(place, rank), because) in found.iter().zip(channel.because(&query, &items)) {
                if !because.is_empty() {
                    (ranks[place], reasons[place]) = (rank, because);
                }
            }
        }
        reasons
    }

    /// Appends the most frequent items until there are `n`. The vocabulary is in that order already.
    fn fill_up(&self, n: usize, filter: &RequestFilter<'_>, items: &mut Vec<Candidate>) -> usize {
        let found = items.len();
        let present: ItemSet = items.iter().map(|candidate| candidate.item).collect();
        let passes = filter.item_filter();
        let more = (0..self.catalogue.items().len())
            .map(ItemIdx::from_index)
            .filter(|&item| passes.passes(item) && !present.contains(item))
            .take(n.saturating_sub(found));
        items.extend(more.map(|item| Candidate {
            item,
            score: Score::ZERO,
            sources: Sources::new(),
        }));
        items.len() - found
    }

    /// The candidates that the merge hands to the ranker: what the ranker's training looks at.
    ///
    /// # Errors
    /// As [`Pipeline::recommend`].
    pub fn candidates(
        &self,
        request: &Request<'_>,
        user: &UserState<'_>,
        scratch: &mut Scratch,
    ) -> Result<Vec<Candidate>, Error> {
        let there = self.catalogue.available_at(request.now);
        let filter = self.filter(request, user, &there);
        let gathered = self.gather(request, user, &filter, &mut scratch.executor)?;
        Ok(merge(&gathered.channel_lists(), &self.spec.merge).candidates)
    }

    /// One channel by itself, best first.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`]; [`Error::Channel`] when the channel fails. A user about whom it knows nothing
    /// gets an empty list.
    pub fn recall_channel(
        &self,
        name: &str,
        request: &Request<'_>,
        user: &UserState<'_>,
        scratch: &mut Scratch,
    ) -> Result<Vec<ScoredItem>, Error> {
        let lists = self.recall_channel_batch(name, request, &[*user], scratch)?;
        Ok(lists.into_iter().next().unwrap_or_default())
    }

    /// [`Pipeline::recall_channel`] for many users, all with the same request; the lists are in their order. For
    /// evaluation and batches: a channel of vectors answers many users for much less than their sum.
    ///
    /// # Errors
    /// As [`Pipeline::recall_channel`], when the channel fails for any of the users.
    pub fn recall_channel_batch(
        &self,
        name: &str,
        request: &Request<'_>,
        users: &[UserState<'_>],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<ScoredItem>>, Error> {
        let channel = self
            .channel_number(name)
            .map(|number| self.executor.channel(number))?;
        let Some(channel) = channel else {
            return Ok(vec![Vec::new(); users.len()]);
        };
        let there = self.catalogue.available_at(request.now);
        let filters: Vec<RequestFilter<'_>> = users
            .iter()
            .map(|user| self.filter(request, user, &there))
            .collect();
        let liked: Vec<Cow<'_, [Event]>> = users.iter().map(|user| self.liked(user)).collect();
        let queries: Vec<RecallQuery<'_>> = users
            .iter()
            .zip(&liked)
            .zip(&filters)
            .map(|((user, liked), filter)| {
                recall_query(&self.catalogue, request, user, liked, filter.item_filter())
            })
            .collect();
        let k = request.n.min(self.catalogue.items().len());
        let answers = channel.recall_batch(&queries, k, &mut scratch.channel);
        let list = |answer| match answer {
            Ok(Recalled { items, .. }) => Ok(items),
            Err(ChannelError::NothingToGoOn) => Ok(Vec::new()),
            Err(error) => Err(Error::Channel {
                channel: name.to_owned(),
                reason: ChannelError::to_string(&error),
            }),
        };
        answers.into_iter().map(list).collect()
    }

    pub(crate) fn gather(
        &self,
        request: &Request<'_>,
        user: &UserState<'_>,
        filter: &RequestFilter<'_>,
        scratch: &mut ExecutorScratch,
    ) -> Result<Gathered, Error> {
        for name in request.channels.into_iter().flatten() {
            self.channel_number(name)?;
        }
        let liked = self.liked(user);
        let query = recall_query(&self.catalogue, request, user, &liked, filter.item_filter());
        Ok(self.executor.run(&query, request.stopwatch, scratch))
    }

    /// What channels go by: the history without what says no.
    pub(crate) fn liked<'a>(&self, user: &UserState<'a>) -> Cow<'a, [Event]> {
        self.catalogue.negative_events().taken_from(user.history)
    }

    /// What may be returned. Seen is seen, whatever the user said to it.
    pub(crate) fn filter<'a>(
        &self,
        request: &Request<'a>,
        user: &UserState<'_>,
        there: &'a AvailableAt,
    ) -> RequestFilter<'a> {
        let exclude_seen = request.exclude_seen.unwrap_or(self.spec.exclude_seen);
        let seen = if exclude_seen {
            SeenEvents::All
        } else {
            SeenEvents::None
        };
        let excluded = request.exclude.iter().chain(request.seeds).copied();
        RequestFilter::new(user.history, &seen, excluded, None)
            .at(there)
            .allowing(request.allow)
    }
}

pub(crate) fn recall_query<'a>(
    catalogue: &'a crate::Catalogue,
    request: &Request<'a>,
    user: &UserState<'a>,
    liked: &'a [Event],
    filter: ItemFilter<'a>,
) -> RecallQuery<'a> {
    RecallQuery {
        user: user.user,
        history: History::new(liked),
        seeds: request.seeds,
        user_id: user.user.and_then(|user| catalogue.users().id(user.index())),
        user_attributes: user.user.map(|user| (catalogue.user_attributes(), user.index())),
        filter,
        now: request.now,
        deadline: request.deadline,
    }
}
