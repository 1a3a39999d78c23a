//! Every merge on small lists, and the laws on random ones.

use catchment_schema::{ItemIdx, Score};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::testing::merge_laws;

/// `lists`: `ials: a b c | popular: b d`, items `a` to `z`, scores falling from 1 in steps of 0.1;
/// `recipe`: the `[merge]` table. Shows each candidate as `item:channel#rank+…`, then what was cut.
fn check(recipe: &str, lists: &str, expected: &Expect) {
    let config: MergeConfig = toml::from_str(recipe).unwrap();
    let parsed: Vec<(&str, Vec<ScoredItem>)> = lists.split('|').map(parse_list).collect();
    let names: Vec<&str> = parsed.iter().map(|(name, _)| *name).collect();
    config.validate(&names).unwrap();
    let lists: Vec<ChannelList<'_>> = (0..)
        .zip(&parsed)
        .map(|(channel, (name, items))| ChannelList { channel, name, items })
        .collect();
    merge_laws(&|lists: &[ChannelList<'_>]| merge(lists, &config), &lists);

    let merged = merge(&lists, &config);
    let mut shown: Vec<String> = merged
        .candidates
        .iter()
        .map(|candidate| show(candidate, &names))
        .collect();
    if !merged.report.cut.is_empty() {
        shown.push("cut".to_owned());
        shown.extend(merged.report.cut.iter().map(|&item| letter(item)));
    }
    expected.assert_eq(&shown.join(" "));
}

fn parse_list(text: &str) -> (&str, Vec<ScoredItem>) {
    let (name, items) = text.split_once(':').unwrap();
    let items = items.split_whitespace().zip(0u8..).map(|(letter, place)| {
        let item = ItemIdx(u32::from(letter.as_bytes()[0] - b'a'));
        ScoredItem::new(item, Score::clamped(1.0 - f32::from(place) / 10.0))
    });
    (name.trim(), items.collect())
}

fn letter(item: ItemIdx) -> String {
    char::from_u32(u32::from('a') + item.0).unwrap().to_string()
}

fn show(candidate: &Candidate, names: &[&str]) -> String {
    let sources = candidate.sources.iter();
    let sources = sources.map(|source| format!("{}#{}", names[usize::from(source.channel)], source.rank));
    format!(
        "{}:{}",
        letter(candidate.item),
        sources.collect::<Vec<_>>().join("+")
    )
}

#[test]
fn rrf_puts_what_several_channels_found_first() {
    check(
        "kind = 'rrf'",
        "u1: a b c | popular: b d",
        &expect!["b:u1#2+popular#1 a:u1#1 d:popular#2 c:u1#3"],
    );
}

#[test]
fn rrf_breaks_ties_by_item_when_the_best_ranks_are_equal() {
    check(
        "kind = 'rrf'",
        "x: d | y: b | z: c",
        &expect!["b:y#1 c:z#1 d:x#1"],
    );
    check("kind = 'rrf'", "x: d b | y: b d", &expect!["b:x#2+y#1 d:x#1+y#2"]);
}

#[test]
fn rrf_breaks_ties_of_the_score_by_the_best_rank() {
    // 1/(1+1) = 1/(1+3) + 1/(1+3): c and a are worth the same, but only c was ever first.
    check(
        "kind = 'rrf'\nk = 1",
        "x: z q a | y: z q a | w: c",
        &expect!["z:x#1+y#1 q:x#2+y#2 c:w#1 a:x#3+y#3"],
    );
}

#[test]
fn rrf_weights_are_votes() {
    check(
        "kind = 'rrf'\nweights = { popular = 0 }",
        "u1: a b | popular: b d",
        &expect!["a:u1#1 b:u1#2+popular#1 d:popular#2"],
    );
    check(
        "kind = 'rrf'\nweights = { popular = 3 }",
        "u1: a b | popular: c d",
        &expect!["c:popular#1 d:popular#2 a:u1#1 b:u1#2"],
    );
}

#[test]
fn rrf_names_what_it_cuts() {
    check(
        "kind = 'rrf'\nlimit = 2",
        "x: a b c | y: d b",
        &expect!["b:x#2+y#2 a:x#1 cut c d"],
    );
}

#[test]
fn an_item_that_a_list_repeats_counts_at_its_first_place() {
    check("kind = 'rrf'", "x: a b a | y: b", &expect!["b:x#2+y#1 a:x#1"]);
    check(
        "kind = 'quota'\nquotas = { x = 2, y = 1 }",
        "x: a a b c | y: b d",
        &expect!["a:x#1 b:x#3+y#1 d:y#2 cut c"],
    );
}

#[test]
fn nothing_comes_of_nothing() {
    check("kind = 'rrf'", "x: | y:", &expect![""]);
    check("kind = 'quota'", "x: | y:", &expect![""]);
    assert_eq!(merge(&[], &MergeConfig::default()), Merged::default());
}

#[test]
fn quotas_are_filled_in_the_order_of_the_recipe() {
    check(
        "kind = 'quota'\nquotas = { x = 2, y = 2 }",
        "x: a b c | y: d e f",
        &expect!["a:x#1 b:x#2 d:y#1 e:y#2 cut c f"],
    );
}

#[test]
fn an_item_found_twice_takes_a_seat_of_the_first_and_the_second_reaches_further() {
    check(
        "kind = 'quota'\nquotas = { x = 2, y = 2 }",
        "x: a b | y: b c d e",
        &expect!["a:x#1 b:x#2+y#1 c:y#2 d:y#3 cut e"],
    );
}

#[test]
fn empty_seats_go_to_the_others_in_turn() {
    check(
        "kind = 'quota'\nquotas = { x = 4, y = 1, z = 1 }",
        "x: a | y: d e f | z: g h i",
        &expect!["a:x#1 d:y#1 g:z#1 e:y#2 h:z#2 f:y#3 cut i"],
    );
    check(
        "kind = 'quota'\nquotas = { x = 3, y = 1 }",
        "x: | y: d e f g h",
        &expect!["d:y#1 e:y#2 f:y#3 g:y#4 cut h"],
    );
}

#[test]
fn channels_without_a_quota_share_what_is_left_of_the_limit() {
    check(
        "kind = 'quota'\nquotas = { y = 1 }\nlimit = 4",
        "x: a b c d | y: e f | z: g h i",
        &expect!["a:x#1 b:x#2 e:y#1 g:z#1 cut c d f h i"],
    );
}

#[test]
fn a_quota_of_zero_only_fills_seats_that_others_leave() {
    check(
        "kind = 'quota'\nquotas = { x = 3, y = 0 }",
        "x: a b | y: b c d",
        &expect!["a:x#1 b:x#2+y#1 c:y#2 cut d"],
    );
}

#[test]
fn the_snake_turns_at_both_ends_and_passes_over_who_has_nothing_left() {
    check(
        "kind = 'snake'",
        "x: a b c | y: d e f | z: g h i",
        &expect!["a:x#1 d:y#1 g:z#1 h:z#2 e:y#2 b:x#2 c:x#3 f:y#3 i:z#3"],
    );
    check(
        "kind = 'snake'\nlimit = 5",
        "x: a b c d | y: b | z: ",
        &expect!["a:x#1 b:x#2+y#1 c:x#3 d:x#4"],
    );
}

#[test]
fn an_item_found_twice_takes_the_turn_of_the_one_who_had_it() {
    check(
        "kind = 'snake'\nlimit = 4",
        "x: a b c | y: a d e",
        &expect!["a:x#1+y#1 d:y#2 e:y#3 b:x#2 cut c"],
    );
}

#[test]
fn priority_goes_by_its_order_and_then_by_the_recipe() {
    check(
        "kind = 'priority'\nlimit = 5",
        "x: a b | y: b c d | z: e f",
        &expect!["a:x#1 b:x#2+y#1 c:y#2 d:y#3 e:z#1 cut f"],
    );
    check(
        "kind = 'priority'\norder = ['z']",
        "x: a b | y: b c | z: e f",
        &expect!["e:z#1 f:z#2 a:x#1 b:x#2+y#1 c:y#2"],
    );
}

#[test]
fn weights_are_applied_to_scores_that_were_made_comparable() {
    // Scores are 1, .9, .8: 1, ½, 0 by min-max.
    check(
        "kind = 'weighted'",
        "x: a b c | y: c d e",
        &expect!["a:x#1 c:x#3+y#1 b:x#2 d:y#2 e:y#3"],
    );
    check(
        "kind = 'weighted'\nweights = { y = 0.4 }",
        "x: a b c | y: c d e",
        &expect!["a:x#1 b:x#2 c:x#3+y#1 d:y#2 e:y#3"],
    );
    check(
        "kind = 'weighted'\nnormalise = 'rank'",
        "x: a b c | y: c d e",
        &expect!["c:x#3+y#1 a:x#1 b:x#2 d:y#2 e:y#3"],
    );
}

fn some_lists() -> impl Strategy<Value = Vec<Vec<ScoredItem>>> {
    let item = (0..25u32, -3..3i8);
    let scored = item.prop_map(|(item, score)| ScoredItem::new(ItemIdx(item), Score::clamped(score.into())));
    proptest::collection::vec(proptest::collection::vec(scored, 0..15), 0..7)
}

const NAMES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

fn channel_lists<'a>(lists: &'a [Vec<ScoredItem>], numbers: &[u16]) -> Vec<ChannelList<'a>> {
    let named = lists.iter().zip(NAMES).zip(numbers);
    named
        .map(|((items, name), &channel)| ChannelList { channel, name, items })
        .collect()
}

