//! Asks a running server for an hour, tells it events, swaps its bundles, and says every minute how much memory it holds:
//!
//! ```text
//! catchment-serve --bundles BUNDLES --data STATE &
//! cargo run --release -p catchment-serving --example soak -- --bundles BUNDLES
//! ```
//!
//! Of twenty requests one is an event (of one user in fifty a new one), one asks for similar items, one for popular ones, one
//! for a history, the others for recommendations. With `--bundles` the pointer of that folder goes round its versions; it ends
//! where it began. Any answer but 2xx is a failure, and ends the whole with one.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use catchment_bundle::{activate, current, list};
use clap::Parser;
use serde_json::{Value, json};

type Anything = Box<dyn std::error::Error + Send + Sync>;

/// How long, how hard.
#[derive(Parser)]
struct Args {
    /// Address of the public API.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Address of the admin API.
    #[arg(long, default_value = "127.0.0.1:8081")]
    admin: SocketAddr,
    /// The server's folder of bundles, with at least two of them; without it nothing is swapped.
    #[arg(long)]
    bundles: Option<PathBuf>,
    /// Seconds in all.
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u64).range(10..))]
    seconds: u64,
    /// Seconds between two lines.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Seconds between two swaps.
    #[arg(long, default_value_t = 70, value_parser = clap::value_parser!(u64).range(1..))]
    swap_every: u64,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..1000))]
    connections: u64,
    /// Milliseconds that a connection waits after an answer.
    #[arg(long, default_value_t = 10)]
    pause_ms: u64,
}

/// What was answered since the last line.
#[derive(Default)]
struct Told {
    millis: Vec<f64>,
    failures: Vec<String>,
}

fn main() -> Result<(), Anything> {
    let args = Args::parse();
    let known = Connection::open(args.listen)?.ask("GET", "/v1/users?n=1000", None)?;
    let users: Vec<String> = known["users"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|user| Some(user["user_id"].as_str()?.to_owned()))
        .collect();
    if users.is_empty() {
        return Err("the server knows no users".into());
    }
    let (told, stop) = (Mutex::new(Told::default()), AtomicBool::new(false));
    let (begin, mut failed, mut memory) = (Instant::now(), 0, Vec::new());
    println!("seconds  answers/s  p50 ms  p99 ms  max ms  memory MB  live events  swaps  failed");
    thread::scope(|scope| {
        for number in 0..args.connections {
            let (users, told, stop, args) = (&users, &told, &stop, &args);
            scope.spawn(move || client(number, users, args, told, stop));
        }
        if let Some(bundles) = &args.bundles {
            let (told, stop) = (&told, &stop);
            let every = Duration::from_secs(args.swap_every);
            scope.spawn(move || {
                if let Err(error) = swap(bundles, every, stop) {
                    note(told, |told| told.failures.push(format!("swap: {error}")));
                }
            });
        }
        let mut line = || -> Result<(), Anything> {
            for at in 1..=args.seconds.div_ceil(args.every) {
                let until = Duration::from_secs((at * args.every).min(args.seconds));
                thread::sleep(until.saturating_sub(begin.elapsed()));
                // A connection that nobody uses for so long is closed.
                let metrics = Connection::open(args.admin)?.text("GET", "/metrics", None)?;
                let read = |name: &str| metric(&metrics, name).ok_or_else(|| format!("no metric {name}"));
                let bytes = read("process_resident_memory_bytes")?;
                let Told { mut millis, failures } = note(&told, std::mem::take);
                millis.sort_by(f64::total_cmp);
                let at = |share: usize| {
                    let place = (millis.len().max(1) - 1) * share / 100;
                    millis.get(place).copied().unwrap_or(0.0)
                };
                failed += failures.len();
                println!(
                    "{:>7}  {:>9.0}  {:>6.2}  {:>6.2}  {:>6.1}  {:>9.1}  {:>11}  {:>5}  {failed:>6}",
                    until.as_secs(),
                    millis.len() as f64 / args.every as f64,
                    at(50),
                    at(99),
                    at(100),
                    bytes / 1e6,
                    read("live_events")?,
                    read("bundle_swaps_total")?,
                );
                for failure in failures.iter().take(3) {
                    println!("  {failure}");
                }
                memory.push((until.as_secs_f64() / 3600.0, bytes / 1e6));
            }
            Ok(())
        };
        let result = line();
        stop.store(true, Ordering::Relaxed);
        result
    })?;
    let late = &memory[memory.len() / 2..];
    println!("second half: {:+.1} MB an hour (least squares)", slope(late));
    if failed > 0 {
        return Err(format!("{failed} requests failed").into());
    }
    Ok(())
}

