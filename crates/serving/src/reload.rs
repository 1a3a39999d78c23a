//! Takes up a new bundle when `CURRENT` names one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use catchment_bundle::{Bundle, Version, current};

use crate::live::Live;
use crate::warm_up::warm_up;
use crate::{AppState, Error};

/// After this time a refused bundle is tried again: it may have been half copied.
const RETRY: Duration = Duration::from_secs(30);

/// A bundle that was not taken up.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which one; `None` where `CURRENT` itself cannot be read.
    pub version: Option<Version>,
    /// Why.
    pub reason: String,
    /// When it was tried.
    tried: Instant,
}

/// Looks at `CURRENT` once. Returns whether another bundle is served now. A bundle that cannot be opened is
/// refused, and the old one goes on.
pub fn look(state: &AppState) -> bool {
    let wanted = match current(&state.bundles) {
        Ok(version) => version,
        Err(error) => return refuse(state, None, error.to_string()),
    };
    let refused = state.refused.load();
    let refused = refused.as_ref().as_ref();
    if wanted == state.live.load().version {
        if refused.is_some() {
            state.refused.store(Arc::new(None));
        }
        return false;
    }
    if refused.is_some_and(|refusal| refusal.version == Some(wanted) && refusal.tried.elapsed() < RETRY) {
        return false;
    }
    match open(state, &wanted) {
        Ok(live) => {
            // Clients should not be the first to ask it.
            warm_up(&live, state.config.warm_up);
            let live = Arc::new(live);
            let before = state.live.swap(live.clone());
            state.metrics.swaps.inc();
            state.refused.store(Arc::new(None));
            tracing::info!(version = %wanted, "serving another bundle");
            let forgotten = state
                .users
                .forget_held(before.pipeline.catalogue(), live.pipeline.catalogue());
            if forgotten > 0 {
                tracing::info!(forgotten, "let go of live events that two bundles hold");
                state.log.ask_for_snapshot();
            }
            true
        }
        Err(error) => refuse(state, Some(wanted), error.to_string()),
    }
}

fn open(state: &AppState, version: &Version) -> Result<Live, Error> {
    Live::open(&Bundle::open_version(&state.bundles, version)?)
}

fn refuse(state: &AppState, version: Option<Version>, reason: String) -> bool {
    let before = state.refused.load();
    let known = before
        .as_ref()
        .as_ref()
        .is_some_and(|refusal| refusal.version == version && refusal.reason == reason);
    if !known {
        let name = version.map(|version| version.to_string());
        tracing::error!(version = name, reason, "bundle refused, the old one goes on");
    }
    state.refused.store(Arc::new(Some(Refusal {
        version,
        reason,
        tried: Instant::now(),
    })));
    false
}

/// Looks again and again, for as long as the server lives.
pub async fn watch(state: Arc<AppState>) {
    let mut ticks = tokio::time::interval(state.config.poll());
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let state = state.clone();
        // Opening reads files and builds an index: not on a thread that answers requests.
        if let Err(error) = tokio::task::spawn_blocking(move || look(&state)).await {
            tracing::error!(%error, "opening a bundle panicked, the old one goes on");
        }
    }
}
