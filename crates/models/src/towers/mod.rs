//! Two towers that meet in an inner product.
//!
//! A tower is three parts, one after the other, and each stands by itself: an *input layer* ([`InputLayer`]) that puts the
//! columns of a feature batch side by side, ids as rows of tables; *hidden layers* ([`HiddenConfig`]); and where two towers
//! meet, the scores and the loss. The systems (YouTube DNN, DSSM, the sampling-bias-corrected two-tower) are [`Plan`]s.
//!
//! What is served of a tower is smaller than what is trained: a [`QueryTower`] is plain numbers, without tape or device.
//! Training (`training`) is behind the feature `towers-train`.

#[cfg(feature = "towers-train")]
mod buffers;
pub mod config;
pub mod device;
#[cfg(feature = "towers-train")]
mod device_table;
pub mod dssm;
pub mod examples;
pub mod file;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(feature = "towers-train")]
mod hard;
#[cfg(feature = "towers-train")]
mod head;
#[cfg(feature = "towers-train")]
mod hidden;
pub mod history_examples;
pub mod input;
#[cfg(feature = "towers-train")]
mod lengths;
pub mod mlp;
#[cfg(feature = "towers-train")]
mod plain;
pub mod plan;
#[cfg(feature = "towers-train")]
mod product;
#[cfg(feature = "towers-train")]
mod recorded;
#[cfg(feature = "towers-train")]
mod sampler;
pub mod served;
pub mod shown;
#[cfg(feature = "towers-train")]
mod tables;
#[cfg(feature = "towers-train")]
pub mod training;
pub mod two_tower;
pub mod youtube_dnn;

pub use config::{HiddenConfig, Norm, Preset};
pub use dssm::{DssmConfig, DssmNegatives, OwnNegatives};
pub use examples::{
    ByTime, ExampleBatch, ExampleSource, ExampleStream, ExamplesConfig, Order, Past, Pick, Reward,
};
pub use history_examples::HistoryExamples;
pub use input::InputLayer;
pub use mlp::{Activation, Layer, Mlp};
pub use plan::Plan;
pub use served::{QueryScratch, QueryTower};
pub use shown::ShownItems;
pub use two_tower::TwoTowerConfig;
pub use youtube_dnn::YoutubeDnnConfig;
