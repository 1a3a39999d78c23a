//! The real binary, from the outside.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

mod again;
mod airbnb;
mod bad_data;
mod bad_use;
mod closed_pipe;
mod doctor;
mod evaluate;
mod init;
mod interrupt;
mod item2vec;
mod negative;
mod place;
mod river;
mod shown;
mod stages;
mod trigrams;
mod tune;
