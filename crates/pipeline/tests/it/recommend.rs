//! Laws of a request.

use std::collections::BTreeSet;

use catchment_pipeline::{Answer, Error, Pipeline, Request, Scratch, Stages, UserState};
use catchment_recall::testing::{FakeDeadline, FakeStopwatch};
use catchment_recall::{Cause, Rule};
use catchment_schema::{History, ItemIdx, ItemSet};
use proptest::prelude::*;

use crate::tiny::{pipeline, state};

const NOBODY: UserState<'static> = UserState {
    user: None,
    history: History::EMPTY,
};

fn items(answer: &Answer) -> Vec<ItemIdx> {
    answer.items.iter().map(|candidate| candidate.item).collect()
}

fn ask(request: &Request<'_>, user: &UserState<'_>) -> Answer {
    pipeline()
        .recommend(request, user, &mut Scratch::default())
        .expect("answered")
}

fn now(n: usize) -> Request<'static> {
    Request::new(n, pipeline().catalogue().now())
}

fn n_users() -> usize {
    pipeline().catalogue().users().len()
}

#[test]
fn an_answer_is_the_same_in_any_thread_and_wherever_its_channels_run() {
    let plain: Vec<Answer> = (0..n_users())
        .map(|user| ask(&now(20), &state(pipeline(), user)))
        .collect();
    for n_threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n_threads)
            .build()
            .expect("a pool");
        // Every look at this stopwatch costs so much that all channels count as dear and run side by side.
        let stopwatch = FakeStopwatch::stepping(10_000);
        let mut scratch = Scratch::default();
        for round in 0..3 {
            for (user, expected) in plain.iter().enumerate() {
                let request = Request {
                    stopwatch: &stopwatch,
                    ..now(20)
                };
                let answer = pool.install(|| {
                    pipeline()
                        .recommend(&request, &state(pipeline(), user), &mut scratch)
                        .expect("answered")
                });
                assert_eq!(
                    answer.items, expected.items,
                    "user {user}, {n_threads} threads, round {round}"
                );
            }
        }
    }
}

#[test]
fn two_bundles_of_the_same_settings_are_the_same_bytes() {
    let again = tempfile::tempdir().expect("temporary folder");
    let tiny = catchment_pipeline::testing::TinyBundle::default();
    let version = tiny.publish(again.path()).expect("published");
    assert_eq!(version, crate::tiny::bundle().version());
    let again = catchment_bundle::Bundle::open_current(again.path()).expect("verified");
    assert_eq!(again.manifest(), crate::tiny::bundle().manifest());
}

#[test]
fn nobody_gets_what_is_popular() {
    let answer = ask(&now(10), &NOBODY);
    assert_eq!(answer.items.len(), 10);
    assert_eq!(answer.trace.fallback, 0);
    for candidate in &answer.items {
        let names: Vec<_> = candidate
            .sources
            .iter()
            .map(|source| pipeline().channel_name(source.channel))
            .collect();
        assert_eq!(names, [Some("popular")]);
    }
    let missing: Vec<_> = answer
        .trace
        .channels
        .iter()
        .map(|report| report.missing.clone())
        .collect();
    assert_eq!(
        missing,
        [None, Some(Cause::NothingToGoOn), Some(Cause::NothingToGoOn)]
    );
}

#[test]
fn every_source_is_what_the_channel_says_by_itself_and_none_is_forgotten() {
    let mut scratch = Scratch::default();
    for user in 0..n_users() {
        let user = state(pipeline(), user);
        let request = Request {
            stages: Stages::Merged,
            ..now(usize::MAX)
        };
        let answer = ask(&request, &user);
        let lists: Vec<_> = pipeline()
            .spec()
            .channels
            .iter()
            .map(|channel| {
                let request = now(channel.k);
                pipeline()
                    .recall_channel(&channel.name, &request, &user, &mut scratch)
                    .expect("recalled")
            })
            .collect();
        let mut told = 0;
        for candidate in &answer.items {
            assert!(!candidate.sources.is_empty());
            for source in &candidate.sources {
                let said = lists[usize::from(source.channel)][source.rank as usize - 1];
                assert_eq!((said.item, said.score), (candidate.item, source.score));
                told += 1;
            }
        }
        assert_eq!(told, lists.iter().map(Vec::len).sum::<usize>());
    }
}

