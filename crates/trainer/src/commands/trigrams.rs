//! `catchment-train trigrams`.

use std::path::Path;

use catchment_features::trigrams::{TrigramReport, words};
use serde_json::json;

use super::print_json;
use crate::cli::Output;
use crate::failure::Failure;
use crate::speech;

pub(crate) fn run(file: &Path, output: Output) -> Result<(), Failure> {
    let bytes = std::fs::read(file).map_err(|error| {
        const HELP: &str = "a text file, or a list of words with one on each line";
        let what = format!("{} cannot be read", file.display());
        if error.kind() == std::io::ErrorKind::NotFound {
            return Failure::usage(format!("{what}: no such file"), HELP);
        }
        Failure::with_help(anyhow::Error::from(error).context(what), HELP)
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::with_help(
            anyhow::anyhow!("{} is not UTF-8: byte {at}", file.display()),
            "iconv can turn it into UTF-8",
        )
    })?;
    let report = TrigramReport::of(words(&text));
    if report.words == 0 {
        return Err(Failure::with_help(
            anyhow::anyhow!("{} has no word", file.display()),
            "words are runs of letters and digits",
        ));
    }
    let rate = report.collisions as f64 / report.words as f64;
    if output.json {
        return print_json(&json!({
            "words": report.words, "trigrams": report.trigrams, "collisions": report.collisions,
            "collision_rate": rate, "examples": report.examples,
        }));
    }
    speech::say(format!(
        "{} words, {} letter trigrams, {} collisions ({:.4} %)",
        report.words,
        report.trigrams,
        report.collisions,
        100.0 * rate
    ));
    for group in &report.examples {
        speech::say(format!("the same: {}", group.join(", ")));
    }
    Ok(())
}