fn client(number: u64, users: &[String], args: &Args, told: &Mutex<Told>, stop: &AtomicBool) {
    let (mut connection, mut last) = (None, None::<String>);
    for round in 0_u64.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // The numbers of a multiplicative generator: every connection its own way through the users.
        let draw = (round * args.connections + number).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
        let user = &users[draw as usize % users.len()];
        let (method, path, body) = match (round % 20, &last) {
            (3, Some(item)) => {
                let user = if draw.is_multiple_of(50) {
                    format!("soak{draw}")
                } else {
                    user.clone()
                };
                let body = json!({"events": [{"user_id": user, "item_id": item, "type": "view"}]});
                ("POST", "/v1/events".to_owned(), Some(body.to_string()))
            }
            (8, Some(item)) => ("GET", format!("/v1/items/{item}/similar"), None),
            (13, _) => ("GET", "/v1/popular".to_owned(), None),
            (18, _) => ("GET", format!("/v1/users/{user}/history"), None),
            _ => ("GET", format!("/v1/recommend/{user}"), None),
        };
        let begin = Instant::now();
        let answer = connection
            .take()
            .map_or_else(|| Connection::open(args.listen), Ok)
            .and_then(|mut open| {
                let answer = open.ask(method, &path, body.as_deref())?;
                connection = Some(open);
                Ok(answer)
            });
        let took = begin.elapsed().as_secs_f64() * 1e3;
        match answer {
            Ok(answer) => {
                note(told, |told| told.millis.push(took));
                let place = draw as usize % answer["items"].as_array().map_or(1, |items| items.len().max(1));
                if let Some(item) = answer["items"][place]["item_id"].as_str() {
                    last = Some(item.to_owned());
                }
            }
            Err(error) => {
                let failure = format!("{method} {path}: {error}");
                note(told, |told| told.failures.push(failure));
            }
        }
        thread::sleep(Duration::from_millis(args.pause_ms));
    }
}

/// Lets the pointer go round the versions, and back to where it was.
fn swap(bundles: &std::path::Path, every: Duration, stop: &AtomicBool) -> Result<(), Anything> {
    let (first, versions) = (current(bundles)?, list(bundles)?);
    if versions.len() < 2 {
        return Err(format!("{}: fewer than two bundles", bundles.display()).into());
    }
    let mut since = Instant::now();
    let mut place = versions.iter().position(|version| *version == first).unwrap_or(0);
    while !stop.load(Ordering::Relaxed) {
        thread::sleep(Duration::from_millis(100));
        if since.elapsed() >= every {
            since = Instant::now();
            place = (place + 1) % versions.len();
            activate(bundles, &versions[place])?;
        }
    }
    Ok(activate(bundles, &first)?)
}

fn note<R>(told: &Mutex<Told>, what: impl FnOnce(&mut Told) -> R) -> R {
    what(&mut told.lock().unwrap_or_else(PoisonError::into_inner))
}

fn metric(metrics: &str, name: &str) -> Option<f64> {
    let line = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(line)
}

/// Of y on x, by least squares.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let above: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    let below: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    above / below
}

/// A connection that is kept.
struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> Result<Self, Anything> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self {
            stream: BufReader::new(stream),
        })
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&str>) -> Result<Value, Anything> {
        Ok(serde_json::from_str(&self.text(method, path, body)?)?)
    }

    fn text(&mut self, method: &str, path: &str, body: Option<&str>) -> Result<String, Anything> {
        let body = body.unwrap_or_default();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n");
        write!(
            self.stream.get_mut(),
            "{head}Content-Length: {length}\r\n\r\n{body}"
        )?;
        let (mut status, mut length) = (String::new(), 0);
        self.stream.read_line(&mut status)?;
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line)?;
            match line.trim_end() {
                "" => break,
                line => {
                    if let Some(value) = line.strip_prefix("content-length: ") {
                        length = value.parse()?;
                    }
                }
            }
        }
        let mut answer = String::new();
        (&mut self.stream).take(length).read_to_string(&mut answer)?;
        if status.starts_with("HTTP/1.1 2") {
            return Ok(answer);
        }
        Err(format!("{} {answer}", status.trim_end()).into())
    }
}
