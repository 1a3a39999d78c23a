//! What all handlers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use catchment_bundle::Bundle;

use crate::event_log::EventLog;
use crate::live::Live;
use crate::reload::Refusal;
use crate::user_store::UserStore;
use crate::{Error, ServeConfig, clock};

/// Shared by all requests.
#[derive(Debug)]
pub struct AppState {
    /// The bundle that is being served.
    pub live: ArcSwap<Live>,
    /// Live events by user.
    pub users: Arc<UserStore>,
    /// Makes events durable.
    pub log: EventLog,
    /// The folder of bundles.
    pub bundles: PathBuf,
    /// The last bundle that was refused, and why.
    pub refused: ArcSwap<Option<Refusal>>,
    /// Limits and defaults.
    pub config: ServeConfig,
    started_ms: i64,
    requests: AtomicU64,
}

impl AppState {
    /// Opens the current bundle and the event log.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(config: &ServeConfig) -> Result<Arc<Self>, Error> {
        let live = Live::open(&Bundle::open_current(&config.bundles)?)?;
        let users = Arc::new(UserStore::default());
        let log = EventLog::open(&config.data, users.clone())?;
        Ok(Arc::new(Self {
            live: ArcSwap::from_pointee(live),
            users,
            log,
            bundles: config.bundles.clone(),
            refused: ArcSwap::from_pointee(None),
            config: config.clone(),
            started_ms: clock::now_millis(),
            requests: AtomicU64::new(0),
        }))
    }

    /// A new recommendation id: unique among all that this server ever gave, by start time and count.
    pub fn next_recomm_id(&self) -> String {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("r-{:x}-{count:x}", self.started_ms)
    }
}
