//! Lists of items for users: what channels found, and what was recommended in the end.

mod candidates;
mod ranked;
mod recommendations;

pub use candidates::{CANDIDATES, CandidateRow, CandidateRows, CandidateWriter};
pub use recommendations::{RECOMMENDATIONS, RecommendationRow, RecommendationRows, RecommendationWriter};

/// Metadata key of the bundle that the lists come from.
pub const BUNDLE_KEY: &str = "catchment.bundle";
