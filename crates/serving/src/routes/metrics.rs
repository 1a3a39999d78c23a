//! `GET /metrics`, for Prometheus.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use crate::AppState;
use crate::metrics::Standing;
use crate::problem::Problem;

/// What the server counts and measures, in the text form of Prometheus. On the admin address only.
#[utoipa::path(get, path = "/metrics", responses(
    (status = 200, description = "Text format 0.0.4.", body = String, content_type = "text/plain"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn metrics(State(state): State<Arc<AppState>>) -> Result<impl IntoResponse, Problem> {
    let live = state.live.load_full();
    let channels = live.pipeline.spec().channels.iter();
    let channels: Vec<&str> = channels.map(|channel| channel.name.as_str()).collect();
    let (live_users, live_events) = state.users.size();
    let standing = Standing {
        bundle: &live.version.to_string(),
        channels: &channels,
        live_users,
        live_events,
    };
    let text = state
        .metrics
        .render(&standing)
        .map_err(|error| Problem::internal(&error))?;
    Ok(([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], text))
}
