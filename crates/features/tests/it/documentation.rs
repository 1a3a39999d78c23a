//! The examples of the feature language are true.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catchment_features::{
    FeatureBatch, FeatureConfig, FeatureSpec, FitTables, FittedFeatures, Side, UserInput,
};
use catchment_schema::arrow::array::{ArrayRef, Float64Array, StringArray, TimestampMillisecondArray};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};

use crate::world::{World, lists, number_lists};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

/// The page lies beside the crate in the repository; a published package comes without it, and has nothing to check.
fn page() -> Option<(PathBuf, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/features.md");
    let text = fs::read_to_string(&path).ok()?;
    Some((path, text))
}

#[derive(serde::Deserialize)]
struct Recipe {
    features: FeatureSpec,
}

fn recipe(block: &str) -> FeatureSpec {
    let recipe: Recipe = toml::from_str(block).unwrap_or_else(|error| panic!("{error}\n{block}"));
    let features = recipe.features;
    features
        .validate()
        .unwrap_or_else(|error| panic!("{error}\n{block}"));
    features
}

#[test]
fn every_example_of_the_page_is_accepted_and_every_kind_has_one() {
    let Some((_, page)) = page() else {
        println!("skipped: every_example_of_the_page_is_accepted (there is no page)");
        return;
    };
    let blocks = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let mut shown = std::collections::BTreeSet::new();
    for block in blocks {
        let features = recipe(block);
        for side in Side::ALL {
            shown.extend(
                features
                    .side(side)
                    .iter()
                    .map(|config| (side, FeatureConfig::kind(config))),
            );
        }
    }
    let kinds = |side: Side| side.kinds().iter().map(move |&kind| (side, kind));
    let all = Side::ALL.into_iter().flat_map(kinds);
    let kinds_shown: Vec<&str> = shown.iter().map(|&(_, kind)| kind).collect();
    for (side, kind) in all {
        assert!(kinds_shown.contains(&kind), "no example of {kind} ({side})");
        let row = format!("| `{side}` |");
        let row = page
            .lines()
            .find(|line| line.starts_with(&row))
            .expect("the table of sides");
        assert!(row.contains(&format!("`{kind}`")), "{kind} in {row}");
    }
}

/// Every table of values is what the example above it gives. `UPDATE_EXPECT=1` writes the values into the page.
#[test]
fn every_table_of_values_is_what_its_example_gives() {
    let Some((path, page)) = page() else {
        println!("skipped: every_table_of_values (there is no page)");
        return;
    };
    let mut written = String::new();
    let mut spec = FeatureSpec::default();
    let mut rest = &page[..];
    let (mut names, mut n_cells) = (Vec::new(), 0);
    while let Some((line, after)) = rest.split_once('\n') {
        rest = after;
        if line == "```toml" {
            let (block, _) = rest.split_once("```").expect("an end of the block");
            spec = recipe(block);
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let quoted = |cell: &&str| cell.strip_prefix('`')?.strip_suffix('`').map(str::to_owned);
        if matches!(cells[0], "item" | "now") {
            names = cells[1..].iter().map_while(quoted).collect();
            if names.len() + 1 < cells.len() {
                names.clear();
            }
        } else if !line.starts_with('|') {
            names.clear();
        } else if !names.is_empty() && !cells[0].starts_with('-') {
            let values = values(&spec, cells[0], &names);
            n_cells += values.len();
            let line = format!("| {} | {} |\n", cells[0], values.join(" | "));
            written.push_str(&line);
            continue;
        }
        written.push_str(line);
        written.push('\n');
    }
    assert!(n_cells > 80, "{n_cells} values");
    if written != page && std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, written).expect("written");
        return;
    }
    for (found, expected) in page.lines().zip(written.lines()) {
        assert_eq!(found, expected, "UPDATE_EXPECT=1 writes what the example gives");
    }
}

/// The world of the page.
struct PageWorld {
    items: Vocabulary,
    attributes: AttributeTable,
    users: Vocabulary,
    log: Histories,
}

