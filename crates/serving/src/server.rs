//! Starts everything, and stops it in order.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal;

use crate::routes::{admin_router, data_router};
use crate::{AppState, Error, ServeConfig, reload};

/// Serves until Ctrl-C or SIGTERM; requests that have begun are finished.
///
/// # Errors
/// [`Error`]: no bundle that can be opened, an address in use, an event log that cannot be written.
pub fn serve(config: &ServeConfig) -> Result<(), Error> {
    let state = AppState::open(config)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(config, state))
}

async fn run(config: &ServeConfig, state: Arc<AppState>) -> Result<(), Error> {
    let data = listen(config.listen).await?;
    let admin = listen(config.admin).await?;
    tokio::spawn(reload::watch(state.clone()));
    eprintln!(
        "serving {} on http://{} (admin http://{})",
        state.live.load().version,
        data.local_addr()?,
        admin.local_addr()?
    );
    let served = tokio::join!(
        until_stopped(data, data_router(state.clone())),
        until_stopped(admin, admin_router(state.clone()))
    );
    served.0?;
    served.1
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address)
        .await
        .map_err(|source| Error::Listen { address, source })
}

async fn until_stopped(listener: TcpListener, router: Router) -> Result<(), Error> {
    Ok(axum::serve(listener, router)
        .with_graceful_shutdown(stopped())
        .await?)
}

/// Resolves at Ctrl-C or SIGTERM.
async fn stopped() {
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
