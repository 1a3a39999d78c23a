//! The four sides that features can have.

use serde::{Deserialize, Serialize};

/// What a feature describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The user: one row a request.
    User,
    /// The moment, place and device: one row a request.
    Context,
    /// An item of the catalogue: one row an item, transformed once.
    Item,
    /// A candidate of this request: what the channels said of it, and what joins user and item.
    Candidate,
}

impl Side {
    /// All of them, in the order in which their parts of a score are summed.
    pub const ALL: [Self; 4] = [Self::User, Self::Context, Self::Item, Self::Candidate];

    /// Its name in messages and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Context => "context",
            Self::Item => "item",
            Self::Candidate => "candidate",
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}
