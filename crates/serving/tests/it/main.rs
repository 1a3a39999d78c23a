//! The server from outside: over its socket, and as a process.

mod bad_input;
mod browser;
mod client;
mod config_file;
mod endpoints;
mod events;
mod kill;
mod metrics;
mod openapi;
mod page;
mod process;
mod request_log;
mod served;
mod shutdown;
mod slow;
mod swap;
mod vectors;
