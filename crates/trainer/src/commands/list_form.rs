//! The forms in which lists are written, told by the ending of the file.

use std::fmt::Write as _;
use std::path::Path;

use catchment_schema::{AtomicFile, RecommendationRow, RecommendationRows};

use crate::failure::Failure;

/// A form of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListForm {
    /// `recommendations.parquet`.
    Parquet,
    /// A header, then a row an item; channels with `|` between them.
    Csv,
    /// A JSON object an item, one a line.
    Jsonl,
}

impl ListForm {
    /// By the ending, whatever its case.
    ///
    /// # Errors
    /// Wrong use, for any other ending, or none.
    pub(super) fn of(file: &Path) -> Result<Self, Failure> {
        let ending = file
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        match ending.as_str() {
            "parquet" => Ok(Self::Parquet),
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            _ => Err(Failure::usage(
                format!("the ending of {} says no form to write in", file.display()),
                "let it end in .parquet, .csv or .jsonl",
            )),
        }
    }

    /// Writes the file, whole or not at all.
    pub(super) fn write(self, lists: &RecommendationRows, file: &Path) -> Result<(), Failure> {
        let text = match self {
            Self::Parquet => return Ok(lists.write(file)?),
            Self::Csv => csv(&lists.rows),
            Self::Jsonl => jsonl(&lists.rows),
        };
        Ok(AtomicFile::write(file, text.as_bytes())?)
    }
}

fn csv(rows: &[RecommendationRow]) -> String {
    let mut text = "user_id,item_id,rank,score,channels\n".to_owned();
    for row in rows {
        let (user, item, score) = (cell(&row.user_id), cell(&row.item_id), row.score.get());
        let channels = cell(&row.channels.join("|"));
        let _ = writeln!(text, "{user},{item},{},{score},{channels}", row.rank);
    }
    text
}

/// A cell, quoted as in RFC 4180 where it has to be.
fn cell(text: &str) -> String {
    // Some readers drop blanks around a cell.
    let needs_quotes = text.contains(['"', ',', '\n', '\r']) || text.trim() != text;
    if needs_quotes {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn jsonl(rows: &[RecommendationRow]) -> String {
    let line = |row: &RecommendationRow| {
        let channels: Vec<&str> = row.channels.iter().map(AsRef::as_ref).collect();
        let object = serde_json::json!({
            "user_id": &*row.user_id,
            "item_id": &*row.item_id,
            "rank": row.rank,
            "score": row.score.get(),
            "channels": channels,
        });
        format!("{object}\n")
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use catchment_schema::Score;

    use super::*;

    fn rows() -> Vec<RecommendationRow> {
        let row = |item: &str, rank, channels: &[&str]| RecommendationRow {
            user_id: "a \"b\", c".into(),
            item_id: item.into(),
            rank,
            score: Score::new(0.5).expect("finite"),
            channels: channels.iter().map(|&name| name.into()).collect(),
        };
        vec![row("x", 1, &["ials", "popular"]), row(" y", 2, &[])]
    }

    #[test]
    fn a_cell_that_would_be_misread_is_quoted() {
        assert_eq!(
            csv(&rows()),
            "user_id,item_id,rank,score,channels\n\"a \"\"b\"\", c\",x,1,0.5,ials|popular\n\"a \"\"b\"\", c\",\" y\",2,0.5,\n"
        );
    }

    #[test]
    fn a_line_is_an_object() {
        let text = jsonl(&rows());
        let first: serde_json::Value =
            serde_json::from_str(text.lines().next().unwrap_or_default()).expect("JSON");
        assert_eq!(first["user_id"], "a \"b\", c");
        assert_eq!(first["channels"], serde_json::json!(["ials", "popular"]));
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn the_ending_says_the_form() {
        assert_eq!(ListForm::of(Path::new("a/x.CSV")).ok(), Some(ListForm::Csv));
        for wrong in ["x", "x.xlsx", "x.csv.gz", "csv"] {
            assert!(ListForm::of(Path::new(wrong)).is_err(), "{wrong}");
        }
    }
}
