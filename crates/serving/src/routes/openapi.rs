//! `GET /openapi.json`: generated from the handlers themselves.

use utoipa::OpenApi;

use super::{events, health, recommend, similar, users};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Catchment", description = "Multi-channel recommendations over HTTP."),
    paths(
        recommend::post,
        recommend::get,
        similar::post,
        similar::get,
        events::post,
        users::history,
        health::live,
        health::ready,
        document,
    ),
    components(schemas(events::EventBody))
)]
#[derive(Debug)]
pub struct Document;

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub async fn document() -> axum::Json<utoipa::openapi::OpenApi> {
    axum::Json(Document::openapi())
}
