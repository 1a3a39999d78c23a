//! Takes up a new bundle when `CURRENT` names one.

use std::sync::Arc;

use catchment_bundle::{Bundle, Version, current};

use crate::live::Live;
use crate::{AppState, Error};

/// A bundle that was not taken up.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Which one; `None` where `CURRENT` itself cannot be read.
    pub version: Option<Version>,
    /// Why.
    pub reason: String,
}

/// Looks at `CURRENT` once. Returns whether another bundle is served now. A bundle that cannot be opened is
/// refused, and the old one goes on.
pub fn look(state: &AppState) -> bool {
    let wanted = match current(&state.bundles) {
        Ok(version) => version,
        Err(error) => return refuse(state, None, &error.to_string()),
    };
    if wanted == state.live.load().version {
        state.refused.store(Arc::new(None));
        return false;
    }
    let refused_already = state
        .refused
        .load()
        .as_ref()
        .as_ref()
        .is_some_and(|refusal| refusal.version == Some(wanted));
    if refused_already {
        return false;
    }
    match open(state, &wanted) {
        Ok(live) => {
            state.live.store(Arc::new(live));
            state.refused.store(Arc::new(None));
            tracing::info!(version = %wanted, "serving another bundle");
            true
        }
        Err(error) => refuse(state, Some(wanted), &error.to_string()),
    }
}

fn open(state: &AppState, version: &Version) -> Result<Live, Error> {
    Live::open(&Bundle::open_version(&state.bundles, version)?)
}

fn refuse(state: &AppState, version: Option<Version>, reason: &str) -> bool {
    tracing::error!(version = ?version, reason, "bundle refused, the old one goes on");
    state.refused.store(Arc::new(Some(Refusal {
        version,
        reason: reason.to_owned(),
    })));
    false
}

/// Looks again and again, for as long as the server lives.
pub async fn watch(state: Arc<AppState>) {
    let mut ticks = tokio::time::interval(state.config.poll());
    loop {
        ticks.tick().await;
        let state = state.clone();
        // Opening reads files and builds an index: not on a thread that answers requests.
        let _ = tokio::task::spawn_blocking(move || look(&state)).await;
    }
}
