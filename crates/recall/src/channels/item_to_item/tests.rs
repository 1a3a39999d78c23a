//! Item-to-item recall on a table small enough to add up by hand, and against a sort of everything.

use catchment_schema::{Event, History, ItemFilter, Score, Time};
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::testing::{FakeDeadline, channel_laws, query};

fn table(rows: &[&[(u32, f32)]]) -> NeighbourTable {
    NeighbourTable::from_lists(rows.iter().map(|row| {
        row.iter()
            .map(|&(item, score)| ScoredItem::new(ItemIdx(item), Score::clamped(score)))
            .collect()
    }))
}

fn history(items: &[u32]) -> Vec<Event> {
    items
        .iter()
        .map(|&item| Event::new(ItemIdx(item), Time::UNKNOWN))
        .collect()
}

fn shown(answer: &Result<Recalled, ChannelError>) -> String {
    let Ok(recalled) = answer else {
        return format!("{answer:?}");
    };
    let items = recalled
        .items
        .iter()
        .map(|scored| format!("{}({}) ", scored.item.0, scored.score.get()));
    let items: String = items.collect();
    format!(
        "{}{}",
        items.trim_end(),
        if recalled.cut_short { " cut short" } else { "" }
    )
}

/// Items 0 to 5; 5 has no neighbours and is nobody's.
fn check(config: ItemToItemConfig, bias: Option<&[f32]>, asked: &RecallQuery<'_>, expected: &Expect) {
    let rows: &[&[(u32, f32)]] = &[
        &[(1, 0.5), (2, 0.25)],
        &[(0, 0.5), (3, 0.75)],
        &[(3, 0.25), (4, -0.5)],
        &[],
        &[(2, 1.0)],
        &[],
    ];
    let channel = ItemToItemChannel::new("item_cf", table(rows), bias.map(<[f32]>::to_vec), config).unwrap();
    channel_laws(&channel, &[*asked]);
    expected.assert_eq(&shown(&channel.recall(asked, 4, &mut ChannelScratch::default())));
}

#[test]
fn distinct_items_of_the_history_add_up() {
    let events = history(&[0, 1, 1, 0]);
    let asked = RecallQuery {
        history: History::new(&events),
        ..query()
    };
    check(
        ItemToItemConfig::default(),
        None,
        &asked,
        &expect!["3(0.75) 0(0.5) 1(0.5) 2(0.25)"],
    );
}

#[test]
fn the_seeds_with_the_largest_terms_are_the_reasons() {
    let rows: &[&[(u32, f32)]] = &[&[(3, 0.5), (4, -1.0)], &[(3, 0.5)], &[(3, 0.75), (2, 1.0)]];
    let config = ItemToItemConfig {
        recent_items: 0,
        half_life: Some(1.0),
    };
    let channel = ItemToItemChannel::new("item_cf", table(rows), None, config).unwrap();
    let events = history(&[0, 1, 2]);
    let asked = RecallQuery {
        history: History::new(&events),
        ..query()
    };
    // The newest weighs 1, the ones before it a half and a quarter; an item does not speak for itself, nor against one.
    let reasons = channel.because(&asked, &[3, 4, 2].map(ItemIdx));
    assert_eq!(reasons, [[2, 1, 0].map(ItemIdx).to_vec(), vec![], vec![]]);
}

#[test]
fn only_the_recent_items_are_seeds_and_repeats_do_not_count() {
    let events = history(&[1, 0, 2, 2, 2]);
    let asked = RecallQuery {
        history: History::new(&events),
        ..query()
    };
    let config = ItemToItemConfig {
        recent_items: 2,
        half_life: None,
    };
    check(config, None, &asked, &expect!["1(0.5) 2(0.25) 3(0.25) 4(-0.5)"]);
}

#[test]
fn a_seed_one_half_life_back_weighs_half() {
    let events = history(&[0, 1]);
    let asked = RecallQuery {
        history: History::new(&events),
        ..query()
    };
    let config = ItemToItemConfig {
        recent_items: 0,
        half_life: Some(1.0),
    };
    check(config, None, &asked, &expect!["3(0.75) 0(0.5) 1(0.25) 2(0.125)"]);
}

#[test]
fn seeds_of_the_query_replace_the_history_and_weigh_the_same() {
    let events = history(&[0]);
    let asked = RecallQuery {
        history: History::new(&events),
        seeds: &[ItemIdx(4), ItemIdx(1)],
        ..query()
    };
    let config = ItemToItemConfig {
        recent_items: 1,
        half_life: Some(1.0),
    };
    check(config, None, &asked, &expect!["2(1) 3(0.75) 0(0.5)"]);
}

#[test]
fn items_of_the_history_stay_away_when_the_filter_says_so() {
    let events = history(&[0, 1]);
    let seen: ItemSet = [ItemIdx(0), ItemIdx(1)].into_iter().collect();
    let filter = ItemFilter::excluding(&seen);
    let asked = RecallQuery {
        history: History::new(&events),
        filter,
        ..query()
    };
    check(
        ItemToItemConfig::default(),
        None,
        &asked,
        &expect!["3(0.75) 2(0.25)"],
    );
}

