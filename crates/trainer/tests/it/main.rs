//! The real binary, from the outside.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them so")]

mod bad_data;
mod bad_use;
mod evaluate;
mod interrupt;
mod place;
mod river;
mod stages;
