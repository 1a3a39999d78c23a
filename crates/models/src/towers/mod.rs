//! Two towers that meet in an inner product.
//!
//! What is served of a tower is smaller than what is trained: [`mlp::Mlp`] is plain numbers, without tape or device.

pub mod mlp;

pub use mlp::{Activation, Layer, Mlp};
