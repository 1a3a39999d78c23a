//! Sessions that nobody had, over the real listings of New York: a truth that is known.
//!
//! Each user has a kind of trip (which says the room type), a budget, and is verified or not. A search is in one
//! neighbourhood, the market, around the place of one of its listings. The look number `t` of `T` falls on listing `i` of
//! the market with
//!
//! ```text
//! P(i) ∝ √(1 + reviews_i) · type(u, i) · exp(−km(i, centre) / 1.5) · exp(−(ln price_i − ln budget_u − ½ (1 − t/T))² / (2 · 0.3²))
//! type(u, i): 1 for the room type of the trip, 0.1 for others
//! ```
//!
//! so that searches narrow down: first looks are dearer than what is booked. One session in five ends in a booking, drawn
//! by the same law at `t = T`, with 0.01 in the place of 0.1, the price twice as sharp, and times `exp(w quality_i)`: a
//! listing's quality, even from 0 to 1, shows only to those who book. With `w = 0` bookings say nothing that looks do not
//! say. Hosts of listings in the upper
//! price bucket turn down guests who are not verified in 7 of 10 cases (others in 1 of 20); then there is a rejection, the
//! guest looks on and books elsewhere. Taste is type, price and place; nothing else links two listings.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use catchment_models::airbnb::cold::Place;
use catchment_schema::arrow::array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use catchment_schema::{AttributeTable, Event, EventKind, Histories, ItemIdx, Time, UserIdx, Vocabulary};
use flate2::read::GzDecoder;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

pub(crate) const LOOK: EventKind = EventKind(0);
pub(crate) const BOOKING: EventKind = EventKind(1);
pub(crate) const REJECT: EventKind = EventKind(2);

/// Buckets of prices, in dollars a night.
pub(crate) const PRICES: [f64; 4] = [60.0, 100.0, 150.0, 225.0];
pub(crate) const ROOMS: [&str; 3] = ["Entire home/apt", "Private room", "Shared room"];

const TRIPS: [&str; 3] = ["family", "solo", "backpack"];
const MINUTE: i64 = 60_000;

/// One real listing.
pub(crate) struct Listing {
    pub(crate) neighbourhood: String,
    pub(crate) borough: String,
    pub(crate) place: Place,
    pub(crate) room: usize,
    pub(crate) price: f64,
    reviews: f64,
    /// Times its weight.
    quality: f64,
}

impl Listing {
    pub(crate) fn bucket(&self) -> usize {
        PRICES.partition_point(|&boundary| boundary <= self.price)
    }
}

/// Somebody who searches.
struct Guest {
    trip: usize,
    verified: bool,
    budget: f64,
}

/// One search.
pub(crate) struct Search {
    pub(crate) looks: Vec<ItemIdx>,
    pub(crate) rejected: Vec<ItemIdx>,
    pub(crate) booked: Option<ItemIdx>,
}

pub(crate) struct World {
    pub(crate) listings: Vec<Listing>,
    /// Columns of the items: `room_type`, `price`, `market`, `borough`, `latitude`, `longitude`.
    pub(crate) items: AttributeTable,
    /// Columns of the users: `trip`, `verified`, `budget`.
    pub(crate) users: AttributeTable,
    /// Of each user, oldest first.
    pub(crate) searches: Vec<Vec<Search>>,
    pub(crate) markets: Vec<u32>,
    pub(crate) of_market: Vec<Vec<ItemIdx>>,
    /// Listings that are not in the training log.
    pub(crate) is_cold: Vec<bool>,
}

/// The listings that have a price and a room type that is known.
fn listings(folder: &Path) -> Result<Vec<Listing>, Box<dyn Error>> {
    let file = File::open(folder.join("airbnb-nyc-2019/listings.csv.gz"))?;
    let mut reader = csv::Reader::from_reader(GzDecoder::new(file));
    let mut found = Vec::new();
    for row in reader.records() {
        let row = row?;
        let number = |column: usize| row[column].parse::<f64>();
        let room = ROOMS.iter().position(|room| *room == &row[7]);
        let place = Place::new(number(5).ok(), number(6).ok());
        if let (Some(room), Some(place)) = (room, place)
            && number(8)? > 0.0
        {
            found.push(Listing {
                neighbourhood: row[4].to_owned(),
                borough: row[3].to_owned(),
                place,
                room,
                price: number(8)?,
                reviews: number(10)?,
                quality: 0.0,
            });
        }
    }
    Ok(found)
}