fn best_rank(candidate: &Candidate) -> Option<u32> {
    candidate.sources.iter().map(|source| source.rank).min()
}

fn distinct(items: &[ScoredItem]) -> usize {
    items
        .iter()
        .map(|scored| scored.item)
        .collect::<catchment_schema::ItemSet>()
        .len()
}

proptest! {
    #[test]
    fn rrf_and_weighted_keep_their_laws_however_channels_are_numbered(
        lists in some_lists(),
        numbers in Just((0..7).collect::<Vec<u16>>()).prop_shuffle(),
        weights in proptest::collection::vec(0.0..3.0f32, 7),
        k in 0.5..100.0f32,
        limit in 1..60usize,
        normalise in proptest::option::of(proptest::sample::select(&[
            Normalise::MinMax, Normalise::ZScore, Normalise::Rank,
        ][..])),
    ) {
        let weights = NAMES.iter().map(|name| (*name).to_owned()).zip(weights).collect();
        let config = match normalise {
            None => MergeConfig::Rrf(RrfConfig { k, weights, limit }),
            Some(normalise) => MergeConfig::Weighted(WeightedConfig { normalise, weights, limit }),
        };
        let in_order = channel_lists(&lists, &[0, 1, 2, 3, 4, 5, 6]);
        merge_laws(&|lists: &[ChannelList<'_>]| merge(lists, &config), &in_order);

        let merged = merge(&in_order, &config);
        prop_assert_eq!(merged.candidates.len(), limit.min(merged.report.distinct));
        let placed = |a: &Candidate, b: &Candidate| {
            (std::cmp::Reverse(a.score), best_rank(a), a.item) < (std::cmp::Reverse(b.score), best_rank(b), b.item)
        };
        prop_assert!(merged.candidates.is_sorted_by(placed));

        let mut renumbered = merge(&channel_lists(&lists, &numbers), &config);
        for candidate in &mut renumbered.candidates {
            for source in &mut candidate.sources {
                let was = numbers.iter().position(|&number| number == source.channel).unwrap();
                source.channel = u16::try_from(was).unwrap();
            }
            candidate.sources.sort_by_key(|source| source.channel);
        }
        prop_assert_eq!(renumbered.candidates, merged.candidates);
        prop_assert_eq!(renumbered.report.cut, merged.report.cut);
    }

    #[test]
    fn snake_and_priority_keep_their_laws(
        lists in some_lists(),
        first in proptest::option::of(0..7usize),
        limit in 1..60usize,
    ) {
        let channels = channel_lists(&lists, &[0, 1, 2, 3, 4, 5, 6]);
        let snake = MergeConfig::Snake(SnakeConfig { limit });
        merge_laws(&|lists: &[ChannelList<'_>]| merge(lists, &snake), &channels);
        let merged = merge(&channels, &snake);
        prop_assert_eq!(merged.candidates.len(), limit.min(merged.report.distinct));

        let order: Vec<String> = first.iter().map(|&first| NAMES[first].to_owned()).collect();
        let priority = MergeConfig::Priority(PriorityConfig { order, limit });
        merge_laws(&|lists: &[ChannelList<'_>]| merge(lists, &priority), &channels);
        let merged = merge(&channels, &priority);
        prop_assert_eq!(merged.candidates.len(), limit.min(merged.report.distinct));
        let importance = |candidate: &Candidate| {
            let of = |source: &Source| {
                let channel = usize::from(source.channel);
                (Some(channel) != first, channel, source.rank)
            };
            candidate.sources.iter().map(of).min()
        };
        prop_assert!(merged.candidates.is_sorted_by_key(importance));
    }

    #[test]
    fn quota_keeps_its_laws_and_its_promises(
        lists in some_lists(),
        quotas in proptest::collection::vec(proptest::option::of(0..9usize), 7),
        spare in 0..20usize,
    ) {
        let named = NAMES.iter().zip(&quotas).take(lists.len());
        let quotas: std::collections::BTreeMap<String, usize> =
            named.filter_map(|(name, quota)| Some(((*name).to_owned(), (*quota)?))).collect();
        let promised: usize = quotas.values().sum();
        let limit = (promised + spare).max(1);
        let all_named = quotas.len() == lists.len();
        let config = MergeConfig::Quota(QuotaConfig { quotas: quotas.clone(), limit });
        config.validate(&NAMES).unwrap();
        let channels = channel_lists(&lists, &[0, 1, 2, 3, 4, 5, 6]);
        merge_laws(&|lists: &[ChannelList<'_>]| merge(lists, &config), &channels);

        let merged = merge(&channels, &config);
        let seats = if all_named { promised } else { limit };
        if !lists.is_empty() {
            prop_assert_eq!(merged.candidates.len(), seats.min(merged.report.distinct));
        }
        for (list, report) in channels.iter().zip(&merged.report.lists) {
            if let Some(&quota) = quotas.get(list.name) {
                prop_assert!(report.kept >= quota.min(distinct(list.items)), "channel {}", list.name);
            }
        }
    }
}
