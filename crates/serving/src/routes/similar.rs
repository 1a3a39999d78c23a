//! `POST /v1/similar` and its short form.

use std::sync::Arc;

use axum::extract::State;
use catchment_schema::Time;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{ItemBody, item_attributes, item_id};
use super::recommend::{check_attributes, check_n};
use super::worker::{on_worker, with_scratch};
use crate::clock::now_millis;
use crate::extract::{IdSchema, Json, PathId, Query};
use crate::problem::Problem;
use crate::whole::whole;
use crate::{AppState, extract};

/// Near what, and how many.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SimilarBody {
    /// Raw id of the item; a string or a whole number.
    #[serde(deserialize_with = "extract::id")]
    #[schema(value_type = IdSchema)]
    item_id: String,
    /// How many items.
    #[serde(default = "default_n", deserialize_with = "whole")]
    #[schema(default = 10, minimum = 1, maximum = 1000)]
    n: usize,
    /// By this channel; otherwise by the first that can say.
    channel: Option<String>,
    /// Item attributes to send along, at most 100.
    #[serde(default = "default_attributes")]
    #[schema(max_items = 100)]
    return_attributes: Vec<String>,
}

fn default_n() -> usize {
    10
}

fn default_attributes() -> Vec<String> {
    vec!["title".to_owned()]
}

/// Parameters of the short form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct SimilarQuery {
    /// How many items.
    #[serde(default = "default_n")]
    #[param(default = 10, minimum = 1, maximum = 1000)]
    n: usize,
    /// By this channel; otherwise by the first that can say.
    channel: Option<String>,
}

/// Items near an item.
#[derive(Debug, Serialize, ToSchema)]
pub struct SimilarAnswer {
    /// Which bundle answered.
    bundle: String,
    /// Which channel answered.
    channel: String,
    /// Nearest first.
    items: Vec<ItemBody>,
}

/// Finds items near an item.
#[utoipa::path(post, path = "/v1/similar", request_body = SimilarBody, responses(
    (status = 200, body = SimilarAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    State(state): State<Arc<AppState>>,
    Json(body): Json<SimilarBody>,
) -> Result<axum::Json<SimilarAnswer>, Problem> {
    similar(state, body).await
}

/// Finds items near an item, in short.
#[utoipa::path(get, path = "/v1/items/{item_id}/similar", params(("item_id" = String, Path, min_length = 1, max_length = 512), SimilarQuery), responses(
    (status = 200, body = SimilarAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<Arc<AppState>>,
    PathId(item_id): PathId,
    Query(query): Query<SimilarQuery>,
) -> Result<axum::Json<SimilarAnswer>, Problem> {
    let body = SimilarBody {
        item_id,
        n: query.n,
        channel: query.channel,
        return_attributes: default_attributes(),
    };
    similar(state, body).await
}

async fn similar(state: Arc<AppState>, body: SimilarBody) -> Result<axum::Json<SimilarAnswer>, Problem> {
    check_n(body.n)?;
    check_attributes(&body.return_attributes)?;
    on_worker(state.workers.clone(), move || {
        let live = state.live.load_full();
        let catalogue = live.pipeline.catalogue();
        let item = catalogue.items().item(&body.item_id).ok_or_else(|| {
            Problem::not_found(
                "unknown_item",
                format!("the bundle does not know item {:?}", body.item_id),
            )
        })?;
        let now = Time::from_millis(now_millis());
        let (channel, found) = with_scratch(|scratch| {
            live.pipeline
                .similar(item, body.n, now, body.channel.as_deref(), scratch)
        })?;
        let items = (1..).zip(found).map(|(rank, scored)| ItemBody {
            item_id: item_id(catalogue, scored.item),
            rank,
            score: scored.score.get(),
            attributes: item_attributes(catalogue, scored.item, &body.return_attributes),
            channels: Vec::new(),
            reason: None,
        });
        Ok(SimilarAnswer {
            bundle: live.version.to_string(),
            channel: channel.to_owned(),
            items: items.collect(),
        })
    })
    .await
    .map(axum::Json)
}
