//! **What is near?** Nearest-neighbour indexes with one trait, one law book and an exact reference.
//!
//! A channel that recalls by embeddings asks for the items whose vectors are nearest to the user's. Every
//! engine here answers through [`VectorIndex`], whose numbered laws [`testing::index_laws`] checks for any
//! implementation, and every hit carries the score of the exact kernel, whichever approximation found it. So
//! engines differ in speed and recall and in nothing else, and an approximate one is never without its
//! measured gap.
//!
//! ```
//! use catchment_ann_index::{IndexConfig, Scratch, SearchParams, build_index};
//! use catchment_schema::{ItemFilter, ItemIdx, ItemSet, Metric};
//!
//! let vectors = vec![1.0, 0.0, 0.8, 0.6, 0.0, 1.0]; // three items of two dimensions
//! let built = build_index(vectors, 2, Metric::Cosine, &IndexConfig::default())?;
//!
//! let seen: ItemSet = [ItemIdx(0)].into_iter().collect();
//! let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
//! let filter = ItemFilter::excluding(&seen);
//! built.index.search(&[1.0, 0.0], 2, &SearchParams::default(), filter, &mut scratch, &mut hits)?;
//! assert_eq!(hits[0].item, ItemIdx(1));
//! assert!((hits[0].score.get() - 0.8).abs() < 1e-6);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Engines
//! - [`exact`]: scores everything, in SIMD tiles chosen at run time. The reference, and the default up to
//!   [`EXACT_UP_TO`] items.
//! - `hnsw` (feature `hnsw`): the graph of the crate `hnsw_rs`, walled in, for larger catalogues under cosine
//!   and L2.
//!
//! [`build_index`] chooses between them and says why. `exact` also owns blocked top-k for evaluation:
//! [`exact::TopK`].
//!
//! # Siblings
//! `catchment-schema` has the items, scores and filters; `catchment-models` makes the vectors;
//! `catchment-recall` asks.

pub mod config;
pub mod error;
pub mod exact;
#[cfg(feature = "hnsw")]
pub mod hnsw;
pub mod index;
pub mod plan;
mod query;
pub mod report;
pub mod testing;
mod zero_rows;

pub use config::{HnswConfig, IndexConfig, IndexKind};
pub use error::{BuildError, SearchError};
pub use index::{Scratch, SearchParams, VectorIndex};
pub use plan::{BuiltIndex, EXACT_UP_TO, build_index, build_index_for};
pub use report::{Choice, HnswReport, IndexReport, SampledFrom};
pub use zero_rows::zero_rows;
