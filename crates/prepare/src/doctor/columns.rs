//! Columns that say nothing.

use std::collections::BTreeMap;

use catchment_schema::arrow::array::{Array, ArrayRef, RecordBatch};
use catchment_schema::arrow::compute::concat;
use catchment_schema::arrow::util::display::array_value_to_string;
use catchment_schema::{Finding, Severity};

use super::{N_EXAMPLES, finding};

/// What was seen of every column.
#[derive(Default)]
pub(super) struct Columns {
    n_rows: u64,
    columns: BTreeMap<String, Column>,
}

#[derive(Default)]
struct Column {
    n_values: u64,
    /// The first value, as an array of one; `None` before any was seen.
    first: Option<ArrayRef>,
    varies: bool,
}

impl Columns {
    pub(super) fn look(&mut self, batch: &RecordBatch) {
        self.n_rows += batch.num_rows() as u64;
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let column = self.columns.entry(field.name().clone()).or_default();
            column.n_values += (array.len() - array.null_count()) as u64;
            if !column.varies {
                column.look(array);
            }
        }
    }

    /// Columns that every imported log has, whether or not the file does, are not missed where they are empty.
    pub(super) fn findings(&self, path: &str) -> Vec<Finding> {
        let expected = catchment_schema::import::interactions_schema();
        let is_ours = |name: &str| expected.column_with_name(name).is_some();
        let empty = |(name, column): &(&String, &Column)| column.n_values == 0 && !is_ours(name);
        let empty: Vec<String> = self
            .columns
            .iter()
            .filter(empty)
            .map(|(name, _)| name.clone())
            .collect();
        let constant = |(_, column): &(&String, &Column)| !column.varies && column.n_values == self.n_rows;
        let constant: Vec<String> = self
            .columns
            .iter()
            .filter(|_| self.n_rows > 1)
            .filter(constant)
            .map(|(name, column)| format!("{path}: {name} is always {}", column.shown()))
            .collect();
        let findings = [
            finding(
                empty.len() as u64,
                Severity::Note,
                "empty_column",
                format!("{} columns of {path} have no value", empty.len()),
                empty
                    .iter()
                    .take(N_EXAMPLES)
                    .map(|name| format!("{path}: {name}"))
                    .collect(),
                "leave them out of the features; if they should have values, check the columns of the source",
            ),
            finding(
                constant.len() as u64,
                Severity::Note,
                "constant_column",
                format!(
                    "{} columns of {path} have the same value in every row",
                    constant.len()
                ),
                constant.iter().take(N_EXAMPLES).cloned().collect(),
                "leave them out of the features: a model learns nothing from them",
            ),
        ];
        findings.into_iter().flatten().collect()
    }
}

impl Column {
    /// Compares every value with the first one.
    fn look(&mut self, array: &ArrayRef) {
        for row in (0..array.len()).filter(|&row| array.is_valid(row)) {
            let value = array.slice(row, 1);
            match &self.first {
                // A copy: a slice would hold the whole batch in memory.
                None => self.first = concat(&[value.as_ref()]).ok(),
                Some(first) if first.to_data() == value.to_data() => {}
                Some(_) => {
                    self.varies = true;
                    return;
                }
            }
        }
    }

    fn shown(&self) -> String {
        let first = self.first.as_ref();
        first
            .and_then(|first| array_value_to_string(first, 0).ok())
            .unwrap_or_default()
    }
}
