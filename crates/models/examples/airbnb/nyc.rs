//! Made searches over real listings.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Instant;

use catchment_features::{TypeOf, TypeRule, TypeRules};
use catchment_models::airbnb::types::{self, TypeSessions, TypesData};
use catchment_models::airbnb::{
    GeoColdConfig, ObjectiveConfig, TypeVectors, TypesConfig, cold, default_model,
};
use catchment_models::progress::Silent;
use catchment_models::sgns::{self, SgnsConfig, SgnsModel};
use catchment_sampling::{MemorySessions, Oversampled, SessionRules};
use catchment_schema::{Histories, ItemIdx};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::measure::{self, By, Vectors};
use crate::world::{BOOKING, LOOK, PRICES, REJECT, ROOMS, World};
use crate::{compare, over_seeds};

const SEEDS: [u64; 3] = [1, 2, 3];

fn is_test(user: usize) -> bool {
    user.is_multiple_of(10)
}

fn rule(column: &str, boundaries: &[f64]) -> TypeRule {
    TypeRule {
        column: Some(column.to_owned()),
        boundaries: boundaries.to_vec(),
        goals: None,
    }
}

fn model() -> SgnsConfig {
    SgnsConfig {
        epochs: 5,
        learning_rate: 0.05,
        ..default_model()
    }
}

fn full() -> ObjectiveConfig {
    ObjectiveConfig {
        goal: Some("booking".to_owned()),
        market: Some("market".to_owned()),
        ..ObjectiveConfig::default()
    }
}

fn train(
    world: &World,
    histories: &Histories,
    config: &ObjectiveConfig,
    seed: u64,
) -> Result<SgnsModel, Box<dyn Error>> {
    let rules = SessionRules {
        gap_ms: Some(30 * 60_000),
        kinds: vec![LOOK, BOOKING],
        goal: Some(BOOKING),
        ..SessionRules::default()
    };
    let source = Oversampled::new(MemorySessions::new(histories, &rules), config.oversample);
    let terms = config.objective(&world.items)?;
    let n_items = world.listings.len();
    Ok(sgns::fit_objective(
        &source,
        n_items,
        &model(),
        &terms,
        seed,
        None,
        &mut Silent,
    )?)
}

/// The figures of one model, case by case.
#[derive(Default)]
struct Cases {
    within: [Vec<Vec<f64>>; 2],
    booked: [Vec<Vec<f64>>; 4],
}

const BY: [By; 2] = [By::Cosine, By::Likelihood];

impl Cases {
    fn of(
        world: &World,
        histories: &Histories,
        config: &ObjectiveConfig,
    ) -> Result<(Self, SgnsModel), Box<dyn Error>> {
        let mut cases = Self::default();
        let mut last = None;
        for seed in SEEDS {
            let begun = Instant::now();
            let fitted = train(world, histories, config, seed)?;
            let vectors = Vectors::new(&fitted)?;
            for (at, by) in BY.into_iter().enumerate() {
                cases.within[at].push(measure::within_market(world, &vectors, is_test, by));
                for (place, early) in [(0, true), (2, false)] {
                    cases.booked[place + at].push(measure::booked(world, &vectors, is_test, early, by));
                }
            }
            eprintln!(
                "seed {seed}: {:.1} million pairs, {:.0?}",
                fitted.report.pairs as f64 / 1e6,
                begun.elapsed()
            );
            last = Some(fitted);
        }
        Ok((cases, last.ok_or("no seed")?))
    }
}

pub(crate) fn run(folder: &Path, n_users: usize, quality_weight: f64) -> Result<(), Box<dyn Error>> {
    let world = World::new(folder, n_users, quality_weight, 7)?;
    let histories = world.histories(|user| !is_test(user));
    println!(
        "{} listings in {} neighbourhoods; {n_users} users, {} events to learn from\n",
        world.listings.len(),
        world.of_market.len(),
        histories.n_events()
    );
    let (with, fitted) = Cases::of(&world, &histories, &full())?;
    let ablated = |change: fn(&mut ObjectiveConfig)| {
        let mut config = full();
        change(&mut config);
        Cases::of(&world, &histories, &config).map(|(cases, _)| cases)
    };
    println!("{:<62} {:>7} {:>7}  {:>8}", "", "with", "without", "difference");
    let names = ["by cosine", "by likelihood"];
    let no_market = ablated(|config| config.market_negatives = 0)?;
    for (at, name) in names.iter().enumerate() {
        compare(
            &format!("market negatives: the next look in its market, {name}"),
            &over_seeds(&with.within[at]),
            &over_seeds(&no_market.within[at]),
        );
    }
    let no_goal = ablated(|config| config.global_goal = false)?;
    let no_more = ablated(|config| config.oversample = 1)?;
    for (place, from) in [(0, "early looks"), (2, "the last look")] {
        for (at, name) in names.iter().enumerate() {
            compare(
                &format!("global context: the booked listing from {from}, {name}"),
                &over_seeds(&with.booked[place + at]),
                &over_seeds(&no_goal.booked[place + at]),
            );
        }
    }
    for (at, name) in names.iter().enumerate() {
        compare(
            &format!("oversampling: the booked listing from early looks, {name}"),
            &over_seeds(&with.booked[at]),
            &over_seeds(&no_more.booked[at]),
        );
    }
    similarities(&world, &fitted)?;
    cold_start(&world, &fitted)?;
    kinds(&world, &histories)
}

