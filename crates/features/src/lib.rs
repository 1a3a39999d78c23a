//! **What does a model see?** Features: fitted once, transformed the same way in training and serving.

pub mod batch;

pub use batch::{FeatureBatch, FeatureColumn, FeatureRow};
