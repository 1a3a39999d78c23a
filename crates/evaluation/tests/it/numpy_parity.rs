//! Equal to definitions written in numpy; `tests/numpy_parity.py` made the fixtures.

use std::collections::BTreeMap;

use catchment_evaluation::{
    EvaluateConfig, Evaluator, GroundTruth, Judged, MetricKind, NamedLists, PerUser, Recommends, Role,
    SeenItems, SegmentSources, Segmentation, TopKLists, calibration, compare, gauc,
};
use catchment_schema::{AttributeTable, ItemIdx, Score, ScoredItem, UserIdx};

const N_USERS: usize = 80;
const N_ITEMS: usize = 120;

fn numbers(line: &str) -> Vec<u32> {
    line.split(',')
        .filter(|cell| !cell.is_empty())
        .map(|cell| cell.parse().expect("a number"))
        .collect()
}

/// By user: lines of a user and their items.
fn rows<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<Vec<u32>> {
    lines.map(|line| numbers(line).split_off(1)).collect()
}

fn values() -> BTreeMap<&'static str, f64> {
    let line = |line: &'static str| line.split_once(',').expect("name and value");
    include_str!("../numpy/values.csv")
        .lines()
        .map(line)
        .map(|(name, value)| (name, value.parse().expect("a number")))
        .collect()
}

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

fn judged() -> Judged {
    let seen_rows = rows(include_str!("../numpy/seen.csv").lines());
    let mut ends = vec![0];
    let mut flat = Vec::new();
    for row in &seen_rows {
        flat.extend(row.iter().map(|&item| i32::try_from(item).expect("small")));
        ends.push(i64::try_from(flat.len()).expect("small"));
    }
    let seen = SeenItems::from_csr(&ends, &flat).expect("rows");
    let pairs = (0..)
        .zip(rows(include_str!("../numpy/held_out.csv").lines()))
        .flat_map(|(user, items)| items.into_iter().map(move |item| (UserIdx(user), ItemIdx(item))));
    let truth = GroundTruth::from_pairs(pairs, N_USERS, N_ITEMS);
    let config = EvaluateConfig {
        ks: vec![5, 20],
        metrics: vec![MetricKind::Map, MetricKind::Recall, MetricKind::PooledRecall],
        segments: ["item.popularity_decile", "user.history"]
            .map(|by| by.parse().expect("a word"))
            .into(),
        ..EvaluateConfig::default()
    };
    let none = AttributeTable::empty(N_USERS);
    let sources = SegmentSources {
        seen: &seen,
        popularity: &catchment_evaluation::ItemPopularity::count(&seen, N_ITEMS),
        user_attributes: &none,
        item_attributes: &none,
        n_users: N_USERS,
        n_items: N_ITEMS,
    };
    let segmentations: Vec<Segmentation> = config
        .segments
        .iter()
        .map(|by| Segmentation::new(by, &sources).expect("segments"))
        .collect();
    let channels = ["near", "far", "popular"].map(|channel| {
        let lines = include_str!("../numpy/lists.csv").lines();
        (
            channel,
            Given(rows(
                lines.filter_map(|line| line.strip_prefix(channel)?.strip_prefix(',')),
            )),
        )
    });
    let lists = channels.each_ref().map(|(name, lists)| NamedLists {
        name,
        lists,
        role: Role::Channel,
    });
    Evaluator::new(&truth, &config, "test", 7)
        .with_seen(&seen)
        .with_segments(&segmentations)
        .judge(&lists)
        .expect("judged")
}

