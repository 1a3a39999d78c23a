//! What a row has to be like: the `positive` setting of a recipe, in the log and of live events.

use std::str::FromStr;

/// How a column is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `=` or `==`.
    Equal,
    /// `!=`.
    NotEqual,
    /// `>=`.
    GreaterOrEqual,
    /// `>`.
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

impl Comparison {
    fn holds<N: PartialOrd + Copy>(self, left: N, right: N) -> bool {
        match self {
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::GreaterOrEqual => left >= right,
            Self::Greater => left > right,
        }
    }
}

/// `column sign number`.
#[derive(Clone, Debug, PartialEq)]
pub struct Clause {
    /// The name of the column.
    pub column: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what; finite.
    pub number: f64,
}

/// Clauses that must all hold.
///
/// ```
/// use catchment_schema::Condition;
///
/// let condition: Condition = "value >= 4 and dwell_ms > 1000".parse()?;
/// assert!(condition.holds(4.0, Some(1001)));
/// assert!(!condition.holds(4.0, None), "nobody knows for how long");
/// # Ok::<(), catchment_schema::condition::NotACondition>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The clauses, as they are written.
    pub clauses: Vec<Clause>,
}

/// A text is no condition. Whoever wrote it corrects it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not `column sign number`, with a sign of < <= = != >= > (clauses are joined by `and`)")]
pub struct NotACondition(String);

impl Condition {
    /// Whether it holds for an event of which only this is known, as `prepare` decides it for a row of the log: `value` is
    /// compared in the precision of an `f32`, to which the number is rounded, too, and a `dwell_ms` that is missing fulfils
    /// no clause, not even `!=`.
    ///
    /// Of any other column nothing is known: its clauses do not hold.
    pub fn holds(&self, value: f32, dwell_ms: Option<u32>) -> bool {
        self.clauses.iter().all(|clause| {
            let Clause {
                column,
                comparison,
                number,
            } = clause;
            match (column.as_str(), dwell_ms) {
                ("value", _) => comparison.holds(value, rounded(*number)),
                ("dwell_ms", Some(dwell_ms)) => comparison.holds(f64::from(dwell_ms), *number),
                _ => false,
            }
        })
    }
}

/// As a column of `f32` has it: 4.1 in a recipe is 4.1 there.
#[expect(
    clippy::cast_possible_truncation,
    reason = "rounding to the column's precision is meant"
)]
fn rounded(number: f64) -> f32 {
    number as f32
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
        let error = "value".parse::<Condition>().expect_err("no condition");
        assert_eq!(
            error.to_string(),
            "\"value\" is not `column sign number`, with a sign of < <= = != >= > (clauses are joined by `and`)"
        );
    }

    fn holds(text: &str, value: f32, dwell_ms: Option<u32>) -> bool {
        let condition: Condition = text.parse().expect("a condition");
        condition.holds(value, dwell_ms)
    }

    #[test]
    fn each_sign_means_what_it_says() {
        for (sign, below, at, above) in [
            ("<", true, false, false),
            ("<=", true, true, false),
            ("=", false, true, false),
            ("==", false, true, false),
            ("!=", true, false, true),
            (">=", false, true, true),
            (">", false, false, true),
        ] {
            let text = format!("value {sign} 4");
            let found = [3.0, 4.0, 5.0].map(|value| holds(&text, value, None));
            assert_eq!(found, [below, at, above], "{text}");
            let text = format!("dwell_ms {sign} 4");
            let found = [3, 4, 5].map(|dwell_ms| holds(&text, 0.0, Some(dwell_ms)));
            assert_eq!(found, [below, at, above], "{text}");
        }
        assert!(holds("value > 3 and dwell_ms >= 10", 4.0, Some(10)));
        assert!(!holds("value > 3 and dwell_ms >= 10", 4.0, Some(9)));
        assert!(!holds("value > 3 and dwell_ms >= 10", 3.0, Some(10)));
    }

    #[test]
    fn a_value_is_compared_in_its_own_precision() {
        assert!(holds("value >= 4.1", 4.1, None) && holds("value = 4.1", 4.1, None));
        assert!(!holds("value != 4.1", 4.1, None));
    }

    #[test]
    fn what_is_not_known_fulfils_nothing() {
        for text in ["dwell_ms > 0", "dwell_ms != 0", "stars >= 0", "stars != 3"] {
            assert!(!holds(text, 5.0, None), "{text}");
        }
        assert!(!holds("value > 3 and stars > 3", 5.0, Some(5)));
    }
}
