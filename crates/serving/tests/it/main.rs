//! The server from outside: over its socket, and as a process.

mod bad_input;
mod client;
mod endpoints;
mod events;
mod kill;
mod openapi;
mod process;
mod served;
mod slow;
mod swap;
