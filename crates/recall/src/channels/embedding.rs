//! What lies near the user in a space of vectors.

use std::sync::Arc;

use catchment_ann_index::{SearchParams, VectorIndex};
use catchment_schema::{ItemFilter, ItemIdx, ItemSet};

use crate::{Channel, ChannelError, ChannelScratch, ConfigError, QueryEncoder, RecallQuery, Recalled};

/// A query encoder and an index over item vectors of the same run: matrix factorization, towers, item
/// vectors averaged over a history. The index obeys the query's filter inside its search.
///
/// The deadline is looked at before encoding and before searching; a search once begun is finished.
pub struct EmbeddingChannel {
    name: String,
    encoder: Box<dyn QueryEncoder>,
    index: Arc<dyn VectorIndex>,
    params: SearchParams,
    unknown: ItemSet,
}

impl EmbeddingChannel {
    /// A channel of an encoder and an index; `params` says how hard an approximate index should look.
    ///
    /// # Errors
    /// [`ConfigError::WrongDimension`] when the two do not fit together.
    pub fn new(
        name: impl Into<String>,
        encoder: Box<dyn QueryEncoder>,
        index: Arc<dyn VectorIndex>,
        params: SearchParams,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        if encoder.dim() != index.dim() {
            return Err(ConfigError::WrongDimension {
                channel: name,
                encoder: encoder.dim(),
                index: index.dim(),
            });
        }
        Ok(Self {
            name,
            encoder,
            index,
            params,
            unknown: ItemSet::new(),
        })
    }

    /// The same channel, which never finds `unknown`: items that lie in the index and have no vector
    /// ([`zero_rows`](catchment_ann_index::zero_rows)).
    #[must_use]
    pub fn without(self, unknown: ItemSet) -> Self {
        Self { unknown, ..self }
    }

    fn filter<'a>(&'a self, query: &RecallQuery<'a>) -> ItemFilter<'a> {
        if self.unknown.is_empty() {
            return query.filter;
        }
        query.filter.but_for(&self.unknown)
    }
}

impl std::fmt::Debug for EmbeddingChannel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddingChannel")
            .field("name", &self.name)
            .field("dim", &self.index.dim())
            .field("n_items", &self.index.len())
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

impl Channel for EmbeddingChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn recall(
        &self,
        query: &RecallQuery<'_>,
        k: usize,
        scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        let mut recalled = Recalled::default();
        if query.deadline.expired() {
            recalled.cut_short = true;
            return Ok(recalled);
        }
        scratch.vector.clear();
        scratch.vector.resize(self.index.dim(), 0.0);
        self.encoder.encode(query, &mut scratch.vector)?;
        if query.deadline.expired() {
            recalled.cut_short = true;
            return Ok(recalled);
        }
        self.index.search(
            &scratch.vector,
            k.min(self.index.len()),
            &self.params,
            self.filter(query),
            &mut scratch.index,
            &mut recalled.items,
        )?;
        Ok(recalled)
    }

    /// Encodes all and searches once: an exact index then reads its vectors once for many queries.
    fn recall_batch(
        &self,
        queries: &[RecallQuery<'_>],
        k: usize,
        scratch: &mut ChannelScratch,
    ) -> Vec<Result<Recalled, ChannelError>> {
        let dim = self.index.dim();
        let mut answers: Vec<Result<Recalled, ChannelError>> = Vec::with_capacity(queries.len());
        let (mut searched, mut filters) = (Vec::new(), Vec::new());
        let vectors = &mut scratch.vector;
        vectors.clear();
        for (position, query) in queries.iter().enumerate() {
            let mut recalled = Recalled::default();
            if query.deadline.expired() {
                recalled.cut_short = true;
                answers.push(Ok(recalled));
                continue;
            }
            let start = vectors.len();
            vectors.resize(start + dim, 0.0);
            match self.encoder.encode(query, &mut vectors[start..]) {
                Ok(()) => {
                    searched.push(position);
                    filters.push(self.filter(query));
                    answers.push(Ok(recalled));
                }
                Err(error) => {
                    vectors.truncate(start);
                    answers.push(Err(error));
                }
            }
        }
        let k_here = k.min(self.index.len());
        let mut hits = Vec::new();
        let found = self
            .index
            .search_batch(vectors, k_here, &self.params, &filters, &mut hits);
        match found {
            Ok(()) => {
                for (&position, items) in searched.iter().zip(hits) {
                    answers[position] = Ok(Recalled {
                        items,
                        cut_short: false,
                    });
                }
            }
            // One query that the index refuses fails the whole batch: one by one, only that one fails.
            Err(_) => {
                for &position in &searched {
                    answers[position] = self.recall(&queries[position], k, scratch);
                }
            }
        }
        answers
    }

    fn because(&self, query: &RecallQuery<'_>, items: &[ItemIdx]) -> Vec<Vec<ItemIdx>> {
        self.encoder.because(query, items)
    }
}

