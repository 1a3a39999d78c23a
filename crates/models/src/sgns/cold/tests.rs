use std::sync::Arc;

use catchment_sampling::{Context, MemorySessions, SessionRules};
use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray};
use catchment_schema::{Event, Histories, Time, UserIdx, Vocabulary};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::progress::Silent;
use crate::sgns::{SgnsConfig, fit};

/// Items 0, 1, … with these columns; the rows are aligned with a vocabulary of the same order.
fn table(columns: &[(&str, Vec<Option<String>>)]) -> AttributeTable {
    let n = columns[0].1.len();
    let ids: Vec<String> = (0..n).map(|item| format!("i{item:05}")).collect();
    let vocabulary = Vocabulary::from_counts(ids.iter().enumerate().map(|(at, id)| (id, (n - at) as u64)));
    let ids: ArrayRef = Arc::new(StringArray::from(ids));
    let texts = |texts: &Vec<Option<String>>| -> ArrayRef { Arc::new(StringArray::from(texts.clone())) };
    let columns = columns.iter().map(|(name, column)| (*name, texts(column), true));
    let batch =
        RecordBatch::try_from_iter_with_nullable(std::iter::once(("item_id", ids, false)).chain(columns));
    AttributeTable::align("items".as_ref(), &batch.expect("columns"), "item_id", &vocabulary)
        .expect("aligned")
}

