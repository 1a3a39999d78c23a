//! What does a client get over HTTP?
