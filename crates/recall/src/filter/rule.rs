//! The reasons why an item may not be returned.

use serde::{Deserialize, Serialize};

/// The reason why an item may not be returned, in the order in which they are looked at: the first that holds is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The user has had it.
    Seen,
    /// The request does not want it.
    Excluded,
    /// It is not to be had.
    Unavailable,
    /// Its `published_at` lies after the moment of the request.
    NotYetPublished,
    /// Its `expires_at` does not lie after the moment of the request.
    Expired,
    /// The request names what may come, and it is not among that.
    NotAllowed,
}

impl Rule {
    /// Its word, as in reports and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Excluded => "excluded",
            Self::Unavailable => "unavailable",
            Self::NotYetPublished => "not_yet_published",
            Self::Expired => "expired",
            Self::NotAllowed => "not_allowed",
        }
    }

    /// What it says of an item, as half a sentence.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Seen => "the user has had it",
            Self::Excluded => "the request excludes it",
            Self::Unavailable => "it is not to be had",
            Self::NotYetPublished => "it is not published yet",
            Self::Expired => "its time is over",
            Self::NotAllowed => "it is not among what the request allows",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_rule_is_the_one_that_is_written() {
        for rule in [
            Rule::Seen,
            Rule::Excluded,
            Rule::Unavailable,
            Rule::NotYetPublished,
            Rule::Expired,
            Rule::NotAllowed,
        ] {
            assert_eq!(serde_json::to_value(rule).expect("a word"), rule.name());
        }
    }
}
