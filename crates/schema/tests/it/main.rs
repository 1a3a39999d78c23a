//! The files that come in and go out, from outside.
#![allow(
    clippy::needless_raw_string_hashes,
    reason = "expect-test writes them when it updates a text"
)]

mod damaged;
mod golden;
mod import_errors;
mod import_headers;
mod import_movielens;
mod import_parquet;
mod import_real;
mod import_samples;
mod import_skips;
mod import_streams;
mod import_tables;
mod import_text;
mod imported;
mod round_trips;
mod samples;
