//! The rows that lists are to find: those of the held-out parts that do not say no.

use catchment_schema::{Finding, Severity, Vocabulary};
use datafusion::logical_expr::{Expr, lit};
use datafusion::prelude::DataFrame;

use crate::engine::{column, count};
use crate::log::{EVENT, PART, Part};
use crate::vocabularies::Indexed;
use crate::{Error, Result, SplitConfig};

const STAGE: &str = "summary";

/// The encoded log without what says no.
pub(crate) struct Targets {
    rows: DataFrame,
    /// Whether anything in it may say no: else the files' own counts are right, and nothing is counted again.
    has_noes: bool,
}

impl Targets {
    /// `words` are those of the log, by the numbers that stand in it; `negative` those that say no.
    pub(crate) fn of(encoded: &DataFrame, words: &Vocabulary, negative: &[String]) -> Result<Self> {
        let kinds = (0..=u16::MAX).zip(words.ids());
        let noes: Vec<Expr> = kinds
            .filter(|(_, word)| negative.iter().any(|no| **no == ***word))
            .map(|(kind, _)| lit(kind))
            .collect();
        let has_noes = !noes.is_empty();
        let rows = if has_noes {
            let says_yes = column(EVENT).in_list(noes, true);
            let rows = encoded.clone().filter(says_yes);
            rows.map_err(Error::engine(STAGE))?
        } else {
            encoded.clone()
        };
        Ok(Self { rows, has_noes })
    }

    /// How many ids of the test part lie beyond the vocabulary.
    pub(crate) async fn cold(&self, key: &str, indexed: &Indexed) -> Result<u64> {
        let is_beyond = column(key).gt_eq(lit(indexed.vocabulary.len() as u64));
        let cold = self.of_part(Part::Test).and_then(|rows| {
            rows.filter(is_beyond)
                .and_then(|rows| rows.select(vec![column(key)]))
                .and_then(DataFrame::distinct)
                .map_err(Error::engine(STAGE))
        });
        count(STAGE, &cold?).await
    }

    /// A part that was asked for and came out without a row to find would make every metric on it meaningless.
    /// `validation` and `test` say how many rows the files have.
    pub(crate) async fn empty_parts(
        &self,
        split: &SplitConfig,
        validation: u64,
        test: u64,
    ) -> Result<Vec<Finding>> {
        let mut empty = vec![];
        for (name, part, is_wanted, n_rows) in [
            ("test", Part::Test, true, test),
            (
                "validation",
                Part::Validation,
                split.validation.is_some(),
                validation,
            ),
        ] {
            let n_targets = if self.has_noes && n_rows > 0 {
                count(STAGE, &self.of_part(part)?).await?
            } else {
                n_rows
            };
            if !is_wanted || n_targets > 0 {
                continue;
            }
            let what = match n_rows {
                0 => "no row".to_owned(),
                n_rows => format!("no row that anybody is to find: all {n_rows} say no"),
            };
            empty.push(Finding {
                severity: Severity::Warning,
                code: "empty_part".to_owned(),
                message: format!("the {name} part has {what}"),
                examples: vec![],
                remedy: "take a larger share, a later moment, or a log with more rows for each user"
                    .to_owned(),
            });
        }
        Ok(empty)
    }

    fn of_part(&self, part: Part) -> Result<DataFrame> {
        let is_of_part = column(PART).eq(lit(part.code()));
        let rows = self.rows.clone().filter(is_of_part);
        rows.map_err(Error::engine(STAGE))
    }
}
