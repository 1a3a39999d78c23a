//! Asks a bundle a few questions before clients do.

use catchment_pipeline::{Request, Scratch, UserState};
use catchment_schema::UserIdx;

use crate::clock::RequestClock;
use crate::live::Live;

/// How many items each question asks for: as many as a client that does not say.
const N: usize = 10;
/// No question of a warm-up is hurried.
const BUDGET: std::time::Duration = std::time::Duration::from_mins(1);

/// Asks once for each of the `n_users` most active users that have a history: pages are read in, and the executor
/// learns what each channel costs. Returns how many were asked. A question that fails is logged: the golden queries
/// have been answered already, so that it is no reason to refuse the bundle.
pub fn warm_up(live: &Live, n_users: usize) -> usize {
    let catalogue = live.pipeline.catalogue();
    let mut scratch = Scratch::default();
    let clock = RequestClock::start(BUDGET);
    // The vocabulary is in the order of falling counts.
    let users = (0..catalogue.users().len()).map(UserIdx::from_index);
    let active = users.filter(|&user| !catalogue.history(user).is_empty());
    let mut asked = 0;
    for user in active.take(n_users) {
        let state = UserState {
            user: Some(user),
            history: catalogue.history(user),
        };
        let mut request = Request::new(N, catalogue.now());
        request.deadline = &clock;
        request.stopwatch = &clock;
        if let Err(error) = live.pipeline.recommend(&request, &state, &mut scratch) {
            tracing::warn!(%error, "a question of the warm-up failed");
        }
        asked += 1;
    }
    tracing::info!(version = %live.version, asked, took_ms = clock.took_ms(), "warmed up");
    asked
}