fn page_world() -> PageWorld {
    let items = Vocabulary::from_counts([("a", 3), ("b", 2), ("c", 2), ("d", 1), ("e", 1)]);
    let genres = StringArray::from(vec![
        Some("drama"),
        Some("comedy"),
        Some("drama"),
        Some("western"),
        None,
    ]);
    let prices = Float64Array::from(vec![Some(1.0), Some(10.0), Some(100.0), None, Some(1000.0)]);
    let out = [
        Some(19_783 * DAY + 2 * HOUR),
        Some(0),
        Some(19_722 * DAY + 23 * HOUR + HOUR / 2),
        None,
        Some(19_889 * DAY + 12 * HOUR),
    ];
    let tags: [Option<&[&str]>; 5] = [
        Some(&["war", "love", "war"]),
        Some(&["love"]),
        Some(&["love", "war", "spies"]),
        Some(&[]),
        None,
    ];
    let strengths: [Option<&[Option<f64>]>; 5] = [
        Some(&[Some(0.5), Some(2.0), Some(1.0)]),
        Some(&[Some(1.0)]),
        Some(&[Some(1.0), Some(4.0), Some(2.0)]),
        Some(&[]),
        None,
    ];
    let titles = vec![
        Some("Good, good!"),
        Some("A good food"),
        Some("Où?"),
        Some(""),
        None,
    ];
    let columns: Vec<(&'static str, ArrayRef)> = vec![
        ("genre", Arc::new(genres)),
        ("tags", lists(&tags)),
        ("strengths", number_lists(&strengths)),
        ("price", Arc::new(prices)),
        ("out", Arc::new(TimestampMillisecondArray::from(out.to_vec()))),
        ("title", Arc::new(StringArray::from(titles))),
    ];
    let event = |item, day| Event::new(ItemIdx(item), Time::from_millis(day * DAY + 12 * HOUR));
    PageWorld {
        attributes: World::table(&columns, &items),
        items,
        users: Vocabulary::from_counts([("somebody", 3)]),
        log: Histories::group(1, &[UserIdx(0); 3], &[event(0, 0), event(1, 1), event(2, 2)]),
    }
}

/// What a row's cells should be: of an item, or of the user at a moment.
fn values(spec: &FeatureSpec, row: &str, names: &[String]) -> Vec<String> {
    let world = page_world();
    let side = if world.items.position(row).is_some() {
        Side::Item
    } else {
        Side::User
    };
    // The context of an example may read what this world has not; only the side of the table is fitted.
    let spec = FeatureSpec {
        user: if side == Side::User {
            spec.user.clone()
        } else {
            vec![]
        },
        item: if side == Side::Item {
            spec.item.clone()
        } else {
            vec![]
        },
        ..FeatureSpec::default()
    };
    let fitted = spec
        .fit(&FitTables {
            users: &world.users,
            items: &world.items,
            user_attributes: &AttributeTable::empty(1),
            item_attributes: &world.attributes,
            histories: &world.log,
            channels: &[],
        })
        .expect("fitted");
    let mut batch = FeatureBatch::default();
    let place = match (side, row) {
        (Side::Item, _) => {
            fitted
                .transform_items(&world.items, &world.attributes, &mut batch)
                .expect("transformed");
            world.items.position(row).expect("an item") as usize
        }
        (_, moment) => {
            let now = match moment {
                "the day after" => Time::from_millis(3 * DAY + 12 * HOUR),
                "unknown" => Time::UNKNOWN,
                other => panic!("a moment that the test does not know: {other}"),
            };
            let input = UserInput {
                history: world.log.of(UserIdx(0)),
                ..UserInput::anonymous(now)
            };
            fitted.transform_user(&input, &mut batch).expect("a row");
            0
        }
    };
    names
        .iter()
        .map(|name| cell(&fitted, side, &batch, place, name))
        .collect()
}

fn cell(fitted: &FittedFeatures, side: Side, batch: &FeatureBatch, row: usize, name: &str) -> String {
    let shapes = fitted.shape(side);
    let column = shapes.iter().position(|shape| shape.name == name);
    let column = column.unwrap_or_else(|| panic!("the example has no feature {name}"));
    let (ids, weights) = batch.row(row).bag(column);
    let bag = ids
        .iter()
        .zip(weights)
        .map(|(id, &weight)| format!("{id}×{}", short(weight)));
    let dense = batch.row(row).dense(column).iter().map(|&value| short(value));
    let all: Vec<String> = bag.chain(dense).collect();
    if all.is_empty() {
        "-".to_owned()
    } else {
        all.join(" ")
    }
}

/// Four decimals, without zeros at the end.
fn short(value: f32) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}
