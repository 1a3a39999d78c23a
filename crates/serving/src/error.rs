//! Why the server cannot start or go on.

use std::net::SocketAddr;
use std::path::PathBuf;

/// What can stop the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bundle is missing or damaged. Publish one, or roll back.
    #[error(transparent)]
    Bundle(#[from] catchment_bundle::Error),
    /// The bundle cannot be made into a pipeline, or answers otherwise than when it was made. Publish it again.
    #[error(transparent)]
    Pipeline(#[from] catchment_pipeline::Error),
    /// The address cannot be listened on: another program may have it. Choose another one.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The data folder cannot be made or written. Check its permissions and the room on the disk.
    #[error("data folder {}: {source}", path.display())]
    Data {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Another server uses the data folder: two would write over each other's events. Give each its own.
    #[error("data folder {} is used by another server", path.display())]
    DataInUse {
        /// The folder.
        path: PathBuf,
    },
    /// The event log cannot be read or written. Check its permissions and the room on the disk.
    #[error("event log {}: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line of the event log or of a snapshot is not what was written, a file is missing, or it is of a newer version.
    /// Restore it from a copy, or move the file away to start without its events.
    #[error("event log {}, line {line}: {reason}", path.display())]
    DamagedLog {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The operating system gave no threads or no socket.
    #[error("server: {0}")]
    Runtime(#[from] std::io::Error),
}

impl Error {
    /// Whether the settings name something that is not there: wrong use, and not work that failed.
    pub fn is_wrong_use(&self) -> bool {
        matches!(self, Self::Bundle(catchment_bundle::Error::NoFolder { .. }))
    }

    /// What to do about it, in one line.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Bundle(error) => error.help(),
            Self::Pipeline(_) => "publish the bundle again with `catchment-train publish`",
            Self::Listen { .. } => {
                "another program may use the address: choose others with --listen and --admin, and for a second server a \
                 data folder with --data"
            }
            Self::DataInUse { .. } => {
                "stop the other server, or give this one a folder of its own with --data, and addresses of its own with \
                 --listen and --admin"
            }
            Self::Data { .. } | Self::Log { .. } => {
                "check that the folder given by --data may be written and that the disk has room"
            }
            Self::DamagedLog { .. } => {
                "move the file away to start without these events, or restore it from a copy"
            }
            Self::Runtime(_) => "see the cause above",
        }
    }
}
