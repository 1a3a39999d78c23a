//! How does one request become an answer?
