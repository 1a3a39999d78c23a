//! Why the server cannot start or go on.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What can stop the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bundle cannot be opened.
    #[error(transparent)]
    Bundle(#[from] catchment_bundle::Error),
    /// The bundle cannot be made into a pipeline.
    #[error(transparent)]
    Pipeline(#[from] catchment_pipeline::Error),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The event log cannot be read or written.
    #[error("event log {}: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The event log is damaged before its end.
    #[error("event log {} is damaged in line {line}: {reason}", path.display())]
    DamagedLog {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The runtime failed.
    #[error("server: {0}")]
    Runtime(#[from] std::io::Error),
}

impl Error {
    /// What to do about it, in one line.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.help(),
            Self::Pipeline(_) => "publish the bundle again with `catchment-train publish`",
            Self::Listen { .. } => {
                "another program may use the address: choose one with --listen and --admin"
            }
            Self::Log { .. } => {
                "check that the folder given by --data may be written and that the disk has room"
            }
            Self::DamagedLog { .. } => {
                "move the file away to start without these events, or restore it from a copy"
            }
            Self::Runtime(_) => "see the cause above",
        }
    }
}
