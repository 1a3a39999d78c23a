//! The real binary, from the outside.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

mod bad_data;
mod bad_use;
mod interrupt;
mod evaluate;
mod place;
mod river;
mod stages;
