//! `GET /v1/users/{id}/history`.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::item_id;
use crate::AppState;
use crate::extract::{Path, Query};
use crate::problem::Problem;
use crate::user_store::LiveUser;

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// How many of the newest.
    #[serde(default = "default_n")]
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
}

/// What a user did, before the bundle was made and since.
#[utoipa::path(get, path = "/v1/users/{user_id}/history", params(("user_id" = String, Path), HistoryQuery), responses(
    (status = 200, body = HistoryAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn history(
    State(state): State<Arc<AppState>>,
    Path(user_id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Result<axum::Json<HistoryAnswer>, Problem> {
    let live = state.live.load_full();
    let catalogue = live.pipeline.catalogue();
    let user = LiveUser::new(catalogue, &user_id, &state.users.events(&user_id));
    let history = user.history();
    if user.user.is_none() && history.is_empty() {
        return Err(Problem::not_found(
            "unknown_user",
            format!("nothing is known about user {user_id:?}"),
        ));
    }
    let word = |kind: u16| {
        catalogue
            .events()
            .id(usize::from(kind))
            .unwrap_or("other")
            .to_owned()
    };
    let events = history.events().iter().rev().map(|event| PastEvent {
        item_id: item_id(catalogue, event.item),
        title: catalogue.title(event.item).map(str::to_owned),
        kind: word(event.kind.0),
        value: event.value,
        timestamp: event.time.millis(),
    });
    let wanted = |event: &PastEvent| query.kind.as_ref().is_none_or(|kind| *kind == event.kind);
    Ok(axum::Json(HistoryAnswer {
        known: user.user.is_some(),
        total: history.len(),
        events: events.filter(wanted).take(query.n).collect(),
        user_id,
    }))
}
