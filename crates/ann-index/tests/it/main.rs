//! Laws of every engine over generated worlds, and real vectors with known neighbours.

mod exact_laws;
#[cfg(feature = "hnsw")]
mod hnsw_laws;
mod mnist;
mod vectors;