#[cfg(test)]
mod tests {
    use catchment_ann_index::{Scratch, SearchError};
    use catchment_schema::{Event, History, ItemFilter, ItemIdx, ItemSet, Metric, Score, ScoredItem, Time};

    use super::*;
    use crate::testing::{channel_laws, query};

    /// Inner products with every vector.
    struct Sorted(Vec<[f32; 2]>);

    impl VectorIndex for Sorted {
        fn len(&self) -> usize {
            self.0.len()
        }
        fn dim(&self) -> usize {
            2
        }
        fn metric(&self) -> Metric {
            Metric::InnerProduct
        }
        fn is_exact(&self) -> bool {
            true
        }
        fn search(
            &self,
            query: &[f32],
            k: usize,
            _: &SearchParams,
            filter: ItemFilter<'_>,
            _: &mut Scratch,
            hits: &mut Vec<ScoredItem>,
        ) -> Result<(), SearchError> {
            if let Some(position) = query.iter().position(|value| !value.is_finite()) {
                return Err(SearchError::NotFinite { position });
            }
            hits.clear();
            for (item, [x, y]) in self.0.iter().enumerate() {
                let item = ItemIdx::from_index(item);
                if filter.passes(item) {
                    hits.push(ScoredItem::new(item, Score::clamped(x * query[0] + y * query[1])));
                }
            }
            hits.sort_unstable();
            hits.truncate(k);
            Ok(())
        }
        fn search_batch(
            &self,
            queries: &[f32],
            k: usize,
            params: &SearchParams,
            filters: &[ItemFilter<'_>],
            hits: &mut Vec<Vec<ScoredItem>>,
        ) -> Result<(), SearchError> {
            hits.clear();
            for (query, &filter) in queries.chunks_exact(2).zip(filters) {
                let mut found = Vec::new();
                self.search(query, k, params, filter, &mut Scratch::default(), &mut found)?;
                hits.push(found);
            }
            Ok(())
        }
    }

    /// The last item of the history decides: its index as an angle.
    struct Last(usize);

    impl QueryEncoder for Last {
        fn dim(&self) -> usize {
            self.0
        }
        fn encode(&self, query: &RecallQuery<'_>, out: &mut [f32]) -> Result<(), ChannelError> {
            let last = query.history.events().last().ok_or(ChannelError::NothingToGoOn)?;
            let angle = if last.item.0 == 99 {
                f32::NAN
            } else {
                last.item.0 as f32
            };
            out[0] = angle.cos();
            out[1] = angle.sin();
            Ok(())
        }
    }

    fn channel() -> EmbeddingChannel {
        let vectors = (0..20u8)
            .map(|i| [f32::from(i).cos(), f32::from(i).sin()])
            .collect();
        EmbeddingChannel::new(
            "ials",
            Box::new(Last(2)),
            Arc::new(Sorted(vectors)),
            SearchParams::default(),
        )
        .unwrap()
    }

