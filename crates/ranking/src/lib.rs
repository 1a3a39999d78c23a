//! **In which order?** Rankers over candidates, calibrated.

pub mod calibration;
pub mod error;
pub mod judgement;
pub mod layout;
pub mod lr;
pub mod ranker;
mod request_split;
pub mod side;
pub mod testing;
pub mod training_set;

pub use calibration::{Calibration, CalibrationKind};
pub use error::RankError;
pub use judgement::Judgement;
pub use layout::{ColumnShape, Layout, Shapes};
pub use lr::{LrRanker, LrRankerConfig, LrReport};
pub use ranker::{RankQuery, Ranker};
pub use side::Side;
pub use training_set::{TrainingRequest, TrainingSet};
