//! How often the test part was looked at. Whoever chooses by it, again and again, measures luck; so each look is
//! counted, and told beside the numbers.

use std::fs;

use catchment_prepare::Prepared;
use catchment_schema::AtomicFile;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::work::Work;

/// `test_reads.json`.
#[derive(Default, Serialize, Deserialize)]
struct TestReads {
    /// Of the prepared data.
    data: String,
    /// How often their test part was measured on.
    reads: u32,
}

/// Counts one more look at the test part of these data, and returns the number of looks with it.
pub(crate) fn count(work: &Work, prepared: &Prepared) -> Result<u32, Failure> {
    let path = work.test_reads();
    // What cannot be read says nothing, and a new count begins.
    let before = fs::read(&path).ok();
    let before: TestReads = before
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let data = prepared.summary().hash.clone();
    let reads = if before.data == data {
        before.reads.saturating_add(1)
    } else {
        1
    };
    AtomicFile::write(&path, &serde_json::to_vec(&TestReads { data, reads })?)?;
    Ok(reads)
}

/// The heading of a table of the test part.
pub(crate) fn heading(reads: u32) -> String {
    match reads {
        0 | 1 => "on the test part, which nothing above has seen; it is read for the first time:".to_owned(),
        _ => format!(
            "on the test part, now read {reads} times since these data were prepared: choose by the validation part, for \
             what is chosen by this table looks better in it than it is:"
        ),
    }
}
