use catchment_evaluation::testing::recommends_laws;
use catchment_evaluation::{
    Error, EvaluateConfig, FullCorpus, GroundTruth, Recommends, SeenItems, TopKLists, VectorLists, evaluate,
};
use catchment_schema::{Event, Histories, ItemIdx, Metric, Time, UserIdx};
use proptest::prelude::*;

const DIM: usize = 3;

proptest! {
    #[test]
    fn they_equal_a_row_of_scores_for_each_user_with_seen_items_masked(
        // Small whole numbers: sums are exact in any order, and there are ties.
        users in proptest::collection::vec((-3i8..4).prop_map(f32::from), 5 * DIM),
        items in proptest::collection::vec((-3i8..4).prop_map(f32::from), 40 * DIM),
        pairs in proptest::collection::vec((0u32..5, 0u32..40), 0..80),
        k in 0usize..45,
    ) {
        let seen_by: Vec<UserIdx> = pairs.iter().map(|pair| UserIdx(pair.0)).collect();
        let events: Vec<Event> = pairs.iter().map(|pair| Event::new(ItemIdx(pair.1), Time::UNKNOWN)).collect();
        let histories = Histories::group(5, &seen_by, &events);
        let seen = SeenItems::from_histories(&histories);
        let scorer = |user: UserIdx, scores: &mut [f32]| {
            let user = &users[user.index() * DIM..][..DIM];
            for (score, item) in scores.iter_mut().zip(items.chunks_exact(DIM)) {
                *score = user.iter().zip(item).map(|(a, b)| a * b).sum();
            }
            Ok(())
        };
        let slow = FullCorpus::new(40, scorer).excluding_seen(&histories);
        let fast = VectorLists::new(users.clone(), items.clone(), DIM, Metric::InnerProduct).expect("vectors");
        let fast = fast.excluding_seen(&seen);
        let everybody: Vec<UserIdx> = (0..5).map(UserIdx).collect();
        let (mut expected, mut found) = (TopKLists::default(), TopKLists::default());
        slow.top_k(&everybody, k, &mut expected).expect("lists");
        fast.top_k(&everybody, k, &mut found).expect("lists");
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn they_obey_the_laws_of_lists_and_strangers_have_none() {
    let vectors = |n: u16| (0..n).map(|i| f32::from(i * 7 % 11) - 5.0).collect::<Vec<f32>>();
    let lists = VectorLists::new(vectors(12), vectors(60), DIM, Metric::Cosine).expect("vectors");
    recommends_laws(&lists, &[UserIdx(3), UserIdx(0), UserIdx(90), UserIdx(1)], 12);
    let mut found = TopKLists::default();
    lists.top_k(&[UserIdx(90)], 5, &mut found).expect("lists");
    assert!(found.list(0).is_empty());
    let truth = GroundTruth::from_pairs([(UserIdx(90), ItemIdx(0))], 4, 20);
    let report = evaluate(&lists, &truth, &EvaluateConfig::default(), "test").expect("a report");
    assert_eq!((report.cold_users, report.short_lists), (1, 1));
}

#[test]
fn matrices_that_are_none_are_refused() {
    let refused = |users: Vec<f32>, items: Vec<f32>| {
        let error = VectorLists::new(users, items, 2, Metric::InnerProduct).expect_err("no matrix");
        assert!(matches!(error, Error::Shape { .. }), "{error:?}");
        error.to_string()
    };
    assert_eq!(
        refused(vec![1.0; 3], vec![1.0; 4]),
        "user vectors: 3 values are no rows of 2"
    );
    assert_eq!(
        refused(vec![1.0, 1.0, 1.0, f32::NAN], vec![1.0; 4]),
        "user vectors: user 1 has a value that is not finite at 1"
    );
    assert!(refused(vec![1.0; 2], vec![1.0; 3]).starts_with("item vectors: "));
    assert!(VectorLists::new(vec![], vec![], 0, Metric::InnerProduct).is_err());
}
