//! Starts everything, and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal;
use tokio::sync::watch;

use crate::routes::{admin_router, data_router};
use crate::{AppState, Error, ServeConfig, connections, reload};

/// How long the admin address, work that nobody waits for any more, and the request log may each take to end.
pub const LAST_MOMENTS: Duration = Duration::from_secs(1);

/// A server that listens already.
#[derive(Debug)]
pub struct Server {
    runtime: Runtime,
    state: Arc<AppState>,
    data: TcpListener,
    admin: TcpListener,
    addresses: [SocketAddr; 2],
}

impl Server {
    /// Opens the bundle and the event log, and listens. Clients that come before [`Server::run`] wait.
    ///
    /// # Errors
    /// [`Error`]: no bundle that can be opened, an address or a data folder in use, a damaged event log.
    pub fn start(config: &ServeConfig) -> Result<Self, Error> {
        let state = AppState::open(config)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        let (data, admin) = runtime.block_on(async {
            Ok::<_, Error>((listen(config.listen).await?, listen(config.admin).await?))
        })?;
        let addresses = [data.local_addr()?, admin.local_addr()?];
        Ok(Self {
            runtime,
            state,
            data,
            admin,
            addresses,
        })
    }

    /// The address of the public API: with the port that the system chose, where the config said 0.
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// The address of the admin API.
    pub fn admin_address(&self) -> SocketAddr {
        self.addresses[1]
    }

    /// What the handlers share.
    pub fn state(&self) -> &Arc<AppState> {
        &self.state
    }

    /// Serves until `stop`. From then on `/health/ready` says 503; after `drain_ms` nobody new is let in; requests that
    /// have begun are answered within `timeout_ms`, and the request log is written out. All of it ends within
    /// `drain_ms + timeout_ms` and [`LAST_MOMENTS`] three times.
    pub fn run(self, stop: impl Future<Output = ()>) {
        let Self {
            runtime,
            state,
            data,
            admin,
            ..
        } = self;
        let timeout = state.config.timeout();
        runtime.block_on(async {
            let (stopping, stopped) = watch::channel(false);
            let watch = tokio::spawn(reload::watch(state.clone()));
            let data = tokio::spawn(connections::serve(data, data_router(&state), timeout, stopped));
            let (closing, closed) = watch::channel(false);
            let admin = tokio::spawn(connections::serve(
                admin,
                admin_router(&state),
                LAST_MOMENTS,
                closed,
            ));
            stop.await;
            tracing::info!("stopping");
            state.stopping.store(true, Ordering::Relaxed);
            tokio::time::sleep(state.config.drain()).await;
            let _ = stopping.send(true);
            watch.abort();
            // Operators may look on to the end.
            let _ = data.await;
            let _ = closing.send(true);
            let _ = admin.await;
        });
        // What still runs is work that nobody waits for any more.
        runtime.shutdown_timeout(LAST_MOMENTS);
        if !state.request_log.flush(LAST_MOMENTS) {
            tracing::warn!("the request log could not be written out in time");
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

/// Serves until Ctrl-C or SIGTERM, and says on stderr where.
///
/// # Errors
/// As [`Server::start`].
pub fn serve(config: &ServeConfig) -> Result<(), Error> {
    let server = Server::start(config)?;
    eprintln!(
        "serving {} on http://{} (admin http://{})",
        server.state.live.load().version,
        server.address(),
        server.admin_address()
    );
    // The process ends with its server: nobody needs to wait for a snapshot that is half written.
    std::mem::forget(server.state.clone());
    server.run(stop_signal());
    Ok(())
}

/// Resolves at Ctrl-C or SIGTERM.
async fn stop_signal() {
    let interrupt = async {
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
