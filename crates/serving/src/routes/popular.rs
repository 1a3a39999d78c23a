//! `GET /v1/popular`.

use std::sync::Arc;

use axum::extract::State;
use catchment_pipeline::{Catalogue, Request, UserState};
use catchment_schema::{History, ItemIdx, ItemSet, Time};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{ItemBody, item_attributes, item_id};
use super::recommend::check_n;
use super::worker::{on_worker, with_scratch};
use crate::AppState;
use crate::clock::now_millis;
use crate::extract::Query;
use crate::problem::Problem;

/// The attribute by which items have categories.
const CATEGORY: &str = "category";

/// Which of the popular ones.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct PopularQuery {
    /// How many items.
    #[serde(default = "default_n")]
    #[param(default = 10, minimum = 1, maximum = 1000)]
    n: usize,
    /// Only items of this category.
    category: Option<String>,
    /// Popular within which time. No bundle that this server reads has popularity by windows: anything is a problem.
    window: Option<String>,
}

fn default_n() -> usize {
    10
}

/// What is popular.
#[derive(Debug, Serialize, ToSchema)]
pub struct PopularAnswer {
    /// Which bundle answered.
    bundle: String,
    /// Which channel answered.
    channel: String,
    /// Most popular first.
    items: Vec<ItemBody>,
}

/// What many like, whoever asks; not personalised.
#[utoipa::path(get, path = "/v1/popular", params(PopularQuery), responses(
    (status = 200, body = PopularAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<Arc<AppState>>,
    Query(query): Query<PopularQuery>,
) -> Result<axum::Json<PopularAnswer>, Problem> {
    check_n(query.n)?;
    if query.window.is_some() {
        let detail = "this bundle's popularity has no windows; leave `window` out";
        return Err(Problem::not_found("window_not_supported", detail));
    }
    on_worker(state.workers.clone(), move || {
        let live = state.live.load_full();
        let (pipeline, catalogue) = (&live.pipeline, live.pipeline.catalogue());
        let channels = &pipeline.spec().channels;
        let channel = channels.iter().find(|channel| channel.model.kind() == "popular");
        let channel = channel.ok_or_else(|| {
            Problem::not_found(
                "nothing_popular",
                "this bundle has no channel of the kind `popular`",
            )
        })?;
        let allow = query
            .category
            .as_deref()
            .map(|name| of_category(catalogue, name))
            .transpose()?;
        let mut request = Request::new(query.n, Time::from_millis(now_millis()));
        request.allow = allow.as_ref();
        let nobody = UserState {
            user: None,
            history: History::EMPTY,
        };
        let found =
            with_scratch(|scratch| pipeline.recall_channel(&channel.name, &request, &nobody, scratch))?;
        let title = ["title".to_owned()];
        let items = (1..).zip(found).map(|(rank, scored)| ItemBody {
            item_id: item_id(catalogue, scored.item),
            rank,
            score: scored.score.get(),
            attributes: item_attributes(catalogue, scored.item, &title),
            channels: Vec::new(),
            reason: None,
        });
        Ok(PopularAnswer {
            bundle: live.version.to_string(),
            channel: channel.name.clone(),
            items: items.collect(),
        })
    })
    .await
    .map(axum::Json)
}

fn of_category(catalogue: &Catalogue, name: &str) -> Result<ItemSet, Problem> {
    let attributes = catalogue.item_attributes();
    let is_of = |row: usize| match attributes.text(CATEGORY, row) {
        Some(text) => text == name,
        None => attributes.texts(CATEGORY, row).iter().any(|text| text == name),
    };
    let found: ItemSet = (0..catalogue.items().len())
        .filter(|&row| is_of(row))
        .map(ItemIdx::from_index)
        .collect();
    if found.is_empty() {
        let detail = format!("no item has the category {name:?}");
        return Err(Problem::not_found("unknown_category", detail));
    }
    Ok(found)
}
