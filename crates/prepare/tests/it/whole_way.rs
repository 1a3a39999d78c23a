//! A small log as a user would bring it.

use std::path::Path;

use catchment_prepare::{Error, Inputs, PrepareConfig, Prepared, SplitConfig, SplitKind, prepare};
use catchment_schema::import::{Format, Source};
use catchment_schema::{ItemIdx, UserIdx};

const LOG: &str = "user_id,item_id,timestamp,event,device
ann,tea,1000,view,phone
ann,cup,1060,buy,phone
ann,pot,99000,view,desk
bob,tea,1000,view,desk
bob,cup,1500,view,
";
const ITEMS: &str = "item_id,title\ntea,Green tea\npot,Iron pot\nlid,Never touched\n";

fn csv(folder: &Path, name: &str, text: &str) -> Source {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    Source::new(path.to_string_lossy(), Format::Csv)
}

fn last() -> SplitConfig {
    SplitConfig::new(SplitKind::LeaveLast { n: 1, since: None })
}

/// Somebody with an unknown time goes by `order`. A row whose place is unknown comes first, whatever its time: kept, that
/// time would say the row came last.
#[test]
fn a_row_without_a_place_does_not_stand_against_the_times_of_the_others() {
    let home = tempfile::tempdir().expect("temporary folder");
    let log = "user_id,item_id,timestamp,order\nann,tea,1000,1\nann,cup,,2\nann,pot,3000,3\nann,lid,9000,0\n\
               bob,tea,1000,1\nbob,lid,9000,0\n";
    let inputs = Inputs::new(csv(home.path(), "log.csv", log));
    let out = home.path().join("prepared");
    let split = SplitConfig::new(SplitKind::Given);
    prepare(
        &inputs,
        &PrepareConfig::default(),
        &split,
        7,
        1,
        &out,
        &mut |_| {},
    )
    .expect("prepared");
    let prepared = Prepared::open(&out).expect("opened");
    let histories = prepared.train().expect("train").histories(prepared.users().len());
    let of = |user: &str| {
        let user = prepared.users().user(user).expect("known");
        let events = histories.of(user).events().iter();
        let id = |event: &catchment_schema::Event| prepared.items().id(event.item.index()).map(str::to_owned);
        events
            .map(|event| (id(event).expect("known"), event.time.millis()))
            .collect::<Vec<_>>()
    };
    let row = |id: &str, seconds: Option<i64>| (id.to_owned(), seconds.map(|seconds| seconds * 1000));
    assert_eq!(
        of("ann"),
        [
            row("lid", None),
            row("tea", Some(1000)),
            row("cup", None),
            row("pot", Some(3000))
        ]
    );
    // All of bob's times are known, and say it all.
    assert_eq!(of("bob"), [row("tea", Some(1000)), row("lid", Some(9000))]);
}

#[test]
fn a_csv_log_becomes_histories_vocabularies_and_attributes() {
    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs {
        items: Some(csv(home.path(), "items.csv", ITEMS)),
        ..Inputs::new(csv(home.path(), "log.csv", LOG))
    };
    let out = home.path().join("prepared");
    let mut steps = vec![];
    let summary = prepare(
        &inputs,
        &PrepareConfig::default(),
        &last(),
        7,
        1,
        &out,
        &mut |progress| {
            if progress.is_done {
                steps.push((progress.stage.to_owned(), progress.rows));
            }
        },
    );
    let summary = summary.expect("prepared");
    assert_eq!(steps.first(), Some(&("import".to_owned(), 5)));
    assert_eq!(steps.last(), Some(&("write".to_owned(), 5)));
    assert_eq!((summary.train, summary.test, summary.cold_items), (3, 2, 1));

    let prepared = Prepared::open(&out).expect("opened");
    assert_eq!(prepared.summary(), &summary);
    assert_eq!(prepared.event_words(), ["view", "buy"]);
    let tea = prepared.items().item("tea").expect("known");
    assert_eq!(
        prepared.item_attributes().text("title", tea.index()),
        Some("Green tea")
    );
    assert_eq!(prepared.items().item("lid"), None);
    assert_eq!(prepared.user_attributes().n_rows(), 2);

    let train = prepared.train().expect("read").histories(prepared.users().len());
    let ann: Vec<ItemIdx> = train
        .of(UserIdx(0))
        .events()
        .iter()
        .map(|event| event.item)
        .collect();
    assert_eq!(ann, [tea, prepared.items().item("cup").expect("known")]);
    let test = prepared.test().expect("read");
    assert_eq!(
        test.events[0].item,
        ItemIdx(2),
        "the pot is cold: the first index beyond two items"
    );
    assert_eq!(test.sessions, [1, 2], "ann's last row begins her second session");
}

