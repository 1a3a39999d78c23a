use catchment_evaluation::testing::recommends_laws;
use catchment_evaluation::{Error, EvaluateConfig, FullCorpus, GroundTruth, Recommends, TopKLists, evaluate};
use catchment_schema::{Event, Histories, ItemIdx, Score, ScoredItem, Time, UserIdx};
use proptest::prelude::*;

fn histories(pairs: &[(u32, u32)], n_users: usize) -> Histories {
    let users: Vec<_> = pairs.iter().map(|&(user, _)| UserIdx(user)).collect();
    let events: Vec<_> = pairs
        .iter()
        .map(|&(_, item)| Event::new(ItemIdx(item), Time::UNKNOWN))
        .collect();
    Histories::group(n_users, &users, &events)
}

/// All items that the user has not seen, by a sort of everything.
fn full_sort(scores: &[f32], seen: impl Fn(u32) -> bool, k: usize) -> Vec<ScoredItem> {
    let mut all: Vec<_> = (0..)
        .zip(scores)
        .filter(|&(item, _)| !seen(item))
        .map(|(item, &score)| ScoredItem::new(ItemIdx(item), Score::clamped(score)))
        .collect();
    all.sort();
    all.truncate(k);
    all
}

proptest! {
    #[test]
    fn it_equals_a_full_sort_of_what_was_not_seen(
        n_items in 1usize..80,
        cells in proptest::collection::vec(
            prop_oneof![Just(f32::NEG_INFINITY), -3.0f32..3.0, (0i8..4).prop_map(f32::from)],
            5 * 80,
        ),
        seen in proptest::collection::vec((0u32..5, 0u32..80), 0..150),
        k in 0usize..90,
    ) {
        let row = |user: UserIdx| &cells[user.index() * n_items..][..n_items];
        let scorer = |user: UserIdx, scores: &mut [f32]| {
            scores.copy_from_slice(row(user));
            Ok(())
        };
        let histories = histories(&seen, 5);
        let users: Vec<_> = (0..5).map(UserIdx).collect();
        let mut lists = TopKLists::default();
        let all = FullCorpus::new(n_items, scorer);
        all.top_k(&users, k, &mut lists).expect("lists");
        for &user in &users {
            prop_assert_eq!(lists.list(user.index()), full_sort(row(user), |_| false, k));
        }
        let unseen = all.excluding_seen(&histories);
        unseen.top_k(&users, k, &mut lists).expect("lists");
        for &user in &users {
            let expected = full_sort(row(user), |item| seen.contains(&(user.0, item)), k);
            prop_assert_eq!(lists.list(user.index()), expected);
        }
    }
}

#[test]
fn it_obeys_the_laws_of_lists_for_cold_users_too() {
    let scorer = |user: UserIdx, scores: &mut [f32]| {
        for (item, score) in (0u32..).zip(scores) {
            *score += ((user.0 + 3) * (item + 5) % 11) as f32;
        }
        Ok(())
    };
    let histories = histories(&[(0, 4), (1, 7)], 2);
    let lists = FullCorpus::new(30, scorer).excluding_seen(&histories);
    recommends_laws(&lists, &[UserIdx(1), UserIdx(0), UserIdx(900)], 12);
}

#[test]
fn a_scorer_that_fails_or_gives_nan_is_an_error_that_says_for_whom() {
    let truth = GroundTruth::from_pairs([(UserIdx(3), ItemIdx(0))], 4, 2);
    let judged = |lists: &dyn Recommends| {
        let error = evaluate(lists, &truth, &EvaluateConfig::default(), "test").expect_err("no lists");
        assert!(matches!(error, Error::Lists(_)), "{error:?}");
        error.to_string()
    };
    let failing = FullCorpus::new(2, |_, _: &mut [f32]| Err("no such tower".to_owned()));
    assert_eq!(judged(&failing), "the lists cannot be had: no such tower");
    let nan = FullCorpus::new(2, |_, scores: &mut [f32]| {
        scores[1] = f32::NAN;
        Ok(())
    });
    assert_eq!(
        judged(&nan),
        "the lists cannot be had: the score of item 1 for user 3 is NaN"
    );
}
