//! What all handlers share.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use arc_swap::ArcSwap;
use catchment_bundle::Bundle;
use tokio::sync::Semaphore;

use crate::data_folder::DataFolder;
use crate::event_log::EventLog;
use crate::live::Live;
use crate::metrics::Metrics;
use crate::reload::Refusal;
use crate::request_log::RequestLog;
use crate::user_store::UserStore;
use crate::{Error, ServeConfig, clock, warm_up};

/// Shared by all requests.
#[derive(Debug)]
pub struct AppState {
    /// The bundle that is being served.
    pub live: ArcSwap<Live>,
    /// Live events by user.
    pub users: Arc<UserStore>,
    /// Makes events durable.
    pub log: EventLog,
    /// Says which answer showed what.
    pub request_log: RequestLog,
    /// What is counted and measured.
    pub metrics: Metrics,
    /// The folder of bundles.
    pub bundles: PathBuf,
    /// The bundle that was refused last, and why.
    pub refused: ArcSwap<Option<Refusal>>,
    /// Limits and defaults.
    pub config: ServeConfig,
    /// One permit for each request that may keep a core busy at the same time. Who waits for one is given up when
    /// its time is over, and has then cost nothing.
    pub workers: Arc<Semaphore>,
    /// Whether the server was told to stop: it answers, but says that it should not be asked.
    pub stopping: AtomicBool,
    /// Nobody else may write there while this lives.
    _data: DataFolder,
    started_ms: i64,
    given_ids: AtomicU64,
}

impl AppState {
    /// Opens and warms up the current bundle, and opens the data folder and the logs in it.
    ///
    /// # Errors
    /// [`Error`].
    pub fn open(config: &ServeConfig) -> Result<Arc<Self>, Error> {
        let live = Live::open(&Bundle::open_current(&config.bundles)?)?;
        let metrics = Metrics::new().map_err(std::io::Error::other)?;
        let data = DataFolder::claim(&config.data)?;
        let users = Arc::new(UserStore::default());
        let log = EventLog::open(data.path(), users.clone(), config.segment_bytes)?;
        let dropped = metrics.request_log_dropped.clone();
        let request_log = if config.request_log {
            let max_files = usize::try_from(config.request_log_files).unwrap_or(usize::MAX);
            RequestLog::open(data.path(), config.request_log_bytes, max_files, dropped)?
        } else {
            RequestLog::off(dropped)
        };
        warm_up::warm_up(&live, config.warm_up);
        let cores = thread::available_parallelism().map_or(2, std::num::NonZero::get);
        Ok(Arc::new(Self {
            live: ArcSwap::from_pointee(live),
            users,
            log,
            request_log,
            metrics,
            bundles: config.bundles.clone(),
            refused: ArcSwap::from_pointee(None),
            config: config.clone(),
            workers: Arc::new(Semaphore::new(cores.max(2))),
            stopping: AtomicBool::new(false),
            _data: data,
            started_ms: clock::now_millis(),
            given_ids: AtomicU64::new(0),
        }))
    }

    /// A new id: unique among all that servers on this data folder ever gave, by start time and count.
    pub fn next_id(&self, prefix: char) -> String {
        let count = self.given_ids.fetch_add(1, Ordering::Relaxed);
        format!("{prefix}-{:x}-{count:x}", self.started_ms)
    }
}
