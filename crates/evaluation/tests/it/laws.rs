//! Laws of the metrics over generated lists.

use catchment_evaluation::{
    EvaluateConfig, GroundTruth, MetricKind, MetricReport, NdcgIdeal, Recommends, TopKLists, evaluate,
};
use catchment_schema::{ItemIdx, Score, ScoredItem, UserIdx};
use proptest::prelude::*;
use proptest::sample::subsequence;

const N_ITEMS: u32 = 40;
const KS: [usize; 6] = [1, 2, 3, 7, 20, 60];

/// Lists by user.
#[derive(Clone, Debug)]
struct Given(Vec<Vec<u32>>);

impl Recommends for Given {
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        for user in users {
            let list = self.0[user.index()].iter().take(k);
            lists.push(list.map(|&item| ScoredItem::new(ItemIdx(item), Score::ZERO)));
        }
        Ok(())
    }
}

fn config(ndcg_ideal: NdcgIdeal) -> EvaluateConfig {
    EvaluateConfig {
        ks: KS.into(),
        metrics: vec![
            MetricKind::Recall,
            MetricKind::Ndcg,
            MetricKind::HitRate,
            MetricKind::Mrr,
            MetricKind::Precision,
            MetricKind::PooledRecall,
        ],
        ndcg_ideal,
        ..EvaluateConfig::default()
    }
}

fn judge(lists: &Given, held_out: &[Vec<u32>], ndcg_ideal: NdcgIdeal) -> MetricReport {
    let pairs = (0..)
        .zip(held_out)
        .flat_map(|(user, items)| items.iter().map(move |&item| (UserIdx(user), ItemIdx(item))));
    let truth = GroundTruth::from_pairs(pairs, held_out.len(), N_ITEMS as usize);
    evaluate(lists, &truth, &config(ndcg_ideal), "test").expect("a report")
}

/// A list and the held-out items of one user; some of the latter beyond the catalogue.
fn user() -> impl Strategy<Value = (Vec<u32>, Vec<u32>)> {
    let list = subsequence((0..N_ITEMS).collect::<Vec<_>>(), 0..=N_ITEMS as usize).prop_shuffle();
    let held_out = subsequence((0..N_ITEMS + 5).collect::<Vec<_>>(), 1..=30usize);
    (list, held_out)
}

fn users() -> impl Strategy<Value = (Vec<Vec<u32>>, Vec<Vec<u32>>)> {
    proptest::collection::vec(user(), 1..12).prop_map(|users| users.into_iter().unzip())
}

