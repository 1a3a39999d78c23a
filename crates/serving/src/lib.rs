//! **What does a client get over HTTP?** The only room that knows HTTP and JSON: user state, durable events, and
//! a bundle that is swapped without a failed request.
//!
//! Everything that decides an answer is in `catchment-pipeline`; here requests are translated, and three things are
//! kept that no bundle can hold: what users did since it was made ([`UserStore`](user_store::UserStore)), the log that
//! makes that durable ([`EventLog`](event_log::EventLog)), and which bundle is served ([`AppState::live`]).
//!
//! # Why it is built this way
//! - **One request reads one bundle.** A handler takes the `Arc` of the bundle at its beginning and keeps it to its
//!   end; a swap changes a pointer, and the old bundle goes when its last request does.
//! - **Live events are kept by raw id**, so that they outlive every bundle: an item that the old bundle did not know is
//!   part of the history as soon as a new one knows it.
//! - **Events are answered when they are durable**, many requests sharing one sync; see [`event_log`] for its laws.
//! - **Work that keeps a core busy waits for a worker**, as many as there are cores. Who waits too long is answered
//!   with a problem, and has cost nothing.
//! - **Every error is a problem** (RFC 9457) with a stable `code`, made in one place: [`problem`].
//!
//! # Quick example
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use catchment_pipeline::testing::TinyBundle;
//! use catchment_serving::{ServeConfig, Server};
//! use clap::Parser;
//!
//! let folder = tempfile::tempdir()?;
//! let bundles = folder.path().join("bundles");
//! TinyBundle::default().publish(&bundles)?;
//!
//! let mut config = ServeConfig::parse_from(["catchment-serve", "--bundles", "?"]);
//! config.bundles = bundles;
//! config.data = folder.path().join("state");
//! config.listen = "127.0.0.1:0".parse()?;
//! config.admin = "127.0.0.1:0".parse()?;
//! let server = Server::start(&config)?;
//! let address = server.address();
//! std::thread::spawn(move || server.run(std::future::pending()));
//!
//! let mut client = TcpStream::connect(address)?;
//! write!(client, "GET /v1/recommend/u0?n=3 HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")?;
//! let mut answer = String::new();
//! client.read_to_string(&mut answer)?;
//! assert!(answer.starts_with("HTTP/1.1 200 OK"));
//! assert!(answer.contains(r#""personalised":true"#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Siblings
//! `catchment-trainer` publishes the bundles; `catchment-pipeline` opens them and answers; neither knows this crate.

pub mod clock;
pub mod config;
pub mod config_file;
mod connections;
pub mod data_folder;
pub mod error;
pub mod event;
pub mod event_log;
pub mod extract;
pub mod live;
pub mod live_user;
pub mod metrics;
pub mod problem;
pub mod reload;
pub mod request_log;
pub mod routes;
pub mod server;
pub mod state;
pub mod user_store;
pub mod warm_up;
pub mod whole;

pub use config::ServeConfig;
pub use config_file::ConfigError;
pub use error::Error;
pub use server::{Server, serve};
pub use state::AppState;