/// Cosines between listings by room type, price bucket and neighbourhood.
fn similarities(world: &World, fitted: &SgnsModel) -> Result<(), Box<dyn Error>> {
    let vectors = Vectors::new(fitted)?;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let known: Vec<ItemIdx> = (0..world.listings.len())
        .map(ItemIdx::from_index)
        .filter(|&item| vectors.is_known(item))
        .collect();
    let mut rooms = [[(0.0, 0.0); 3]; 3];
    let mut buckets = [[(0.0, 0.0); PRICES.len() + 1]; PRICES.len() + 1];
    let mut places = [(0.0, 0.0); 3];
    for _ in 0..2_000_000 {
        let a = known[rng.random_range(0..known.len())];
        // Half of the pairs within one neighbourhood, or there would be few.
        let market = &world.of_market[world.markets[a.index()] as usize];
        let b = if rng.random_bool(0.5) {
            market[rng.random_range(0..market.len())]
        } else {
            known[rng.random_range(0..known.len())]
        };
        if a == b || !vectors.is_known(b) {
            continue;
        }
        let (one, other) = (&world.listings[a.index()], &world.listings[b.index()]);
        let cosine = f64::from(vectors.score(a, b, By::Cosine));
        let add = |sum: &mut (f64, f64)| {
            sum.0 += cosine;
            sum.1 += 1.0;
        };
        let same_market = one.neighbourhood == other.neighbourhood;
        if same_market {
            add(&mut rooms[one.room][other.room]);
            add(&mut buckets[one.bucket()][other.bucket()]);
        }
        let near = if same_market {
            0
        } else if one.borough == other.borough {
            1
        } else {
            2
        };
        add(&mut places[near]);
    }
    println!("\nmean cosine of two listings of one neighbourhood, by room type");
    for (room, row) in ROOMS.iter().zip(rooms) {
        println!("{room:<16}{}", cells(&row));
    }
    println!("by price bucket (below {PRICES:?} and above)");
    for (bucket, row) in buckets.iter().enumerate() {
        println!("{bucket:<16}{}", cells(row));
    }
    println!(
        "of the same neighbourhood, of the same borough, of two boroughs\n{:<16}{}",
        "",
        cells(&places)
    );
    Ok(())
}

fn cells(sums: &[(f64, f64)]) -> String {
    let cells: Vec<String> = sums.iter().map(|(sum, n)| format!("{:>8.3}", sum / n)).collect();
    cells.concat()
}

fn cold_start(world: &World, fitted: &SgnsModel) -> Result<(), Box<dyn Error>> {
    let typed = GeoColdConfig {
        same: TypeRules(vec![rule("room_type", &[]), rule("price", &PRICES)]),
        ..GeoColdConfig::default()
    };
    let any = GeoColdConfig {
        same: TypeRules::default(),
        ..typed.clone()
    };
    let mut filled = [fitted.clone(), fitted.clone()];
    let report = cold::fill(&mut filled[0], &world.items, &typed)?;
    cold::fill(&mut filled[1], &world.items, &any)?;
    println!("\ncold start: {report:?}");
    let found = |model: &SgnsModel| -> Result<Vec<f64>, Box<dyn Error>> {
        Ok(measure::cold(world, &Vectors::new(model)?, is_test, 200))
    };
    let (without, by_type, by_place) = (found(fitted)?, found(&filled[0])?, found(&filled[1])?);
    println!("{:<62} {:>7} {:>7}  {:>8}", "", "with", "without", "difference");
    compare(
        "cold listings among the 200 nearest in the city",
        &by_type,
        &without,
    );
    compare(
        "  of the same type, beside nearest of any type",
        &by_type,
        &by_place,
    );
    Ok(())
}

