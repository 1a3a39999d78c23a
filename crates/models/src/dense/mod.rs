//! Small dense kernels, for systems that are too many and too small for a general library.

#![allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]

mod cholesky;
mod eigen;
mod tile;

pub(crate) use cholesky::IdentityPlusGram;
pub(crate) use eigen::self_adjoint;
pub(crate) use tile::{TILE_COLUMNS, add_scaled, dots, dots_with};

/// Rows are padded with zeros to a multiple of this many values, so that every vector width divides them.
pub(crate) const LANES: usize = 16;

/// The next multiple of [`LANES`].
pub(crate) fn padded(len: usize) -> usize {
    len.next_multiple_of(LANES)
}
