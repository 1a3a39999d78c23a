//! Bodies, queries and paths, with problems instead of plain texts where they are wrong.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::Problem;

/// The longest id or event word, in characters (code points), as the API's description counts them.
pub const MAX_ID: usize = 512;

/// A JSON body.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(of_json(&rejection)),
        }
    }
}

fn of_json(rejection: &JsonRejection) -> Problem {
    let detail = rejection.body_text();
    match rejection.status() {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "not_json",
            "send Content-Type: application/json",
        ),
        StatusCode::UNPROCESSABLE_ENTITY => Problem::bad_request("wrong_field", detail),
        _ => Problem::bad_request("malformed_json", detail),
    }
}

/// Parameters of the query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejected =
            |rejection: QueryRejection| Problem::bad_request("wrong_parameter", rejection.body_text());
        let axum::extract::Query(value) = axum::extract::Query::from_request_parts(parts, state)
            .await
            .map_err(rejected)?;
        Ok(Self(value))
    }
}

/// The one id in the path.
#[derive(Clone, Debug)]
pub struct PathId(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejected = |rejection: PathRejection| Problem::bad_request("wrong_path", rejection.body_text());
        let axum::extract::Path(id) = axum::extract::Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(rejected)?;
        check_length(&id).map_err(|reason| Problem::bad_request("wrong_path", reason))?;
        Ok(Self(id))
    }
}

/// An id: a string, or a whole number that stands for its decimal form.
///
/// # Errors
/// For anything else, for an empty string, and for one longer than [`MAX_ID`].
pub fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    read_id(Id::deserialize(deserializer)?)
}

/// As [`id`], where there need not be one.
///
/// # Errors
/// As [`id`].
pub fn optional_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Option::<Id>::deserialize(deserializer)?.map(read_id).transpose()
}

/// As [`id`], for a list.
///
/// # Errors
/// As [`id`].
pub fn ids<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Vec::<Id>::deserialize(deserializer)?
        .into_iter()
        .map(read_id)
        .collect()
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id must be a string or a whole number")]
enum Id {
    Text(String),
    Unsigned(u64),
    Signed(i64),
    /// `7.0` is the number 7.
    Float(f64),
}

/// What the API's description says of an id in a body.
#[derive(Clone, Copy, Debug)]
pub struct IdSchema;

impl PartialSchema for IdSchema {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(MAX_ID));
        let number = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(i64::MIN))
            .maximum(Some(u64::MAX));
        Schema::from(OneOfBuilder::new().item(text).item(number)).into()
    }
}

impl ToSchema for IdSchema {}

fn read_id<E: serde::de::Error>(id: Id) -> Result<String, E> {
    let id = match id {
        Id::Text(text) => text,
        Id::Unsigned(number) => number.to_string(),
        Id::Signed(number) => number.to_string(),
        Id::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => format!("{number:.0}"),
        Id::Float(_) => return Err(E::custom("an id must be a string or a whole number")),
    };
    check_length(&id).map_err(E::custom)?;
    Ok(id)
}

fn check_length(id: &str) -> Result<(), String> {
    let length = id.chars().count();
    if (1..=MAX_ID).contains(&length) {
        return Ok(());
    }
    Err(format!(
        "an id has 1 to {MAX_ID} characters, this one has {length}"
    ))
}
