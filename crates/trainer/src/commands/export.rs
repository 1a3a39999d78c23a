//! `catchment-train export`.

use std::fs;
use std::path::Path;

use catchment_schema::AtomicFile;
use catchment_schema::vector_files::{write_npy, write_word2vec_text};

use super::print_json;
use crate::cli::{BundleArgs, Format, Output, What};
use crate::failure::Failure;
use crate::speech;

pub(crate) fn run(
    args: &BundleArgs,
    channel: &str,
    what: What,
    format: Format,
    file: &Path,
    output: Output,
) -> Result<(), Failure> {
    let pipeline = super::batch::open(&args.bundle, output)?;
    let (embeddings, left_out) = match what {
        What::Items => (pipeline.item_embeddings(channel)?, None),
        What::Output => (pipeline.output_embeddings(channel)?, None),
        What::Users => {
            let users = pipeline.user_embeddings(channel)?;
            (users.vectors, Some(users.left_out))
        }
    };
    match format {
        Format::Parquet => embeddings.write(file)?,
        Format::Npy => {
            write_npy(file, embeddings.dim, &embeddings.vectors)?;
            let mut ids = embeddings.ids.join("\n");
            ids.push('\n');
            AtomicFile::write(file.with_extension("ids.txt"), ids.as_bytes())?;
        }
        Format::Word2vec => write_word2vec_text(file, &embeddings.ids, embeddings.dim, &embeddings.vectors)?,
    }
    let bytes = fs::metadata(file)
        .map_err(catchment_schema::Error::io(file))?
        .len();
    if output.json {
        let rows = embeddings.ids.len();
        let mut told =
            serde_json::json!({ "rows": rows, "dim": embeddings.dim, "file": file, "bytes": bytes });
        if let Some(left_out) = left_out {
            told["left_out"] = left_out.into();
        }
        return print_json(&told);
    }
    if !output.quiet {
        speech::say(format!(
            "{} vectors of {} values, {}",
            embeddings.ids.len(),
            embeddings.dim,
            file.display()
        ));
        if let Some(left_out) = left_out.filter(|&left_out| left_out > 0) {
            speech::aside(format!(
                "note: {left_out} users are left out: none of their items has a vector"
            ));
        }
    }
    Ok(())
}
