//! Draws what a marketplace looks like, measured on a real run, with the law beside it.
//!
//! `cargo run -p catchment-synthetic --example picture [FOLDER]` (the folder of the pictures; `docs/synthetic` otherwise)
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

mod chart;

use std::error::Error;
use std::path::PathBuf;

use catchment_schema::Time;
use catchment_synthetic::marketplace::{Happening, HappeningKind, Marketplace, MarketplaceConfig};
use chart::{Axis, Chart};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(|| "docs/synthetic".into(), PathBuf::from);
    let config = MarketplaceConfig {
        n_items: 12_000,
        ..MarketplaceConfig::of_size(500_000)
    };
    let marketplace = Marketplace::new(&config)?;
    let shards = marketplace.shards().into_iter();
    let events: Vec<Happening> = shards
        .flat_map(|shard| marketplace.events_of_shard(shard))
        .collect();
    let views: Vec<Happening> = events.iter().filter(|event| is_view(event)).copied().collect();
    println!(
        "{} users, {} items, {} events",
        config.n_users,
        config.n_items,
        events.len()
    );
    std::fs::create_dir_all(&folder)?;
    for (name, svg) in [
        ("tail", tail(&marketplace, &views)),
        ("rhythm", rhythm(&marketplace, &views)),
        ("sessions", sessions(&views)),
        ("activity", activity(&marketplace, &views)),
        ("places", places(&marketplace)),
        ("bookings", bookings(&marketplace, &events)),
        ("drift", drift(&marketplace, &views)),
    ] {
        let path = folder.join(format!("{name}.svg"));
        std::fs::write(&path, svg)?;
        println!("{}", path.display());
    }
    Ok(())
}

fn is_view(event: &Happening) -> bool {
    event.kind == HappeningKind::View
}

fn millis(event: &Happening) -> i64 {
    event.time.millis().unwrap_or_default()
}

/// Ranks about equally far apart on a logarithmic axis.
fn spread(n: usize) -> Vec<usize> {
    let mut ranks: Vec<usize> = Vec::new();
    let mut rank = 1;
    while rank <= n {
        ranks.push(rank);
        rank = (rank + 1).max(rank * 21 / 20);
    }
    ranks
}

fn tail(marketplace: &Marketplace, views: &[Happening]) -> String {
    let n_items = marketplace.config().n_items as usize;
    let mut counts = vec![0u32; n_items];
    for view in views {
        counts[view.item as usize] += 1;
    }
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let exponent = marketplace.config().tail_exponent;
    let law = |rank: usize| (rank as f64 + 9.0).powf(-exponent);
    let scale = views.len() as f64 / (1..=n_items).map(law).sum::<f64>();
    let ranks = spread(n_items);
    let measured: Vec<_> = ranks
        .iter()
        .filter(|&&rank| counts[rank - 1] > 0)
        .map(|&rank| (rank as f64, f64::from(counts[rank - 1])))
        .collect();
    let expected: Vec<_> = ranks
        .iter()
        .map(|&rank| (rank as f64, scale * law(rank)))
        .collect();
    let mut chart = Chart::new(
        "A few items have most of the views",
        Axis::log(1.0, 10_000.0, "rank of the item"),
        Axis::log(1.0, 10_000.0, "views"),
        None,
    );
    chart.dots("a", &measured);
    chart.line("b", &expected);
    chart.words(
        "b",
        "start",
        (2.0, 40.0),
        "rank alone: (rank + 9) to the power -0.8",
    );
    chart.words(
        "a",
        "start",
        (2.0, 20.0),
        "measured: age, taste and price move items up and down",
    );
    chart.finish()
}

