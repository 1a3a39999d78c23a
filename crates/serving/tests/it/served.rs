//! A server in this process, on ports that the system chooses, with folders of its own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use catchment_bundle::Version;
use catchment_pipeline::testing::TinyBundle;
use catchment_serving::{AppState, ServeConfig, Server};
use clap::Parser;
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::client::Client;

pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) version: Version,
    pub(crate) state: Arc<AppState>,
    folder: Option<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

pub(crate) fn bundles(folder: &Path) -> PathBuf {
    folder.join("bundles")
}

fn config(folder: &Path) -> ServeConfig {
    let mut config = ServeConfig::parse_from(["catchment-serve", "--bundles", "?"]);
    config.bundles = bundles(folder);
    config.data = folder.join("state");
    config.listen = "127.0.0.1:0".parse().expect("address");
    config.admin = "127.0.0.1:0".parse().expect("address");
    config.poll_ms = 10;
    // Machines that run tests are busy; no test is about how much is done in time.
    config.budget_ms = 60_000;
    config.timeout_ms = 60_000;
    config
}

impl Served {
    /// The tiny bundle.
    pub(crate) fn tiny() -> Self {
        Self::with(|_| ())
    }

    pub(crate) fn with(change: impl FnOnce(&mut ServeConfig)) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        TinyBundle::default()
            .publish(bundles(folder.path()))
            .expect("published");
        Self::over(folder, change)
    }

    /// What lies in a folder already.
    pub(crate) fn over(folder: TempDir, change: impl FnOnce(&mut ServeConfig)) -> Self {
        let mut config = config(folder.path());
        change(&mut config);
        let server = Server::start(&config).expect("started");
        let (address, admin) = (server.address(), server.admin_address());
        let state = server.state().clone();
        let version = state.live.load().version;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            server.run(async {
                let _ = stopped.await;
            });
        });
        Self {
            address,
            admin,
            version,
            state,
            folder: Some(folder),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(self.address).expect("connected")
    }

    pub(crate) fn admin_client(&self) -> Client {
        Client::connect(self.admin).expect("connected")
    }

    /// Tells the server to stop, and does not wait for it.
    pub(crate) fn tell_to_stop(&mut self) {
        let _ = self.stop.take().expect("once").send(());
    }

    /// Waits for the end of a server that was told to stop, and hands its folder out.
    pub(crate) fn ended(mut self) -> TempDir {
        self.halt();
        self.folder.take().expect("a folder")
    }

    pub(crate) fn bundles(&self) -> PathBuf {
        bundles(self.folder.as_ref().expect("a folder").path())
    }

    /// Stops the server and starts another on the same folders.
    pub(crate) fn again(mut self) -> Self {
        self.halt();
        let folder = self.folder.take().expect("a folder");
        drop(self);
        Self::over(folder, |_| ())
    }

    fn halt(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            thread.join().expect("stopped without a panic");
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.halt();
    }
}
