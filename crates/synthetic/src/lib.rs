//! What if we knew the truth?
