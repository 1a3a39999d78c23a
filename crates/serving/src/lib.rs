//! **What does a client get over HTTP?** The only room that knows HTTP and JSON: user state, durable events, and
//! a bundle that is swapped without a failed request.

pub mod clock;
pub mod config;
pub mod error;
pub mod event;
pub mod event_log;
pub mod extract;
pub mod live;
pub mod problem;
pub mod reload;
pub mod routes;
pub mod server;
pub mod state;
pub mod user_store;

pub use config::ServeConfig;
pub use error::Error;
pub use routes::{admin_router, data_router};
pub use server::serve;
pub use state::AppState;
