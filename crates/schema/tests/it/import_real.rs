//! Counts on real data, which is not in the repository: set `CATCHMENT_DATA` to the folder that holds it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use catchment_schema::AttributeTable;
use catchment_schema::Vocabulary;
use catchment_schema::arrow::array::{Array, AsArray, RecordBatch};
use catchment_schema::arrow::datatypes::{TimestampMillisecondType, UInt32Type};
use catchment_schema::import::{Format, Source, import_interactions, import_items, import_users};

/// The path in the data folder, or `None` and a line that says what is skipped.
fn real(test: &str, path: &str) -> Option<PathBuf> {
    let found = std::env::var_os("CATCHMENT_DATA").map(|folder| PathBuf::from(folder).join(path));
    let found = found.filter(|found| found.exists());
    if found.is_none() {
        eprintln!("skipped: {test} (set CATCHMENT_DATA to a folder with {path})");
    }
    found
}

struct Counts {
    rows: usize,
    users: usize,
    items: usize,
    /// Rows whose time is known.
    times: usize,
    /// Rows with the order 0.
    unranked: usize,
}

fn count(path: &Path, format: Format) -> Counts {
    let source = Source::new(path.to_string_lossy(), format);
    let (mut users, mut items) = (HashSet::new(), HashSet::new());
    let (mut n_rows, mut n_times, mut n_unranked) = (0, 0, 0);
    let mut add = |batch: RecordBatch| {
        users.extend(
            batch["user_id"]
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(str::to_owned),
        );
        items.extend(
            batch["item_id"]
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(str::to_owned),
        );
        let times = batch["timestamp"].as_primitive::<TimestampMillisecondType>();
        n_times += times.len() - times.null_count();
        let order = batch["order"].as_primitive::<UInt32Type>().iter();
        n_unranked += order.filter(|order| *order == Some(0)).count();
        n_rows += batch.num_rows();
        Ok(())
    };
    let report = import_interactions(&source, &mut add).expect("imports");
    assert_eq!(report.rows, n_rows as u64);
    assert_eq!((report.skipped, report.findings.len()), (0, 0));
    Counts {
        rows: n_rows,
        users: users.len(),
        items: items.len(),
        times: n_times,
        unranked: n_unranked,
    }
}

#[test]
fn movielens_100k_has_its_published_counts() {
    let Some(folder) = real("movielens_100k_has_its_published_counts", "movielens-100k") else {
        return;
    };
    let counts = count(&folder, Format::MovieLens100k);
    assert_eq!(counts.rows, 100_000);
    assert_eq!((counts.users, counts.items), (943, 1_682));
    assert_eq!(counts.times, 100_000);

    let source = Source::new(folder.to_string_lossy(), Format::MovieLens100k);
    let (items, _) = import_items(&source).expect("items");
    assert_eq!(items.num_rows(), 1_682);
    let ids = items["item_id"].as_string::<i32>();
    let vocabulary = Vocabulary::from_counts(ids.iter().flatten().map(|id| (id, 1)));
    let table = AttributeTable::align(&folder, &items, "item_id", &vocabulary).expect("aligns");
    let row = vocabulary.position("1").expect("item 1") as usize;
    assert_eq!(table.text("title", row), Some("Toy Story (1995)"));
    assert_eq!(
        table.texts("category", row),
        ["Animation", "Children's", "Comedy"]
    );
    assert_eq!(table.time("published_at", row).millis(), Some(788_918_400_000));
    // One movie is called "unknown" and has neither date nor address.
    assert_eq!(items["published_at"].null_count(), 1);
    let latin = ids.iter().position(|id| id == Some("543")).expect("item 543");
    assert!(
        items["title"].as_string::<i32>().value(latin).contains('\u{e9}'),
        "ISO-8859-1"
    );

    let (users, _) = import_users(&source).expect("users");
    assert_eq!((users.num_rows(), users.num_columns()), (943, 5));
}

#[test]
fn movielens_1m_development_form_has_every_rating() {
    let Some(folder) = real("movielens_1m_development_form_has_every_rating", "movielens-1m") else {
        return;
    };
    let counts = count(&folder, Format::MovieLens1m);
    assert_eq!(counts.rows, 1_000_209);
    assert_eq!((counts.users, counts.items), (6_040, 3_706));
    assert_eq!(counts.times, 554_550);
    assert_eq!(counts.unranked, 598);

    let part = folder.join("ratings_users_1_2999.dat.gz");
    let counts = count(&part, Format::MovieLens1m);
    assert_eq!((counts.rows, counts.users), (487_650, 2_999));
    assert_eq!(counts.times, 487_650);

    let source = Source::new(folder.to_string_lossy(), Format::MovieLens1m);
    assert_eq!(import_items(&source).expect("items").0.num_rows(), 3_883);
    assert_eq!(import_users(&source).expect("users").0.num_rows(), 6_040);
}

#[test]
fn gowalla_has_its_published_counts() {
    let Some(folder) = real("gowalla_has_its_published_counts", "gowalla") else {
        return;
    };
    let train = count(&folder.join("train.txt.gz"), Format::LightGcn);
    assert_eq!((train.rows, train.users, train.items), (810_128, 29_858, 40_981));
    let test = count(&folder.join("test.txt.gz"), Format::LightGcn);
    assert_eq!(test.rows, 217_242);
}

#[test]
fn times_with_an_origin_and_with_fractions_are_read() {
    use catchment_schema::import::TimeUnit;
    let test = "times_with_an_origin_and_with_fractions_are_read";
    let (Some(foursquare), Some(yoochoose)) = (
        real(test, "foursquare-nyc/checkins.tsv.gz"),
        real(test, "yoochoose-100k/test.tsv.gz"),
    ) else {
        return;
    };
    let mut source = Source::new(foursquare.to_string_lossy(), Format::Tsv);
    source.columns.insert("user_id".to_owned(), "user".to_owned());
    source.columns.insert("item_id".to_owned(), "poi".to_owned());
    source.columns.insert("timestamp".to_owned(), "time".to_owned());
    source.time_unit = TimeUnit::Minutes;
    source.time_origin = Some("2012-04-03T00:00:00Z".to_owned());
    let report = import_interactions(&source, &mut |_| Ok(())).expect("imports");
    assert_eq!(report.rows, 147_938);

    let mut source = Source::new(yoochoose.to_string_lossy(), Format::Tsv);
    source
        .columns
        .insert("user_id".to_owned(), "SessionId".to_owned());
    source
        .columns
        .insert("session_id".to_owned(), "SessionId".to_owned());
    source.columns.insert("item_id".to_owned(), "ItemId".to_owned());
    source.columns.insert("timestamp".to_owned(), "Time".to_owned());
    let mut first = None;
    let mut note_first = |batch: RecordBatch| {
        first.get_or_insert(
            batch["timestamp"]
                .as_primitive::<TimestampMillisecondType>()
                .value(0),
        );
        Ok(())
    };
    let report = import_interactions(&source, &mut note_first).expect("imports");
    assert_eq!(report.rows, 13_568);
    assert_eq!(first, Some(1_396_860_669_277));
}