/// Draws a place in proportion to `weights`.
fn draw(weights: &[f64], rng: &mut impl Rng) -> Option<usize> {
    let total: f64 = weights.iter().sum();
    let mut left = rng.random::<f64>() * total;
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    found.or_else(|| weights.iter().rposition(|&weight| weight > 0.0))
}

impl World {
    /// `n_users` users of one to five searches each; `quality_weight` is `w` above.
    pub(crate) fn new(
        folder: &Path,
        n_users: usize,
        quality_weight: f64,
        seed: u64,
    ) -> Result<Self, Box<dyn Error>> {
        let mut listings = listings(folder)?;
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        for listing in &listings {
            let next = numbers.len();
            numbers.entry(listing.neighbourhood.clone()).or_insert(next);
        }
        let mut of_market = vec![Vec::new(); numbers.len()];
        let mut markets = Vec::with_capacity(listings.len());
        for (item, listing) in listings.iter().enumerate() {
            let market = numbers[&listing.neighbourhood];
            of_market[market].push(ItemIdx::from_index(item));
            markets.push(u32::try_from(market)?);
        }
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let is_cold = listings.iter().map(|_| rng.random_bool(0.04)).collect();
        let qualities: Vec<f64> = listings
            .iter()
            .map(|_| quality_weight * rng.random::<f64>())
            .collect();
        for (listing, quality) in listings.iter_mut().zip(qualities) {
            listing.quality = quality;
        }
        let prices: Vec<Vec<f64>> = (0..3)
            .map(|room| {
                let of_room = listings.iter().filter(|listing| listing.room == room);
                of_room.map(|listing| listing.price).collect()
            })
            .collect();
        let guests: Vec<Guest> = (0..n_users)
            .map(|_| {
                let trip = [0, 0, 0, 0, 0, 1, 1, 1, 1, 2][rng.random_range(0..10)];
                Guest {
                    trip,
                    verified: rng.random_bool(0.6),
                    budget: prices[trip][rng.random_range(0..prices[trip].len())].clamp(25.0, 600.0),
                }
            })
            .collect();
        let searches = guests
            .par_iter()
            .enumerate()
            .map(|(user, guest)| {
                let mut rng =
                    Xoshiro256PlusPlus::seed_from_u64(seed ^ (user as u64 + 1).wrapping_mul(0x9E37_79B9));
                let n = rng.random_range(1..=5);
                (0..n)
                    .map(|_| search(&listings, &of_market, &markets, guest, &mut rng))
                    .collect()
            })
            .collect();
        Ok(Self {
            items: items(&listings)?,
            users: users(&guests)?,
            listings,
            searches,
            markets,
            of_market,
            is_cold,
        })
    }

    /// The histories of the users for whom `is_asked`, without cold listings.
    pub(crate) fn histories(&self, is_asked: impl Fn(usize) -> bool) -> Histories {
        let (mut users, mut events) = (Vec::new(), Vec::new());
        for (user, searches) in self
            .searches
            .iter()
            .enumerate()
            .filter(|(user, _)| is_asked(*user))
        {
            for (day, search) in searches.iter().enumerate() {
                let looks = search.looks.iter().map(|&item| (item, LOOK));
                let rejected = search.rejected.iter().map(|&item| (item, REJECT));
                let booked = search.booked.map(|item| (item, BOOKING));
                for (minute, (item, kind)) in (0..).zip(looks.chain(rejected).chain(booked)) {
                    if self.is_cold[item.index()] {
                        continue;
                    }
                    let time = i64::try_from(day).unwrap_or(0) * 1440 * MINUTE + minute * MINUTE;
                    users.push(UserIdx::from_index(user));
                    events.push(Event {
                        kind,
                        ..Event::new(item, Time::from_millis(time))
                    });
                }
            }
        }
        Histories::group(self.searches.len(), &users, &events)
    }
}

