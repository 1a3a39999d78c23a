//! By what users or held-out items are told apart.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whose attribute it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Users are told apart: each is in one segment with all that they held out.
    User,
    /// Held-out items are told apart: a user is judged in each segment by the held-out items of that segment alone,
    /// on the same list.
    Item,
}

impl Side {
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Item => "item",
        }
    }
}

/// A way to tell users or held-out items apart, in the words of `--segments` and `[evaluate] segments`.
///
/// ```
/// use catchment_evaluation::SegmentBy;
///
/// let by: SegmentBy = "item.popularity_decile".parse()?;
/// assert_eq!(by, SegmentBy::PopularityDecile);
/// assert!("genre".parse::<SegmentBy>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SegmentBy {
    /// `item.popularity_decile`: the catalogue in ten parts of equally many items, by how many users had them.
    PopularityDecile,
    /// `user.history`: how many different items the user had before, in bands.
    HistoryLength,
    /// `user.cold` or `item.cold`: whether the vocabulary knows them.
    Cold(Side),
    /// `user.COLUMN` or `item.COLUMN`: any attribute; numbers in quarters, words by frequency.
    Column(Side, String),
}

impl SegmentBy {
    /// Whether users or items are told apart.
    pub fn side(&self) -> Side {
        match self {
            Self::PopularityDecile => Side::Item,
            Self::HistoryLength => Side::User,
            Self::Cold(side) | Self::Column(side, _) => *side,
        }
    }
}

impl FromStr for SegmentBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "segments are told apart by item.popularity_decile, user.history, user.cold, item.cold, user.COLUMN or \
                 item.COLUMN, not by {text:?}"
            )
        };
        let (side, what) = text.split_once('.').ok_or_else(wrong)?;
        let side = match side {
            "user" => Side::User,
            "item" => Side::Item,
            _ => return Err(wrong()),
        };
        match (side, what) {
            (_, "") => Err(wrong()),
            (Side::Item, "popularity_decile") => Ok(Self::PopularityDecile),
            (Side::User, "history") => Ok(Self::HistoryLength),
            (side, "cold") => Ok(Self::Cold(side)),
            (side, column) => Ok(Self::Column(side, column.to_owned())),
        }
    }
}

impl fmt::Display for SegmentBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::PopularityDecile => "popularity_decile",
            Self::HistoryLength => "history",
            Self::Cold(_) => "cold",
            Self::Column(_, column) => column,
        };
        write!(f, "{}.{what}", self.side().name())
    }
}

impl Serialize for SegmentBy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SegmentBy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for word in [
            "item.popularity_decile",
            "user.history",
            "user.cold",
            "item.cold",
            "user.age",
            "item.release year",
        ] {
            let by: SegmentBy = word.parse().expect(word);
            assert_eq!(by.to_string(), word);
        }
        for word in ["", "user", "user.", "shop.age"] {
            let error = word.parse::<SegmentBy>().expect_err(word);
            assert!(error.contains("item.popularity_decile"), "{error}");
        }
    }
}