#[test]
fn the_ranker_decides_the_order_and_loses_nothing() {
    let user = state(pipeline(), 3);
    let full = ask(&now(usize::MAX), &user);
    let merged = ask(
        &Request {
            stages: Stages::Merged,
            ..now(usize::MAX)
        },
        &user,
    );
    assert!(full.trace.ranked && !merged.trace.ranked);
    assert_ne!(items(&full), items(&merged));
    let set = |answer: &Answer| items(answer).into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(&full), set(&merged));
    assert!(
        full.items
            .is_sorted_by_key(|candidate| std::cmp::Reverse(candidate.score))
    );
    assert!(
        full.items
            .iter()
            .all(|candidate| (0.0..=1.0).contains(&candidate.score.get()))
    );
    // The first n of a long answer are the short answer.
    assert_eq!(ask(&now(5), &user).items, full.items[..5]);
    let candidates = pipeline()
        .candidates(&now(0), &user, &mut Scratch::default())
        .expect("candidates");
    assert_eq!(candidates, merged.items);
}

#[test]
fn channels_can_be_chosen_and_an_unknown_one_is_named() {
    let chosen = ["ials".to_owned()];
    let answer = ask(
        &Request {
            channels: Some(&chosen),
            ..now(5)
        },
        &state(pipeline(), 0),
    );
    assert!(
        answer
            .items
            .iter()
            .all(|candidate| candidate.sources.iter().all(|source| source.channel == 2))
    );
    assert_eq!(answer.trace.channels.len(), 1);
    let wrong = ["dssm".to_owned()];
    let request = Request {
        channels: Some(&wrong),
        ..now(5)
    };
    let error = pipeline()
        .recommend(&request, &NOBODY, &mut Scratch::default())
        .expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "there is no channel `dssm`; there are: popular, item_cf, ials"
    );
    let error = pipeline().recall_channel("dssm", &now(5), &NOBODY, &mut Scratch::default());
    assert!(matches!(error, Err(Error::UnknownChannel { .. })));
}

#[test]
fn without_time_the_most_frequent_items_that_may_be_shown_come() {
    let user = state(pipeline(), 1);
    let deadline = FakeDeadline::expired();
    let answer = ask(
        &Request {
            deadline: &deadline,
            ..now(6)
        },
        &user,
    );
    assert_eq!((answer.items.len(), answer.trace.fallback), (6, 6));
    assert!(
        answer
            .trace
            .channels
            .iter()
            .all(|report| report.missing == Some(Cause::Deadline))
    );
    // The vocabulary is in the order of frequency.
    assert!(items(&answer).is_sorted());
    let seen: ItemSet = user.history.events().iter().map(|event| event.item).collect();
    let first = (0..40)
        .map(ItemIdx)
        .find(|&item| !seen.contains(item) && item != unavailable());
    assert_eq!(items(&answer).first().copied(), first);
}

#[test]
fn a_channel_that_nobody_asked_for_does_not_make_an_answer_degraded_or_filled_up() {
    let chosen = ["popular".to_owned()];
    let answer = ask(
        &Request {
            channels: Some(&chosen),
            ..now(1000)
        },
        &NOBODY,
    );
    assert_eq!((answer.items.len(), answer.trace.fallback), (20, 0));
}

/// The one item of the tiny world that cannot be had.
fn unavailable() -> ItemIdx {
    pipeline().catalogue().items().item("101").expect("known")
}

