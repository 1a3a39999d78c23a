//! Where a setting is drawn from.

use std::collections::BTreeMap;

use rand::RngExt;
use serde::{Deserialize, Deserializer};
use toml::Value;

use super::at;
use crate::recipe::Recipe;
use crate::recipe::problem::Problem;

/// What one setting may be.
#[derive(Clone, Debug)]
pub(crate) enum Range {
    /// Any of these, each as likely.
    Choice(Vec<Value>),
    /// Between two numbers, both of which it may be. Whole where both are.
    Between(Between),
}

/// Between two numbers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Between {
    from: Value,
    to: Value,
    #[serde(default)]
    scale: Scale,
}

/// Reads ranges one by one, so that a wrong one is named.
pub(super) fn space<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, Range>, D::Error> {
    let space = BTreeMap::<String, Value>::deserialize(from)?;
    let ranges = space.into_iter().map(|(key, value)| {
        let range = Range::read(&key, value).map_err(serde::de::Error::custom)?;
        Ok((key, range))
    });
    ranges.collect()
}

/// What is even.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scale {
    /// The number.
    #[default]
    Linear,
    /// Its logarithm.
    Log,
}

pub(super) fn check_range(recipe: &Recipe, key: &str, range: &Range) -> Result<(), Problem> {
    let at = |message: String| at(recipe, key, &message);
    let help = "such as from = 0.001, to = 0.1, scale = \"log\"";
    match range {
        Range::Choice(values) if values.is_empty() => {
            Err(at("a choice of nothing".to_owned()).with_help("give the values, or take the key out"))
        }
        Range::Choice(_) => Ok(()),
        Range::Between(Between { from, to, scale }) => {
            let (Some(from), Some(to)) = (number(from), number(to)) else {
                return Err(at("`from` and `to` are to be numbers".to_owned()).with_help(help));
            };
            if !(from.is_finite() && to.is_finite() && from < to) {
                let help = "give the lower end to `from`";
                return Err(at(format!("`from` = {from} is not below `to` = {to}")).with_help(help));
            }
            if *scale == Scale::Log && from <= 0.0 {
                return Err(at(format!("`from` = {from} has no logarithm")).with_help(help));
            }
            Ok(())
        }
    }
}

/// A number, whole or not.
pub(crate) fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "settings are small")]
    value
        .as_float()
        .or_else(|| value.as_integer().map(|whole| whole as f64))
}

impl Range {
    /// A list, or `{ from, to, scale }`.
    fn read(key: &str, value: Value) -> Result<Self, String> {
        const FORMS: &str =
            "[16, 32], or { from = 0.001, to = 0.1, scale = \"log\" }, is what a range looks like";
        let table = match value {
            Value::Array(values) => return Ok(Self::Choice(values)),
            Value::Table(table) => table,
            other => return Err(format!("tune.space.\"{key}\" = {other}: {FORMS}")),
        };
        let holds = |value: &Value| value.is_table() || value.is_array();
        if let Some((inner, value)) = table.iter().find(|(_, value)| holds(value)) {
            // A key without quotes is a table in a table.
            let (mut key, mut value) = (format!("{key}.{inner}"), value);
            while let Some((inner, deeper)) = value.as_table().and_then(|table| table.iter().next())
                && holds(deeper)
            {
                key = format!("{key}.{inner}");
                value = deeper;
            }
            return Err(format!("the keys of tune.space are in quotes: \"{key}\" = …"));
        }
        let between = Value::Table(table).try_into();
        between
            .map(Self::Between)
            .map_err(|error: toml::de::Error| format!("tune.space.\"{key}\": {}; {FORMS}", error.message()))
    }

    /// Between them lies all that it may be.
    pub(super) fn ends(&self) -> Vec<Value> {
        match self {
            Self::Choice(values) => values.clone(),
            Self::Between(Between { from, to, .. }) if from.is_float() || to.is_float() => {
                let both = [from, to].into_iter().filter_map(number);
                both.map(Value::Float).collect()
            }
            Self::Between(Between { from, to, .. }) => vec![from.clone(), to.clone()],
        }
    }

    pub(super) fn draw(&self, rng: &mut impl rand::Rng) -> Value {
        match self {
            Self::Choice(values) => values[rng.random_range(0..values.len())].clone(),
            Self::Between(Between { from, to, scale }) => {
                let whole = (from.as_integer(), to.as_integer());
                let (low, high) = (number(from).unwrap_or(0.0), number(to).unwrap_or(0.0));
                let share: f64 = rng.random();
                let drawn = |low: f64, high: f64| match scale {
                    Scale::Linear => low + share * (high - low),
                    Scale::Log => (low.ln() + share * (high.ln() - low.ln())).exp(),
                };
                let (Some(least), Some(most)) = whole else {
                    return Value::Float(few_digits(drawn(low, high), high - low).clamp(low, high));
                };
                // Each whole number has the room until the next one, on that scale.
                #[expect(clippy::cast_possible_truncation, reason = "between two whole numbers")]
                let drawn = drawn(low, high + 1.0).floor() as i64;
                Value::Integer(drawn.clamp(least, most))
            }
        }
    }
}

/// As somebody would write it down: no more digits than tell it from its neighbours in a range that is so wide.
fn few_digits(number: f64, width: f64) -> f64 {
    let near = 0.005 * width.min(number.abs());
    let rounded = (2..17).map(|digits| format!("{number:.digits$e}").parse().unwrap_or(number));
    rounded
        .into_iter()
        .find(|rounded: &f64| (rounded - number).abs() <= near)
        .unwrap_or(number)
}
