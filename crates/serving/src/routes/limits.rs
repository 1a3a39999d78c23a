//! What holds for every request, before and after its handler.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::AppState;
use crate::problem::Problem;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer id of a client's is not echoed; it gets one of ours.
const MAX_REQUEST_ID: usize = 128;
/// So much of a body that is too large is read and thrown away, because a client that is still sending does not
/// look at an answer; after that the connection is closed on it.
const MAX_SURPLUS: usize = 32 << 20;

/// Echoes the client's `X-Request-Id`, or gives one, and writes a line to the log.
pub(super) async fn with_id(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let theirs = request.headers().get(&REQUEST_ID);
    let id = match theirs.filter(|id| (1..=MAX_REQUEST_ID).contains(&id.len())) {
        Some(id) => id.clone(),
        None => HeaderValue::from_str(&state.next_id('q')).unwrap_or(HeaderValue::from_static("q")),
    };
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    // The pattern, not the path: there are as many paths as there are users.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = next.run(request).await;
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    let status = response.status().as_u16();
    state
        .metrics
        .answered(method.as_str(), route, status, start.elapsed());
    tracing::debug!(
        %method,
        path,
        status,
        micros = start.elapsed().as_micros(),
        request_id = id.to_str().unwrap_or_default(),
        "answered"
    );
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// Reads the whole body before the handler sees it: not more than is allowed, and not for longer.
pub(super) async fn whole_body(State(state): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match timeout(state.config.timeout(), read(body, state.config.max_body)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(problem)) => problem.closing(),
        Err(_) => Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow_body",
            format!("the body did not come within {} ms", state.config.timeout_ms),
        )
        .closing(),
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::new();
    let mut length = 0usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request("broken_body", error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= limit {
            bytes.extend_from_slice(&data);
        } else if length > limit + MAX_SURPLUS {
            break;
        }
    }
    if length > limit {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            format!("the body has more than {limit} bytes; send it in parts"),
        ));
    }
    Ok(bytes.into())
}

/// Gives a handler up that takes too long.
pub(super) async fn within_time(
    State(state): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    if let Ok(response) = timeout(state.config.timeout(), next.run(request)).await {
        return response;
    }
    state.metrics.shed.inc();
    let limit = state.config.timeout_ms;
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "timeout",
        format!("no answer within {limit} ms"),
    )
    .into_response()
}

/// What a client gets when a handler panics.
#[expect(clippy::needless_pass_by_value, reason = "the shape that the layer wants")]
pub(super) fn after_panic(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    Problem::internal(&message.unwrap_or("a handler panicked")).into_response()
}