fn model(input: &[f32], dim: usize) -> SgnsModel {
    SgnsModel {
        dim,
        input: input.to_vec(),
        output: input.iter().map(|x| x * 10.0).collect(),
        ..SgnsModel::default()
    }
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[test]
fn an_item_in_no_session_is_placed_among_those_it_belongs_to() {
    // Four groups of ten items; sessions are of one group, and the last two of each group are in none.
    let (mut users, mut events) = (Vec::new(), Vec::new());
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
    for user in 0..2000 {
        for _ in 0..6 {
            users.push(UserIdx(user));
            let item = (user % 4) * 10 + rng.random_range(0..8);
            events.push(Event::new(ItemIdx(item), Time::UNKNOWN));
        }
    }
    let sessions = MemorySessions::new(&Histories::group(2000, &users, &events), &SessionRules::default());
    let config = SgnsConfig {
        dim: 16,
        epochs: 5,
        context: Context::Set,
        subsample: 0.0,
        ..SgnsConfig::default()
    };
    let mut model = fit(&sessions, 40, &config, 1, &mut Silent).expect("fitted");
    // What everything is called says nothing; the group's own words do.
    let group = ["red wine", "white wine", "green tea", "black tea"];
    let title = |item: usize| Some(format!("The {} No. {item}", group[item / 10]));
    let attributes = table(&[("title", (0..40).map(title).collect())]);
    let config = ColdConfig {
        words: vec!["title".to_owned()],
        neighbours: 5,
        ..ColdConfig::default()
    };
    let report = model.place_cold(&attributes, &config).expect("placed");
    assert_eq!(report, ColdReport { cold: 8, placed: 8 });
    let cosine = |a: usize, b: usize| {
        let mut rows = [a, b].map(|item| model.item(ItemIdx::from_index(item)).to_vec());
        for row in &mut rows {
            normalise(row);
        }
        rows[0].iter().zip(&rows[1]).map(|(x, y)| x * y).sum::<f32>()
    };
    for cold in (0..40).filter(|item| item % 10 >= 8) {
        let mut others: Vec<usize> = (0..40).filter(|item| item % 10 < 8).collect();
        others.sort_by(|&a, &b| cosine(cold, b).total_cmp(&cosine(cold, a)));
        assert!(
            others[..8].iter().all(|other| other / 10 == cold / 10),
            "{cold}: {others:?}"
        );
        assert!(model.output[cold * 16..][..16].iter().any(|&x| x != 0.0));
    }
}

#[test]
fn the_mean_is_of_directions_and_of_output_vectors_as_they_are() {
    let mut model = model(&[3.0, 0.0, 0.0, 0.5, 0.0, 0.0, 9.0, 9.0], 2);
    let brands = ["a", "a", "a", "b"].map(text).to_vec();
    let config = ColdConfig {
        categories: vec!["brand".to_owned()],
        ..ColdConfig::default()
    };
    let report = model
        .place_cold(&table(&[("brand", brands)]), &config)
        .expect("placed");
    assert_eq!(report, ColdReport { cold: 1, placed: 1 });
    let half = 0.5_f32.sqrt();
    assert!(model.item(ItemIdx(2)).iter().all(|x| (x - half).abs() < 1e-6));
    assert_eq!(model.output[4..6], [15.0, 2.5]);
}

#[test]
fn what_shares_nothing_stays_without_a_vector() {
    let mut model = model(&[1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 2);
    // The third is alone, of the fourth nothing is known, and the fifth's two neighbours cancel out.
    let brands = ["a", "a", "b", "", "a"].map(text).to_vec();
    let config = ColdConfig {
        categories: vec!["brand".to_owned()],
        ..ColdConfig::default()
    };
    let report = model
        .place_cold(&table(&[("brand", brands)]), &config)
        .expect("placed");
    assert_eq!(report, ColdReport { cold: 3, placed: 0 });
    assert!(model.input[4..].iter().all(|&x| x == 0.0));
}

#[test]
fn the_index_finds_what_comparing_all_with_all_finds() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(8);
    let n = 120;
    let title = |rng: &mut Xoshiro256PlusPlus| {
        let n_words = rng.random_range(0..5);
        let words: Vec<String> = (0..n_words)
            .map(|_| format!("w{}", rng.random_range(0..30_u32).pow(2) / 30))
            .collect();
        text(&words.join(" "))
    };
    let titles: Vec<_> = (0..n).map(|_| title(&mut rng)).collect();
    let brands: Vec<_> = (0..n)
        .map(|_| text(["", "w1", "x", "y"][rng.random_range(0..4)]))
        .collect();
    let is_warm: Vec<bool> = (0..n).map(|_| rng.random_range(0..3) > 0).collect();
    let config = ColdConfig {
        categories: vec!["brand".to_owned()],
        words: vec!["title".to_owned()],
        ..ColdConfig::default()
    };
    let bag = |item: usize| -> std::collections::BTreeSet<String> {
        let words = titles[item]
            .iter()
            .flat_map(|title| title.split(' '))
            .map(str::to_owned);
        words
            .chain(brands[item].iter().map(|brand| format!("brand {brand}")))
            .collect()
    };
    let bags: Vec<_> = (0..n).map(bag).collect();
    let weight = |term: &String| {
        let count = bags.iter().filter(|bag| bag.contains(term)).count();
        (1.0 + n as f64 / count as f64).ln().powi(2)
    };
    let norm = |item: usize| bags[item].iter().map(weight).sum::<f64>().sqrt();
    let table = table(&[("brand", brands.clone()), ("title", titles.clone())]);
    let content = Content::new(&table, &config, &is_warm, n).expect("columns");
    let mut scratch = Scratch::new(n);
    for item in 0..n {
        let score =
            |other: usize| bags[item].intersection(&bags[other]).map(weight).sum::<f64>() / norm(other);
        let found = content.alike(item, 7, &mut scratch);
        let mut others: Vec<usize> = (0..n)
            .filter(|&other| is_warm[other])
            .filter(|&other| score(other) > 0.0)
            .collect();
        others.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
        others.truncate(7);
        assert_eq!(found.len(), others.len());
        for (found, exact) in found.iter().zip(others) {
            assert!(
                is_warm[found.index()] && (score(found.index()) - score(exact)).abs() < 1e-4,
                "{item}"
            );
        }
    }
}

#[test]
fn of_what_very_many_share_the_most_frequent_are_looked_at() {
    let mut input = vec![1.0; 100];
    input[99] = 0.0;
    let mut model = model(&input, 1);
    let brands = vec![text("same"); 100];
    let table = table(&[("brand", brands)]);
    let config = ColdConfig {
        categories: vec!["brand".to_owned()],
        most_sharing: 4,
        ..ColdConfig::default()
    };
    let is_warm: Vec<bool> = (0..100).map(|item| item < 99).collect();
    let content = Content::new(&table, &config, &is_warm, 100).expect("columns");
    let found = content.alike(99, 10, &mut Scratch::new(100));
    assert_eq!(found, [0, 1, 2, 3].map(ItemIdx));
    assert_eq!(model.place_cold(&table, &config).expect("placed").placed, 1);
}

#[test]
fn columns_that_are_not_there_or_have_no_text_are_named_with_their_key() {
    let failed = |attributes: &AttributeTable, config: ColdConfig| {
        let error = model(&[1.0, 0.0], 1)
            .place_cold(attributes, &config)
            .expect_err("refused");
        error.to_string()
    };
    let words = |column: &str| ColdConfig {
        words: vec![column.to_owned()],
        ..ColdConfig::default()
    };
    let titles = table(&[("title", vec![text("a"), text("a")]), ("note", vec![None, None])]);
    assert_eq!(
        failed(&titles, words("titel")),
        "`cold.words` names the column `titel`: the items have no such column; columns: title, note"
    );
    assert!(failed(&titles, words("note")).contains("`note`: no item has a text in it"));
    assert!(failed(&AttributeTable::empty(2), words("title")).contains("columns: none"));
    let prices: ArrayRef = Arc::new(Float32Array::from(vec![1.0, 2.0]));
    let ids: ArrayRef = Arc::new(StringArray::from(vec!["i00000", "i00001"]));
    let batch = RecordBatch::try_from_iter([("item_id", ids), ("price", prices)]).expect("columns");
    let vocabulary = Vocabulary::from_counts([("i00000", 2), ("i00001", 1)]);
    let prices = AttributeTable::align("items".as_ref(), &batch, "item_id", &vocabulary).expect("aligned");
    let category = ColdConfig {
        categories: vec!["price".to_owned()],
        ..ColdConfig::default()
    };
    assert!(failed(&prices, category).contains("`cold.categories` names the column `price`: no item"));
    assert!(failed(&AttributeTable::empty(3), words("title")).contains("length 3"));
    let none = ColdConfig {
        neighbours: 0,
        ..words("title")
    };
    assert!(failed(&titles, none).contains("`neighbours`"));
}
