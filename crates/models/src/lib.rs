//! What is the function?
