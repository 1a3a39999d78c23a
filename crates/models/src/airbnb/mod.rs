//! Airbnb: skip-gram that knows what a session was for.
//!
//! Grbovic and Cheng, *Real-time Personalization using Embeddings for Search Ranking at Airbnb* (2018). Items of a click
//! session predict each other as in [`sgns`](crate::sgns). Beside that, for a centre `l`,
//!
//! ```text
//! Σ_c log σ(⟨u_l, v_c⟩) + Σ_n log σ(−⟨u_l, v_n⟩) + [goal b] log σ(⟨u_l, v_b⟩) + Σ_m log σ(−⟨u_l, v_m⟩)
//! ```
//!
//! the goal `b` of the session is a positive wherever the window stands, and negatives `m` come from the centre's own
//! market, so that vectors tell apart what a search in one market shows. Sessions with a goal are read more often.
//! [`cold`] gives an item without sessions the mean of its nearest neighbours of the same type; [`types`] learns kinds of
//! users and kinds of items in one space, where single users and items have too few goals.
//!
//! Nothing knows a word of a dataset: the goal, the market and the types are event words and columns of the recipe. A
//! shop says `goal = "purchase"` and takes a category for the market.
//!
//! Good for: sessions of looking around that rarely end in a goal, items with a place, many items alike. Not for: logs
//! without a goal and without markets, where it is Item2Vec.
//!
//! Where we depart from the paper: a market's negatives are drawn as the others are, by a power of the frequency, and
//! never fall on the window or, where it is a positive, the goal; of more than 100 rejections of a kind in one session
//! 100 are drawn each time; vectors are trained from the centre's side, as the module [`sgns`](crate::sgns)
//! says.

pub mod cold;
mod config;
mod markets;
pub mod types;

pub use cold::{GeoColdConfig, GeoColdReport};
pub use config::ObjectiveConfig;
pub use markets::markets;
pub use types::{TypeVectors, TypesConfig};

use catchment_sampling::{Context, SessionsConfig};

use crate::sgns::SgnsConfig;

/// The paper's sessions: a pause of more than half an hour begins another, and looks of less than half a minute do not
/// count. Where a log has no times there is no pause, and where it has no dwell no look is short.
pub fn default_sessions() -> SessionsConfig {
    SessionsConfig {
        gap_minutes: Some(30.0),
        min_dwell_seconds: Some(30.0),
        ..SessionsConfig::default()
    }
}

/// The paper's settings of the skip-gram, where they differ from [`SgnsConfig`]'s own.
pub fn default_model() -> SgnsConfig {
    SgnsConfig {
        dim: 32,
        context: Context::Window(5),
        negatives: 5,
        subsample: 0.0,
        ..SgnsConfig::default()
    }
}

/// The same for types. One lane: there are few of them, and a round of many lanes would see each too often.
pub fn default_types_model() -> SgnsConfig {
    SgnsConfig {
        lanes: 1,
        ..default_model()
    }
}
