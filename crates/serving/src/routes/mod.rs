//! Handlers translate; they decide nothing.

pub mod admin;
pub mod answer;
pub mod events;
pub mod health;
pub mod openapi;
pub mod recommend;
pub mod similar;
pub mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::AppState;
use crate::problem::Problem;

/// Everything that clients call.
pub fn data_router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/v1/recommend", post(recommend::post))
        .route("/v1/recommend/{user_id}", get(recommend::get))
        .route("/v1/similar", post(similar::post))
        .route("/v1/items/{item_id}/similar", get(similar::get))
        .route("/v1/events", post(events::post))
        .route("/v1/users/{user_id}/history", get(users::history))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/openapi.json", get(openapi::document))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(state.config.max_body))
        .layer(from_fn_with_state(state.clone(), within_time))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            Problem::internal(&message.unwrap_or("a handler panicked")).into_response()
        }))
        .with_state(state)
}

/// What operators call, on an address of its own.
pub fn admin_router(state: Arc<AppState>) -> Router {
    Router::new()
        .route("/admin/bundles", get(admin::bundles))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .fallback(no_such_path)
        .with_state(state)
}

async fn no_such_path() -> Problem {
    Problem::not_found(
        "no_such_path",
        "there is nothing here; /openapi.json lists what there is",
    )
}

async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
        "this path has other methods; /openapi.json lists them",
    )
}

async fn within_time(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(state.config.timeout(), next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "timeout",
            format!("no answer within {} ms", state.config.timeout_ms),
        )
        .into_response(),
    }
}
