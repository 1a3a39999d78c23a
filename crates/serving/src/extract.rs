//! Bodies, queries and paths, with problems instead of plain texts where they are wrong.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::problem::Problem;

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
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail),
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

/// Parameters of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let rejected = |rejection: PathRejection| Problem::bad_request("wrong_path", rejection.body_text());
        let axum::extract::Path(value) = axum::extract::Path::from_request_parts(parts, state)
            .await
            .map_err(rejected)?;
        Ok(Self(value))
    }
}

/// An id: a string, or a whole number that stands for its decimal form.
///
/// # Errors
/// For anything else, and for an empty string.
pub fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let id = match Id::deserialize(deserializer)? {
        Id::Text(text) => text,
        Id::Unsigned(number) => number.to_string(),
        Id::Signed(number) => number.to_string(),
    };
    if id.is_empty() {
        Err(serde::de::Error::custom("an id must not be empty"))
    } else {
        Ok(id)
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an id must be a string or a whole number")]
enum Id {
    Text(String),
    Unsigned(u64),
    Signed(i64),
}