#[test]
fn with_biases_untouched_items_score_their_bias() {
    let events = history(&[2]);
    let asked = RecallQuery {
        history: History::new(&events),
        ..query()
    };
    let bias = [0.0, 0.375, 0.0, 0.25, 2.0, 0.75];
    check(
        ItemToItemConfig::default(),
        Some(&bias),
        &asked,
        &expect!["4(1.5) 5(0.75) 3(0.5) 1(0.375)"],
    );
}

#[test]
fn without_seeds_or_neighbours_there_is_nothing_to_go_on() {
    check(
        ItemToItemConfig::default(),
        None,
        &query(),
        &expect!["Err(NothingToGoOn)"],
    );
    let bias = [0.0; 6];
    check(
        ItemToItemConfig::default(),
        Some(&bias),
        &query(),
        &expect!["Err(NothingToGoOn)"],
    );
    let events = history(&[5, 77]);
    let asked = RecallQuery {
        history: History::new(&events),
        ..query()
    };
    check(
        ItemToItemConfig::default(),
        None,
        &asked,
        &expect!["Err(NothingToGoOn)"],
    );
    check(
        ItemToItemConfig::default(),
        Some(&bias),
        &asked,
        &expect!["0(0) 1(0) 2(0) 3(0)"],
    );
}

#[test]
fn at_the_deadline_the_newest_seeds_have_been_heard() {
    let many: Vec<(u32, f32)> = (0..1500u16)
        .map(|item| (u32::from(item), f32::from(item)))
        .collect();
    let channel = ItemToItemChannel::new(
        "i2i",
        table(&[&[(7, 1.0)], &many]),
        None,
        ItemToItemConfig::default(),
    );
    let events = history(&[0, 1]);
    let deadline = FakeDeadline::after(1);
    let hurried = RecallQuery {
        history: History::new(&events),
        deadline: &deadline,
        ..query()
    };
    let answer = channel
        .unwrap()
        .recall(&hurried, 2, &mut ChannelScratch::default());
    expect!["1499(1499) 1498(1498) cut short"].assert_eq(&shown(&answer));
}

#[test]
fn bad_settings_are_refused_by_name() {
    let refused = |bias: Option<Vec<f32>>, half_life| {
        let config = ItemToItemConfig {
            recent_items: 0,
            half_life,
        };
        ItemToItemChannel::new("i2i", table(&[&[(2, 1.0)]]), bias, config)
            .unwrap_err()
            .to_string()
    };
    expect!["half_life of channel `i2i` = 0 is out of range: 0.001 to 1000000, or left out"]
        .assert_eq(&refused(None, Some(0.0)));
    expect!["channel `i2i`: 1 biases for a table of 3 items"].assert_eq(&refused(Some(vec![0.0]), None));
    expect!["channel `i2i`: the bias of item 1 is inf, not finite"]
        .assert_eq(&refused(Some(vec![0.0, f32::INFINITY, 0.0]), None));
}

proptest! {
    #[test]
    fn the_answer_equals_a_sort_of_the_whole_catalogue(
        rows in proptest::collection::vec(proptest::collection::btree_map(0..30u32, -4..5i8, 0..8), 30),
        bias in proptest::option::of(proptest::collection::vec(-4..5i8, 30)),
        seeds in proptest::collection::btree_set(0..30u32, 1..6),
        deny in proptest::collection::vec(0..30u32, 0..20),
        k in 0..35usize,
    ) {
        let rows: Vec<Vec<(u32, f32)>> = rows
            .into_iter()
            .map(|row| row.into_iter().map(|(item, score)| (item, f32::from(score))).collect())
            .collect();
        let bias: Option<Vec<f32>> = bias.map(|bias| bias.into_iter().map(f32::from).collect());
        let deny: ItemSet = deny.into_iter().map(ItemIdx).collect();
        let events = history(&seeds.iter().copied().collect::<Vec<_>>());

        let mut everything = Vec::new();
        for item in (0..30).filter(|&item| !deny.contains(ItemIdx(item))) {
            let of_seed = |&seed: &u32| rows[seed as usize].iter().find(|found| found.0 == item);
            let terms: Vec<f32> = seeds.iter().filter_map(of_seed).map(|found| found.1).collect();
            if bias.is_some() || !terms.is_empty() {
                let offset = bias.as_ref().map_or(0.0, |bias| bias[item as usize]);
                let score = Score::clamped(terms.iter().sum::<f32>() + offset);
                everything.push(ScoredItem::new(ItemIdx(item), score));
            }
        }
        everything.sort();
        everything.truncate(k);

        let borrowed: Vec<&[(u32, f32)]> = rows.iter().map(Vec::as_slice).collect();
        let config = ItemToItemConfig::default();
        let channel = ItemToItemChannel::new("i2i", table(&borrowed), bias, config).unwrap();
        let filter = ItemFilter::excluding(&deny);
        let asked = RecallQuery { history: History::new(&events), filter, ..query() };
        channel_laws(&channel, &[asked]);
        match channel.recall(&asked, k, &mut ChannelScratch::default()) {
            Ok(recalled) => prop_assert_eq!(recalled.items, everything),
            Err(error) => {
                prop_assert_eq!(error, ChannelError::NothingToGoOn);
                prop_assert!(everything.is_empty());
            }
        }
    }
}
