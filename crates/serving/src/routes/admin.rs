//! What operators ask.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;

use crate::AppState;
use crate::problem::Problem;

/// Which bundles there are.
#[derive(Debug, Serialize)]
pub struct BundlesAnswer {
    /// All published ones, oldest first.
    bundles: Vec<String>,
    /// The one being served.
    serving: String,
    /// The one that was refused last, where `CURRENT` still names it.
    refused: Option<RefusedBody>,
}

/// A bundle that was not taken up.
#[derive(Debug, Serialize)]
pub struct RefusedBody {
    bundle: Option<String>,
    reason: String,
}

/// Which bundles there are, which is served, and which was refused.
pub async fn bundles(State(state): State<Arc<AppState>>) -> Result<axum::Json<BundlesAnswer>, Problem> {
    let listed = catchment_bundle::list(&state.bundles).map_err(|error| Problem::internal(&error))?;
    let refused = state.refused.load();
    Ok(axum::Json(BundlesAnswer {
        bundles: listed.iter().map(ToString::to_string).collect(),
        serving: state.live.load().version.to_string(),
        refused: refused.as_ref().as_ref().map(|refusal| RefusedBody {
            bundle: refusal.version.map(|version| version.to_string()),
            reason: refusal.reason.clone(),
        }),
    }))
}
