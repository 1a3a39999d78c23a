//! The files that come in and go out, from outside.
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes them when it updates a text"
)]

mod damaged;
mod golden;
mod import_errors;
mod import_formats;
mod import_real;
mod round_trips;
mod samples;
