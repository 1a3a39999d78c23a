//! `GET /v1/users`: who there is, for people who look for somebody.

use std::sync::Arc;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::recommend::check_n;
use super::worker::on_worker;
use crate::AppState;
use crate::extract::{MAX_ID, Query};
use crate::live_user::beyond;
use crate::problem::Problem;

/// Whom to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct UsersQuery {
    /// The beginning of the id; everybody, where left out.
    #[serde(default)]
    #[param(max_length = 512)]
    prefix: String,
    /// How many users.
    #[serde(default = "default_n")]
    #[param(default = 20, minimum = 1, maximum = 1000)]
    n: usize,
}

fn default_n() -> usize {
    20
}

/// Users.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsersAnswer {
    /// Those that the bundle knows first, the most active of them leading; then new ones by id.
    users: Vec<UserBody>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
pub struct UserBody {
    /// Raw id.
    user_id: String,
    /// How many events are known, before the bundle was made and since.
    events: usize,
    /// Whether the bundle knows the user.
    known: bool,
}

/// Finds users by the beginning of their ids. Part of the page: gone with `page = false`.
#[utoipa::path(get, path = "/v1/users", params(UsersQuery), responses(
    (status = 200, body = UsersAnswer),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json"),
))]
pub async fn get(
    State(state): State<Arc<AppState>>,
    Query(query): Query<UsersQuery>,
) -> Result<axum::Json<UsersAnswer>, Problem> {
    if !state.config.page {
        return Err(super::page::off());
    }
    check_n(query.n)?;
    if query.prefix.chars().count() > MAX_ID {
        let detail = format!("a prefix has at most {MAX_ID} characters");
        return Err(Problem::bad_request("wrong_parameter", detail));
    }
    on_worker(state.workers.clone(), move || {
        let live = state.live.load_full();
        let catalogue = live.pipeline.catalogue();
        let ids = catalogue.users().ids().iter().map(AsRef::<str>::as_ref);
        let mut found: Vec<String> = ids
            .filter(|id| id.starts_with(&query.prefix))
            .take(query.n)
            .map(str::to_owned)
            .collect();
        if found.len() < query.n {
            let mut new = state.users.ids_with(&query.prefix);
            new.retain(|id| catalogue.users().user(id).is_none());
            new.truncate(query.n - found.len());
            found.extend(new);
        }
        let of = |user_id: String| {
            let user = catalogue.users().user(&user_id);
            let before = user.map_or(0, |user| catalogue.history(user).events().len());
            let since = beyond(catalogue, &user_id, &state.users.events(&user_id)).count();
            UserBody {
                user_id,
                events: before + since,
                known: user.is_some(),
            }
        };
        Ok(UsersAnswer {
            users: found.into_iter().map(of).collect(),
        })
    })
    .await
    .map(axum::Json)
}
