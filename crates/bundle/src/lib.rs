//! What did training hand over?