proptest! {
    #[test]
    fn values_lie_between_0_and_1_and_longer_lists_never_lose_recall_hit_rate_or_mrr(
        (lists, held_out) in users(),
        ideal in prop_oneof![Just(NdcgIdeal::MinKRelevant), Just(NdcgIdeal::Relevant), Just(NdcgIdeal::K)],
    ) {
        let report = judge(&Given(lists), &held_out, ideal);
        for (name, value) in &report.metrics {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&value), "{} {}", name, value);
        }
        for metric in ["recall", "hit_rate", "mrr", "pooled_recall"] {
            for pair in KS.windows(2) {
                let at = |k: usize| report.metrics[format!("{metric}@{k}").as_str()];
                prop_assert!(at(pair[0]) <= at(pair[1]), "{} at {:?}", metric, pair);
            }
        }
    }

    #[test]
    fn pooled_recall_is_the_share_of_all_rows_that_were_found((lists, held_out) in users()) {
        let report = judge(&Given(lists.clone()), &held_out, NdcgIdeal::MinKRelevant);
        let pairs: usize = held_out.iter().map(Vec::len).sum();
        for k in KS {
            let found = |(list, held_out): (&Vec<u32>, &Vec<u32>)| {
                list.iter().take(k).filter(|item| held_out.contains(item)).count()
            };
            let hits: usize = lists.iter().zip(&held_out).map(found).sum();
            let pooled = report.metrics[format!("pooled_recall@{k}").as_str()];
            prop_assert!((pooled - hits as f64 / pairs as f64).abs() < 1e-12, "{} {}", k, pooled);
        }
    }

    #[test]
    fn a_perfect_list_has_an_ndcg_of_1_and_every_swap_with_a_miss_costs(
        (_, held_out) in user(), swap in any::<prop::sample::Index>(),
    ) {
        let held_out: Vec<u32> = held_out.into_iter().filter(|&item| item < N_ITEMS).collect();
        prop_assume!(!held_out.is_empty() && held_out.len() < N_ITEMS as usize);
        let misses = (0..N_ITEMS).filter(|item| !held_out.contains(item));
        let mut list: Vec<u32> = held_out.iter().copied().chain(misses).collect();
        let perfect = judge(&Given(vec![list.clone()]), std::slice::from_ref(&held_out), NdcgIdeal::MinKRelevant);
        for k in KS {
            let ndcg = perfect.metrics[format!("ndcg@{k}").as_str()];
            prop_assert_eq!(ndcg.to_bits(), 1f64.to_bits(), "ndcg@{} {}", k, ndcg);
        }
        list.swap(swap.index(held_out.len()), held_out.len());
        let swapped = judge(&Given(vec![list]), &[held_out], NdcgIdeal::MinKRelevant);
        prop_assert!(swapped.metrics["ndcg@60"] < 1.0);
    }

    #[test]
    fn the_order_of_users_does_not_matter((lists, held_out) in users(), turn in 0usize..12) {
        let report = judge(&Given(lists.clone()), &held_out, NdcgIdeal::MinKRelevant);
        let (mut lists, mut held_out) = (lists, held_out);
        let turn = turn % lists.len();
        lists.rotate_left(turn);
        held_out.rotate_left(turn);
        lists.reverse();
        held_out.reverse();
        let turned = judge(&Given(lists), &held_out, NdcgIdeal::MinKRelevant);
        for ((name, value), (_, other)) in report.metrics.iter().zip(&turned.metrics) {
            prop_assert!((value - other).abs() < 1e-12, "{} {} {}", name, value, other);
        }
    }

    #[test]
    fn means_are_means_of_users((lists, held_out) in users()) {
        let report = judge(&Given(lists.clone()), &held_out, NdcgIdeal::MinKRelevant);
        for (name, value) in &report.metrics {
            let alone = lists.iter().zip(&held_out).map(|(list, held_out)| {
                let one = judge(&Given(vec![list.clone()]), std::slice::from_ref(held_out), NdcgIdeal::MinKRelevant);
                one.metrics[name]
            });
            let mean = alone.sum::<f64>() / lists.len() as f64;
            prop_assert!((value - mean).abs() < 1e-12, "{} {} {}", name, value, mean);
        }
    }
}

#[test]
fn one_thread_and_four_give_the_same_bits() {
    // Many blocks of users, with sums that depend on the order of addition.
    let n_users = 3000;
    let list = |user: u32| (0..30).map(|rank| (user * 7 + rank * 3) % N_ITEMS).collect();
    let lists = Given((0..n_users).map(list).collect());
    let held_out: Vec<Vec<u32>> = (0..n_users)
        .map(|user| {
            (0..=user % 9)
                .map(|item| (user * 11 + item * 5) % N_ITEMS)
                .collect()
        })
        .collect();
    let with_threads = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .expect("a pool");
        pool.install(|| judge(&lists, &held_out, NdcgIdeal::MinKRelevant))
    };
    let bits = |report: &MetricReport| report.metrics.values().map(f64::to_bits).collect::<Vec<_>>();
    let (one, four) = (with_threads(1), with_threads(4));
    assert_eq!(bits(&one), bits(&four));
    assert_eq!(one, four);
    assert_eq!(one.users, 3000);
}