    #[test]
    fn the_nearest_items_that_pass_come_back_under_all_laws() {
        let events = [Event::new(ItemIdx(7), Time::UNKNOWN)];
        let seen: ItemSet = [ItemIdx(7)].into_iter().collect();
        let known = RecallQuery {
            history: History::new(&events),
            filter: ItemFilter::excluding(&seen),
            ..query()
        };
        channel_laws(&channel(), &[known, query()]);
        let recalled = channel()
            .recall(&known, 2, &mut ChannelScratch::default())
            .unwrap();
        let mut items: Vec<u32> = recalled.items.iter().map(|scored| scored.item.0).collect();
        items.sort_unstable();
        assert_eq!(
            items,
            [1, 13],
            "6 and 8 are a radian away from 7, 1 and 13 only 2π − 6"
        );
    }

    #[test]
    fn items_without_a_vector_are_never_found_alone_or_in_a_batch() {
        let events = [Event::new(ItemIdx(7), Time::UNKNOWN)];
        let seen: ItemSet = [ItemIdx(7)].into_iter().collect();
        let known = RecallQuery {
            history: History::new(&events),
            filter: ItemFilter::excluding(&seen),
            ..query()
        };
        let unknown: ItemSet = [ItemIdx(1), ItemIdx(2)].into_iter().collect();
        let channel = channel().without(unknown.clone());
        channel_laws(&channel, &[known, query()]);
        let mut scratch = ChannelScratch::default();
        let recalled = channel.recall(&known, 20, &mut scratch).unwrap();
        assert_eq!(
            recalled.items.len(),
            17,
            "of 20 the seen one and two without a vector"
        );
        assert!(recalled.items.iter().all(|scored| !unknown.contains(scored.item)));
        let batch = channel.recall_batch(&[known, query()], 20, &mut scratch);
        assert_eq!(batch[0], Ok(recalled));
    }

    #[test]
    fn nobody_known_is_nothing_to_go_on() {
        let answer = channel().recall(&query(), 2, &mut ChannelScratch::default());
        assert_eq!(answer, Err(ChannelError::NothingToGoOn));
    }

    #[test]
    fn a_vector_that_is_not_finite_is_an_error_and_no_panic() {
        let events = [Event::new(ItemIdx(99), Time::UNKNOWN)];
        let broken = RecallQuery {
            history: History::new(&events),
            ..query()
        };
        let answer = channel().recall(&broken, 2, &mut ChannelScratch::default());
        assert_eq!(
            answer,
            Err(ChannelError::Search(SearchError::NotFinite { position: 0 }))
        );
    }

    #[test]
    fn in_a_batch_only_the_query_fails_that_is_at_fault() {
        let event = |item| [Event::new(ItemIdx(item), Time::UNKNOWN)];
        let (good, broken) = (event(7), event(99));
        let with = |events| RecallQuery {
            history: History::new(events),
            ..query()
        };
        let (good, broken) = (with(&good), with(&broken));
        let mut scratch = ChannelScratch::default();
        let answers = channel().recall_batch(&[good, broken, query(), good], 3, &mut scratch);
        let alone = channel().recall(&good, 3, &mut scratch);
        assert!(alone.as_ref().is_ok_and(|recalled| recalled.items.len() == 3));
        let not_finite = ChannelError::Search(SearchError::NotFinite { position: 0 });
        assert_eq!(
            answers,
            [
                alone.clone(),
                Err(not_finite),
                Err(ChannelError::NothingToGoOn),
                alone
            ]
        );
    }

    #[test]
    fn an_encoder_of_another_width_is_refused() {
        let error = EmbeddingChannel::new(
            "ials",
            Box::new(Last(3)),
            Arc::new(Sorted(vec![])),
            SearchParams::default(),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "channel `ials`: the encoder makes vectors of 3 values, the index holds 2"
        );
    }
}
