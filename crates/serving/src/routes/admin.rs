//! What operators ask and tell.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::health::{RefusedBody, refused};
use super::worker::on_worker;
use crate::AppState;
use crate::event_log::NoSnapshot;
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

/// A snapshot of the live events.
#[derive(Debug, Serialize, ToSchema)]
pub struct SnapshotAnswer {
    /// The number of the last file of the event log that it stands for.
    number: u64,
    /// How many events it holds.
    events: usize,
}

/// Makes a snapshot of all live events in place of the event log so far, and answers when it is on the disk. The server
/// makes them by itself, too; before a copy of the data folder is the time to ask for one.
#[utoipa::path(post, path = "/admin/snapshot", responses(
    (status = 200, body = SnapshotAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn snapshot(State(state): State<Arc<AppState>>) -> Result<axum::Json<SnapshotAnswer>, Problem> {
    match state.log.snapshot().await {
        Ok(made) => Ok(axum::Json(SnapshotAnswer {
            number: made.number,
            events: made.n_events,
        })),
        Err(error @ NoSnapshot::Busy) => Err(Problem::new(StatusCode::CONFLICT, "busy", error.to_string())),
        Err(error) => Err(Problem::internal(&error)),
    }
}
