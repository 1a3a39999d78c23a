//! `POST /v1/recommend` and its short form.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use catchment_pipeline::Request;
use catchment_schema::ItemIdx;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::answer::{self, DegradedBody, ExplainBody, ItemBody};
use super::request_line::RequestLine;
use super::worker::{on_worker, with_scratch};
use crate::clock::{RequestClock, now_millis};
use crate::extract::{IdSchema, Json, PathId, Query};
use crate::live::Live;
use crate::live_user::LiveUser;
use crate::problem::Problem;
use crate::whole::{optional_whole, whole};
use crate::{AppState, extract};

/// How many items are answered where the request does not say.
const DEFAULT_N: usize = 10;
/// The most that may be asked for.
pub(super) const MAX_N: usize = 1000;

/// The most attributes that are sent along.
const MAX_ATTRIBUTES: usize = 100;

/// What is wanted, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecommendBody {
    /// Raw id of the user; a string or a whole number. An unknown user gets an answer that is not personalised.
    #[serde(deserialize_with = "extract::id")]
    #[schema(value_type = IdSchema)]
    user_id: String,
    /// How many items.
    #[serde(default = "default_n", deserialize_with = "whole")]
    #[schema(default = 10, minimum = 1, maximum = 1000)]
    n: usize,
    /// What must not come.
    #[serde(default)]
    exclude: ExcludeBody,
    /// Milliseconds that all channels together get, from the arrival of the request on. Channels that are late are
    /// named in `degraded`; with 0 all are, and the answer is what needs no channel, see `fallback_used`.
    #[serde(default, deserialize_with = "optional_whole")]
    #[schema(format = "uint64")]
    budget_ms: Option<u64>,
    /// `full`, or `merged` to leave the ranker out.
    #[serde(default)]
    stages: StagesWanted,
    /// Item attributes to send along, at most 100.
    #[serde(default = "default_attributes")]
    #[schema(max_items = 100)]
    return_attributes: Vec<String>,
    /// Whether to say how the answer came about.
    #[serde(default)]
    explain: bool,
}

fn default_n() -> usize {
    DEFAULT_N
}

fn default_attributes() -> Vec<String> {
    vec!["title".to_owned()]
}

/// What must not come.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExcludeBody {
    /// Raw ids; those that the bundle does not know are ignored.
    #[serde(deserialize_with = "extract::ids")]
    #[schema(value_type = Vec<IdSchema>)]
    item_ids: Vec<String>,
}

/// How far a request goes.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StagesWanted {
    /// Recall, merge, and the ranker where there is one.
    #[default]
    Full,
    /// Recall and merge.
    Merged,
}

/// Parameters of the short form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct RecommendQuery {
    /// How many items.
    #[serde(default = "default_n")]
    #[param(default = 10, minimum = 1, maximum = 1000)]
    n: usize,
    /// Whether to say how the answer came about.
    #[serde(default)]
    explain: bool,
}

/// Recommendations.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecommendAnswer {
    /// Names this answer in later events.
    pub(super) recomm_id: String,
    /// Which bundle answered.
    pub(super) bundle: String,
    /// Best first.
    pub(super) items: Vec<ItemBody>,
    /// Channels that are missing or were cut short.
    pub(super) degraded: Vec<DegradedBody>,
    /// `most_frequent` where channels found too little because they were late or knew nothing, and the items with the
    /// most events fill the answer up: they come last, name no channel and have score 0.
    #[schema(value_type = Vec<String>)]
    pub(super) fallback_used: Vec<&'static str>,
    /// Whether anything was known about the user, and the answer is not the fallback alone.
    pub(super) personalised: bool,
    /// Milliseconds.
    pub(super) took_ms: f64,
    /// How the answer came about.
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<ExplainBody>,
}

/// Recommends items to a user.
#[utoipa::path(post, path = "/v1/recommend", request_body = RecommendBody, responses(
    (status = 200, body = RecommendAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    State(state): State<Arc<AppState>>,
    Json(body): Json<RecommendBody>,
) -> Result<axum::Json<RecommendAnswer>, Problem> {
    recommend(state, body).await
}

