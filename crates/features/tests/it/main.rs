//! Integration tests: one binary.

mod bad_input;
mod documentation;
mod file;
mod fingerprint;
mod golden;
mod growth;
mod laws;
mod leaks;
mod spaces;
mod texts;
mod world;
