//! `catchment-train`.
fn main() {}
