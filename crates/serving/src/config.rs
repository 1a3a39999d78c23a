//! The command line and its defaults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tracing_subscriber::filter::Targets;

/// Serves the current bundle of a folder of bundles over HTTP.
#[derive(Clone, Debug, Parser)]
#[command(name = "catchment-serve", version)]
pub struct ServeConfig {
    /// The folder of bundles; the one that `CURRENT` names is served, and a new one is taken up when it is published.
    #[arg(long, env = "CATCHMENT_SERVE_BUNDLES")]
    pub bundles: PathBuf,
    /// Address of the public API.
    #[arg(long, env = "CATCHMENT_SERVE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of the admin API.
    #[arg(long, env = "CATCHMENT_SERVE_ADMIN", default_value = "127.0.0.1:8081")]
    pub admin: SocketAddr,
    /// The folder of what the server itself must keep: the events.
    #[arg(long, env = "CATCHMENT_SERVE_DATA", default_value = "state")]
    pub data: PathBuf,
    /// Milliseconds that all channels together get, where the request does not say.
    #[arg(long, env = "CATCHMENT_SERVE_BUDGET_MS", default_value_t = 200)]
    pub budget_ms: u64,
    /// Milliseconds after which a client that sends too slowly, or a request without an answer, is given up.
    #[arg(long, env = "CATCHMENT_SERVE_TIMEOUT_MS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout_ms: u64,
    /// Largest body that is read, in bytes.
    #[arg(long, env = "CATCHMENT_SERVE_MAX_BODY", default_value_t = 1 << 20)]
    pub max_body: usize,
    /// Milliseconds between looks at `CURRENT`.
    #[arg(long, env = "CATCHMENT_SERVE_POLL_MS", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(10..))]
    pub poll_ms: u64,
    /// What is logged to stderr: a level, or levels by part, such as `warn,catchment_serving=debug`.
    #[arg(long, env = "CATCHMENT_SERVE_LOG", default_value = "info")]
    pub log: Targets,
}

impl ServeConfig {
    /// [`ServeConfig::timeout_ms`] as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// [`ServeConfig::poll_ms`] as a duration.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}