fn search(
    listings: &[Listing],
    of_market: &[Vec<ItemIdx>],
    markets: &[u32],
    guest: &Guest,
    rng: &mut Xoshiro256PlusPlus,
) -> Search {
    // A market in proportion to its size, and a place in it.
    let centre = rng.random_range(0..listings.len());
    let market = &of_market[markets[centre] as usize];
    let at = listings[centre].place;
    let weigh = |other_rooms: f64| -> Vec<f64> {
        let weight = |item: &ItemIdx| {
            let listing = &listings[item.index()];
            let room = if listing.room == guest.trip {
                1.0
            } else {
                other_rooms
            };
            (1.0 + listing.reviews).sqrt() * room * (-listing.place.km_to(at) / 1.5).exp()
        };
        market.iter().map(weight).collect()
    };
    let priced = |weights: &[f64], dearer: f64, deviation: f64| -> Vec<f64> {
        let weight = |(weight, item): (&f64, &ItemIdx)| {
            let off = (listings[item.index()].price / guest.budget).ln() - dearer;
            weight * (-off * off / (2.0 * deviation * deviation)).exp()
        };
        weights.iter().zip(market).map(weight).collect()
    };
    let mut n_looks = 3;
    while n_looks < 25 && rng.random_bool(0.86) {
        n_looks += 1;
    }
    let broad = weigh(0.1);
    let looks = (1..=n_looks)
        .filter_map(|look| {
            draw(
                &priced(&broad, 0.5 * (1.0 - f64::from(look) / f64::from(n_looks)), 0.3),
                rng,
            )
        })
        .map(|place| market[place])
        .collect();
    let mut found = Search {
        looks,
        rejected: Vec::new(),
        booked: None,
    };
    if rng.random_bool(0.2) {
        let mut sharp = priced(&weigh(0.01), 0.0, 0.15);
        for (weight, item) in sharp.iter_mut().zip(market) {
            *weight *= listings[item.index()].quality.exp();
        }
        for _ in 0..4 {
            let Some(item) = draw(&sharp, rng).map(|place| market[place]) else {
                break;
            };
            let dear = listings[item.index()].bucket() == PRICES.len();
            if rng.random_bool(if dear && !guest.verified { 0.7 } else { 0.05 }) {
                found.rejected.push(item);
            } else {
                found.booked = Some(item);
                break;
            }
        }
    }
    found
}

fn table(columns: Vec<(&str, ArrayRef)>, n_rows: usize) -> Result<AttributeTable, Box<dyn Error>> {
    let names: Vec<String> = (0..n_rows).map(|row| format!("{row:07}")).collect();
    let ids: ArrayRef = Arc::new(StringArray::from(names.clone()));
    let batch = RecordBatch::try_from_iter(std::iter::once(("id", ids)).chain(columns))?;
    let vocabulary = Vocabulary::from_counts(names.iter().map(|name| (name, 1)));
    Ok(AttributeTable::align(
        Path::new("world"),
        &batch,
        "id",
        &vocabulary,
    )?)
}

fn items(listings: &[Listing]) -> Result<AttributeTable, Box<dyn Error>> {
    let text = |of: &dyn Fn(&Listing) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(listings.iter().map(of)))
    };
    let number = |of: &dyn Fn(&Listing) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(listings.iter().map(of)))
    };
    let columns = vec![
        ("room_type", text(&|listing| ROOMS[listing.room].to_owned())),
        ("market", text(&|listing| listing.neighbourhood.clone())),
        ("borough", text(&|listing| listing.borough.clone())),
        ("price", number(&|listing| listing.price)),
        ("latitude", number(&|listing| listing.place.latitude)),
        ("longitude", number(&|listing| listing.place.longitude)),
    ];
    table(columns, listings.len())
}

fn users(guests: &[Guest]) -> Result<AttributeTable, Box<dyn Error>> {
    let trips = guests.iter().map(|guest| TRIPS[guest.trip]);
    let verified = guests
        .iter()
        .map(|guest| if guest.verified { "yes" } else { "no" });
    #[expect(clippy::cast_possible_truncation, reason = "whole dollars would do")]
    let budgets = guests.iter().map(|guest| guest.budget as f32);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("trip", Arc::new(StringArray::from_iter_values(trips))),
        ("verified", Arc::new(StringArray::from_iter_values(verified))),
        ("budget", Arc::new(Float32Array::from_iter_values(budgets))),
    ];
    table(columns, guests.len())
}
