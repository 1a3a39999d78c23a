//! One connection, one request after the other, on the tiny bundle; then one event after the other:
//! `cargo run -p catchment-serving --example how_long_does_it_take [DATA]`.
//!
//! The tiny bundle measures the way to the pipeline and back, not the pipeline. Events are as fast as the disk below the
//! folder DATA (otherwise a temporary one) syncs.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use catchment_pipeline::testing::TinyBundle;
use catchment_serving::{ServeConfig, Server};
use clap::Parser;

type Anything = Box<dyn std::error::Error>;

const WARM_UP: usize = 500;

fn main() -> Result<(), Anything> {
    let folder = tempfile::tempdir()?;
    let bundles = folder.path().join("bundles");
    TinyBundle::default().publish(&bundles)?;
    let mut config = ServeConfig::parse_from(["catchment-serve", "--bundles", "?"]);
    config.bundles = bundles;
    config.data = std::env::args()
        .nth(1)
        .map_or(folder.path().join("state"), PathBuf::from);
    config.listen = "127.0.0.1:0".parse()?;
    config.admin = "127.0.0.1:0".parse()?;
    let server = Server::start(&config)?;
    let address = server.address();
    std::thread::spawn(move || server.run(std::future::pending()));

    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    measure("GET /health/live", 5000, &mut stream, |_| get("/health/live"))?;
    measure("GET /v1/recommend/{user}", 5000, &mut stream, |round| {
        get(&format!("/v1/recommend/u{}", round % 48))
    })?;
    measure("POST /v1/events, one event", 1000, &mut stream, |round| {
        let body = format!(r#"{{"events":[{{"user_id":"c{round}","item_id":"110","type":"view"}}]}}"#);
        let headers = format!(
            "Host: here\r\nContent-Type: application/json\r\nContent-Length: {}",
            body.len()
        );
        format!("POST /v1/events HTTP/1.1\r\n{headers}\r\n\r\n{body}")
    })
}

fn measure(
    what: &str,
    rounds: usize,
    stream: &mut BufReader<TcpStream>,
    request: impl Fn(usize) -> String,
) -> Result<(), Anything> {
    let mut times = Vec::with_capacity(rounds);
    for round in 0..WARM_UP + rounds {
        let request = request(round);
        let begin = Instant::now();
        stream.get_mut().write_all(request.as_bytes())?;
        let status = answer(stream)?;
        times.push(begin.elapsed());
        if status != "200" {
            return Err(format!("{what} answered {status}").into());
        }
    }
    let mut times = times.split_off(WARM_UP);
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "{what}: p50 {:.0} µs, p99 {:.0} µs ({rounds} requests)",
        micros(at(50)),
        micros(at(99))
    );
    Ok(())
}

fn answer(stream: &mut BufReader<TcpStream>) -> Result<String, Anything> {
    let (mut status, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let line = line.trim_end();
        if status.is_empty() {
            line.split(' ')
                .nth(1)
                .unwrap_or("nothing")
                .clone_into(&mut status);
        } else if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse()?;
        } else if line.is_empty() {
            break;
        }
    }
    std::io::copy(&mut stream.take(length), &mut std::io::sink())?;
    Ok(status)
}