fn rhythm(marketplace: &Marketplace, views: &[Happening]) -> String {
    let start = marketplace.config().start * 1000 + 35 * DAY;
    let mut counts = vec![0.0; 14 * 24];
    for view in views {
        if let Ok(hour) = usize::try_from((millis(view) - start).div_euclid(HOUR))
            && hour < counts.len()
        {
            counts[hour] += 1.0;
        }
    }
    let mean = counts.iter().sum::<f64>() / counts.len() as f64;
    let middle = |hour: usize| (hour as f64 + 0.5) / 24.0;
    let at = |hour: i64| Time::from_millis(start + hour * HOUR + HOUR / 2);
    let law: Vec<_> = (0..counts.len())
        .zip(0i64..)
        .map(|(hour, number)| (middle(hour), mean * marketplace.intensity(at(number))))
        .collect();
    let measured: Vec<_> = counts
        .iter()
        .enumerate()
        .map(|(hour, &count)| (middle(hour), count))
        .collect();
    let most = counts.iter().copied().fold(0.0, f64::max);
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let names = (0u32..14)
        .map(|day| (f64::from(day) + 0.5, days[day as usize % 7].to_owned()))
        .collect();
    let mut chart = Chart::new(
        "Two weeks, hour by hour: evenings and weekends are busy",
        Axis::linear(0.0, 14.0, "day"),
        Axis::linear(0.0, most * 1.15, "views in an hour"),
        Some(names),
    );
    chart.bars("a", 1.0 / 24.0, &measured);
    chart.line("b", &law);
    chart.words("a", "start", (0.2, most * 1.07), "measured");
    chart.words("b", "start", (2.0, most * 1.07), "the rhythm");
    chart.finish()
}

fn sessions(views: &[Happening]) -> String {
    let mut counts = [0.0f64; 21];
    let mut n = 0.0;
    for session in views.chunk_by(|a, b| (a.user, a.session) == (b.user, b.session)) {
        n += 1.0;
        if session.len() < counts.len() {
            counts[session.len()] += 1.0;
        }
    }
    let measured: Vec<_> = (1u32..21)
        .map(|length| (f64::from(length), counts[length as usize] / n))
        .collect();
    let law: Vec<_> = (1i32..21)
        .map(|length| (f64::from(length), 0.25 * 0.75f64.powi(length - 1)))
        .collect();
    let mut chart = Chart::new(
        "Most sessions are short",
        Axis::linear(0.0, 21.0, "views in a session"),
        Axis::linear(0.0, 0.3, "share of sessions"),
        None,
    );
    chart.bars("a", 0.8, &measured);
    chart.dots("b", &law);
    chart.words(
        "a",
        "start",
        (8.0, 0.2),
        "measured (the last session of a user is cut)",
    );
    chart.words("b", "start", (8.0, 0.22), "one view in four is the last");
    chart.finish()
}

fn activity(marketplace: &Marketplace, views: &[Happening]) -> String {
    let mut counts: Vec<usize> = views.chunk_by(|a, b| a.user == b.user).map(<[_]>::len).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let n = counts.len() as f64;
    let points: Vec<_> = spread(counts.len())
        .into_iter()
        .map(|rank| (counts[rank - 1] as f64, rank as f64 / n))
        .collect();
    let mut chart = Chart::new(
        "A few users have most of the views",
        Axis::log(1.0, 2000.0, "views of a user"),
        Axis::log(0.0001, 1.0, "share of users with as many or more"),
        None,
    );
    chart.dots("a", &points);
    // Three views each, and the rest in proportion to activity.
    let most = 200f64.powf(-0.6);
    let activity = (0..marketplace.config().n_users).map(|user| marketplace.person(user).activity);
    let scale = (views.len() as f64 - 3.0 * n) / activity.sum::<f64>();
    let law: Vec<_> = (0u32..106)
        .map(|step| 1.05f64.powi(i32::try_from(step).unwrap_or_default()))
        .map(|activity| {
            (
                3.0 + scale * activity,
                (activity.powf(-0.6) - most) / (1.0 - most),
            )
        })
        .filter(|(_, share)| *share > 0.0001)
        .collect();
    chart.line("b", &law);
    chart.words(
        "b",
        "start",
        (1.4, 0.01),
        "activity alone: exponent 0.6, cut at 200 times the least",
    );
    chart.words("a", "start", (1.4, 0.005), "measured");
    chart.finish()
}

fn places(marketplace: &Marketplace) -> String {
    let mut chart = Chart::new(
        "Where things are: each dot an item, each colour a market",
        Axis::linear(-7.0, 31.0, "longitude"),
        Axis::linear(40.0, 60.0, "latitude"),
        None,
    );
    let n_markets = marketplace.markets().len();
    let mut points = vec![Vec::new(); n_markets];
    for item in (0..marketplace.config().n_items as usize).step_by(4) {
        let (latitude, longitude) = marketplace.place_of(item);
        points[marketplace.market_of(item)].push((longitude, latitude));
    }
    for (market, points) in points.iter().enumerate() {
        chart.coloured_dots(360.0 * market as f64 / n_markets as f64, points);
    }
    for market in marketplace.markets() {
        let above = (market.longitude, market.latitude + 1.5);
        chart.words("halo", "middle", above, market.name);
    }
    chart.finish()
}

