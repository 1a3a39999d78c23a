//! What may be returned, and for what an item was left out.

use catchment_schema::{EventKind, History, ItemFilter, ItemIdx, ItemSet, ScoredItem};
use serde::{Deserialize, Serialize};

/// The reason why an item may not be returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// The user has had it.
    Seen,
    /// The request does not want it.
    Excluded,
    /// It is not to be had.
    Unavailable,
}

/// Which events make an item a seen one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SeenEvents {
    /// Every event.
    #[default]
    All,
    /// Events of these kinds: who has only looked may be shown the thing again.
    Kinds(Vec<EventKind>),
    /// No event: seen items may come back.
    None,
}

impl SeenEvents {
    fn of(&self, history: History<'_>) -> ItemSet {
        let events = history.events().iter();
        match self {
            Self::All => events.map(|event| event.item).collect(),
            Self::Kinds(kinds) => events
                .filter(|event| kinds.contains(&event.kind))
                .map(|event| event.item)
                .collect(),
            Self::None => ItemSet::new(),
        }
    }
}

/// A list, parted by the rules. Nothing is lost: every item stands on one of the two sides, in the order it came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filtered {
    /// What may be returned.
    pub kept: Vec<ScoredItem>,
    /// What may not, each with the first rule that forbids it, in the order seen, excluded, unavailable.
    pub removed: Vec<(ItemIdx, Rule)>,
}

/// The rules of one request. Channels obey them inside their search as an [`ItemFilter`], which cannot
/// say why; this type can.
///
/// # Laws
/// 1. `item_filter().passes(item)` exactly when `rule(item)` is none.
/// 2. [`RequestFilter::partition`] keeps the order and loses nothing; doing it again changes nothing.
#[derive(Clone, Debug)]
pub struct RequestFilter<'a> {
    seen: ItemSet,
    excluded: ItemSet,
    /// Both of them.
    denied: ItemSet,
    available: Option<&'a ItemSet>,
}

impl<'a> RequestFilter<'a> {
    /// Rules from what the user had, what the request excludes (also the seeds of "more like these"),
    /// and what the catalogue has; `available` is `None` where everything is.
    pub fn new(
        history: History<'_>,
        seen: &SeenEvents,
        excluded: impl IntoIterator<Item = ItemIdx>,
        available: Option<&'a ItemSet>,
    ) -> Self {
        let seen = seen.of(history);
        let excluded: ItemSet = excluded.into_iter().collect();
        let mut denied = seen.clone();
        denied.union_with(&excluded);
        Self {
            seen,
            excluded,
            denied,
            available,
        }
    }

    /// The same rules in the form that a search obeys.
    pub fn item_filter(&self) -> ItemFilter<'_> {
        ItemFilter {
            allow: self.available,
            deny: Some(&self.denied),
        }
    }

    /// The first rule that forbids the item.
    pub fn rule(&self, item: ItemIdx) -> Option<Rule> {
        if self.seen.contains(item) {
            Some(Rule::Seen)
        } else if self.excluded.contains(item) {
            Some(Rule::Excluded)
        } else if self.available.is_some_and(|set| !set.contains(item)) {
            Some(Rule::Unavailable)
        } else {
            None
        }
    }

    /// How many items of a catalogue of `n_items` each rule keeps out, an item counted under the first that does.
    pub fn counts(&self, n_items: usize) -> Vec<(Rule, usize)> {
        let unavailable = self.available.map_or(0, |available| {
            let mut open = available.clone();
            open.union_with(&self.denied);
            ItemSet::all(n_items).difference_len(&open)
        });
        let counts = [
            (Rule::Seen, self.seen.len()),
            (Rule::Excluded, self.excluded.difference_len(&self.seen)),
            (Rule::Unavailable, unavailable),
        ];
        counts.into_iter().filter(|&(_, count)| count > 0).collect()
    }

    /// Parts a list by the rules.
    pub fn partition(&self, items: &[ScoredItem]) -> Filtered {
        let mut filtered = Filtered::default();
        for &scored in items {
            match self.rule(scored.item) {
                None => filtered.kept.push(scored),
                Some(rule) => filtered.removed.push((scored.item, rule)),
            }
        }
        filtered
    }
}

#[cfg(test)]
mod tests {
    use catchment_schema::{Event, Score, Time};
    use proptest::prelude::*;

    use super::*;

    fn event(item: u32, kind: u16) -> Event {
        Event {
            kind: EventKind(kind),
            ..Event::new(ItemIdx(item), Time::UNKNOWN)
        }
    }

    #[test]
    fn only_the_chosen_kinds_of_events_make_an_item_seen() {
        let events = [event(1, 0), event(2, 1), event(3, 0), event(3, 2)];
        let seen = |rule: SeenEvents| {
            let filter = RequestFilter::new(History::new(&events), &rule, [], None);
            (0..5)
                .filter(|&item| filter.rule(ItemIdx(item)) == Some(Rule::Seen))
                .collect::<Vec<_>>()
        };
        assert_eq!(seen(SeenEvents::All), [1, 2, 3]);
        assert_eq!(seen(SeenEvents::Kinds(vec![EventKind(1), EventKind(2)])), [2, 3]);
        assert!(seen(SeenEvents::None).is_empty());
    }

    #[test]
    fn the_first_rule_is_named() {
        let events = [event(1, 0)];
        let available: ItemSet = [ItemIdx(0), ItemIdx(2)].into_iter().collect();
        let excluded = [ItemIdx(1), ItemIdx(2)];
        let filter = RequestFilter::new(
            History::new(&events),
            &SeenEvents::All,
            excluded,
            Some(&available),
        );
        let list = [3, 2, 1, 0].map(|item| ScoredItem::new(ItemIdx(item), Score::ZERO));
        let filtered = filter.partition(&list);
        assert_eq!(filtered.kept, [list[3]]);
        assert_eq!(
            filtered.removed,
            [
                (ItemIdx(3), Rule::Unavailable),
                (ItemIdx(2), Rule::Excluded),
                (ItemIdx(1), Rule::Seen)
            ]
        );
    }

    proptest! {
        #[test]
        fn partition_loses_nothing_and_agrees_with_the_search_filter(
            list in proptest::collection::vec(0..40u32, 0..30),
            seen in proptest::collection::vec(0..40u32, 0..10),
            excluded in proptest::collection::vec(0..40u32, 0..10),
            available in proptest::option::of(proptest::collection::vec(0..40u32, 0..40)),
        ) {
            let events: Vec<Event> = seen.into_iter().map(|item| event(item, 0)).collect();
            let available = available.map(|items| items.into_iter().map(ItemIdx).collect::<ItemSet>());
            let excluded = excluded.into_iter().map(ItemIdx);
            let filter =
                RequestFilter::new(History::new(&events), &SeenEvents::All, excluded, available.as_ref());
            let list: Vec<_> = list.into_iter().map(|i| ScoredItem::new(ItemIdx(i), Score::ZERO)).collect();
            let filtered = filter.partition(&list);

            let passing = |scored: &ScoredItem| filter.item_filter().passes(scored.item);
            let expected: Vec<_> = list.iter().copied().filter(passing).collect();
            prop_assert_eq!(&filtered.kept, &expected);
            let removed: Vec<_> = list.iter().filter(|scored| !passing(scored)).map(|s| s.item).collect();
            prop_assert_eq!(filtered.removed.iter().map(|removed| removed.0).collect::<Vec<_>>(), removed);
            let again = filter.partition(&filtered.kept);
            prop_assert_eq!(again.kept, filtered.kept);
        }
    }
}
