//! A server on a tiny bundle in a temporary folder, asked a few things: `cargo run -p catchment-serving --example serve_tiny`.
#![allow(clippy::print_stdout, reason = "an example shows its result")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use catchment_pipeline::testing::TinyBundle;
use catchment_serving::{ServeConfig, Server};
use clap::Parser;

type Anything = Box<dyn std::error::Error>;

fn main() -> Result<(), Anything> {
    let folder = tempfile::tempdir()?;
    let bundles = folder.path().join("bundles");
    TinyBundle::default().publish(&bundles)?;
    let mut config = ServeConfig::parse_from(["catchment-serve", "--bundles", "?"]);
    config.bundles = bundles;
    config.data = folder.path().join("state");
    config.listen = "127.0.0.1:0".parse()?;
    config.admin = "127.0.0.1:0".parse()?;

    let server = Server::start(&config)?;
    let address = server.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = std::thread::spawn(move || {
        server.run(async {
            let _ = stopped.await;
        });
    });
    ask(address, "GET", "/v1/recommend/u0?n=2", "")?;
    ask(
        address,
        "POST",
        "/v1/events",
        r#"{"events":[{"user_id":"u0","item_id":"111","type":"purchase"}]}"#,
    )?;
    ask(
        address,
        "POST",
        "/v1/recommend",
        r#"{"user_id":"u0","n":2,"return_attributes":["title","price"]}"#,
    )?;
    ask(address, "GET", "/v1/items/100/similar?n=2", "")?;
    ask(address, "GET", "/v1/users/u0/history?n=2", "")?;
    ask(address, "GET", "/v1/recommend/u0?n=0", "")?;
    drop(stop);
    serving.join().map_err(|_| "the server panicked")?;
    Ok(())
}

fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Result<(), Anything> {
    let mut client = TcpStream::connect(address)?;
    let length = body.len();
    let headers = format!(
        "Host: here\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close"
    );
    write!(client, "{method} {path} HTTP/1.1\r\n{headers}\r\n\r\n{body}")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    let (_, json) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    println!("{method} {path} {body}\n  {json}\n");
    Ok(())
}
