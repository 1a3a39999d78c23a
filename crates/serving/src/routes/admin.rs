//! What operators ask.

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::health::{RefusedBody, refused};
use super::worker::on_worker;
use crate::AppState;
use crate::problem::Problem;

/// Which bundles there are.
#[derive(Debug, Serialize, ToSchema)]
pub struct BundlesAnswer {
    /// All published ones, oldest first.
    bundles: Vec<String>,
    /// The one being served.
    serving: String,
    /// The bundle that `CURRENT` names, where it is not the one being served.
    refused: Option<RefusedBody>,
}

/// Which bundles there are, which is served, and which was refused. On the admin address only.
#[utoipa::path(get, path = "/admin/bundles", responses(
    (status = 200, body = BundlesAnswer),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn bundles(State(state): State<Arc<AppState>>) -> Result<axum::Json<BundlesAnswer>, Problem> {
    let folder = state.bundles.clone();
    let listed = on_worker(state.workers.clone(), move || {
        catchment_bundle::list(&folder).map_err(|error| Problem::internal(&error))
    })
    .await?;
    Ok(axum::Json(BundlesAnswer {
        bundles: listed.iter().map(ToString::to_string).collect(),
        serving: state.live.load().version.to_string(),
        refused: refused(&state),
    }))
}
