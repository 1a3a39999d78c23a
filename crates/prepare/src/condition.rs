//! The `positive` setting: which rows count as a yes.

use std::fmt;
use std::str::FromStr;

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

/// Longer signs first, so that `>=` is not read as `>`.
const SIGNS: [(&str, Comparison); 7] = [
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
    ("=", Comparison::Equal),
];

/// `column sign number`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Clause {
    pub(crate) column: String,
    pub(crate) comparison: Comparison,
    pub(crate) number: f64,
}

/// Clauses that must all hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    pub(crate) clauses: Vec<Clause>,
}

/// Why a text is not a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotACondition(String);

impl fmt::Display for NotACondition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} is not `column sign number`, with a sign of < <= = != >= > (clauses are joined by `and`)",
            self.0
        )
    }
}

impl FromStr for Condition {
    type Err = NotACondition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let clauses = words
            .split(|word| word.eq_ignore_ascii_case("and"))
            .map(|words| parse_clause(&words.join(" ")))
            .collect::<Result<_, _>>()?;
        Ok(Self { clauses })
    }
}

fn parse_clause(text: &str) -> Result<Clause, NotACondition> {
    let wrong = || NotACondition(text.to_owned());
    let at = text.find(['<', '>', '=', '!']).ok_or_else(wrong)?;
    let (column, rest) = text.split_at(at);
    let (sign, comparison) = SIGNS
        .into_iter()
        .find(|(sign, _)| rest.starts_with(sign))
        .ok_or_else(wrong)?;
    let number: f64 = rest[sign.len()..].trim().parse().map_err(|_| wrong())?;
    let column = column.trim();
    if column.is_empty() || !number.is_finite() {
        return Err(wrong());
    }
    Ok(Clause {
        column: column.to_owned(),
        comparison,
        number,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, Comparison, f64)]) {
        let condition: Condition = text.parse().expect("a condition");
        let found: Vec<_> = condition
            .clauses
            .iter()
            .map(|clause| (clause.column.as_str(), clause.comparison, clause.number))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn clauses_are_read_with_and_without_spaces() {
        check("value >= 4", &[("value", Comparison::GreaterOrEqual, 4.0)]);
        check("value>=4", &[("value", Comparison::GreaterOrEqual, 4.0)]);
        check("a = -1.5", &[("a", Comparison::Equal, -1.5)]);
        check(
            "value > 3 AND dwell_ms!=0 and brand < 2e3",
            &[
                ("value", Comparison::Greater, 3.0),
                ("dwell_ms", Comparison::NotEqual, 0.0),
                ("brand", Comparison::Less, 2000.0),
            ],
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "value",
            ">= 4",
            "value >=",
            "value >= x",
            "value ! 3",
            "value > 3 and",
            "value > 3 or value < 1",
            "value > inf",
        ] {
            assert!(bad.parse::<Condition>().is_err(), "{bad}");
        }
    }
}
