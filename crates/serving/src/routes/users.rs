//! `GET /v1/users/{id}/history`.

use std::sync::Arc;

use axum::extract::State;
use catchment_pipeline::{Catalogue, Pipeline};
use catchment_schema::{Event, History};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::item_id;
use super::recommend::check_n;
use super::worker::on_worker;
use crate::AppState;
use crate::event::StoredEvent;
use crate::extract::{PathId, Query};
use crate::live_user::{beyond, counts};
use crate::problem::Problem;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// How many of the newest, 1 to 1000.
    #[serde(default = "default_n")]
    #[param(default = 50, minimum = 1, maximum = 1000)]
    n: usize,
    /// Only events of this type.
    #[serde(rename = "type")]
    kind: Option<String>,
}

fn default_n() -> usize {
    50
}

/// What a user did.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryAnswer {
    /// The user.
    user_id: String,
    /// Whether the bundle knows the user.
    known: bool,
    /// How many events there are in all.
    total: usize,
    /// Newest first.
    events: Vec<PastEvent>,
}

/// One event of a history.
#[derive(Debug, Serialize, ToSchema)]
pub struct PastEvent {
    /// The item.
    item_id: String,
    /// Its title, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What was done.
    #[serde(rename = "type")]
    kind: String,
    /// How much.
    value: f32,
    /// When, in milliseconds since the Unix epoch, where known.
    timestamp: Option<i64>,
    /// Whether answers take it into account: not where the bundle does not know the item, or its recipe leaves the type
    /// out, or the event is no yes by the recipe's `positive`.
    counts: bool,
}

/// What a user did, before the bundle was made and since.
#[utoipa::path(get, path = "/v1/users/{user_id}/history", params(("user_id" = String, Path, min_length = 1, max_length = 512), HistoryQuery), responses(
    (status = 200, body = HistoryAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn history(
    State(state): State<Arc<AppState>>,
    PathId(user_id): PathId,
    Query(query): Query<HistoryQuery>,
) -> Result<axum::Json<HistoryAnswer>, Problem> {
    check_n(query.n)?;
    on_worker(state.workers.clone(), move || {
        let live = state.live.load_full();
        let since = state.users.events(&user_id);
        answer(&live.pipeline, user_id, &since, &query)
    })
    .await
    .map(axum::Json)
}

fn answer(
    pipeline: &Pipeline,
    user_id: String,
    since: &[StoredEvent],
    query: &HistoryQuery,
) -> Result<HistoryAnswer, Problem> {
    let catalogue = pipeline.catalogue();
    let user = catalogue.users().user(&user_id);
    if user.is_none() && since.is_empty() {
        return Err(Problem::not_found(
            "unknown_user",
            format!("nothing is known about user {user_id:?}"),
        ));
    }
    let before = user.map_or(History::EMPTY, |user| catalogue.history(user));
    let mut events: Vec<PastEvent> = before
        .events()
        .iter()
        .map(|event| PastEvent::of_bundle(catalogue, event))
        .chain(beyond(catalogue, &user_id, since).map(|event| PastEvent::of_log(pipeline, event)))
        .collect();
    // Stable: at the same moment, what the bundle knew stands before what came since.
    events.sort_by_key(|event| event.timestamp);
    let wanted = |event: &PastEvent| query.kind.as_ref().is_none_or(|kind| *kind == event.kind);
    Ok(HistoryAnswer {
        known: user.is_some(),
        total: events.len(),
        events: events.into_iter().rev().filter(wanted).take(query.n).collect(),
        user_id,
    })
}

impl PastEvent {
    fn of_bundle(catalogue: &Catalogue, event: &Event) -> Self {
        Self {
            item_id: item_id(catalogue, event.item),
            title: catalogue.title(event.item).map(str::to_owned),
            kind: catalogue
                .events()
                .id(usize::from(event.kind.0))
                .unwrap_or_default()
                .to_owned(),
            value: event.value,
            timestamp: event.time.millis(),
            counts: true,
        }
    }

    /// The bundle need not know the item: it may have known it when the event came, or the next one may.
    fn of_log(pipeline: &Pipeline, event: &StoredEvent) -> Self {
        let catalogue = pipeline.catalogue();
        let item = catalogue.items().item(&event.item_id);
        Self {
            item_id: event.item_id.clone(),
            title: item.and_then(|item| catalogue.title(item)).map(str::to_owned),
            kind: event.kind.clone(),
            value: event.value,
            timestamp: Some(event.timestamp),
            counts: counts(pipeline, event),
        }
    }
}
