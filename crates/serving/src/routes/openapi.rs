//! `GET /openapi.json`: generated from the handlers themselves.

use std::sync::LazyLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Description;

use super::{admin_routes, data_routes};

#[derive(OpenApi)]
#[openapi(info(title = "Catchment", description = "Multi-channel recommendations over HTTP."))]
struct Frame;

/// Collected from the routers, so that no route can be forgotten.
static DOCUMENT: LazyLock<String> = LazyLock::new(|| describe().to_json().unwrap_or_default());

/// What both addresses answer.
pub fn describe() -> Description {
    let mut document = Frame::openapi();
    document.merge(data_routes().into_openapi());
    document.merge(admin_routes().into_openapi());
    document
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub async fn document() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}