/// Recommends items to a user, in short.
#[utoipa::path(get, path = "/v1/recommend/{user_id}", params(("user_id" = String, Path, min_length = 1, max_length = 512), RecommendQuery), responses(
    (status = 200, body = RecommendAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<Arc<AppState>>,
    PathId(user_id): PathId,
    Query(query): Query<RecommendQuery>,
) -> Result<axum::Json<RecommendAnswer>, Problem> {
    let body = RecommendBody {
        user_id,
        n: query.n,
        exclude: ExcludeBody::default(),
        budget_ms: None,
        stages: StagesWanted::Full,
        return_attributes: default_attributes(),
        explain: query.explain,
    };
    recommend(state, body).await
}

async fn recommend(
    state: Arc<AppState>,
    body: RecommendBody,
) -> Result<axum::Json<RecommendAnswer>, Problem> {
    check_n(body.n)?;
    check_attributes(&body.return_attributes)?;
    let budget = body.budget_ms.unwrap_or(state.config.budget_ms);
    // The time that a request waits for a worker counts: a crowded server answers with less, but in time.
    let clock = RequestClock::start(Duration::from_millis(budget));
    on_worker(state.workers.clone(), move || {
        // One request reads one bundle from beginning to end.
        let live = state.live.load_full();
        answer(&state, &live, &body, &clock)
    })
    .await
    .map(axum::Json)
}

pub(super) fn check_n(n: usize) -> Result<(), Problem> {
    if (1..=MAX_N).contains(&n) {
        return Ok(());
    }
    Err(Problem::bad_request(
        "n_out_of_range",
        format!("n is {n}, allowed are 1 to {MAX_N}"),
    ))
}

pub(super) fn check_attributes(names: &[String]) -> Result<(), Problem> {
    if names.len() <= MAX_ATTRIBUTES {
        return Ok(());
    }
    Err(Problem::bad_request(
        "too_many_attributes",
        format!("{} attributes, allowed are {MAX_ATTRIBUTES}", names.len()),
    ))
}

fn answer(
    state: &AppState,
    live: &Live,
    body: &RecommendBody,
    clock: &RequestClock,
) -> Result<RecommendAnswer, Problem> {
    let pipeline = &live.pipeline;
    let catalogue = pipeline.catalogue();
    let user = LiveUser::new(pipeline, &body.user_id, &state.users.events(&body.user_id));
    let exclude: Vec<ItemIdx> = body
        .exclude
        .item_ids
        .iter()
        .filter_map(|id| catalogue.items().item(id))
        .collect();
    let mut request = Request::new(body.n, user.moment(now_millis()));
    request.deadline = clock;
    request.stopwatch = clock;
    request.exclude = &exclude;
    request.stages = match body.stages {
        StagesWanted::Full => catchment_pipeline::Stages::Full,
        StagesWanted::Merged => catchment_pipeline::Stages::Merged,
    };
    let wait_seconds = clock.took_ms() / 1e3;
    let answer = with_scratch(|scratch| pipeline.recommend(&request, &user.state(), scratch))?;
    let reasons = pipeline.because(&request, &user.state(), &answer.items);
    let liked = catalogue.negative_events().taken_from(user.history());
    let personalised = !liked.is_empty() && answer.trace.fallback < answer.items.len();
    state
        .metrics
        .recommended(pipeline, &answer, body.n, personalised, wait_seconds);
    let answered = RecommendAnswer {
        recomm_id: state.next_id('r'),
        bundle: live.version.to_string(),
        items: answer::items(pipeline, &answer.items, &reasons, &body.return_attributes),
        degraded: answer::degraded(&answer),
        fallback_used: if answer.trace.fallback > 0 {
            vec!["most_frequent"]
        } else {
            Vec::new()
        },
        personalised,
        took_ms: clock.took_ms(),
        explain: body.explain.then(|| answer::explain(&answer)),
    };
    state
        .request_log
        .record(|| RequestLine::new(&body.user_id, body.n, &answered));
    Ok(answered)
}
