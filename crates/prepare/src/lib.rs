//! What happened, in order?
