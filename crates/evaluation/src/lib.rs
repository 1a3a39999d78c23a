//! **How good is it, and are we sure?** Full-corpus metrics over lists, whoever made them.

pub mod recommends;

pub use recommends::{Recommends, TopKLists};
