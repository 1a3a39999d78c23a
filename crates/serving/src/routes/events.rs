//! `POST /v1/events`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Ref, Schema, SchemaType};
use utoipa::{PartialSchema, ToSchema};

use crate::clock::{RequestClock, now_millis};
use crate::event::StoredEvent;
use crate::event_log::NotDurable;
use crate::extract::{IdSchema, Json, MAX_ID};
use crate::live::Live;
use crate::live_user::counts;
use crate::problem::Problem;
use crate::whole::optional_whole;
use crate::{AppState, extract};

/// The most events of one request.
const MAX_EVENTS: usize = 1000;
/// Clocks of clients run ahead, but not by more than this, in milliseconds.
const MAX_AHEAD_MS: i64 = 24 * 3600 * 1000;

/// Events.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventsBody {
    /// Up to 1,000. Each is taken or rejected by itself; what is no event is rejected, and the others are taken.
    #[schema(value_type = Vec<SentEvent>, max_items = 1000)]
    events: Vec<Value>,
}

/// Something sent as an event.
struct SentEvent;

impl PartialSchema for SentEvent {
    fn schema() -> RefOr<Schema> {
        let anything = ObjectBuilder::new().schema_type(SchemaType::AnyValue);
        let any_of = AnyOfBuilder::new()
            .item(Ref::from_schema_name(EventBody::name()))
            .item(anything)
            .description(Some("An event; anything else is rejected by itself."));
        Schema::from(any_of).into()
    }
}

impl ToSchema for SentEvent {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((EventBody::name().into(), EventBody::schema()));
        EventBody::schemas(schemas);
    }
}

/// One event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    /// The client's own id: sent twice, by whomever, it is taken once.
    #[serde(default, deserialize_with = "extract::optional_id")]
    #[schema(value_type = Option<IdSchema>)]
    event_id: Option<String>,
    /// Raw id; a string or a whole number. Unknown users are welcome.
    #[serde(deserialize_with = "extract::id")]
    #[schema(value_type = IdSchema)]
    user_id: String,
    /// In which session.
    #[serde(default, deserialize_with = "extract::optional_id")]
    #[schema(value_type = Option<IdSchema>)]
    session_id: Option<String>,
    /// Raw id; a string or a whole number. The bundle must know it.
    #[serde(deserialize_with = "extract::id")]
    #[schema(value_type = IdSchema)]
    item_id: String,
    /// `view`, `click`, `purchase`, … One that the bundle's recipe leaves out is kept and changes no answer, see
    /// `not_counted`.
    #[serde(rename = "type", default = "default_type")]
    kind: String,
    /// Rating, watched fraction, amount; finite, 1 where left out. Where it is no yes by the bundle's recipe, the event
    /// is kept and changes no answer, see `not_counted`.
    value: Option<f32>,
    /// For how long. Where the bundle's recipe asks for it, an event without it is no yes.
    #[serde(default, deserialize_with = "optional_whole")]
    dwell_ms: Option<u32>,
    /// RFC 3339 or milliseconds since the Unix epoch, from 1970 to at most a day ahead; now, where left out.
    #[schema(value_type = Option<String>)]
    timestamp: Option<TimeBody>,
    /// The answer that led to it.
    #[serde(default, deserialize_with = "extract::optional_id")]
    #[schema(value_type = Option<IdSchema>)]
    recomm_id: Option<String>,
}

/// What an event without a type is.
pub(super) const DEFAULT_TYPE: &str = "interaction";

fn default_type() -> String {
    DEFAULT_TYPE.to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a time must be RFC 3339 or whole milliseconds since the Unix epoch"
)]
enum TimeBody {
    Millis(i64),
    Text(jiff::Timestamp),
}

/// What became of the events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventsAnswer {
    /// How many are on the disk now.
    accepted: usize,
    /// How many had been taken before, by their `event_id`.
    duplicates: usize,
    /// Those that were not taken.
    rejected: Vec<RejectedBody>,
    /// The places in the request, from 0, of events that are kept but change no answer: the recipe of the bundle leaves
    /// their type out, or they are no yes by its `positive`, or what that asks for is not known of them.
    not_counted: Vec<usize>,
    /// Milliseconds.
    took_ms: f64,
}

