//! The four sides of what a model sees.

use serde::{Deserialize, Serialize};

/// Whom or what a feature describes. A model asks for each side apart, because each is computed at
/// another moment: items at publish, the user and the context once a request, candidates last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Who asks.
    User,
    /// What could be answered; the same for everybody.
    Item,
    /// When and where it is asked.
    Context,
    /// How this user and this item met: which channels found it, what the history says about its category.
    Candidate,
}

impl Side {
    /// All sides, in the order in which they are hashed.
    pub const ALL: [Self; 4] = [Self::User, Self::Item, Self::Context, Self::Candidate];

    /// The key under `[features]`.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Item => "item",
            Self::Context => "context",
            Self::Candidate => "candidate",
        }
    }

    /// The kinds of feature that may stand here.
    pub fn kinds(self) -> &'static [&'static str] {
        match self {
            Self::User => &[
                "id",
                "category",
                "bag",
                "hash",
                "words",
                "trigrams",
                "number",
                "history",
                "event_count",
                "hour",
                "weekday",
                "month",
                "weekend",
                "cross",
            ],
            Self::Item => &[
                "id",
                "category",
                "bag",
                "hash",
                "words",
                "trigrams",
                "number",
                "item_count",
                "hour",
                "weekday",
                "month",
                "weekend",
                "cross",
            ],
            Self::Context => &["hour", "weekday", "month", "weekend", "cross"],
            Self::Candidate => &[
                "channel",
                "channel_count",
                "item_count",
                "category_affinity",
                "similarity",
                "type_similarity",
                "cross",
            ],
        }
    }

    /// The side with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name)
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}