/// Types of users and listings, and rejections.
#[expect(clippy::too_many_lines, reason = "an example that reads from top to bottom")]
fn kinds(world: &World, histories: &Histories) -> Result<(), Box<dyn Error>> {
    let config = |reject: bool| TypesConfig {
        users: TypeRules(vec![
            rule("trip", &[]),
            rule("verified", &[]),
            rule("budget", &PRICES),
        ]),
        items: TypeRules(vec![
            rule("room_type", &[]),
            rule("price", &PRICES),
            rule("borough", &[]),
        ]),
        reject: reject.then(|| "reject".to_owned()),
        ..TypesConfig::default()
    };
    let with = config(true);
    let data = TypesData {
        histories,
        users: &world.users,
        items: &world.items,
        goal: BOOKING,
        reject: Some(REJECT),
    };
    let sessions = TypeSessions::new(&data, &with)?;
    let learned = |config: &TypesConfig| -> Result<Vec<TypeVectors>, Box<dyn Error>> {
        let fit = |seed| types::fit(&sessions, config, seed, &mut Silent);
        Ok(SEEDS.into_iter().map(fit).collect::<Result<_, _>>()?)
    };
    let (taught, untaught) = (learned(&with)?, learned(&config(false))?);
    println!(
        "\n{} kinds of guests, {} kinds of listings, {} rejections",
        taught[0].len(TypeOf::User),
        taught[0].len(TypeOf::Item),
        sessions.rejects[0]
    );
    // Held-out bookings and rejections.
    let (mut booked, mut rejected) = (Vec::new(), Vec::new());
    for (user, searches) in world
        .searches
        .iter()
        .enumerate()
        .filter(|(user, _)| is_test(*user))
    {
        let guest = with.users.of_user(Some((&world.users, user)), &[], &world.items);
        let pair = |item: ItemIdx| [guest.clone(), with.items.of_row(&world.items, item.index())];
        for search in searches {
            booked.extend(search.booked.map(pair));
            rejected.extend(search.rejected.iter().copied().map(pair));
        }
    }
    let mut counts: BTreeMap<&str, f32> = BTreeMap::new();
    let all: Vec<String> = (0..world.listings.len())
        .map(|row| with.items.of_row(&world.items, row))
        .collect();
    for (_, history) in histories.iter() {
        for event in history.events().iter().filter(|event| event.kind == BOOKING) {
            *counts.entry(&all[event.item.index()]).or_default() += 1.0;
        }
    }
    let names: Vec<String> = counts.keys().map(|&name| name.to_owned()).collect();
    let of = |vectors: &[TypeVectors]| -> Vec<f64> {
        let cases: Vec<Vec<f64>> = vectors
            .iter()
            .map(|vectors| {
                measure::booked_type(&booked, &names, |guest, kind| {
                    vectors.similarity(guest, kind).unwrap_or(-1.0)
                })
            })
            .collect();
        over_seeds(&cases)
    };
    let popular = measure::booked_type(&booked, &names, |_, kind| {
        counts.get(kind).copied().unwrap_or(0.0)
    });
    println!("{:<62} {:>7} {:>7}  {:>8}", "", "with", "without", "difference");
    compare(
        "types: the booked kind among all kinds, beside popularity",
        &of(&taught),
        &popular,
    );
    let distances = |pairs: &[[String; 2]], vectors: &[TypeVectors]| -> Vec<f64> {
        let cases: Vec<Vec<f64>> = vectors
            .iter()
            .map(|vectors| {
                measure::cosines(pairs, vectors)
                    .iter()
                    .map(|cosine| 1.0 - cosine)
                    .collect()
            })
            .collect();
        over_seeds(&cases)
    };
    compare(
        "rejections: distance of rejected pairs",
        &distances(&rejected, &taught),
        &distances(&rejected, &untaught),
    );
    compare(
        "rejections: distance of booked pairs",
        &distances(&booked, &taught),
        &distances(&booked, &untaught),
    );
    compare(
        "rejections: the booked kind among all kinds",
        &of(&taught),
        &of(&untaught),
    );
    // Guests alike in all but what hosts look at.
    let of_hosts = |vectors: &TypeVectors| {
        let name = |verified: &str| format!("trip=family|verified={verified}|budget=4");
        let kind = "room_type=Entire home/apt|price=4|borough=Manhattan";
        ["yes", "no"].map(|verified| vectors.similarity(&name(verified), kind).unwrap_or(f32::NAN))
    };
    for (what, vectors) in [("with", &taught), ("without", &untaught)] {
        let mean = vectors.iter().map(of_hosts).fold([0.0; 2], |sum, found| {
            [sum[0] + found[0] / 3.0, sum[1] + found[1] / 3.0]
        });
        println!(
            "dear homes and families with a large budget, {what} rejections: verified {:.3}, not verified {:.3}",
            mean[0], mean[1]
        );
    }
    Ok(())
}