#[test]
fn what_each_rule_kept_out_is_counted() {
    let user = state(pipeline(), 0);
    let n_seen = user.history.events().len();
    let exclude: Vec<ItemIdx> = items(&ask(&now(2), &user));
    let answer = ask(
        &Request {
            exclude: &exclude,
            ..now(2)
        },
        &user,
    );
    let seen_unavailable = user
        .history
        .events()
        .iter()
        .any(|event| event.item == unavailable());
    let mut expected = vec![(Rule::Seen, n_seen), (Rule::Excluded, 2)];
    expected.extend((!seen_unavailable).then_some((Rule::Unavailable, 1)));
    assert_eq!(answer.trace.removed, expected);
}

#[derive(Debug)]
struct Wish {
    user: Option<usize>,
    n: usize,
    exclude: Vec<u32>,
    allow: Option<Vec<u32>>,
    exclude_seen: Option<bool>,
    merged: bool,
    looks: usize,
}

fn wish() -> impl Strategy<Value = Wish> {
    let item = || 0..50u32;
    (
        proptest::option::of(0..48usize),
        0..60usize,
        proptest::collection::vec(item(), 0..30),
        proptest::option::of(proptest::collection::vec(item(), 0..30)),
        proptest::option::of(any::<bool>()),
        any::<bool>(),
        prop_oneof![Just(usize::MAX), 0..8usize],
    )
        .prop_map(|(user, n, exclude, allow, exclude_seen, merged, looks)| Wish {
            user,
            n,
            exclude,
            allow,
            exclude_seen,
            merged,
            looks,
        })
}

fn check(pipeline: &Pipeline, wish: &Wish) -> Result<(), TestCaseError> {
    let user = wish.user.map_or(NOBODY, |user| state(pipeline, user));
    let exclude: Vec<ItemIdx> = wish.exclude.iter().copied().map(ItemIdx).collect();
    let allow: Option<ItemSet> = wish
        .allow
        .as_ref()
        .map(|items| items.iter().copied().map(ItemIdx).collect());
    let deadline = FakeDeadline::after(wish.looks);
    let request = Request {
        exclude: &exclude,
        allow: allow.as_ref(),
        exclude_seen: wish.exclude_seen,
        deadline: &deadline,
        stages: if wish.merged { Stages::Merged } else { Stages::Full },
        ..now(wish.n)
    };
    let answer = ask(&request, &user);
    let n_items = pipeline.catalogue().items().len();
    let seen: ItemSet = user.history.events().iter().map(|event| event.item).collect();
    let passes = |item: ItemIdx| {
        !exclude.contains(&item)
            && item != unavailable()
            && allow.as_ref().is_none_or(|allow| allow.contains(item))
            && (wish.exclude_seen == Some(false) || !seen.contains(item))
    };
    let found = items(&answer);
    prop_assert!(found.len() <= wish.n);
    prop_assert!(
        found.iter().all(|&item| item.index() < n_items && passes(item)),
        "{:?}",
        found
    );
    let distinct: BTreeSet<_> = found.iter().collect();
    prop_assert_eq!(distinct.len(), found.len());
    let degraded = answer
        .trace
        .channels
        .iter()
        .any(catchment_recall::ChannelReport::is_degraded);
    if degraded || found.is_empty() {
        let possible = (0..n_items)
            .map(ItemIdx::from_index)
            .filter(|&item| passes(item))
            .count();
        prop_assert_eq!(found.len(), wish.n.min(possible));
    } else {
        prop_assert_eq!(answer.trace.fallback, 0);
    }
    let from_nowhere = answer
        .items
        .iter()
        .filter(|candidate| candidate.sources.is_empty())
        .count();
    prop_assert_eq!(from_nowhere, answer.trace.fallback);
    Ok(())
}

proptest! {
    #[test]
    fn nothing_comes_that_must_not_and_a_degraded_answer_is_filled_up(wish in wish()) {
        check(pipeline(), &wish)?;
    }
}
