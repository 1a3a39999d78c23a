//! **What is a row?** The types and files that every other crate of Catchment shares.
//!
//! This is the only crate that names `arrow` and `parquet`; it re-exports both, so that the whole
//! workspace agrees on one version.
//!
//! - indices and scores: [`UserIdx`], [`ItemIdx`], [`Score`], [`ScoredItem`], [`ItemSet`], [`ItemFilter`]
//! - events: [`Event`], [`Time`], [`History`], [`Histories`], [`merge_by_time()`]
//! - which events count: [`Condition`]
//! - what comes in: [`import`], from Parquet, CSV, TSV, JSON lines and published data sets
//! - what goes between rooms: [`Vocabulary`], [`Interactions`], [`AttributeTable`], [`NeighbourTable`]
//! - what goes out: [`Embeddings`], [`CandidateRows`], [`RecommendationRows`], [`vector_files`]
//!
//! # Example
//!
//! ```
//! use catchment_schema::{ItemIdx, Metadata, Vocabulary};
//!
//! let items = Vocabulary::from_counts([("tea", 3), ("milk", 1), ("honey", 3)]);
//! assert_eq!(items.item("honey"), Some(ItemIdx(0)));
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("items.parquet");
//! items.write(&path, &Metadata::new())?;
//! assert_eq!(Vocabulary::read(&path)?, items);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Files appear whole or not at all ([`AtomicFile`]), and every one of ours says what it is and which version of
//! its format it has ([`parquet_file`]).

pub mod atomic;
pub mod attributes;
pub mod columns;
pub mod condition;
pub mod embeddings;
pub mod error;
pub mod event;
pub mod finding;
pub mod id;
pub mod import;
pub mod interactions;
pub mod interactions_file;
pub mod item_set;
pub mod lists;
pub mod matrix;
pub mod merge_by_time;
pub mod neighbours;
pub mod parquet_file;
pub mod score;
pub mod vector_files;
pub mod vocabulary;

pub use arrow;
pub use parquet;

pub use atomic::AtomicFile;
pub use attributes::AttributeTable;
pub use condition::Condition;
pub use embeddings::{Embeddings, EmbeddingsMeta, Metric};
pub use error::{Error, Result};
pub use event::{Event, EventKind, Histories, History, Time};
pub use finding::{Finding, Severity};
pub use id::{ItemIdx, UserIdx};
pub use interactions::{Interactions, InteractionsWriter};
pub use interactions_file::{InteractionColumns, InteractionRows, InteractionsFile};
pub use item_set::{ItemFilter, ItemSet};
pub use lists::{CandidateRow, CandidateRows, RecommendationRow, RecommendationRows};
pub use matrix::Matrix;
pub use merge_by_time::merge_by_time;
pub use neighbours::NeighbourTable;
pub use parquet_file::Metadata;
pub use score::{Score, ScoredItem};
pub use vocabulary::Vocabulary;
