//! Rows that cannot be read: where they stand, and what becomes of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::source::OnError;
use crate::{Error, Finding, Result, Severity};

/// How many examples a finding lists.
const N_EXAMPLES: usize = 10;
/// How many characters of a value an error repeats.
const N_CHARS: usize = 60;
/// The column that is named when a line cannot even be cut into columns.
pub(super) const WHOLE_LINE: &str = "whole line";

/// Where the rows of a chunk come from, and which of them are faulty.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) path: PathBuf,
    /// Row (Parquet) or line (text) of every row of the chunk, from 1.
    pub(super) rows: Vec<u64>,
    /// Rows of the chunk with a value that cannot be used: the first such value of each.
    faulty: BTreeMap<usize, Error>,
    /// Rows that never made it into the chunk, by their number.
    unreadable: Vec<(u64, Error)>,
}

impl Origin {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            rows: Vec::new(),
            faulty: BTreeMap::new(),
            unreadable: Vec::new(),
        }
    }

    /// Marks a row of the chunk as faulty.
    pub(super) fn fault(&mut self, position: usize, column: &str, value: &str, reason: impl Into<String>) {
        let error = self.bad_value(self.rows[position], column, value, reason);
        self.faulty.entry(position).or_insert(error);
    }

    /// Notes a row that could not be put into the chunk.
    pub(super) fn unreadable(&mut self, row: u64, column: &str, value: &str, reason: impl Into<String>) {
        let error = self.bad_value(row, column, value, reason);
        self.unreadable.push((row, error));
    }

    pub(super) fn bad_value(&self, row: u64, column: &str, value: &str, reason: impl Into<String>) -> Error {
        Error::BadValue {
            path: self.path.clone(),
            row,
            column: column.to_owned(),
            value: shortened(value),
            reason: reason.into(),
        }
    }

    pub(super) fn n_unreadable(&self) -> usize {
        self.unreadable.len()
    }

    /// Whether the row can be used; rows without a fault, all of them, where `None`.
    pub(super) fn usable(&self) -> Option<Vec<bool>> {
        (!self.faulty.is_empty()).then(|| {
            (0..self.rows.len())
                .map(|position| !self.faulty.contains_key(&position))
                .collect()
        })
    }

    /// All faults, in the order of the file.
    fn into_faults(self) -> Vec<Error> {
        let mut faults = self.unreadable;
        for (position, error) in self.faulty {
            faults.push((self.rows[position], error));
        }
        faults.sort_by_key(|(row, _)| *row);
        faults.into_iter().map(|(_, error)| error).collect()
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(N_CHARS) {
        None => value.to_owned(),
        Some((end, _)) => format!("{}…", &value[..end]),
    }
}

/// What becomes of faulty rows over a whole import.
#[derive(Debug)]
pub(super) struct FaultLog {
    on_error: OnError,
    n_skipped: u64,
    first: Option<Error>,
    examples: Vec<String>,
}

impl FaultLog {
    pub(super) fn new(on_error: OnError) -> Self {
        Self {
            on_error,
            n_skipped: 0,
            first: None,
            examples: Vec::new(),
        }
    }

    /// Takes the faults of a chunk: fails with the first one, or counts them.
    pub(super) fn take(&mut self, origin: Origin) -> Result<()> {
        for error in origin.into_faults() {
            if self.on_error == OnError::Fail {
                return Err(error);
            }
            self.n_skipped += 1;
            if self.examples.len() < N_EXAMPLES {
                self.examples.push(error.to_string());
            }
            self.first.get_or_insert(error);
        }
        Ok(())
    }

    pub(super) fn n_skipped(&self) -> u64 {
        self.n_skipped
    }

    /// The first fault, for an import of which nothing is left.
    pub(super) fn into_first(self) -> Option<Error> {
        self.first
    }

    /// The finding that lists what was left out.
    pub(super) fn finding(&self, n_kept: u64) -> Option<Finding> {
        (self.n_skipped > 0).then(|| Finding {
            severity: Severity::Warning,
            code: "bad_row".to_owned(),
            message: format!(
                "{} of {} rows could not be read and were left out",
                self.n_skipped,
                self.n_skipped + n_kept
            ),
            examples: self.examples.clone(),
            remedy: "mend these rows, or set on_error = \"fail\" to stop at the first".to_owned(),
        })
    }
}
