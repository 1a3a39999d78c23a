//! Words lead to items, and the judgements are the best order.

use std::collections::{BTreeMap, BTreeSet};

use catchment_synthetic::marketplace::Marketplace;

use super::middling;

const K: usize = 20;

/// NDCG@k with gains 2^grade - 1.
fn ndcg(list: &[u32], grades: &BTreeMap<u32, u8>) -> f64 {
    let gain = |grade: u8| f64::from((1u32 << grade) - 1);
    let discounted = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
        gains
            .take(K)
            .zip(2u32..)
            .map(|(gain, place)| gain / f64::from(place).log2())
            .sum()
    };
    let mut best: Vec<u8> = grades.values().copied().collect();
    best.sort_unstable_by(|a, b| b.cmp(a));
    let ideal = discounted(&mut best.into_iter().map(gain));
    discounted(
        &mut list
            .iter()
            .map(|item| gain(grades.get(item).copied().unwrap_or(0))),
    ) / ideal
}

#[test]
fn the_judgements_in_their_order_are_ideal_and_equal_words_are_not_enough() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let queries = marketplace.queries();
    let judgements = marketplace.judgements(&queries);
    let words = |text: &str| {
        text.to_lowercase()
            .split(' ')
            .map(str::to_owned)
            .collect::<BTreeSet<_>>()
    };
    let titles: Vec<_> = (0..marketplace.config().n_items as usize)
        .map(|item| words(&marketplace.title(item)))
        .collect();
    let (mut oracle, mut lexical, mut chance) = (0.0, 0.0, 0.0);
    for (query, judged) in queries.iter().zip(&judgements) {
        let grades: BTreeMap<u32, u8> = judged.iter().copied().collect();
        assert_eq!(grades.len(), judged.len(), "each item once");
        let ideal: Vec<u32> = judged.iter().map(|(item, _)| *item).collect();
        oracle += ndcg(&ideal, &grades);
        let asked = words(&query.text);
        let mut by_overlap: Vec<u32> = (0..marketplace.config().n_items).collect();
        by_overlap.sort_by_key(|&item| std::cmp::Reverse(titles[item as usize].intersection(&asked).count()));
        lexical += ndcg(&by_overlap, &grades);
        let all: Vec<u32> = (0..marketplace.config().n_items).collect();
        chance += ndcg(&all, &grades);
    }
    let n = queries.len() as f64;
    println!(
        "NDCG@{K}: chance {:.3}, words {:.3}, oracle {:.3}",
        chance / n,
        lexical / n,
        oracle / n
    );
    assert!((oracle / n - 1.0).abs() < 1e-12);
    assert!((0.3..0.95).contains(&(lexical / n)), "{}", lexical / n);
    assert!(chance / n < 0.1);
}

#[test]
fn a_query_shares_more_words_with_full_answers_than_with_partial_ones() {
    let marketplace = Marketplace::new(&middling()).expect("allowed");
    let queries = marketplace.queries();
    assert_eq!(queries.len(), 200);
    let mut shared = [(0.0, 0.0); 3];
    for (query, judged) in queries.iter().zip(marketplace.judgements(&queries)) {
        let asked: BTreeSet<&str> = query.text.split(' ').collect();
        assert!(
            judged.iter().any(|(_, grade)| *grade == 2),
            "{}: nothing answers it",
            query.id
        );
        for (item, grade) in judged {
            let title = marketplace.title(item as usize);
            assert_eq!(marketplace.topic_of(item as usize), query.topic);
            assert_eq!(marketplace.sense_of(item as usize) == query.sense, grade == 2);
            // The two invented words; nouns are of the topic, not of the sense.
            let count = title
                .split(' ')
                .rev()
                .take(2)
                .filter(|word| asked.contains(word))
                .count();
            shared[usize::from(grade)].0 += count as f64;
            shared[usize::from(grade)].1 += 1.0;
        }
    }
    let [_, partial, full] = shared.map(|(sum, n)| sum / n);
    // Two of six words in the one, two of six in the other: 4/6 shared on average; half of it with a neighbour,
    // where half of the words are the same and each is met half as often.
    assert!((full - 4.0 / 6.0).abs() < 0.06, "{full}");
    assert!((partial - 2.0 / 6.0).abs() < 0.06, "{partial}");
}
