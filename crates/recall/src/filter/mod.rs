//! What may be returned, and for what an item was left out.

pub mod availability;
pub mod rule;

use std::borrow::Cow;

use catchment_schema::{EventKind, History, ItemFilter, ItemIdx, ItemSet, ScoredItem};

pub use availability::{Availability, AvailableAt};
pub use rule::Rule;

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
    /// What may not, each with the first [`Rule`] that forbids it.
    pub removed: Vec<(ItemIdx, Rule)>,
}

/// The rules of one request. Channels obey them inside their search as an [`ItemFilter`], which cannot
/// say why; this type can.
///
/// # Laws
/// 1. `item_filter().passes(item)` exactly when `rule(item)` is none.
/// 2. [`RequestFilter::partition`] keeps the order and loses nothing; doing it again changes nothing.
/// 3. An item is counted once, under its first [`Rule`]: the counts sum to what `item_filter()` keeps out.
#[derive(Clone, Debug)]
pub struct RequestFilter<'a> {
    seen: ItemSet,
    excluded: ItemSet,
    /// Both of them.
    denied: ItemSet,
    available: Option<&'a ItemSet>,
    at: Option<&'a AvailableAt>,
    allow: Option<&'a ItemSet>,
    /// What `available`, `at` and `allow` let pass together; none where they let everything pass.
    open: Option<Cow<'a, ItemSet>>,
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
            at: None,
            allow: None,
            open: available.map(Cow::Borrowed),
        }
    }

    /// With what the catalogue says about the moment of the request.
    #[must_use]
    pub fn at(mut self, there: &'a AvailableAt) -> Self {
        self.at = Some(there);
        self.narrow(there.open());
        self
    }

    /// With a list of what may come at all, where the request has one.
    #[must_use]
    pub fn allowing(mut self, allow: Option<&'a ItemSet>) -> Self {
        self.allow = allow;
        self.narrow(allow);
        self
    }

    fn narrow(&mut self, to: Option<&'a ItemSet>) {
        let Some(to) = to else { return };
        self.open = Some(match self.open.take() {
            None => Cow::Borrowed(to),
            Some(open) => {
                let (few, many) = if open.len() < to.len() {
                    (&*open, to)
                } else {
                    (to, &*open)
                };
                Cow::Owned(few.iter().filter(|&item| many.contains(item)).collect())
            }
        });
    }

    /// The same rules in the form that a search obeys.
    pub fn item_filter(&self) -> ItemFilter<'_> {
        ItemFilter {
            allow: self.open.as_deref(),
            ..ItemFilter::excluding(&self.denied)
        }
    }

    /// The first rule that forbids the item.
    pub fn rule(&self, item: ItemIdx) -> Option<Rule> {
        let outside = |set: Option<&ItemSet>| set.is_some_and(|set| !set.contains(item));
        let said = |set: fn(&AvailableAt) -> &ItemSet| self.at.is_some_and(|there| set(there).contains(item));
        if self.seen.contains(item) {
            Some(Rule::Seen)
        } else if self.excluded.contains(item) {
            Some(Rule::Excluded)
        } else if outside(self.available) || said(|there| &there.unavailable) {
            Some(Rule::Unavailable)
        } else if said(|there| &there.not_yet) {
            Some(Rule::NotYetPublished)
        } else if said(|there| &there.expired) {
            Some(Rule::Expired)
        } else if outside(self.allow) {
            Some(Rule::NotAllowed)
        } else {
            None
        }
    }

    /// How many items of a catalogue of `n_items` each rule keeps out, an item counted under the first that does.
    pub fn counts(&self, n_items: usize) -> Vec<(Rule, usize)> {
        let mut met = self.seen.clone();
        let mut counts = vec![
            (Rule::Seen, self.seen.len()),
            (Rule::Excluded, self.excluded.difference_len(&met)),
        ];
        met.union_with(&self.excluded);
        // What is outside of a set is counted without being listed: catalogues are large.
        let everything = ItemSet::all(n_items);
        let mut inside = self.available.cloned();
        if let Some(inside) = &mut inside {
            inside.union_with(&met);
            counts.push((Rule::Unavailable, everything.difference_len(inside)));
        }
        if let Some(there) = self.at {
            for (rule, set) in [
                (Rule::Unavailable, &there.unavailable),
                (Rule::NotYetPublished, &there.not_yet),
                (Rule::Expired, &there.expired),
            ] {
                let outside = inside.as_ref().map_or(0, |inside| set.difference_len(inside));
                counts.push((rule, set.difference_len(&met) - outside));
                met.union_with(set);
                if let Some(inside) = &mut inside {
                    inside.union_with(set);
                }
            }
        }
        if let Some(allow) = self.allow {
            let mut allowed = allow.clone();
            allowed.union_with(&met);
            let not_allowed = everything.difference_len(&allowed);
            let outside = inside.map_or(0, |inside| {
                allowed.union_with(&inside);
                everything.difference_len(&allowed)
            });
            counts.push((Rule::NotAllowed, not_allowed - outside));
        }
        counts.dedup_by(|later, first| {
            let same = later.0 == first.0;
            if same {
                first.1 += later.1;
            }
            same
        });
        counts.retain(|&(_, count)| count > 0);
        counts
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

    #[test]
    fn each_rule_is_named_in_its_order_and_no_item_is_counted_twice() {
        // Each item breaks its own rule and all later ones: 0 none, 1 all of them, 6 only the last.
        let events = [event(1, 0)];
        let available: ItemSet = [0, 4, 5, 6].map(ItemIdx).into_iter().collect();
        let late = |items: &'static [u32], time| {
            move |item: ItemIdx| Time::from(items.contains(&item.0).then_some(time))
        };
        let availability = Availability::new(
            7,
            Some(&available),
            late(&[1, 2, 3, 4], 90),
            late(&[1, 2, 3, 4, 5], 10),
        );
        let there = availability.at(Time::from_millis(50));
        let allow: ItemSet = [ItemIdx(0)].into_iter().collect();
        let filter = RequestFilter::new(History::new(&events), &SeenEvents::All, [1, 2].map(ItemIdx), None)
            .at(&there)
            .allowing(Some(&allow));
        let rules = [
            Rule::Seen,
            Rule::Excluded,
            Rule::Unavailable,
            Rule::NotYetPublished,
            Rule::Expired,
            Rule::NotAllowed,
        ];
        for (item, rule) in (1..).map(ItemIdx).zip(rules) {
            assert_eq!(filter.rule(item), Some(rule));
        }
        assert_eq!(filter.rule(ItemIdx(0)), None);
        assert_eq!(filter.counts(7), rules.map(|rule| (rule, 1)));
        let word = word_of(Rule::NotYetPublished);
        assert_eq!(word, "not_yet_published");
    }

    fn word_of(rule: Rule) -> String {
        toml::Value::try_from(rule).unwrap().as_str().unwrap().to_owned()
    }

    proptest! {
        #[test]
        fn whatever_the_rules_the_search_obeys_them_and_the_counts_sum_to_what_it_leaves_out(
            seen in proptest::collection::vec(0..40u32, 0..10),
            excluded in proptest::collection::vec(0..40u32, 0..10),
            available in proptest::option::of(proptest::collection::vec(0..40u32, 0..40)),
            allow in proptest::option::of(proptest::collection::vec(0..40u32, 0..40)),
            times in proptest::option::of(proptest::collection::vec((-1..9i64, -1..9i64), 40)),
            now in 0..9i64,
            twice in any::<bool>(),
        ) {
            let events: Vec<Event> = seen.into_iter().map(|item| event(item, 0)).collect();
            let set = |items: Vec<u32>| items.into_iter().map(ItemIdx).collect::<ItemSet>();
            let (available, allow) = (available.map(set), allow.map(set));
            let time = |millis: i64| Time::from((millis >= 0).then_some(millis));
            let of = |item: ItemIdx| times.as_ref().map_or((-1, -1), |times| times[item.index()]);
            let availability = Availability::new(
                40,
                available.as_ref().filter(|_| !twice),
                |item| time(of(item).0),
                |item| time(of(item).1),
            );
            let there = availability.at(Time::from_millis(now));
            let excluded = excluded.into_iter().map(ItemIdx);
            let plain = available.as_ref().filter(|_| twice);
            let filter = RequestFilter::new(History::new(&events), &SeenEvents::All, excluded, plain)
                .at(&there)
                .allowing(allow.as_ref());
            let mut left_out = 0;
            for item in (0..40).map(ItemIdx) {
                prop_assert_eq!(filter.rule(item).is_none(), filter.item_filter().passes(item));
                left_out += usize::from(filter.rule(item).is_some());
            }
            let counts = filter.counts(40);
            prop_assert_eq!(counts.iter().map(|(_, count)| count).sum::<usize>(), left_out);
            for &(rule, count) in &counts {
                let under = (0..40).filter(|&item| filter.rule(ItemIdx(item)) == Some(rule));
                prop_assert_eq!(under.count(), count);
            }
            prop_assert!(counts.is_sorted_by_key(|&(rule, _)| rule));
        }

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
