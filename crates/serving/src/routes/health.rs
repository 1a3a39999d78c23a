//! Is it alive, and may it be asked?

use std::sync::Arc;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthAnswer {
    /// Always `ok`: who is not well does not answer.
    status: &'static str,
    /// The bundle that is being served.
    bundle: String,
    /// Why the bundle that `CURRENT` names is not the one being served, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// The process is alive.
#[utoipa::path(get, path = "/health/live", responses((status = 200, body = HealthAnswer)))]
pub async fn live(State(state): State<Arc<AppState>>) -> axum::Json<HealthAnswer> {
    health(&state)
}

/// A bundle is open and requests are answered.
#[utoipa::path(get, path = "/health/ready", responses((status = 200, body = HealthAnswer)))]
pub async fn ready(State(state): State<Arc<AppState>>) -> axum::Json<HealthAnswer> {
    health(&state)
}

fn health(state: &AppState) -> axum::Json<HealthAnswer> {
    axum::Json(HealthAnswer {
        status: "ok",
        bundle: state.live.load().version.to_string(),
        refused: state
            .refused
            .load()
            .as_ref()
            .as_ref()
            .map(|refusal| refusal.reason.clone()),
    })
}