/// An event that was not taken.
#[derive(Debug, Serialize, ToSchema)]
pub struct RejectedBody {
    /// Its place in the request, from 0.
    index: usize,
    /// A stable word for programs: `wrong_field`, `unknown_item`, `time_out_of_range`, `not_finite`.
    #[schema(value_type = String)]
    code: &'static str,
    /// What is wrong with it.
    detail: String,
}

/// Takes events. Answered only when they are durable; the very next recommendation knows them.
#[utoipa::path(post, path = "/v1/events", request_body = EventsBody, responses(
    (status = 200, body = EventsAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn post(
    State(state): State<Arc<AppState>>,
    Json(body): Json<EventsBody>,
) -> Result<axum::Json<EventsAnswer>, Problem> {
    let clock = RequestClock::start(Duration::ZERO);
    if body.events.len() > MAX_EVENTS {
        let detail = format!(
            "{} events, at most {MAX_EVENTS} are taken at once",
            body.events.len()
        );
        return Err(Problem::new(StatusCode::BAD_REQUEST, "too_many_events", detail));
    }
    let live = state.live.load_full();
    let now = now_millis();
    let (mut events, mut rejected, mut not_counted) = (Vec::new(), Vec::new(), Vec::new());
    for (index, raw) in body.events.into_iter().enumerate() {
        match read(raw, &live, now) {
            Err((code, detail)) => rejected.push(RejectedBody { index, code, detail }),
            Ok(event) => {
                if !counts(&live.pipeline, &event) {
                    not_counted.push(index);
                }
                events.push(event);
            }
        }
    }
    state.metrics.events("rejected", rejected.len());
    let n_events = events.len();
    let taken = state.log.append(events).await.map_err(|NotDurable(_)| {
        state.metrics.events("not_durable", n_events);
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not_durable",
            "the events could not be written, none of them counts; send them again",
        )
    })?;
    state.metrics.events("accepted", taken.accepted);
    state.metrics.events("duplicate", taken.duplicates);
    if taken.accepted > 0 {
        state.metrics.event_visible_seconds.observe(clock.took_ms() / 1e3);
    }
    Ok(axum::Json(EventsAnswer {
        accepted: taken.accepted,
        duplicates: taken.duplicates,
        rejected,
        not_counted,
        took_ms: clock.took_ms(),
    }))
}

fn read(raw: Value, live: &Live, now: i64) -> Result<StoredEvent, (&'static str, String)> {
    let body: EventBody = serde_json::from_value(raw).map_err(|error| ("wrong_field", error.to_string()))?;
    if body.kind.is_empty() || body.kind.chars().count() > MAX_ID {
        return Err(("wrong_field", format!("a type has 1 to {MAX_ID} characters")));
    }
    let value = body.value.unwrap_or(1.0);
    if !value.is_finite() {
        return Err(("not_finite", "value must be finite".to_owned()));
    }
    let timestamp = match body.timestamp {
        None => now,
        Some(TimeBody::Millis(millis)) => millis,
        Some(TimeBody::Text(time)) => time.as_millisecond(),
    };
    if !(0..=now.saturating_add(MAX_AHEAD_MS)).contains(&timestamp) {
        return Err((
            "time_out_of_range",
            format!("timestamp is {timestamp}, allowed is 0 to a day from now"),
        ));
    }
    if live.pipeline.catalogue().items().item(&body.item_id).is_none() {
        return Err((
            "unknown_item",
            format!("the bundle does not know item {:?}", body.item_id),
        ));
    }
    Ok(StoredEvent {
        event_id: body.event_id,
        user_id: body.user_id,
        item_id: body.item_id,
        kind: body.kind,
        value,
        dwell_ms: body.dwell_ms,
        timestamp,
        session_id: body.session_id,
        recomm_id: body.recomm_id,
    })
}
