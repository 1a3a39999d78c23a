//! The page at `/`: four files inside the program, and the words of the bundle's events. It asks this server alone, and works without any other.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Serialize;

use super::events::DEFAULT_TYPE;
use crate::AppState;
use crate::problem::Problem;

const HTML: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/style.css");
const ICON: &str = include_str!("../page/icon.svg");
const SCRIPT: &str = include_str!("../page/page.js");

/// Nothing from elsewhere, nothing inline: a title that is markup could do nothing even if the page were wrong.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Not in the OpenAPI document: these are for people.
pub(super) fn router() -> Router<Arc<AppState>> {
    Router::new()
        .route("/", get(html))
        .route("/page/style.css", get(style))
        .route("/page/page.js", get(script))
        .route("/page/icon.svg", get(icon))
        .route("/page/kinds.json", get(kinds))
}

async fn html(state: State<Arc<AppState>>) -> Response {
    file(&state, "text/html; charset=utf-8", HTML)
}

async fn style(state: State<Arc<AppState>>) -> Response {
    file(&state, "text/css; charset=utf-8", STYLE)
}

async fn script(state: State<Arc<AppState>>) -> Response {
    file(&state, "text/javascript; charset=utf-8", SCRIPT)
}

async fn icon(state: State<Arc<AppState>>) -> Response {
    file(&state, "image/svg+xml", ICON)
}

/// More buttons than this would hide the item that they stand beside.
const MAX_KINDS: usize = 6;

/// Which events the page can send.
#[derive(Serialize)]
struct Kinds {
    /// Which bundle says so.
    bundle: String,
    /// Words of its log that count, the most frequent first.
    kinds: Vec<String>,
}

async fn kinds(State(state): State<Arc<AppState>>) -> Response {
    if !state.config.page {
        return off().into_response();
    }
    let live = state.live.load_full();
    let (spec, words) = (live.pipeline.spec(), live.pipeline.catalogue().events());
    let counted = words.ids().iter().filter(|word| spec.counts(word));
    let mut kinds: Vec<String> = counted.take(MAX_KINDS).map(ToString::to_string).collect();
    if kinds.is_empty() {
        kinds.push(DEFAULT_TYPE.to_owned());
    }
    let bundle = live.version.to_string();
    ([(CACHE_CONTROL, "no-cache")], axum::Json(Kinds { bundle, kinds })).into_response()
}

fn file(state: &AppState, kind: &'static str, content: &'static str) -> Response {
    if !state.config.page {
        return off().into_response();
    }
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // Another version of the program has other files under the same names.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, content).into_response()
}

/// What stands in the place of the page where it is turned off.
pub(super) fn off() -> Problem {
    Problem::not_found("page_off", "the page is turned off; `page = true` turns it on")
}
