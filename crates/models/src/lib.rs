//! What is the function?

pub mod factorization;
