//! The command line and its defaults. Every flag is also a variable, and a key of [`serve.toml`](crate::config_file).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Parser};
use tracing_subscriber::filter::Targets;

/// Serves the current bundle of a folder of bundles over HTTP.
#[derive(Clone, Debug, Parser)]
#[command(name = "catchment-serve", version)]
pub struct ServeConfig {
    /// A file with any of these settings, named as the flags are with `_` for `-`. Flags stand above variables,
    /// variables above the file.
    #[arg(long, env = "CATCHMENT_SERVE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder of bundles; the one that `CURRENT` names is served, and a new one is taken up when it is published.
    #[arg(long, env = "CATCHMENT_SERVE_BUNDLES")]
    pub bundles: PathBuf,
    /// Address of the public API.
    #[arg(long, env = "CATCHMENT_SERVE_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Address of the admin API.
    #[arg(long, env = "CATCHMENT_SERVE_ADMIN", default_value = "127.0.0.1:8081")]
    pub admin: SocketAddr,
    /// The folder of what the server itself must keep: the events, and the request log.
    #[arg(long, env = "CATCHMENT_SERVE_DATA", default_value = "state")]
    pub data: PathBuf,
    /// Milliseconds that all channels together get, where the request does not say.
    #[arg(long, env = "CATCHMENT_SERVE_BUDGET_MS", default_value_t = 200)]
    pub budget_ms: u64,
    /// Milliseconds after which a client that sends too slowly, or a request without an answer, is given up.
    #[arg(long, env = "CATCHMENT_SERVE_TIMEOUT_MS", default_value_t = 10_000,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout_ms: u64,
    /// Largest body that is read, in bytes; at least 1.
    #[arg(long, env = "CATCHMENT_SERVE_MAX_BODY", default_value_t = 1 << 20,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub max_body: usize,
    /// Milliseconds between looks at `CURRENT`.
    #[arg(long, env = "CATCHMENT_SERVE_POLL_MS", default_value_t = 500,
          value_parser = clap::value_parser!(u64).range(10..))]
    pub poll_ms: u64,
    /// Milliseconds for which a server that was told to stop still lets clients in, while `/health/ready` says 503: as
    /// long as a load balancer needs to notice.
    #[arg(long, env = "CATCHMENT_SERVE_DRAIN_MS", default_value_t = 0)]
    pub drain_ms: u64,
    /// How many of the most active users a bundle is asked for before clients may ask it.
    #[arg(long, env = "CATCHMENT_SERVE_WARM_UP", default_value_t = 32)]
    pub warm_up: usize,
    /// Whether every recommendation is written to `requests/requests.ndjson` in the data folder.
    #[arg(long, env = "CATCHMENT_SERVE_REQUEST_LOG", default_value_t = false, action = ArgAction::Set)]
    pub request_log: bool,
    /// Bytes from which the request log begins a new file.
    #[arg(long, env = "CATCHMENT_SERVE_REQUEST_LOG_BYTES", default_value_t = 64 << 20,
          value_parser = clap::value_parser!(u64).range(1024..))]
    pub request_log_bytes: u64,
    /// How many files of the request log are kept.
    #[arg(long, env = "CATCHMENT_SERVE_REQUEST_LOG_FILES", default_value_t = 8,
          value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub request_log_files: u64,
    /// Bytes from which the event log begins a new file, and what came before becomes a snapshot.
    #[arg(long, env = "CATCHMENT_SERVE_SEGMENT_BYTES", default_value_t = 64 << 20,
          value_parser = clap::value_parser!(u64).range(1024..))]
    pub segment_bytes: u64,
    /// Whether there is a page at `/`, and the list of users that it needs at `/v1/users`.
    #[arg(long, env = "CATCHMENT_SERVE_PAGE", default_value_t = true, action = ArgAction::Set)]
    pub page: bool,
    /// What is logged to stderr: a level, or levels by part, such as `warn,catchment_serving=debug`.
    #[arg(long, env = "CATCHMENT_SERVE_LOG", default_value = "info")]
    pub log: Targets,
}

impl ServeConfig {
    /// [`ServeConfig::timeout_ms`] as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// [`ServeConfig::drain_ms`] as a duration.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain_ms)
    }

    /// [`ServeConfig::poll_ms`] as a duration.
    pub fn poll(&self) -> Duration {
        Duration::from_millis(self.poll_ms)
    }
}
