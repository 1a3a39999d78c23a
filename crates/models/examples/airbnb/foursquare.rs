//! Real check-ins: what of Airbnb's ingredients they can show.
//!
//! There is no goal, nobody is rejected and places have no type, so that global context, kinds and rejections have nothing
//! to stand on. Markets are squares of about five kilometres. A check-in is held out with its user's day: the last fifth
//! of each user's sessions. One place in twenty-five is made cold: its check-ins are left out of the training.

use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use catchment_models::airbnb::cold::{self, Place};
use catchment_models::airbnb::{GeoColdConfig, ObjectiveConfig, default_model};
use catchment_models::progress::Silent;
use catchment_models::sgns::{self, SgnsConfig, SgnsModel};
use catchment_sampling::{MemorySessions, Session, SessionRules};
use catchment_schema::arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};
use flate2::read::GzDecoder;
use rayon::prelude::*;

use crate::measure::{By, Vectors};
use crate::{compare, over_seeds};

struct Data {
    train: MemorySessions,
    test: Vec<Vec<ItemIdx>>,
    items: AttributeTable,
    markets: Vec<usize>,
    of_market: Vec<Vec<ItemIdx>>,
    is_cold: Vec<bool>,
}

fn rows(path: &Path) -> Result<Vec<[f64; 3]>, Box<dyn Error>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_reader(GzDecoder::new(File::open(path)?));
    let mut rows = Vec::new();
    for row in reader.records() {
        let row = row?;
        rows.push([row[0].parse()?, row[1].parse()?, row[2].parse()?]);
    }
    Ok(rows)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small whole numbers"
)]
fn open(folder: &Path) -> Result<Data, Box<dyn Error>> {
    let folder = folder.join("foursquare-nyc");
    let mut pois = rows(&folder.join("poi.tsv.gz"))?;
    pois.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let first = pois.first().map_or(0.0, |poi| poi[0]);
    let n_items = pois.len();
    let mut checkins = rows(&folder.join("checkins.tsv.gz"))?;
    checkins.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[2].total_cmp(&b[2])));
    let n_users = checkins.iter().fold(0.0, |most: f64, row| most.max(row[0])) as usize + 1;
    let users: Vec<UserIdx> = checkins.iter().map(|row| UserIdx(row[0] as u32)).collect();
    let events: Vec<Event> = checkins
        .iter()
        .map(|row| {
            Event::new(
                ItemIdx((row[1] - first) as u32),
                Time::from_millis(row[2] as i64 * 60_000),
            )
        })
        .collect();
    let histories = Histories::group(n_users, &users, &events);
    let is_cold: Vec<bool> = (0..n_items).map(|item| item % 25 == 7).collect();
    let rules = SessionRules {
        gap_ms: Some(8 * 3_600_000),
        ..SessionRules::default()
    };
    let (mut train, mut test) = (MemorySessions::default(), Vec::new());
    for (_, history) in histories.iter() {
        let mut sessions = Vec::new();
        rules.cut(
            history,
            &mut Session::default(),
            |session| -> Result<(), Box<dyn Error>> {
                sessions.push(session.items.clone());
                Ok(())
            },
        )?;
        let n_train = sessions.len() * 4 / 5;
        for (place, items) in sessions.into_iter().enumerate() {
            if place >= n_train {
                test.push(items);
                continue;
            }
            let warm: Vec<ItemIdx> = items.into_iter().filter(|item| !is_cold[item.index()]).collect();
            if warm.len() > 1 {
                train.push(&Session {
                    items: warm,
                    ..Session::default()
                });
            }
        }
    }
    // A degree of latitude is 111 km, one of longitude 84 km here.
    let square = |poi: &[f64; 3]| format!("{} {}", (poi[1] / 0.045).floor(), (poi[2] / 0.06).floor());
    let squares: Vec<String> = pois.iter().map(square).collect();
    let names: Vec<String> = (0..n_items).map(|item| format!("{item:05}")).collect();
    let columns: [(&str, ArrayRef); 4] = [
        ("id", Arc::new(StringArray::from(names.clone()))),
        ("market", Arc::new(StringArray::from(squares.clone()))),
        (
            "latitude",
            Arc::new(Float64Array::from_iter_values(pois.iter().map(|poi| poi[1]))),
        ),
        (
            "longitude",
            Arc::new(Float64Array::from_iter_values(pois.iter().map(|poi| poi[2]))),
        ),
    ];
    let vocabulary = Vocabulary::from_counts(names.iter().map(|name| (name, 1)));
    let items = AttributeTable::align(&folder, &RecordBatch::try_from_iter(columns)?, "id", &vocabulary)?;
    let mut known = squares.clone();
    known.sort_unstable();
    known.dedup();
    let markets: Vec<usize> = squares
        .iter()
        .map(|square| known.binary_search(square).unwrap_or(0))
        .collect();
    let mut of_market = vec![Vec::new(); known.len()];
    for (item, &market) in markets.iter().enumerate() {
        of_market[market].push(ItemIdx::from_index(item));
    }
    debug_assert!(
        pois.iter()
            .all(|poi| Place::new(Some(poi[1]), Some(poi[2])).is_some())
    );
    Ok(Data {
        train,
        test,
        items,
        markets,
        of_market,
        is_cold,
    })
}

