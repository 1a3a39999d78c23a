//! Reads a log as somebody might have it, with two rows that cannot be read, and shows what comes of it.

use std::io::Write;

use catchment_schema::arrow::array::AsArray;
use catchment_schema::import::{Format, OnError, Source, import_interactions};
use catchment_schema::{Metadata, Vocabulary};

const LOG: &str = "\
visitor,sku,seconds,rating,device
ann,tea,1500000000,5,phone
ann,milk,1500000060.5,3,phone
bob,tea,1500000100,NaN,desktop
,honey,1500000200,4,desktop
bob,honey,1500000300,,desktop
";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("log.csv");
    std::fs::write(&path, LOG)?;

    let mut source = Source::new(path.to_string_lossy(), Format::Csv);
    for (ours, theirs) in [
        ("user_id", "visitor"),
        ("item_id", "sku"),
        ("timestamp", "seconds"),
        ("value", "rating"),
    ] {
        source.columns.insert(ours.to_owned(), theirs.to_owned());
    }
    source.on_error = OnError::Skip;

    let mut out = std::io::stdout();
    let mut items: Vec<String> = Vec::new();
    let report = import_interactions(&source, &mut |batch| {
        items.extend(
            batch["item_id"]
                .as_string::<i32>()
                .iter()
                .flatten()
                .map(str::to_owned),
        );
        Ok(())
    })?;
    writeln!(out, "{} rows, {} left out", report.rows, report.skipped)?;
    for finding in &report.findings {
        writeln!(out, "{}: {}", finding.code, finding.message)?;
        for example in &finding.examples {
            writeln!(
                out,
                "  {}",
                example.replace(&folder.path().display().to_string(), "…")
            )?;
        }
        writeln!(out, "  {}", finding.remedy)?;
    }

    let vocabulary = Vocabulary::from_counts(items.iter().map(|item| (item, 1)));
    vocabulary.write(folder.path().join("items.parquet"), &Metadata::new())?;
    writeln!(out, "items: {}", vocabulary.ids().join(", "))?;
    Ok(())
}
