//! The bundle that is being served.

use catchment_bundle::{Bundle, Version};
use catchment_pipeline::Pipeline;

use crate::Error;

/// An opened bundle. A request takes one at its beginning and keeps it to its end.
#[derive(Debug)]
pub struct Live {
    /// Which bundle.
    pub version: Version,
    /// What it does.
    pub pipeline: Pipeline,
}

impl Live {
    /// Verifies and opens a bundle; its golden queries are replayed.
    ///
    /// # Errors
    /// When it is damaged, of another version, or answers otherwise than when it was made.
    pub fn open(bundle: &Bundle) -> Result<Self, Error> {
        Ok(Self {
            version: bundle.version(),
            pipeline: Pipeline::open(bundle)?,
        })
    }
}
