//! Publish, open, list, activate, roll back, compare.

use std::fs;

use catchment_bundle::{Bundle, Error, FileChange, Publisher, activate, current, diff, list, roll_back};
use expect_test::expect;
use serde_json::json;

use crate::made::{MOMENT, info, leftovers, publish, root};

#[test]
fn nothing_is_visible_before_the_commit_and_everything_after() {
    let root = root();
    let publisher = Publisher::begin(root.path(), None).expect("begun");
    fs::write(publisher.path("channels/popular/items.csv").expect("path"), "a\n").expect("written");
    assert!(list(root.path()).expect("listed").is_empty());
    assert!(matches!(
        Bundle::open_current(root.path()),
        Err(Error::NoCurrent { .. })
    ));

    let version = publisher.commit(info(MOMENT)).expect("committed");
    assert_eq!(list(root.path()).expect("listed"), [version]);
    let bundle = Bundle::open_current(root.path()).expect("opened");
    assert_eq!(bundle.version(), version);
    assert_eq!(bundle.manifest().seed, 7);
    let part = bundle.part("channels/popular").expect("part");
    assert_eq!(fs::read(part.path.join("items.csv")).expect("read"), b"a\n");
    assert_eq!(
        part.entry,
        Some(json!({ "kind": "popular", "half_life_days": 14.5 }))
    );
    assert!(leftovers(root.path()).is_empty());
}

#[test]
fn a_publisher_that_is_dropped_leaves_nothing() {
    let root = root();
    let publisher = Publisher::begin(root.path(), None).expect("begun");
    fs::write(publisher.path("a/b.bin").expect("path"), "a").expect("written");
    assert_eq!(leftovers(root.path()).len(), 1);
    drop(publisher);
    assert!(leftovers(root.path()).is_empty());
    assert!(list(root.path()).expect("listed").is_empty());
}

#[test]
fn equal_content_at_the_same_moment_makes_the_same_version_which_is_published_once() {
    let (one, other) = (root(), root());
    let version = publish(one.path(), MOMENT, "a").expect("published");
    assert_eq!(publish(other.path(), MOMENT, "a").expect("published"), version);
    let manifest = |root: &tempfile::TempDir| {
        fs::read(root.path().join(version.to_string()).join("manifest.json")).expect("read")
    };
    assert_eq!(manifest(&one), manifest(&other), "same input, same bytes");
    match publish(one.path(), MOMENT, "a") {
        Err(Error::VersionExists { version: found }) => assert_eq!(found, version),
        answer => panic!("{answer:?}"),
    }
    assert!(leftovers(one.path()).is_empty());
    assert_ne!(publish(one.path(), MOMENT, "b").expect("published"), version);
}

#[test]
fn versions_order_by_time_and_going_back_goes_to_the_one_before() {
    let root = root();
    // Published out of order; 9:59 sorts before 10:00 whatever the hash.
    let third = publish(root.path(), MOMENT + 120_000, "c").expect("published");
    let first = publish(root.path(), MOMENT, "a").expect("published");
    let second = publish(root.path(), MOMENT + 60_000, "b").expect("published");
    fs::create_dir(root.path().join("notes")).expect("made");
    assert_eq!(list(root.path()).expect("listed"), [first, second, third]);
    assert_eq!(
        current(root.path()).expect("current"),
        second,
        "the last to commit"
    );

    activate(root.path(), &third).expect("activated");
    assert_eq!(roll_back(root.path()).expect("back"), second);
    assert_eq!(roll_back(root.path()).expect("back"), first);
    assert!(matches!(roll_back(root.path()), Err(Error::NothingBefore { current }) if current == first));
    assert_eq!(
        Bundle::open_current(root.path()).expect("opened").version(),
        first
    );
    assert_eq!(list(root.path()).expect("listed").len(), 3, "nothing is deleted");
}

#[test]
fn a_version_can_be_given() {
    let root = root();
    let given = "20200101T000000Z-0001".parse().expect("version");
    let publisher = Publisher::begin(root.path(), Some(given)).expect("begun");
    fs::write(publisher.path("a").expect("path"), "a").expect("written");
    assert_eq!(publisher.commit(info(MOMENT)).expect("committed"), given);
    assert_eq!(
        Bundle::open_version(root.path(), &given)
            .expect("opened")
            .version(),
        given
    );
}

#[test]
fn a_broken_bundle_is_neither_activated_nor_gone_back_to() {
    let root = root();
    let first = publish(root.path(), MOMENT, "a").expect("published");
    let second = publish(root.path(), MOMENT + 1000, "b").expect("published");
    fs::remove_file(root.path().join(first.to_string()).join("ranker/weights.bin")).expect("removed");
    assert!(matches!(
        activate(root.path(), &first),
        Err(Error::MissingFile { .. })
    ));
    assert!(matches!(roll_back(root.path()), Err(Error::MissingFile { .. })));
    assert_eq!(
        Bundle::open_current(root.path()).expect("still there").version(),
        second
    );
}

