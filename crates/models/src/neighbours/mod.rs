//! Models that are tables: which items speak for which.

pub mod item_cf;
pub mod swing;
