//! **What is the function?** Models and how they are fitted; neither stored in an index nor served here.
//!
//! - [`popularity`]: the same list for everybody, in a window and with time decay if wanted
//! - [`newest`]: since when each item is there
//! - [`neighbours`]: tables of which items speak for which ([`item_cf`](neighbours::item_cf), [`swing`](neighbours::swing))
//! - [`sgns`]: vectors from what occurs together in sessions
//! - [`airbnb`]: the same with a goal, markets, places and kinds of users
//! - [`factorization`]: vectors and weights ([`ials`](factorization::ials))
//! - [`losses`]: over samples of the classes, with their gradients
//! - [`embedding_table`]: rows of which a step touches few
//! - [`spectrum`]: how many of their directions vectors use, and a map of them
//! - [`towers`]: layers over features, on either side of an inner product; trained by gradient steps, served as plain numbers
//! - [`progress`]: how a training is watched and stopped
//!
//! A model, its loss, its sampler and its exporter are four things. What serving needs is a smaller type than what
//! training needs: [`IalsModel`](factorization::ials::IalsModel) is trained,
//! [`IalsEncoder`](factorization::ials::IalsEncoder) is served. Slices come in and vectors go out; no type of a
//! linear-algebra or deep-learning crate is in a public signature. The same input and seed give the same bytes on any
//! number of threads, but where a setting asks for lock-free training.
//!
//! # Example
//! ```
//! use catchment_models::factorization::ials::{self, IalsConfig};
//! use catchment_models::progress::Silent;
//! use catchment_schema::{Event, Histories, ItemIdx, Time, UserIdx};
//!
//! // Two tastes: items 0 to 2, and items 3 to 5. Nobody has all of theirs.
//! let pairs = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 2), (3, 3), (3, 4), (4, 4), (4, 5), (5, 3), (5, 5)];
//! let users: Vec<_> = pairs.iter().map(|&(user, _)| UserIdx(user)).collect();
//! let events: Vec<_> = pairs.iter().map(|&(_, item)| Event::new(ItemIdx(item), Time::UNKNOWN)).collect();
//! let histories = Histories::group(6, &users, &events);
//!
//! let config = IalsConfig { dim: 2, alpha0: 0.1, ..IalsConfig::default() };
//! let model = ials::fit(&histories, 6, &config, 42, &mut Silent)?;
//!
//! // Somebody new, who has only item 0.
//! let mut user = [0.0; 2];
//! model.encoder()?.fold_in([ItemIdx(0)], &mut user)?;
//! let score = |item: usize| -> f32 { user.iter().zip(model.item(item)).map(|(a, b)| a * b).sum() };
//! assert!(score(2) > score(3));
//! # Ok::<(), catchment_models::Error>(())
//! ```
//!
//! # Features
//! `towers-train` is for training towers, on burn; `gpu` for doing so on GPUs of any vendor. Serving needs neither.
//!
//! # Siblings
//! `catchment-schema` below; `catchment-recall` and `catchment-ranking` beside, which never see how a model was fitted.

pub mod airbnb;
mod dense;
pub mod embedding_table;
pub mod error;
mod exponential;
pub mod factorization;
mod hashed;
mod incidence;
pub mod item_scores;
pub mod losses;
pub mod neighbours;
pub mod newest;
pub mod popularity;
pub mod progress;
pub mod sgns;
pub mod spectrum;
pub mod towers;

pub use error::{Error, Result};