#[test]
fn what_the_caller_gets_wrong_has_a_typed_error() {
    let root = root();
    let begin = || Publisher::begin(root.path(), None).expect("begun");
    for path in ["../x", "/x", "a//b", ".hidden", "a/../../x", "manifest.json", ""] {
        assert!(
            matches!(begin().path(path), Err(Error::BadPath { .. })),
            "{path:?}"
        );
        assert!(
            matches!(begin().part(path), Err(Error::BadPath { .. })),
            "{path:?}"
        );
    }
    assert!(matches!(
        begin().commit(info(MOMENT)),
        Err(Error::NothingToPublish { .. })
    ));

    let with_file = || {
        let publisher = begin();
        fs::write(publisher.path("a/b").expect("path"), "a").expect("written");
        publisher
    };
    assert!(matches!(
        with_file().commit(info(-1)),
        Err(Error::BadMoment { millis: -1 })
    ));
    let mut not_measured = info(MOMENT);
    not_measured.metrics.insert("auc".to_owned(), f64::NAN);
    match with_file().commit(not_measured) {
        Err(Error::BadMetric { name, .. }) => assert_eq!(name, "auc"),
        answer => panic!("{answer:?}"),
    }
    let unfinished = with_file();
    let folder = unfinished.part("a").expect("part");
    fs::write(folder.join(".unfinished-q1"), "half").expect("written");
    match unfinished.commit(info(MOMENT)) {
        Err(Error::BadPath { path, .. }) => assert_eq!(path, "a/.unfinished-q1"),
        answer => panic!("{answer:?}"),
    }
    assert!(list(root.path()).expect("listed").is_empty());

    let version = with_file().commit(info(MOMENT)).expect("committed");
    let bundle = Bundle::open_version(root.path(), &version).expect("opened");
    match bundle.part("channels/dssm") {
        Err(Error::NoSuchPart { available, .. }) => assert_eq!(available, ["a"]),
        answer => panic!("{answer:?}"),
    }
    assert!(matches!(bundle.file("a/c"), Err(Error::NoSuchPart { .. })));
    assert!(bundle.file("a/b").expect("listed").is_file());
    let nowhere = "20200101T000000Z-0001".parse().expect("version");
    assert!(matches!(
        Bundle::open_version(root.path(), &nowhere),
        Err(Error::NoSuchVersion { .. })
    ));
    assert!(matches!(
        activate(root.path(), &nowhere),
        Err(Error::NoSuchVersion { .. })
    ));
}

#[test]
fn a_comparison_names_what_changed_and_nothing_else() {
    let root = root();
    let open = |version| Bundle::open_version(root.path(), &version).expect("opened");
    let first = open(publish(root.path(), MOMENT, "a").expect("published"));
    let publisher = Publisher::begin(root.path(), None).expect("begun");
    fs::write(publisher.path("features/spec.json").expect("path"), "{}\n").expect("written");
    fs::write(publisher.path("channels/popular/items.csv").expect("path"), "abc").expect("written");
    fs::write(publisher.path("channels/ials/items.bin").expect("path"), "xy").expect("written");
    let mut changed = info(MOMENT + 60_000);
    changed.seed = 8;
    changed.metrics.insert("recall@20".to_owned(), 0.375);
    changed.parts[0].config = json!({ "kind": "popular" });
    changed.parts.pop();
    let second = open(publisher.commit(changed).expect("committed"));

    let difference = diff(&first, &second);
    assert_eq!(
        difference.files["channels/popular/items.csv"],
        FileChange::Changed { before: 1, after: 3 }
    );
    let first_name = first.version().to_string();
    let second_name = second.version().to_string();
    let text = difference
        .to_string()
        .replace(&first_name, "FIRST")
        .replace(&second_name, "SECOND");
    expect![[r#"
        FIRST -> SECOND
          parts: channels/popular, ranker -> channels/popular
          seed: 7 -> 8
          channels/popular: {"half_life_days":14.5,"kind":"popular"} -> {"kind":"popular"}
          ranker: {"kind":"lr"} -> none
          recall@20: 0.25 -> 0.375
          + channels/ials/items.bin (2 bytes)
          ~ channels/popular/items.csv (1 -> 3 bytes)
          - ranker/weights.bin (4 bytes)
    "#]]
    .assert_eq(&text);
    assert!(diff(&first, &first).is_empty());
}
