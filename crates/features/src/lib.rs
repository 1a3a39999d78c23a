//! **What does a model see?** Features: fitted once, transformed the same way in training and serving.

pub mod batch;
pub mod candidate;
pub mod config;
pub mod context;
pub mod error;
pub mod file;
pub mod fingerprint;
pub mod fitted;
pub mod item_times;
pub mod profile;
pub mod shape;
pub mod side;
pub mod spec;
pub mod user;

mod attribute;
mod exact;
mod item;
mod lookup;
mod number;
mod text_column;
mod vocabulary_mark;

pub use batch::{FeatureBatch, FeatureColumn, FeatureRow};
pub use candidate::{CandidateInput, ChannelHit};
pub use config::{FeatureConfig, Pooling, Transform};
pub use context::ContextInput;
pub use error::{Error, Result};
pub use fingerprint::Fingerprint;
pub use fitted::FittedFeatures;
pub use profile::UserProfile;
pub use shape::{ColumnKind, ColumnShape};
pub use side::Side;
pub use spec::{FeatureSpec, FitTables};
pub use user::UserInput;
