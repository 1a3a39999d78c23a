//! Whole numbers as JSON Schema knows them: `189` and `189.0` are one number.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// A whole number from 0 on.
///
/// # Errors
/// For anything else, and for a number that `T` cannot hold.
pub fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Whole::deserialize(deserializer)?.0)
}

/// As [`whole`], where there need not be one.
///
/// # Errors
/// As [`whole`].
pub fn optional_whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(Option::<Whole<T>>::deserialize(deserializer)?.map(|whole| whole.0))
}

struct Whole<T>(T);

impl<'de, T: TryFrom<u64>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WholeVisitor(PhantomData)).map(Whole)
    }
}

struct WholeVisitor<T>(PhantomData<T>);

impl<T: TryFrom<u64>> Visitor<'_> for WholeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0 on")
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        T::try_from(value).map_err(|_| E::custom(format!("{value} is too large")))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        let value = u64::try_from(value);
        self.visit_u64(value.map_err(|_| E::custom("a whole number from 0 on is expected"))?)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole and not negative; what is larger than any u64 becomes the largest"
    )]
    fn visit_f64<E: Error>(self, value: f64) -> Result<T, E> {
        if value >= 0.0 && value.fract() == 0.0 {
            return self.visit_u64(value as u64);
        }
        Err(E::custom("a whole number from 0 on is expected"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: TryFrom<u64>>(json: &str) -> Option<T> {
        whole(&mut serde_json::Deserializer::from_str(json)).ok()
    }

    #[test]
    fn a_number_is_whole_however_it_is_written() {
        for (json, expected) in [
            ("0", Some(0)),
            ("7", Some(7)),
            ("7.0", Some(7)),
            ("1e3", Some(1000)),
            ("-0.0", Some(0)),
        ] {
            assert_eq!(read::<u32>(json), expected, "{json}");
        }
        for json in ["-1", "1.5", "4294967296", "1e300", "\"7\"", "null", "true", "[7]"] {
            assert_eq!(read::<u32>(json), None, "{json}");
        }
        assert_eq!(read::<u64>("1e300"), Some(u64::MAX));
    }
}
