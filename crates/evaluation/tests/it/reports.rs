use catchment_evaluation::{
    Error, EvaluateConfig, GroundTruth, MetricKind, MetricReport, Recommends, TopKLists, evaluate,
};
use catchment_schema::{ItemIdx, Score, ScoredItem, UserIdx};

/// Gives everybody this list, however long, `copies` times.
struct Everybody {
    list: Vec<u32>,
    copies: usize,
}

impl Recommends for Everybody {
    fn top_k(&self, users: &[UserIdx], _k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        for _ in 0..users.len() * self.copies {
            lists.push(
                self.list
                    .iter()
                    .map(|&item| ScoredItem::new(ItemIdx(item), Score::ZERO)),
            );
        }
        Ok(())
    }
}

fn judge(list: &[u32], copies: usize, config: &EvaluateConfig) -> Result<MetricReport, Error> {
    let held_out = [(0, 1), (0, 9), (5, 2)].map(|(user, item)| (UserIdx(user), ItemIdx(item)));
    let truth = GroundTruth::from_pairs(held_out, 3, 8);
    let list = list.to_vec();
    evaluate(&Everybody { list, copies }, &truth, config, "validation")
}

fn config() -> EvaluateConfig {
    EvaluateConfig {
        ks: vec![3, 1],
        metrics: vec![MetricKind::Precision, MetricKind::HitRate],
        exclude_seen: false,
        ..EvaluateConfig::default()
    }
}

#[test]
fn a_report_says_what_was_measured_on_whom_in_the_order_of_the_config() {
    let report = judge(&[2, 0], 1, &config()).expect("a report");
    assert_eq!(
        report.protocol,
        "split validation; all items ranked; seen items kept; NDCG ideal min(k, relevant); \
         mean over users with held-out items"
    );
    assert_eq!((report.users, report.cold_users, report.pairs), (2, 1, 3));
    assert_eq!((report.cold_pairs, report.items, report.short_lists), (1, 8, 2));
    assert_eq!(
        report.metrics.keys().collect::<Vec<_>>(),
        ["precision@3", "precision@1", "hit_rate@3", "hit_rate@1"]
    );
    let json = serde_json::to_string(&report).expect("json");
    assert_eq!(
        serde_json::from_str::<MetricReport>(&json).expect("a report"),
        report
    );
}

#[test]
fn lists_that_are_no_rankings_are_refused() {
    let error = judge(&[2, 0, 2], 1, &config()).expect_err("an item twice");
    assert!(matches!(error, Error::NotARanking { user: 0, .. }));
    assert_eq!(
        error.to_string(),
        "the list of user 0 is not a ranking: item 2 comes twice"
    );
    let error = judge(&[2, 0, 1, 3], 1, &config()).expect_err("too many");
    assert!(
        error.to_string().ends_with("4 items where 3 were asked for"),
        "{error}"
    );
    let error = judge(&[2], 2, &config()).expect_err("lists for others");
    assert!(matches!(error, Error::Lists(_)), "{error:?}");
}

#[test]
fn without_truth_or_a_valid_config_nothing_is_measured() {
    let nobody = GroundTruth::from_pairs([], 3, 8);
    let everybody = Everybody {
        list: vec![],
        copies: 1,
    };
    let error = evaluate(&everybody, &nobody, &config(), "test").expect_err("nobody");
    assert!(matches!(error, Error::NoTruth));
    let no_ks = EvaluateConfig {
        ks: vec![],
        ..config()
    };
    assert!(matches!(
        judge(&[], 1, &no_ks),
        Err(Error::Config { key: "ks", .. })
    ));
}
