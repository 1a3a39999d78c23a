//! **How does one request become an answer?** Opens a bundle into channels, merge and ranker, and runs them.
//!
//! The same code answers evaluation runs, `recommend`, batches, golden replay and the server: what was
//! measured is what is served. It knows no HTTP, no clock and no training.
//!
//! # Why it is built this way
//! - **A bundle is opened once** into a [`Pipeline`], which all threads share; a thread brings its own [`Scratch`].
//! - **Who asks is the caller's to say**: a [`UserState`] is a history, the bundle's own or one that live events have
//!   lengthened. There are no user vectors in a bundle; users are folded in.
//! - **What a bundle can hold is an exhaustive enum** ([`ChannelModel`], [`RankerModel`]) with one arm that opens it.
//! - **One feature path**: the ranker's training rows and every request are filled by [`Featurizer`], and a bundle whose
//!   ranker was trained on other features is refused by fingerprint.
//! - **Golden queries** ([`golden`]) are replayed when a bundle is opened: they catch what no checksum can.
//!
//! # Quick example
//! ```
//! use catchment_bundle::Bundle;
//! use catchment_pipeline::testing::TinyBundle;
//! use catchment_pipeline::{Pipeline, Request, Scratch, UserState};
//!
//! # let folder = tempfile::tempdir()?;
//! # let bundles = folder.path();
//! TinyBundle::default().publish(bundles)?; // or what `catchment-train publish` wrote
//! let pipeline = Pipeline::open(&Bundle::open_current(bundles)?)?;
//! let catalogue = pipeline.catalogue();
//! let user = catalogue.users().user("u7").ok_or("unknown")?;
//! let state = UserState { user: Some(user), history: catalogue.history(user) };
//! let answer = pipeline.recommend(&Request::new(5, catalogue.now()), &state, &mut Scratch::default())?;
//! assert_eq!(answer.items.len(), 5);
//! assert!(answer.trace.ranked && answer.items.iter().all(|found| !found.sources.is_empty()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Siblings
//! `catchment-recall` finds, `catchment-ranking` orders, `catchment-features` describes, `catchment-bundle` carries;
//! `catchment-trainer` writes what this crate opens, `catchment-serving` asks it over HTTP.

pub mod catalogue;
mod encoder;
pub mod error;
pub mod featurizer;
pub mod golden;
pub mod layout;
pub mod negative_events;
mod open;
pub mod pipeline;
pub mod recommend;
pub mod request;
mod similar;
mod spaces;
pub mod spec;
pub mod testing;
pub mod why_not;

pub use catalogue::Catalogue;
pub use error::Error;
pub use featurizer::{Featurizer, RequestFeatures};
pub use layout::Layout;
pub use negative_events::NegativeEvents;
pub use open::POPULARITY_FILE;
pub use pipeline::Pipeline;
pub use recommend::Scratch;
pub use request::{Answer, Request, StageMicros, Stages, Trace, UserState};
pub use similar::UserEmbeddings;
pub use spaces::with_spaces;
pub use spec::{ChannelModel, ChannelSpec, PipelineSpec, RankerModel, SPEC_VERSION};
pub use why_not::WhyNot;