fn bookings(marketplace: &Marketplace, events: &[Happening]) -> String {
    let mut buckets = [(0.0, 0.0, 0.0f64); 40];
    for (place, event) in events.iter().enumerate().filter(|(_, event)| is_view(event)) {
        let preference = marketplace.preference_for(event.user, event.item as usize, event.time);
        let bucket = (0u32..39)
            .find(|&bucket| preference * 40.0 < f64::from(bucket + 1))
            .unwrap_or(39);
        let (booked, rejected, n) = &mut buckets[bucket as usize];
        *n += 1.0;
        match events.get(place + 1).map(|event| event.kind) {
            Some(HappeningKind::Booking) => *booked += 1.0,
            Some(HappeningKind::Reject) => *rejected += 1.0,
            _ => {}
        }
    }
    let middles = || (0u32..40).map(|bucket| (f64::from(bucket) + 0.5) / 40.0);
    let enough = |(middle, (booked, rejected, n)): (f64, (f64, f64, f64))| {
        (n >= 200.0).then_some(((middle, booked / n), (middle, rejected / n)))
    };
    let (booked, rejected): (Vec<_>, Vec<_>) = middles().zip(buckets).filter_map(enough).unzip();
    let law: Vec<_> = middles()
        .map(|middle| (middle, marketplace.booking_probability(middle)))
        .collect();
    let refused: Vec<_> = middles()
        .map(|middle| (middle, marketplace.rejection_probability(middle)))
        .collect();
    let mut chart = Chart::new(
        "What is liked is booked, what is not is turned down",
        Axis::linear(0.0, 1.0, "true preference"),
        Axis::linear(0.0, 0.8, "share of views"),
        None,
    );
    chart.line("a", &law);
    chart.line("b", &refused);
    chart.dots("a", &booked);
    chart.dots("b", &rejected);
    chart.words("a", "end", (0.72, 0.5), "bookings");
    chart.words("b", "start", (0.03, 0.32), "rejections");
    chart.words(
        "small",
        "start",
        (0.03, 0.72),
        "dots: measured, where there are 200 views or more; lines: the law",
    );
    chart.finish()
}

fn drift(marketplace: &Marketplace, views: &[Happening]) -> String {
    let config = marketplace.config();
    let n_days = usize::from(config.n_days);
    let shown = [("a", 0), ("b", 2), ("c", 3)];
    let mut counts = vec![(0.0, [0.0; 3]); n_days];
    for view in views {
        let day = usize::try_from((millis(view) - config.start * 1000) / DAY).unwrap_or_default();
        let topic = marketplace.topic_of(view.item as usize);
        if let Some((n, of_topics)) = counts.get_mut(day) {
            *n += 1.0;
            for (place, (_, shown)) in shown.iter().enumerate() {
                of_topics[place] += f64::from(u8::from(*shown == topic));
            }
        }
    }
    let mut chart = Chart::new(
        "Interest moves: the share of three topics, day by day",
        Axis::linear(0.0, n_days as f64, "day"),
        Axis::linear(0.0, 0.2, "share of views"),
        None,
    );
    let mut truth = [const { Vec::new() }; 3];
    for (day, number) in (0u32..).zip(0i64..).take(n_days) {
        let at = Time::from_millis(config.start * 1000 + number * DAY + DAY / 2);
        let popularity = marketplace.popularity(at);
        for (place, (_, topic)) in shown.iter().enumerate() {
            let of_topic = |item: &usize| marketplace.topic_of(*item) == *topic;
            let share: f64 = (0..popularity.len())
                .filter(of_topic)
                .map(|item| popularity[item])
                .sum();
            truth[place].push((f64::from(day) + 0.5, share));
        }
    }
    for (place, ((class, topic), truth)) in shown.into_iter().zip(&truth).enumerate() {
        let measured: Vec<_> = (0u32..)
            .zip(&counts)
            .filter(|(_, (n, _))| *n >= 1000.0)
            .map(|(day, (n, of_topics))| (f64::from(day) + 0.5, of_topics[place] / n))
            .collect();
        chart.dots(class, &measured);
        chart.line(class, truth);
        let at = (4.0 + 12.0 * place as f64, 0.19);
        chart.words(class, "start", at, marketplace.topic_name(topic));
    }
    chart.words(
        "small",
        "start",
        (42.0, 0.19),
        "dots: measured; lines: true popularity",
    );
    chart.finish()
}
