//! What is written: the columns of the contract, the same bytes for any number of threads.

use std::fs;
use std::path::Path;

use catchment_schema::CandidateRows;
use catchment_schema::arrow::array::{Array, Float32Array, Float64Array, Int64Array, StringArray};
use catchment_schema::columns::required_column;
use catchment_schema::parquet_file::{FILE_KEY, read_any_parquet};
use catchment_synthetic::marketplace::{
    HappeningKind, Marketplace, MarketplaceConfig, MarketplaceFiles, Part,
};
use catchment_synthetic::{IDEAL_DEPTH, ORACLE, WriteFormat};

use super::all_events;

fn write(marketplace: &Marketplace, folder: &Path, format: WriteFormat) -> MarketplaceFiles {
    let mut last = 0;
    let total = marketplace.config().n_views;
    let files = marketplace
        .write(folder, format, &mut |done, of| {
            assert!(done > last && of == total);
            last = done;
        })
        .expect("written");
    assert_eq!(last, total, "the progress ends where the work does");
    files
}

fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("read"))
        })
        .collect();
    files.sort();
    files
}

#[test]
fn one_thread_and_three_write_the_same_bytes() {
    let config = MarketplaceConfig {
        n_truth_users: 50,
        ..MarketplaceConfig::of_size(300_000)
    };
    let marketplace = Marketplace::new(&config).expect("allowed");
    assert!(marketplace.shards().len() > 3);
    for format in [WriteFormat::Csv, WriteFormat::Parquet] {
        let made = [1, 3].map(|n_threads| {
            let folder = tempfile::tempdir().expect("folder");
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(n_threads)
                .build()
                .expect("threads");
            pool.install(|| {
                write(
                    &Marketplace::new(&config).expect("allowed"),
                    folder.path(),
                    format,
                )
            });
            bytes_of(folder.path())
        });
        assert_eq!(made[0].len(), 8);
        for (one, three) in made[0].iter().zip(&made[1]) {
            assert!(one == three, "{}", one.0);
        }
    }
}

#[test]
fn the_log_in_both_formats_is_the_events() {
    let marketplace = Marketplace::new(&MarketplaceConfig::of_size(20_000)).expect("allowed");
    let events = all_events(&marketplace);
    let folder = tempfile::tempdir().expect("folder");
    let files = write(&marketplace, folder.path(), WriteFormat::Parquet);
    assert_eq!(files.size.n_events(), events.len() as u64);
    let path = &files.interactions;
    let (batch, metadata) = read_any_parquet(path).expect("read");
    assert_eq!(metadata[FILE_KEY], "raw_interactions");
    assert_eq!(metadata["catchment.seed"], "7");
    let users = required_column::<StringArray>(path, &batch, "user_id").expect("there");
    let words = required_column::<StringArray>(path, &batch, "event").expect("there");
    let sessions = required_column::<StringArray>(path, &batch, "session_id").expect("there");
    let dwells = batch.column_by_name("dwell_ms").expect("there");
    let dwells = dwells
        .as_any()
        .downcast_ref::<Int64Array>()
        .expect("whole numbers");
    let text = write(&marketplace, folder.path(), WriteFormat::Csv).interactions;
    let text = fs::read_to_string(text).expect("read");
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("user_id,item_id,timestamp,event,session_id,dwell_ms")
    );
    assert_eq!(batch.num_rows(), events.len());
    for (row, (event, line)) in events.iter().zip(lines).enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), 6);
        assert_eq!(
            (cells[0], cells[0]),
            (users.value(row), &*format!("u{}", event.user))
        );
        assert_eq!(cells[1], format!("i{}", event.item));
        assert_eq!(
            (cells[3], words.value(row)),
            (event.kind.word(), event.kind.word())
        );
        assert_eq!(
            (cells[4], cells[4]),
            (
                sessions.value(row),
                &*format!("s{}-{}", event.user, event.session)
            )
        );
        assert_eq!(dwells.is_null(row), event.kind != HappeningKind::View);
        if event.kind == HappeningKind::View {
            assert_eq!(
                (dwells.value(row), cells[5]),
                (event.dwell_ms.into(), &*event.dwell_ms.to_string())
            );
        } else {
            assert_eq!(cells[5], "");
        }
    }
}

