//! What can be wrong with a world that is asked for.

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no world, or no file of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of its range. Whoever wrote the configuration must change it.
    #[error("{key} = {value} is not allowed: {allowed}")]
    BadConfig {
        /// The setting.
        key: &'static str,
        /// As it was given.
        value: String,
        /// What would be.
        allowed: String,
    },
    /// A file could not be written. Check that the folder may be written and that the disk has room.
    #[error(transparent)]
    Write(#[from] catchment_schema::Error),
}
