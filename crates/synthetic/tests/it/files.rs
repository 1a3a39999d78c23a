//! What is written: the columns of the contract, the same bytes every time.

use std::fs;
use std::path::Path;

use catchment_schema::arrow::array::{Float32Array, StringArray, UInt32Array};
use catchment_schema::columns::required_column;
use catchment_schema::lists::CANDIDATES;
use catchment_schema::parquet_file::{read_any_parquet, read_parquet};
use catchment_synthetic::{IDEAL_DEPTH, ORACLE, World, WorldConfig, WriteFormat};

const NAMES: [&str; 3] = ["interactions", "items", "users"];

/// The data that lies beside the code. After a wanted change: `UPDATE_EXPECT=1`, and a changelog line.
#[test]
fn the_tiny_dataset_is_made_again_byte_by_byte() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets/tiny");
    if !folder.is_dir() {
        eprintln!("skipped the_tiny_dataset_is_made_again_byte_by_byte: no datasets/tiny beside this crate");
        return;
    }
    let temporary = tempfile::tempdir().expect("temporary folder");
    let world = World::generate(&WorldConfig::sample()).expect("allowed");
    world.write(temporary.path(), WriteFormat::Csv).expect("written");
    for name in NAMES.map(|name| format!("{name}.csv")) {
        let made = fs::read(temporary.path().join(&name)).expect("made");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(folder.join(&name), &made).expect("updated");
        }
        let kept = fs::read(folder.join(&name)).expect("kept");
        assert!(made == kept, "{name} differs from datasets/tiny/{name}");
    }
}

#[test]
fn both_formats_are_the_same_bytes_every_time() {
    let world = World::generate(&WorldConfig::tiny()).expect("allowed");
    for format in [WriteFormat::Csv, WriteFormat::Parquet] {
        let (one, other) = (
            tempfile::tempdir().expect("folder"),
            tempfile::tempdir().expect("folder"),
        );
        let first = world.write(one.path(), format).expect("written");
        let second = world.write(other.path(), format).expect("written");
        for (a, b) in [
            (first.interactions, second.interactions),
            (first.items, second.items),
            (first.users, second.users),
            (first.truth, second.truth),
        ] {
            assert!(
                fs::read(&a).expect("read") == fs::read(&b).expect("read"),
                "{}",
                a.display()
            );
        }
    }
}

#[test]
fn columns_are_those_of_the_contract() {
    let world = World::generate(&WorldConfig::tiny()).expect("allowed");
    let folder = tempfile::tempdir().expect("folder");
    world.write(folder.path(), WriteFormat::Csv).expect("written");
    world.write(folder.path(), WriteFormat::Parquet).expect("written");
    let headers = [
        "user_id,item_id,timestamp,event",
        "item_id,title,category,price,published_at",
        "user_id,age,country",
    ];
    for ((name, header), n_rows) in NAMES.into_iter().zip(headers).zip([1500, 80, 100]) {
        let text = fs::read_to_string(folder.path().join(format!("{name}.csv"))).expect("read");
        let n_columns = header.split(',').count();
        assert_eq!(text.lines().next(), Some(header));
        assert_eq!(text.lines().count(), n_rows + 1);
        assert!(
            text.lines().all(|line| line.split(',').count() == n_columns),
            "nothing needs quotes"
        );
        let (batch, _) = read_any_parquet(folder.path().join(format!("{name}.parquet"))).expect("read");
        let schema = batch.schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(columns.join(","), header);
        assert_eq!(batch.num_rows(), n_rows);
    }
    let first = fs::read_to_string(folder.path().join("interactions.csv")).expect("read");
    let first = first.lines().nth(1).expect("a row");
    let time = first.split(',').nth(2).expect("a time");
    assert!(
        time.starts_with("2026-01-0") && time.ends_with('Z') && time.len() == 20,
        "{first}"
    );
}

#[test]
fn ideal_lists_have_the_form_of_candidates_and_reach_below_what_was_seen() {
    let world = World::generate(&WorldConfig::default()).expect("allowed");
    let folder = tempfile::tempdir().expect("folder");
    let path = world
        .write(folder.path(), WriteFormat::Csv)
        .expect("written")
        .truth;
    let (batch, metadata) = read_parquet(&path, CANDIDATES).expect("a candidates file");
    assert_eq!(metadata["catchment.seed"], "7");
    let users = required_column::<StringArray>(&path, &batch, "user_id").expect("there");
    let items = required_column::<StringArray>(&path, &batch, "item_id").expect("there");
    let channels = required_column::<StringArray>(&path, &batch, "channel").expect("there");
    let ranks = required_column::<UInt32Array>(&path, &batch, "rank").expect("there");
    let scores = required_column::<Float32Array>(&path, &batch, "score").expect("there");
    let n_rows: usize = (0..2000)
        .map(|user| IDEAL_DEPTH + world.choices_of(user).len())
        .sum();
    assert_eq!(batch.num_rows(), n_rows);
    let mut row = 0;
    for (position, user) in world.users().iter().enumerate() {
        let choices = world.choices_of(position);
        let at = choices.last().expect("everybody did something").time;
        let truth = world.ideal_list(position, at, &[], IDEAL_DEPTH + choices.len());
        let mut rank = 0;
        for (item, _) in truth {
            rank += 1;
            assert_eq!(
                (users.value(row), items.value(row)),
                (&*user.id, &*world.items()[item].id)
            );
            assert_eq!((channels.value(row), ranks.value(row)), (ORACLE, rank));
            assert!(scores.value(row).is_finite());
            assert!(rank == 1 || scores.value(row) <= scores.value(row - 1));
            row += 1;
        }
    }
}
