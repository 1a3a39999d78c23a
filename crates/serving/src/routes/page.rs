//! The page at `/`: four files inside the program, and the words of the bundle's events. It asks this server alone, and works without any other.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use catchment_schema::Condition;
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
struct Sendable {
    /// Which bundle says so.
    bundle: String,
    /// Words of its log that count, the most frequent first.
    kinds: Vec<String>,
    /// What an event of the page has for a value, so that it is a yes.
    value: f32,
    /// For how long it was, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    dwell_ms: Option<u32>,
}

async fn kinds(State(state): State<Arc<AppState>>) -> Response {
    if !state.config.page {
        return off().into_response();
    }
    let live = state.live.load_full();
    let (spec, words) = (live.pipeline.spec(), live.pipeline.catalogue().events());
    let counted = words.ids().iter().filter(|word| spec.counts(word));
    let (value, dwell_ms) = spec.positive.as_deref().map_or((1.0, None), a_yes);
    let mut kinds: Vec<String> = counted.take(MAX_KINDS).map(ToString::to_string).collect();
    if kinds.is_empty() {
        kinds.push(DEFAULT_TYPE.to_owned());
    }
    let bundle = live.version.to_string();
    let sendable = Sendable {
        bundle,
        kinds,
        value,
        dwell_ms,
    };
    ([(CACHE_CONTROL, "no-cache")], axum::Json(sendable)).into_response()
}

/// A value and a dwell that fulfil a condition, where some are found among 1, the numbers in it and those next to these;
/// else those of an event of which nothing is said.
fn a_yes(condition: &str) -> (f32, Option<u32>) {
    const NOTHING_SAID: (f32, Option<u32>) = (1.0, None);
    let Ok(condition) = condition.parse::<Condition>() else {
        return NOTHING_SAID;
    };
    let near = |column: &str| {
        let clauses = condition.clauses.iter();
        let of_column = clauses.filter(move |clause| clause.column == column);
        let numbers = of_column.flat_map(|clause| [0.0, 1.0, -1.0].map(|step| clause.number + step));
        numbers.collect::<Vec<f64>>()
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what does not fit is tried as the nearest that does"
    )]
    let (values, dwells): (Vec<f32>, Vec<u32>) = (
        near("value").into_iter().map(|number| number as f32).collect(),
        near("dwell_ms").into_iter().map(|number| number as u32).collect(),
    );
    let dwells = || std::iter::once(None).chain(dwells.iter().copied().map(Some));
    std::iter::once(NOTHING_SAID.0)
        .chain(values)
        .filter(|value| value.is_finite())
        .flat_map(|value| dwells().map(move |dwell_ms| (value, dwell_ms)))
        .find(|&(value, dwell_ms)| condition.holds(value, dwell_ms))
        .unwrap_or(NOTHING_SAID)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_the_page_is_a_yes_where_one_is_found() {
        for (condition, expected) in [
            ("value >= 1", (1.0, None)),
            ("value >= 4", (4.0, None)),
            ("value > 4 and value < 6", (5.0, None)),
            ("value < -2", (-3.0, None)),
            ("dwell_ms > 1000", (1.0, Some(1001))),
            ("value > 3 and dwell_ms >= 10 and dwell_ms != 10", (4.0, Some(11))),
            ("stars > 3", (1.0, None)),
            ("value > 3 and value < 3", (1.0, None)),
            ("nothing", (1.0, None)),
        ] {
            assert_eq!(a_yes(condition), expected, "{condition}");
        }
    }
}