#[test]
fn items_and_users_have_the_columns_of_what_there_is() {
    let all = "item_id,title,category,price,published_at,market,latitude,longitude";
    let cases: [(&[Part], &str, &str); 2] = [
        (&Part::ALL, all, "user_id,age,country,home_market"),
        (
            &[],
            "item_id,title,category,price,published_at",
            "user_id,age,country",
        ),
    ];
    for (parts, item_columns, user_columns) in cases {
        let config = MarketplaceConfig {
            with: parts.iter().copied().collect(),
            ..MarketplaceConfig::of_size(2000)
        };
        let marketplace = Marketplace::new(&config).expect("allowed");
        let folder = tempfile::tempdir().expect("folder");
        let tables = write(&marketplace, folder.path(), WriteFormat::Parquet);
        let texts = write(&marketplace, folder.path(), WriteFormat::Csv);
        for (table, text, columns, n) in [
            (&tables.items, &texts.items, item_columns, config.n_items),
            (&tables.users, &texts.users, user_columns, config.n_users),
        ] {
            let (batch, _) = read_any_parquet(table).expect("read");
            let names: Vec<_> = batch
                .schema()
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect();
            assert_eq!(names.join(","), columns);
            assert_eq!(batch.num_rows(), n as usize);
            let text = fs::read_to_string(text).expect("read");
            assert_eq!(text.lines().next(), Some(columns));
            assert_eq!(text.lines().count(), n as usize + 1);
        }
        assert_eq!(tables.labels.is_some(), !parts.is_empty());
        assert_eq!(tables.queries.is_some(), !parts.is_empty());
    }
}

#[test]
fn the_truth_is_written_as_it_is_known() {
    let config = MarketplaceConfig {
        n_truth_users: 40,
        ..MarketplaceConfig::of_size(20_000)
    };
    let marketplace = Marketplace::new(&config).expect("allowed");
    let folder = tempfile::tempdir().expect("folder");
    let files = write(&marketplace, folder.path(), WriteFormat::Parquet);
    let users = marketplace.truth_users();
    assert_eq!(users.len(), 40);
    let lists = CandidateRows::read(&files.truth).expect("a candidates file").rows;
    let mut lists = lists.chunk_by(|a, b| a.user_id == b.user_id);
    for &user in &users {
        let list = lists.next().expect("a list for each");
        let question = marketplace
            .last_new_view(user)
            .expect("everybody views something");
        assert_eq!(*list[0].user_id, format!("u{user}"));
        assert_eq!(&*list[0].channel, ORACLE);
        assert_eq!(list.len(), IDEAL_DEPTH + question.seen.len());
        let probabilities = marketplace.view_probabilities(user, question.at, question.session);
        let ideal = Marketplace::ideal_list(&probabilities, &[].into(), 3);
        for (row, (item, _)) in list.iter().zip(ideal) {
            assert_eq!(*row.item_id, format!("i{item}"));
        }
    }
    let bookings = CandidateRows::read(files.booking_truth.expect("asked for")).expect("a candidates file");
    assert!(!bookings.rows.is_empty());
    let path = files.labels.expect("asked for");
    let (batch, _) = read_any_parquet(&path).expect("read");
    let labels = required_column::<Float32Array>(&path, &batch, "label").expect("there");
    let truth = required_column::<Float64Array>(&path, &batch, "probability").expect("there");
    let expected: Vec<_> = users
        .iter()
        .flat_map(|&user| marketplace.labels_of(user))
        .collect();
    assert_eq!(batch.num_rows(), expected.len());
    for (row, label) in expected.iter().enumerate() {
        assert_eq!(labels.value(row) > 0.5, label.is_booked);
        assert!((truth.value(row) - label.probability).abs() < 1e-15);
    }
    let judged = fs::read_to_string(files.judgements.expect("asked for")).expect("read");
    let grade = |line: &str| {
        let cells: Vec<_> = line.split(' ').collect();
        assert_eq!((cells.len(), cells[1]), (4, "0"));
        cells[3].parse::<u8>().expect("a grade")
    };
    assert!(judged.lines().all(|line| (1..=2).contains(&grade(line))));
}
