//! Numbers that survive JSON to the last bit.

use serde::{Deserialize, Serialize};

/// A finite number, written as a string of its shortest decimal form. `serde_json` reads plain
/// numbers only to within the last place, which would be enough to send a value into another bucket
/// and to change the fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Exact(pub(crate) f64);

impl From<Exact> for String {
    fn from(number: Exact) -> Self {
        number.0.to_string()
    }
}

impl TryFrom<String> for Exact {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Self(number)),
            _ => Err(format!("{text:?} is not a finite number")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_number_survives(number in proptest::num::f64::NORMAL | proptest::num::f64::SUBNORMAL) {
            let json = serde_json::to_string(&Exact(number)).expect("written");
            let back: Exact = serde_json::from_str(&json).expect("read");
            prop_assert_eq!(back.0.to_bits(), number.to_bits());
        }
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        for text in ["\"NaN\"", "\"inf\"", "\"1e999\"", "\"x\"", "1"] {
            assert!(serde_json::from_str::<Exact>(text).is_err(), "{text}");
        }
    }
}
