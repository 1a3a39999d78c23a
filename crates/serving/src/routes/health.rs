//! Is it alive, and may it be asked?

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::AppState;
use crate::problem::Problem;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthAnswer {
    /// Always `ok`: who is not well does not answer.
    #[schema(value_type = String)]
    status: &'static str,
    /// The bundle that is being served.
    bundle: String,
    /// The bundle that `CURRENT` names, where it is not the one being served.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedBody>,
}

/// A bundle that was not taken up.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedBody {
    /// Which one; null where `CURRENT` itself cannot be read.
    bundle: Option<String>,
    /// Why.
    reason: String,
}

/// The process is alive.
#[utoipa::path(get, path = "/health/live", responses((status = 200, body = HealthAnswer)))]
pub async fn live(State(state): State<Arc<AppState>>) -> axum::Json<HealthAnswer> {
    health(&state)
}

/// A bundle is open and warm and requests are answered; the one that was published last, unless `refused` says why not.
/// 503 `stopping` from the moment on that the server was told to stop.
#[utoipa::path(get, path = "/health/ready", responses(
    (status = 200, body = HealthAnswer),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn ready(State(state): State<Arc<AppState>>) -> Result<axum::Json<HealthAnswer>, Problem> {
    if state.stopping.load(Ordering::Relaxed) {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "stopping",
            "the server is about to end; ask another one",
        ));
    }
    Ok(health(&state))
}

fn health(state: &AppState) -> axum::Json<HealthAnswer> {
    axum::Json(HealthAnswer {
        status: "ok",
        bundle: state.live.load().version.to_string(),
        refused: refused(state),
    })
}

/// The bundle that was refused last, where `CURRENT` still names it.
pub(super) fn refused(state: &AppState) -> Option<RefusedBody> {
    let refused = state.refused.load();
    refused.as_ref().as_ref().map(|refusal| RefusedBody {
        bundle: refusal.version.map(|version| version.to_string()),
        reason: refusal.reason.clone(),
    })
}