#[test]
fn lists_segments_and_attribution_equal_numpy() {
    let judged = judged();
    let attribution = judged.attribution.as_ref().expect("three channels");
    let channel = |name: &str| {
        attribution
            .channels
            .iter()
            .position(|channel| channel == name)
            .expect("a channel")
    };
    let mut n_checked = 0;
    for (name, theirs) in values() {
        let (kind, what) = name.split_once('/').unwrap_or((name, ""));
        let segments = || {
            judged.reports[0]
                .segments
                .iter()
                .flat_map(|report| &report.segments)
        };
        let segment = |label: &str| {
            segments()
                .find(|segment| segment.label == label)
                .unwrap_or_else(|| panic!("no segment {label}"))
        };
        let ours = match kind {
            "near" | "far" | "popular" => {
                let report = &judged.reports[channel(kind)];
                report
                    .metrics
                    .get(what)
                    .or_else(|| report.catalogue.get(what))
                    .unwrap_or(f64::NAN)
            }
            // Both segmentations have one of the cold; that of users is empty here and left out.
            "segment" => segment(what).metrics["recall@20"],
            "error" => segment(what).standard_errors["recall@20"],
            "overlap" => {
                let (a, b) = what.split_once('/').expect("two channels");
                attribution.overlap[channel(a)][channel(b)]
            }
            "union" => attribution.recall_union,
            "alone" => attribution.recall_alone[channel(what)],
            "without" => attribution.recall_without[channel(what)],
            "hits" => attribution.hits[channel(what)] as f64,
            "unique" => attribution.unique_hits[channel(what)] as f64,
            _ => continue,
        };
        n_checked += 1;
        assert!(
            (ours - theirs).abs() < 1e-9,
            "{name}: ours {ours}, numpy {theirs}"
        );
    }
    assert_eq!(n_checked, 36 + 11 + 11 + 4 + 3 + 1 + 12);
    let n_segments = judged.reports[0]
        .segments
        .iter()
        .map(|report| report.segments.len());
    assert_eq!(n_segments.collect::<Vec<_>>(), [11, 4]);
}

/// A segment's share of found rows is of its own rows: hits add up to those of the whole.
#[test]
fn the_rows_found_in_segments_are_those_found_in_all() {
    for report in judged().reports {
        let hits = |share: f64, pairs: usize| share * pairs as f64;
        let all = hits(report.metrics["pooled_recall@20"], report.pairs);
        assert!(all > 1.0, "{all}");
        for of in &report.segments {
            let found = of
                .segments
                .iter()
                .map(|segment| hits(segment.metrics["pooled_recall@20"], segment.pairs));
            let found: f64 = found.sum();
            assert!((found - all).abs() < 1e-9, "{}: {found} of {all}", of.by);
        }
    }
}

#[test]
fn gauc_and_calibration_error_equal_numpy() {
    let (mut users, mut labels, mut probabilities) = (Vec::new(), Vec::new(), Vec::new());
    for line in include_str!("../numpy/impressions.csv").lines() {
        let cells: Vec<&str> = line.split(',').collect();
        users.push(cells[0].parse::<u32>().expect("a user"));
        labels.push(cells[1].parse::<f32>().expect("a label"));
        probabilities.push(cells[2].parse::<f32>().expect("a probability"));
    }
    let theirs = values();
    let found = gauc(&users, &labels, &probabilities).expect("both classes");
    assert!((found.value - theirs["gauc"]).abs() < 1e-9, "{found:?}");
    assert!(
        (found.groups_left_out as f64 - theirs["gauc_left_out"]).abs() < 0.5,
        "{found:?}"
    );
    let found = calibration(&labels, &probabilities, 10).expect("probabilities");
    assert!(
        (found.ece - theirs["ece"]).abs() < 1e-7,
        "{} {}",
        found.ece,
        theirs["ece"]
    );
}

#[test]
fn random_sign_flips_come_near_the_p_value_of_all_of_them() {
    let differences: Vec<f32> = include_str!("../numpy/differences.csv")
        .trim()
        .split(',')
        .map(|cell| cell.parse().expect("a number"))
        .collect();
    let per_user = |values: Vec<f32>| PerUser::new(vec!["recall@20".to_owned()], values, 1).expect("rows");
    let theirs = per_user(vec![0.0; differences.len()]);
    let config = EvaluateConfig {
        randomisations: 40_000,
        ..EvaluateConfig::default()
    };
    let found = compare(&per_user(differences), &theirs, &config, 7).expect("a pair");
    let exact = values()["p_value"];
    assert!(
        (found[0].p_value - exact).abs() < 0.01,
        "{} {exact}",
        found[0].p_value
    );
}

#[test]
fn all_that_is_judged_is_the_same_to_the_bit_on_one_thread_and_on_three() {
    let with_threads = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build();
        pool.expect("a pool").install(judged)
    };
    assert_eq!(with_threads(1), with_threads(3));
}