fn train(data: &Data, market_negatives: usize, seed: u64) -> Result<SgnsModel, Box<dyn Error>> {
    let objective = ObjectiveConfig {
        market: Some("market".to_owned()),
        market_negatives,
        ..ObjectiveConfig::default()
    };
    let model = SgnsConfig {
        epochs: 20,
        learning_rate: 0.05,
        ..default_model()
    };
    let terms = objective.objective(&data.items)?;
    let n_items = data.is_cold.len();
    Ok(sgns::fit_objective(
        &data.train,
        n_items,
        &model,
        &terms,
        seed,
        None,
        &mut Silent,
    )?)
}

pub(crate) fn run(folder: &Path) -> Result<(), Box<dyn Error>> {
    let data = open(folder)?;
    println!(
        "{} places in {} squares, {} sessions to learn from, {} held out\n",
        data.is_cold.len(),
        data.of_market.len(),
        data.train.len(),
        data.test.len()
    );
    println!("{:<62} {:>7} {:>7}  {:>8}", "", "with", "without", "difference");
    let mut models = Vec::new();
    for negatives in [5, 0] {
        let of_seeds: Result<Vec<SgnsModel>, _> = (1..=3).map(|seed| train(&data, negatives, seed)).collect();
        models.push(of_seeds?);
    }
    for (by, name) in [(By::Cosine, "by cosine"), (By::Likelihood, "by likelihood")] {
        let of = |models: &[SgnsModel]| -> Result<Vec<f64>, Box<dyn Error>> {
            let mut cases = Vec::new();
            for model in models {
                let vectors = Vectors::new(model)?;
                let one = |items: &Vec<ItemIdx>| {
                    let found: Vec<f64> = items
                        .windows(2)
                        .filter(|pair| {
                            pair[0] != pair[1] && pair.iter().all(|item| !data.is_cold[item.index()])
                        })
                        .filter_map(|pair| {
                            let market = &data.of_market[data.markets[pair[1].index()]];
                            vectors.above(pair[0], pair[1], market, by)
                        })
                        .collect();
                    if found.is_empty() {
                        0.5
                    } else {
                        found.iter().sum::<f64>() / found.len() as f64
                    }
                };
                cases.push(data.test.par_iter().map(one).collect());
            }
            Ok(over_seeds(&cases))
        };
        compare(
            &format!("market negatives: the next place in its square, {name}"),
            &of(&models[0])?,
            &of(&models[1])?,
        );
    }
    let cold = |radius_km: Option<f64>| -> Result<Vec<f64>, Box<dyn Error>> {
        let mut cases = Vec::new();
        for model in &models[0] {
            let mut model = model.clone();
            if let Some(radius_km) = radius_km {
                let config = GeoColdConfig {
                    radius_km,
                    ..GeoColdConfig::default()
                };
                cold::fill(&mut model, &data.items, &config)?;
            }
            let vectors = Vectors::new(&model)?;
            let pairs = data.test.iter().flat_map(|items| items.windows(2));
            let asked = pairs.filter(|pair| !data.is_cold[pair[0].index()] && data.is_cold[pair[1].index()]);
            let found = asked.map(|pair| {
                let score = vectors.score(pair[0], pair[1], By::Cosine);
                let better = (0..data.is_cold.len())
                    .map(ItemIdx::from_index)
                    .filter(|&item| item != pair[0] && vectors.score(pair[0], item, By::Cosine) > score);
                f64::from(u8::from(
                    vectors.is_known(pair[1]) && better.take(100).count() < 100,
                ))
            });
            cases.push(found.collect());
        }
        Ok(over_seeds(&cases))
    };
    let (with, without) = (cold(Some(GeoColdConfig::default().radius_km))?, cold(None)?);
    compare("cold places among the 100 nearest", &with, &without);
    Ok(())
}
