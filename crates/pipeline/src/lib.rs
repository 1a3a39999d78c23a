//! **How does one request become an answer?** Opens a bundle into channels, merge and ranker, and runs them.
//!
//! The same code answers evaluation runs, `recommend`, batches, golden replay and the server: what was
//! measured is what is served. It knows no HTTP, no clock and no training.

pub mod catalogue;
mod encoder;
pub mod error;
pub mod featurizer;
pub mod golden;
pub mod layout;
mod open;
pub mod pipeline;
pub mod recommend;
pub mod request;
mod similar;
pub mod spec;
pub mod testing;

pub use catalogue::Catalogue;
pub use error::Error;
pub use featurizer::{Featurizer, RequestFeatures};
pub use layout::Layout;
pub use open::POPULARITY_FILE;
pub use pipeline::Pipeline;
pub use recommend::Scratch;
pub use request::{Answer, Request, StageMicros, Stages, Trace, UserState};
pub use spec::{ChannelModel, ChannelSpec, PipelineSpec, RankerModel, SPEC_VERSION};
