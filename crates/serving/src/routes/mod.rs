//! Handlers translate; they decide nothing.
#![allow(
    clippy::missing_errors_doc,
    reason = "the comments of handlers become the OpenAPI document, which lists their problems by itself"
)]

pub mod admin;
pub mod answer;
pub mod events;
pub mod health;
mod limits;
pub mod metrics;
pub mod openapi;
mod page;
pub mod popular;
pub mod recommend;
mod request_line;
pub mod similar;
pub mod user_search;
pub mod users;
pub mod why_not;
mod worker;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::problem::Problem;

/// A router whose every route stands in `/openapi.json`.
type Routes = OpenApiRouter<Arc<AppState>>;

/// Everything that clients call.
pub fn data_router(state: &Arc<AppState>) -> Router {
    let (router, _) = data_routes().split_for_parts();
    finished(router.merge(page::router()), state)
}

/// What operators call, on an address of its own.
pub fn admin_router(state: &Arc<AppState>) -> Router {
    let (router, _) = admin_routes().split_for_parts();
    finished(router, state)
}

pub(super) fn data_routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(recommend::post))
        .routes(routes!(recommend::get))
        .routes(routes!(similar::post))
        .routes(routes!(similar::get))
        .routes(routes!(events::post))
        .routes(routes!(users::history))
        .routes(routes!(user_search::get))
        .routes(routes!(why_not::post))
        .routes(routes!(popular::get))
        .merge(health_routes())
        .routes(routes!(openapi::document))
}

pub(super) fn admin_routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(admin::bundles))
        .routes(routes!(admin::snapshot))
        .routes(routes!(metrics::metrics))
        .merge(health_routes())
}

fn health_routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
}

fn finished(router: Router<Arc<AppState>>, state: &Arc<AppState>) -> Router {
    router
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        // The body is whole already, and not too large.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), limits::within_time))
        .layer(from_fn_with_state(state.clone(), limits::whole_body))
        .layer(CatchPanicLayer::custom(limits::after_panic))
        .layer(from_fn_with_state(state.clone(), limits::with_id))
        .with_state(state.clone())
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
