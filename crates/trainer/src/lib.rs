//! `catchment-train`: recipes in, bundles out.
//!
//! The offline half of Catchment is a program, not a library: this crate has the binary, and nothing to link. A
//! Rust program that wants to answer requests embeds `catchment-pipeline` and opens the bundles made here; one that
//! wants to train calls `catchment-prepare`, `catchment-models` and `catchment-ranking`, as this one does.
//!
//! # Example
//!
//! ```text
//! catchment-train synth --preset tiny -o shop        a made world, with a recipe for it
//! catchment-train run shop/catchment.toml            prepare, train, evaluate, publish
//! catchment-train recommend --bundle bundles --user u42 --explain
//! ```
//!
//! # Why so
//!
//! One recipe file says everything, and is the same for a project, the demo and every reproduction. Each stage reads
//! files and writes files: `prepare`, `train`, `evaluate` and `publish` can be run one by one, and `run` is all of
//! them. A stage that fails leaves what was there before: models are trained into a draft, bundles are published by
//! one rename. Lists are measured through `catchment-pipeline`, the code that serves them.
//!
//! # Siblings
//!
//! Every crate below it; `catchment-serving` answers over HTTP from what is published here, and the two meet only in
//! a bundle.
