use std::path::Path;
use std::sync::Arc;

use catchment_evaluation::testing::recommends_laws;
use catchment_evaluation::{Error, EvaluateConfig, FileLists, GroundTruth, MetricKind, evaluate};
use catchment_schema::arrow::array::{ArrayRef, StringArray};
use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx};

use crate::candidates::{Row, vocabulary, write, write_columns};

/// Reads the rows for the users `ann`, `bob`, `eve` and the items `a` to `d`.
fn read_from(folder: &Path, rows: &[Row<'_>], channel: Option<&str>) -> Result<FileLists, Error> {
    let path = folder.join("candidates.parquet");
    write(&path, rows);
    let (users, items) = (
        vocabulary(&["ann", "bob", "eve"]),
        vocabulary(&["a", "b", "c", "d"]),
    );
    match channel {
        None => FileLists::read(&path, &users, &items),
        Some(channel) => FileLists::read_channel(&path, channel, &users, &items),
    }
}

fn read(rows: &[Row<'_>], channel: Option<&str>) -> Result<FileLists, Error> {
    read_from(tempfile::tempdir().expect("a folder").path(), rows, channel)
}

fn listed(lists: &FileLists, user: u32) -> Vec<u32> {
    lists
        .of(UserIdx(user))
        .iter()
        .map(|scored| scored.item.0)
        .collect()
}

/// The error's text from the file's name on.
fn refused(rows: &[Row<'_>], channel: Option<&str>) -> String {
    let text = read(rows, channel).expect_err("a bad file").to_string();
    let at = text.find("candidates.parquet").expect("the file is named");
    text[at..].to_owned()
}

#[test]
fn ranks_order_a_list_whatever_the_rows_and_scores_say() {
    let rows = [
        ("bob", "c", "swing", 2, 9.0),
        ("ann", "d", "swing", 1, 0.5),
        ("bob", "a", "swing", 1, 1.0),
        ("bob", "b", "swing", 3, 4.0),
    ];
    let lists = read(&rows, None).expect("lists");
    assert_eq!(lists.channel(), "swing");
    assert_eq!(listed(&lists, 0), [3]);
    assert_eq!(listed(&lists, 1), [0, 2, 1]);
    assert!(listed(&lists, 2).is_empty() && listed(&lists, 99).is_empty());
    assert!((lists.of(UserIdx(1))[1].score.get() - 9.0).abs() < f32::EPSILON);
    recommends_laws(&lists, &[UserIdx(1), UserIdx(7), UserIdx(0), UserIdx(2)], 3);
}

#[test]
fn an_unknown_item_keeps_its_place_and_is_never_a_hit() {
    let rows = [
        ("ann", "secret", "x", 1, 3.0),
        ("ann", "other", "x", 2, 2.0),
        ("ann", "b", "x", 3, 1.0),
        ("bob", "secret", "x", 1, 1.0),
        ("zoe", "a", "x", 1, 1.0),
        ("zoe", "unheard", "x", 2, 1.0),
    ];
    let lists = read(&rows, None).expect("lists");
    // An item is counted once, and only where a known user is shown it.
    assert_eq!((lists.n_unknown_users, lists.n_unknown_items), (1, 2));
    assert_eq!(lists.of(UserIdx(0)).len(), 3);
    assert_eq!(lists.of(UserIdx(0))[0].item, lists.of(UserIdx(1))[0].item);
    // Held-out items that no vocabulary knows have the very indices that unknown items of a file get.
    let held_out = [(0, 1), (0, 4), (0, 5), (1, 4)].map(|(user, item)| (UserIdx(user), ItemIdx(item)));
    let truth = GroundTruth::from_pairs(held_out, 3, 4);
    let config = EvaluateConfig {
        ks: vec![2, 3],
        metrics: vec![MetricKind::HitRate, MetricKind::Mrr],
        ..EvaluateConfig::default()
    };
    let report = evaluate(&lists, &truth, &config, "test").expect("a report");
    let check = |name: &str, expect: f64| assert!((report.metrics[name] - expect).abs() < 1e-12, "{name}");
    check("hit_rate@2", 0.0);
    check("hit_rate@3", 0.5);
    check("mrr@3", 1.0 / 3.0 / 2.0);
    assert_eq!((report.cold_pairs, report.short_lists), (3, 1));
}

#[test]
fn several_channels_need_a_choice() {
    let rows = [
        ("ann", "a", "swing", 1, 1.0),
        ("ann", "b", "ials", 1, 1.0),
        ("ann", "c", "ials", 2, 0.5),
    ];
    assert_eq!(
        refused(&rows, None),
        "candidates.parquet has the lists of several channels, choose one: ials, swing"
    );
    assert_eq!(listed(&read(&rows, Some("ials")).expect("lists"), 0), [1, 2]);
    assert_eq!(
        refused(&rows, Some("popular")),
        "candidates.parquet has no channel `popular`; it has: ials, swing"
    );
}

#[test]
fn rows_that_are_no_ranking_are_named() {
    let check = |rows: &[Row<'_>], expect: &str| {
        assert_eq!(refused(rows, None), format!("candidates.parquet{expect}"));
    };
    check(
        &[("ann", "a", "x", 1, 1.0), ("ann", "b", "x", 3, 0.5)],
        ": the list of user \"ann\" has rank 3 where 2 should be",
    );
    check(
        &[("ann", "a", "x", 1, 1.0), ("ann", "b", "x", 1, 0.5)],
        ": the list of user \"ann\" has rank 1 where 2 should be",
    );
    check(
        &[("ann", "a", "x", 0, 1.0)],
        ": row 1, column `rank`: ranks count from 1 (value: \"0\")",
    );
    check(
        &[
            ("bob", "d", "x", 1, 1.0),
            ("bob", "a", "x", 2, 1.0),
            ("bob", "d", "x", 3, 1.0),
        ],
        ": the list of user \"bob\" has item \"d\" twice, at ranks 1 and 3",
    );
    check(
        &[("bob", "secret", "x", 1, 1.0), ("bob", "secret", "x", 2, 1.0)],
        ": the list of user \"bob\" has item \"secret\" twice, at ranks 1 and 2",
    );
    check(
        &[("ann", "a", "x", 1, f32::NAN)],
        ": row 1, column `score`: must be finite (value: \"NaN\")",
    );
}

#[test]
fn other_files_are_refused_by_type() {
    let folder = tempfile::tempdir().expect("a folder");
    let users = vocabulary(&["ann"]);
    let read = |path: &Path| FileLists::read(path, &users, &users).expect_err("no lists");
    let path = folder.path().join("candidates.parquet");
    assert!(matches!(
        read(&path),
        Error::Schema(catchment_schema::Error::Io { .. })
    ));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["ann"]));
    write_columns(&path, vec![("user_id", ids.clone()), ("item_id", ids.clone())]);
    let error = read(&path).to_string();
    assert!(error.contains("has no column"), "{error}");
    let columns = ["user_id", "item_id", "channel", "rank", "score"].map(|name| (name, ids.clone()));
    write_columns(&path, columns.into());
    let error = read(&path).to_string();
    assert!(error.contains("`rank`") || error.contains("`score`"), "{error}");
    std::fs::write(&path, "ann,a,x,1,1.0").expect("written");
    assert!(matches!(
        read(&path),
        Error::Schema(catchment_schema::Error::Parquet { .. })
    ));
}

#[test]
fn a_file_without_rows_has_an_empty_list_for_everybody() {
    let lists = read(&[], None).expect("lists");
    assert_eq!(
        (lists.channel(), lists.n_unknown_users, lists.n_unknown_items),
        ("", 0, 0)
    );
    recommends_laws(&lists, &[UserIdx(0), UserIdx(2)], 5);
}

#[test]
fn seen_items_in_a_file_are_counted() {
    let rows = [
        ("ann", "a", "x", 1, 1.0),
        ("ann", "b", "x", 2, 1.0),
        ("bob", "a", "x", 1, 1.0),
    ];
    let lists = read(&rows, None).expect("lists");
    let events = [1, 1, 3].map(|item| Event::new(ItemIdx(item), Time::UNKNOWN));
    let histories = Histories::group(3, &[UserIdx(0), UserIdx(0), UserIdx(1)], &events);
    assert_eq!(lists.n_seen(&histories), 1);
    assert_eq!(lists.n_seen(&Histories::empty(3)), 0);
}
