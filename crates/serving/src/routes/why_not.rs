//! `POST /v1/why-not`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use catchment_pipeline::why_not::{ChannelGap, FoundBy};
use catchment_pipeline::{Request, WhyNot};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::SourceBody;
use super::recommend::check_n;
use super::worker::{on_worker, with_scratch};
use crate::clock::{RequestClock, now_millis};
use crate::extract::{IdSchema, Json};
use crate::live_user::LiveUser;
use crate::problem::Problem;
use crate::whole::whole;
use crate::{AppState, extract};

/// Which item, and for whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhyNotBody {
    /// Raw id of the user; a string or a whole number.
    #[serde(deserialize_with = "extract::id")]
    #[schema(value_type = IdSchema)]
    user_id: String,
    /// Raw id of the item; a string or a whole number.
    #[serde(deserialize_with = "extract::id")]
    #[schema(value_type = IdSchema)]
    item_id: String,
    /// How many recommendations it should be among.
    #[serde(default = "default_n", deserialize_with = "whole")]
    #[schema(default = 10, minimum = 1, maximum = 1000)]
    n: usize,
}

fn default_n() -> usize {
    10
}

/// What became of the item.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct WhyNotAnswer {
    /// The user.
    user_id: String,
    /// The item.
    item_id: String,
    /// Which bundle answered.
    bundle: String,
    /// `unknown_item`, `filtered`, `not_recalled`, `cut_in_merge`, `ranked_beyond`, or `answered`.
    stage: String,
    /// The same in words.
    detail: String,
    /// The rule that forbids it, where it was filtered: `seen`, `excluded`, `unavailable`, `not_yet_published`,
    /// `expired`, `not_allowed`.
    #[schema(value_type = Option<String>)]
    rule: Option<catchment_recall::Rule>,
    /// Its place in the answer, behind it, or in the merge, from 1.
    position: Option<usize>,
    /// How many places there were.
    places: Option<usize>,
    /// Its score there.
    score: Option<f32>,
    /// The score of the last one that had a place.
    last_score: Option<f32>,
    /// Channels that found it.
    found_by: Vec<SourceBody>,
    /// How far it was from the lists of all channels, where none found it.
    not_found_by: Vec<GapBody>,
}

/// A channel that did not find the item.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapBody {
    /// The channel.
    channel: String,
    /// How many items it is asked for.
    asked: usize,
    /// The item's rank where it is asked for everything; null where it has no score for the item.
    rank: Option<usize>,
    /// The item's score there.
    score: Option<f32>,
    /// The score of the last item that it is asked for.
    last_score: Option<f32>,
    /// Why it had no list, or not all of it.
    missing: Option<String>,
}

/// Says which stage lost an item, and by how much. Costs many times what an answer does.
#[utoipa::path(post, path = "/v1/why-not", request_body = WhyNotBody, responses(
    (status = 200, body = WhyNotAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    State(state): State<Arc<AppState>>,
    Json(body): Json<WhyNotBody>,
) -> Result<axum::Json<WhyNotAnswer>, Problem> {
    check_n(body.n)?;
    // Channels get all the time that a client waits: an answer cut short would say little.
    let clock = RequestClock::start(Duration::from_millis(state.config.timeout_ms));
    on_worker(state.workers.clone(), move || {
        let live = state.live.load_full();
        let user = LiveUser::new(&live.pipeline, &body.user_id, &state.users.events(&body.user_id));
        let mut request = Request::new(body.n, user.moment(now_millis()));
        request.deadline = &clock;
        let why = with_scratch(|scratch| {
            live.pipeline
                .why_not(&body.item_id, &request, &user.state(), scratch)
        })?;
        Ok(WhyNotAnswer {
            user_id: body.user_id,
            item_id: body.item_id,
            bundle: live.version.to_string(),
            ..answer(why)
        })
    })
    .await
    .map(axum::Json)
}

fn answer(why: WhyNot) -> WhyNotAnswer {
    let detail = why.to_string();
    let of = |stage: &str| WhyNotAnswer {
        stage: stage.to_owned(),
        detail,
        ..WhyNotAnswer::default()
    };
    match why {
        WhyNot::UnknownItem => of("unknown_item"),
        WhyNot::Filtered { rule } => WhyNotAnswer {
            rule: Some(rule),
            ..of("filtered")
        },
        WhyNot::NotRecalled { channels } => WhyNotAnswer {
            not_found_by: channels.into_iter().map(GapBody::of).collect(),
            ..of("not_recalled")
        },
        WhyNot::CutInMerge {
            position,
            places,
            score,
            last_score,
            found_by,
        } => WhyNotAnswer {
            position,
            places: Some(places),
            score,
            last_score,
            found_by: sources(found_by),
            ..of("cut_in_merge")
        },
        WhyNot::RankedBeyond {
            position,
            n,
            score,
            last_score,
            found_by,
        } => WhyNotAnswer {
            position: Some(position),
            places: Some(n),
            score: Some(score),
            last_score: Some(last_score),
            found_by: sources(found_by),
            ..of("ranked_beyond")
        },
        WhyNot::Answered {
            rank,
            score,
            found_by,
        } => WhyNotAnswer {
            position: Some(rank),
            score: Some(score),
            found_by: sources(found_by),
            ..of("answered")
        },
    }
}

fn sources(found_by: Vec<FoundBy>) -> Vec<SourceBody> {
    let of = |found: FoundBy| SourceBody {
        name: found.channel,
        rank: found.rank,
        score: found.score,
    };
    found_by.into_iter().map(of).collect()
}

impl GapBody {
    fn of(gap: ChannelGap) -> Self {
        Self {
            channel: gap.channel,
            asked: gap.asked,
            rank: gap.rank,
            score: gap.score,
            last_score: gap.last_score,
            missing: gap.missing,
        }
    }
}
