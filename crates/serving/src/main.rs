//! `catchment-serve`.
fn main() {}
