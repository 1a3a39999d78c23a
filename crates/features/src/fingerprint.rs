//! Fingerprints: which function is this?

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

/// Stands for the code of the transforms. It is raised when a golden vector changes, because then the
/// same fitted state gives other outputs.
const TRANSFORM_VERSION: u32 = 1;

/// A 128-bit hash (XXH3) of everything that changes an output of fitted features, and of nothing else.
/// Equal fingerprints: equal inputs give equal bytes. Printed as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(pub u128);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u128::from_str_radix(text, 16) {
            Ok(hash) if digits => Ok(Self(hash)),
            _ => Err(format!("{text:?} is not a fingerprint of 32 hexadecimal digits")),
        }
    }
}

/// Collects state into a fingerprint. Every part is written with its length or a fixed width, so that
/// no two different states give the same bytes.
pub(crate) struct StateHash(Xxh3Default);

impl StateHash {
    pub(crate) fn new() -> Self {
        let mut hash = Self(Xxh3Default::new());
        hash.count(u64::from(TRANSFORM_VERSION));
        hash
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.count(text.len() as u64);
        self.0.update(text.as_bytes());
    }

    /// Begins what the first format could not say, and what is therefore hashed only where it is said. No length and no
    /// count is `u64::MAX`, so that it cannot be taken for what follows otherwise.
    pub(crate) fn extension(&mut self, name: &str) {
        self.count(u64::MAX);
        self.text(name);
    }

    pub(crate) fn count(&mut self, count: u64) {
        self.0.update(&count.to_le_bytes());
    }

    pub(crate) fn number(&mut self, number: f64) {
        self.count(number.to_bits());
    }

    pub(crate) fn hash(&mut self, hash: u128) {
        self.0.update(&hash.to_le_bytes());
    }

    pub(crate) fn finish(&self) -> u128 {
        self.0.digest128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_printed_form_is_read_back_and_others_are_refused() {
        let fingerprint = Fingerprint(0xab);
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        for text in [
            "",
            "ab",
            "+0000000000000000000000000000000",
            "g0000000000000000000000000000000",
        ] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
    }

    #[test]
    fn borders_between_texts_count() {
        let of = |texts: [&str; 2]| {
            let mut hash = StateHash::new();
            for text in texts {
                hash.text(text);
            }
            hash.finish()
        };
        assert_ne!(of(["ab", "c"]), of(["a", "bc"]));
    }
}
