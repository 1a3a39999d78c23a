//! What is read.

use crate::Result;
use crate::run::Imported;

/// TEMP
#[derive(Debug)]
pub struct Inputs {
    /// t
    pub test: Option<()>,
}
pub(crate) fn import(_: &Inputs) -> Result<Imported> {
    Ok(Imported::default())
}
