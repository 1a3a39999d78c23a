//! What is a negative, and how likely was it?
