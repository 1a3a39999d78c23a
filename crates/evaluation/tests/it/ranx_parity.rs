//! Equal to `ranx` on a run of 240 users; `tests/ranx_parity.py` made the fixtures.

use catchment_evaluation::{EvaluateConfig, FileLists, GroundTruth, MetricKind, evaluate};
use catchment_schema::{ItemIdx, UserIdx, Vocabulary};

use crate::candidates::write;

const HELD_OUT: &str = include_str!("../ranx/held_out.csv");
const LISTS: &str = include_str!("../ranx/lists.csv");
const VALUES: &str = include_str!("../ranx/values.csv");

/// Lines of a user and their items.
fn rows(text: &'static str) -> impl Iterator<Item = (&'static str, std::str::Split<'static, char>)> {
    text.lines().map(|line| {
        let (user, items) = line.split_once(',').expect("a user and items");
        (user, items.split(','))
    })
}

#[test]
fn every_metric_at_every_cut_off_equals_ranx() {
    let users = Vocabulary::from_counts(rows(HELD_OUT).map(|(user, _)| (user, 1)));
    let items = Vocabulary::from_counts((0..600).map(|item| (format!("i{item}"), 1)));

    // Both sides' unknown items are numbered from the end of the vocabulary: they collide, and must not matter.
    let mut cold = Vec::new();
    let mut held_out = Vec::new();
    for (user, listed) in rows(HELD_OUT) {
        for id in listed {
            let item = items.item(id).unwrap_or_else(|| {
                let position = cold.iter().position(|known| *known == id).unwrap_or(cold.len());
                if position == cold.len() {
                    cold.push(id);
                }
                ItemIdx::from_index(items.len() + position)
            });
            held_out.push((users.user(user).expect("a known user"), item));
        }
    }
    let truth = GroundTruth::from_pairs(held_out, users.len(), items.len());
    assert_eq!(truth.users().len(), 240);
    assert_eq!(truth.users()[239], UserIdx(239));

    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("candidates.parquet");
    let candidates: Vec<_> = rows(LISTS)
        .flat_map(|(user, listed)| {
            (1u32..)
                .zip(listed)
                .map(move |(rank, id)| (user, id, "peer", rank, 0.0))
        })
        .collect();
    write(&path, &candidates);
    let lists = FileLists::read(&path, &users, &items).expect("lists");
    assert_eq!((lists.n_unknown_users, lists.n_unknown_items), (0, 3));

    let config = EvaluateConfig {
        ks: vec![1, 5, 10, 20, 50],
        metrics: vec![
            MetricKind::Recall,
            MetricKind::Ndcg,
            MetricKind::HitRate,
            MetricKind::Mrr,
            MetricKind::Precision,
        ],
        ..EvaluateConfig::default()
    };
    let report = evaluate(&lists, &truth, &config, "test").expect("a report");
    let expected: Vec<(&str, f64)> = VALUES
        .lines()
        .map(|line| line.split_once(',').expect("name and value"))
        .map(|(name, value)| (name, value.parse().expect("a number")))
        .collect();
    assert!(report.metrics.keys().eq(expected.iter().map(|(name, _)| *name)));
    for (name, theirs) in expected {
        let ours = report.metrics[name];
        assert!((ours - theirs).abs() < 1e-6, "{name}: ours {ours}, ranx {theirs}");
    }
}
