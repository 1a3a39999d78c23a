//! **What if we knew the truth?** A small world, made from a seed, in which every user's taste is known,
//! and so is the best that any recommender can reach.
//!
//! Users have a taste, items have a place among the tastes and a quality; each choice is drawn from a known
//! law ([`choice`]). So a log comes out that looks like a shop's (a long tail, sessions, newcomers, titles
//! that hint at categories), and beside it the ranking that somebody who knows the law would give, and the
//! metric it reaches on average. A model between popularity and that ceiling has learned something; one
//! above it has seen the answers.
//!
//! # Quick example
//! ```
//! use catchment_synthetic::{World, WorldConfig, WriteFormat};
//!
//! let world = World::generate(&WorldConfig { seed: 11, ..WorldConfig::tiny() })?;
//! assert_eq!(world.log().len(), 1500);
//! // What would user 3 most probably choose next?
//! let seen: Vec<usize> = world.choices_of(3).iter().map(|choice| choice.item).collect();
//! for (item, log_probability) in world.ideal_list(3, world.end_time(), &seen, 5) {
//!     println!("{} {:.3}", world.items()[item].title, log_probability.exp());
//! }
//! let ceiling = world.ceiling(20);
//! assert!(ceiling.recall > 0.5 && ceiling.recall < 1.0);
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let files = world.write(folder, WriteFormat::Csv)?;
//! assert!(files.truth.ends_with("truth.parquet"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Two worlds
//! [`World`] is small and simple: every user is compared with every item. [`marketplace::Marketplace`] has up to 200
//! million views, sessions, places, bookings, text and drift, and never holds its events in memory.
//!
//! # The same bytes everywhere
//! Exponentials, logarithms and cosines of the standard library differ between systems in the last bit, and
//! one such bit can turn a choice. Here they come from `libm`, in portable Rust; additions have a fixed
//! order; every user and item has a random stream of their own.
//!
//! # Siblings
//! `catchment-evaluation` judges the ideal lists like anybody's; `catchment-prepare` reads the log.

pub mod catalogue;
pub mod choice;
pub mod config;
mod csv;
pub mod error;
mod log;
pub mod marketplace;
pub mod oracle;
pub mod population;
mod stream;
mod tables;
mod words;
pub mod world;
pub mod write;

pub use catalogue::Item;
pub use choice::{Choice, ChoiceKind};
pub use config::WorldConfig;
pub use error::{Error, Result};
pub use oracle::Ceiling;
pub use population::User;
pub use tables::{IDEAL_DEPTH, ORACLE};
pub use world::World;
pub use write::{WorldFiles, WriteFormat};
