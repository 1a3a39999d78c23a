//! **What is a row?** The types and files that every other crate of Catchment shares.
//!
//! This is the only crate that names `arrow` and `parquet`; it re-exports both, so that the whole
//! workspace agrees on one version.
//!
//! - indices and scores: [`UserIdx`], [`ItemIdx`], [`Score`], [`ScoredItem`], [`ItemSet`], [`ItemFilter`]
//! - events: [`Event`], [`Time`], [`History`], [`Histories`]
//! - files: [`Vocabulary`], [`Interactions`], [`Embeddings`], [`NeighbourTable`], [`AttributeTable`]

pub mod atomic;
pub mod attributes;
pub mod columns;
pub mod embeddings;
pub mod error;
pub mod event;
pub mod finding;
pub mod id;
pub mod import;
pub mod interactions;
pub mod item_set;
pub mod neighbours;
pub mod parquet_file;
pub mod score;
pub mod vocabulary;

pub use arrow;
pub use parquet;

pub use atomic::AtomicFile;
pub use attributes::AttributeTable;
pub use embeddings::{Embeddings, EmbeddingsMeta, Metric};
pub use error::{Error, Result};
pub use event::{Event, EventKind, Histories, History, Time};
pub use finding::{Finding, Severity};
pub use id::{ItemIdx, UserIdx};
pub use interactions::Interactions;
pub use item_set::{ItemFilter, ItemSet};
pub use neighbours::NeighbourTable;
pub use parquet_file::Metadata;
pub use score::{Score, ScoredItem};
pub use vocabulary::Vocabulary;