#[test]
fn extra_columns_follow_the_encoded_ones() {
    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs::new(csv(home.path(), "log.csv", LOG));
    let out = home.path().join("prepared");
    prepare(
        &inputs,
        &PrepareConfig::default(),
        &last(),
        7,
        1,
        &out,
        &mut |_| {},
    )
    .expect("prepared");
    let (batch, metadata) =
        catchment_schema::parquet_file::read_any_parquet(out.join("train.parquet")).expect("read");
    let schema = batch.schema();
    let names: Vec<&str> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(
        names,
        [
            "user", "item", "time", "event", "value", "session", "dwell", "order", "device"
        ]
    );
    assert_eq!(metadata["catchment.split"], "train");
    assert_eq!(metadata["catchment.dataset"], "log.csv");
}

#[test]
fn a_failed_run_leaves_the_older_folder_as_it_was() {
    let home = tempfile::tempdir().expect("temporary folder");
    let inputs = Inputs::new(csv(home.path(), "log.csv", LOG));
    let out = home.path().join("prepared");
    let config = PrepareConfig::default();
    let before = prepare(&inputs, &config, &last(), 7, 1, &out, &mut |_| {}).expect("prepared");
    let too_strict = PrepareConfig {
        min_user_events: 4,
        ..PrepareConfig::default()
    };
    let error = prepare(&inputs, &too_strict, &last(), 7, 1, &out, &mut |_| {}).expect_err("refused");
    assert!(matches!(error, Error::EmptyAfter { .. }), "{error}");
    assert_eq!(Prepared::open(&out).expect("opened").summary(), &before);
    let again = prepare(&inputs, &config, &last(), 7, 4, &out, &mut |_| {}).expect("prepared");
    assert_eq!(again, before);
}

#[test]
fn the_seed_decides_a_random_split() {
    let home = tempfile::tempdir().expect("temporary folder");
    let rows: Vec<String> = (0..200).map(|row| format!("u{},i{}", row % 5, row / 5)).collect();
    let log = format!("user_id,item_id\n{}\n", rows.join("\n"));
    let inputs = Inputs::new(csv(home.path(), "log.csv", &log));
    let split = SplitConfig::new(SplitKind::Random { fraction: 0.25 });
    let hash = |seed: u64| {
        let out = home.path().join("prepared");
        let config = PrepareConfig::default();
        let summary = prepare(&inputs, &config, &split, seed, 1, &out, &mut |_| {}).expect("prepared");
        assert_eq!(summary.test, 50, "a quarter of each user's forty rows");
        summary.hash
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn a_missing_log_is_named() {
    let inputs = Inputs::new(Source::new("no/such/log.csv", Format::Csv));
    let home = tempfile::tempdir().expect("temporary folder");
    let out = home.path().join("prepared");
    let error = prepare(
        &inputs,
        &PrepareConfig::default(),
        &last(),
        7,
        1,
        &out,
        &mut |_| {},
    );
    assert!(
        error
            .expect_err("refused")
            .to_string()
            .contains("no/such/log.csv")
    );
}
