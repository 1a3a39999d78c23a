//! Known datasets give their known counts. Each test says that it is skipped where `CATCHMENT_DATA` does
//! not name a folder that has the dataset.

use std::path::PathBuf;

use catchment_prepare::{Inputs, PrepareConfig, Prepared, SplitConfig, SplitKind, Summary, prepare};
use catchment_schema::import::{Format, Source};

fn dataset(test: &str, name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("CATCHMENT_DATA").map(|data| PathBuf::from(data).join(name));
    let found = folder.filter(|folder| folder.is_dir());
    if found.is_none() {
        eprintln!("skipped: {test} (CATCHMENT_DATA names no folder with {name})");
    }
    found
}

fn source(folder: &std::path::Path, file: &str, format: Format) -> Source {
    Source::new(folder.join(file).to_string_lossy(), format)
}

fn run(inputs: &Inputs, split: &SplitConfig) -> (Summary, tempfile::TempDir) {
    let home = tempfile::tempdir().expect("temporary folder");
    let config = PrepareConfig::default();
    let summary = prepare(
        inputs,
        &config,
        split,
        7,
        2,
        &home.path().join("out"),
        &mut |_| {},
    );
    (summary.expect("prepared"), home)
}

#[test]
fn gowalla_keeps_its_published_split() {
    let Some(folder) = dataset("gowalla_keeps_its_published_split", "gowalla") else {
        return;
    };
    let inputs = Inputs {
        test: Some(source(&folder, "test.txt.gz", Format::LightGcn)),
        ..Inputs::new(source(&folder, "train.txt.gz", Format::LightGcn))
    };
    let (summary, _home) = run(&inputs, &SplitConfig::given());
    assert_eq!((summary.users, summary.items), (29_858, 40_981));
    assert_eq!(
        (summary.train, summary.validation, summary.test),
        (810_128, 0, 217_242)
    );
    assert_eq!((summary.cold_users, summary.cold_items), (0, 0));
}

#[test]
fn movielens_100k_keeps_all_rows_users_and_titles() {
    let Some(folder) = dataset("movielens_100k_keeps_all_rows_users_and_titles", "movielens-100k") else {
        return;
    };
    let inputs = Inputs {
        items: Some(source(&folder, "u.item.gz", Format::MovieLens100k)),
        users: Some(source(&folder, "u.user.gz", Format::MovieLens100k)),
        ..Inputs::new(source(&folder, "u.data.gz", Format::MovieLens100k))
    };
    let split = SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None })
        .with_validation(SplitKind::Random { fraction: 0.1 });
    let (summary, home) = run(&inputs, &split);
    assert_eq!(summary.users, 943);
    assert_eq!(summary.test, 943);
    assert_eq!(summary.train + summary.validation + summary.test, 100_000);
    let share = summary.validation as f64 / (100_000.0 - 943.0);
    assert!((share - 0.1).abs() < 0.002, "{share}");
    let prepared = Prepared::open(home.path().join("out")).expect("opened");
    let star_wars = prepared.items().item("50").expect("known").index();
    let title = prepared
        .item_attributes()
        .text("title", star_wars)
        .expect("a title");
    assert!(title.starts_with("Star Wars"), "{title}");
}

#[test]
fn movielens_1m_leaves_each_user_the_last_row_by_rank() {
    let Some(folder) = dataset(
        "movielens_1m_leaves_each_user_the_last_row_by_rank",
        "movielens-1m",
    ) else {
        return;
    };
    let inputs = Inputs::new(source(&folder, "ratings.tsv.gz", Format::MovieLens1m));
    let (summary, _home) = run(
        &inputs,
        &SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None }),
    );
    assert_eq!((summary.users, summary.test), (6_040, 6_040));
    assert_eq!(summary.train + summary.test, 1_000_209);
}
