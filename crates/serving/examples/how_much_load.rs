//! Recommendations from 1 and from 16 connections at once, then 50 swaps while 16 connections ask:
//! `cargo run -p catchment-serving --example how_much_load [BUNDLES]`.
//!
//! BUNDLES is a folder of bundles; without it two tiny ones are made, which measure the way to the pipeline and back.
//! Clients and server share the cores of one machine. The pointer of BUNDLES is changed only in a copy.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

use catchment_bundle::{Version, activate, list};
use catchment_pipeline::testing::TinyBundle;
use catchment_serving::{ServeConfig, Server};
use clap::Parser;

type Anything = Box<dyn std::error::Error + Send + Sync>;

const WARM_UP: usize = 200;
const REQUESTS: usize = 10_000;
const SWAPS: usize = 50;

fn main() -> Result<(), Anything> {
    let folder = tempfile::tempdir()?;
    let bundles = folder.path().join("bundles");
    match std::env::args().nth(1).map(PathBuf::from) {
        Some(given) => copy(&given, &bundles)?,
        None => {
            TinyBundle::default().publish(&bundles)?;
        }
    }
    if list(&bundles)?.len() < 2 {
        let created_at_ms = TinyBundle::default().created_at_ms - 60_000;
        let tiny = TinyBundle {
            created_at_ms,
            ..TinyBundle::default()
        };
        let current = catchment_bundle::current(&bundles)?;
        tiny.publish(&bundles)?;
        activate(&bundles, &current)?;
    }
    let mut config = ServeConfig::parse_from(["catchment-serve", "--bundles", "?"]);
    config.bundles.clone_from(&bundles);
    config.data = folder.path().join("state");
    config.listen = "127.0.0.1:0".parse()?;
    config.admin = "127.0.0.1:0".parse()?;
    config.poll_ms = 10;
    let server = Server::start(&config)?;
    let (address, state) = (server.address(), server.state().clone());
    let live = state.live.load_full();
    let users: Vec<String> = live
        .pipeline
        .catalogue()
        .users()
        .ids()
        .iter()
        .map(ToString::to_string)
        .collect();
    let n_items = live.pipeline.catalogue().items().len();
    println!(
        "{} users, {n_items} items, {} cores",
        users.len(),
        thread::available_parallelism()?
    );
    thread::spawn(move || server.run(std::future::pending()));

    for connections in [1, 16] {
        measure(address, &users, connections)?;
    }
    let versions = list(&bundles)?;
    let serving = || state.live.load().version;
    swap(address, &users, &bundles, &versions, &serving)
}

fn measure(address: SocketAddr, users: &[String], connections: usize) -> Result<(), Anything> {
    let each = REQUESTS / connections;
    let begin = Instant::now();
    let times = thread::scope(|scope| {
        let clients: Vec<_> = (0..connections)
            .map(|number| scope.spawn(move || ask_many(address, users, number, each)))
            .collect();
        let times = clients
            .into_iter()
            .map(|client| client.join().map_err(|_| "a client panicked")?);
        times.collect::<Result<Vec<_>, Anything>>()
    })?;
    let took = begin.elapsed().as_secs_f64();
    let mut times: Vec<Duration> = times.concat();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100].as_secs_f64() * 1e3;
    println!(
        "{connections} connections: {:.0} answers a second, p50 {:.2} ms, p99 {:.2} ms",
        (each + WARM_UP) as f64 * connections as f64 / took,
        at(50),
        at(99)
    );
    Ok(())
}

fn ask_many(
    address: SocketAddr,
    users: &[String],
    number: usize,
    n: usize,
) -> Result<Vec<Duration>, Anything> {
    let mut stream = connect(address)?;
    let mut times = Vec::with_capacity(n);
    for round in 0..WARM_UP + n {
        let user = &users[(round * 31 + number * 7) % users.len()];
        let begin = Instant::now();
        ask(&mut stream, user)?;
        if round >= WARM_UP {
            times.push(begin.elapsed());
        }
    }
    Ok(times)
}

fn swap(
    address: SocketAddr,
    users: &[String],
    bundles: &Path,
    versions: &[Version],
    serving: &dyn Fn() -> Version,
) -> Result<(), Anything> {
    let (stop, answered) = (AtomicBool::new(false), Arc::new(AtomicUsize::new(0)));
    let begin = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|number| {
                let (stop, answered) = (&stop, answered.clone());
                scope.spawn(move || {
                    let mut stream = connect(address)?;
                    let mut round = number;
                    while !stop.load(Ordering::Relaxed) {
                        ask(&mut stream, &users[round % users.len()])?;
                        answered.fetch_add(1, Ordering::Relaxed);
                        round += 17;
                    }
                    Ok::<(), Anything>(())
                })
            })
            .collect();
        for number in 0..SWAPS {
            let version = versions
                .iter()
                .filter(|version| **version != serving())
                .nth(number % (versions.len() - 1));
            let version = version.ok_or("another version")?;
            activate(bundles, version)?;
            while serving() != *version {
                thread::sleep(Duration::from_millis(1));
            }
        }
        stop.store(true, Ordering::Relaxed);
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        Ok::<(), Anything>(())
    })?;
    let n = answered.load(Ordering::Relaxed);
    println!(
        "{SWAPS} swaps in {:.1} s, {n} answers meanwhile, none failed",
        begin.elapsed().as_secs_f64()
    );
    Ok(())
}

fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>, Anything> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

/// Asks for ten items; whatever is not 200 is an error.
fn ask(stream: &mut BufReader<TcpStream>, user: &str) -> Result<(), Anything> {
    write!(
        stream.get_mut(),
        "GET /v1/recommend/{user} HTTP/1.1\r\nHost: here\r\n\r\n"
    )?;
    let (mut status, mut length) = (String::new(), 0);
    stream.read_line(&mut status)?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse()?;
        } else if line.is_empty() {
            break;
        }
    }
    std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    if status.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(format!("{user}: {status}").into())
}

fn copy(from: &Path, to: &Path) -> Result<(), Anything> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let target = to.join(path.file_name().ok_or("a name")?);
        if path.is_dir() {
            copy(&path, &target)?;
        } else {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
