//! Models over sparse features and interactions that need no automatic differentiation.

pub mod ials;
pub mod lr;
