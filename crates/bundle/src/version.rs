//! Names of bundles, with an order.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

const FORM: &str = "%Y%m%dT%H%M%SZ";
/// The first second of the year 10000, which no longer has four digits.
const END: i64 = 253_402_300_800;

/// When a bundle was made, to the second in UTC, and the beginning of its content's hash:
/// `20261123T221500Z-3f9c`.
///
/// # Laws
/// 1. Versions order by time, then by hash; their texts order the same way.
/// 2. `version.to_string().parse() == version`, and no other text gives that version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version {
    second: i64,
    hash: u16,
}

impl Version {
    /// The version of content with this hash that was made at `millis` since the Unix epoch.
    ///
    /// # Errors
    /// [`Error::BadMoment`] outside the years 1970 to 9999.
    pub fn new(millis: i64, hash: u16) -> Result<Self> {
        let second = millis.div_euclid(1000);
        if (0..END).contains(&second) {
            Ok(Self { second, hash })
        } else {
            Err(Error::BadMoment { millis })
        }
    }

    /// When the bundle was made: Unix milliseconds, rounded down to whole seconds.
    pub fn millis(self) -> i64 {
        self.second * 1000
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = Timestamp::from_second(self.second).map_err(|_| fmt::Error)?;
        write!(out, "{}-{:04x}", moment.strftime(FORM), self.hash)
    }
}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let bad = || Error::BadVersion {
            text: text.chars().take(64).collect(),
        };
        let (moment, hash) = text.split_once('-').ok_or_else(bad)?;
        let moment = DateTime::strptime(FORM, moment)
            .and_then(|moment| Offset::UTC.to_timestamp(moment))
            .map_err(|_| bad())?;
        let hash = u16::from_str_radix(hash, 16).map_err(|_| bad())?;
        let version = Self::new(moment.as_millisecond(), hash).map_err(|_| bad())?;
        // Parsers are lenient (`+3f9c`, a year of two digits); a folder name is not.
        if version.to_string() == text {
            Ok(version)
        } else {
            Err(bad())
        }
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for Version {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_reads_as_its_time_and_hash() {
        let version = Version::new(1_795_472_100_999, 0x3f9c).expect("a moment of 2026");
        assert_eq!(version.to_string(), "20261123T221500Z-3f9c");
        assert_eq!(version.millis(), 1_795_472_100_000);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "9",
            "latest",
            "20261123T221500Z",
            "20261123T221500Z-",
            "20261123T221500Z-3F9C",
            "20261123T221500Z-+f9c",
            "20261123T221500Z-3f9c0",
            "20261123T221500Z-3f9c/..",
            "20261323T221500Z-3f9c",
            "20261123T221500-3f9c",
            " 20261123T221500Z-3f9c",
            "../20261123T221500Z-3f9c",
            "٢0261123T221500Z-3f9c",
        ] {
            assert!(
                matches!(text.parse::<Version>(), Err(Error::BadVersion { .. })),
                "{text:?} was taken"
            );
        }
        assert!(matches!(
            Version::new(-1, 0),
            Err(Error::BadMoment { millis: -1 })
        ));
        assert!(matches!(Version::new(i64::MAX, 0), Err(Error::BadMoment { .. })));
    }

    proptest! {
        #[test]
        fn texts_round_trip_and_order_as_versions_do(
            a in 0i64..END, b in 0i64..END, hash_a: u16, hash_b: u16
        ) {
            let a = Version::new(a * 1000, hash_a).expect("in range");
            let b = Version::new(b * 1000, hash_b).expect("in range");
            prop_assert_eq!(a.to_string().parse::<Version>().expect("own text"), a);
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }
    }
}
