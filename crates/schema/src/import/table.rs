//! Tables of items and users: read as a whole, one row for each id.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, ListBuilder, RecordBatch, RecordBatchOptions, StringArray,
    StringBuilder, new_null_array,
};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field, Schema};

use super::chunk::Typing;
use super::conform::{Conform, Known};
use super::extras::{Extras, settle};
use super::faults::FaultLog;
use super::files::Table;
use super::meaning::{Meaning, list_of_words};
use super::source::Source;
use super::{ImportReport, each_chunk, finish};
use crate::parquet_file::parquet_error;
use crate::{Error, Result};

/// Reads a table whose first known column is the id.
pub(super) fn import_table(
    source: &Source,
    table: Table,
    known: &'static [Known],
) -> Result<(RecordBatch, ImportReport)> {
    source.validate()?;
    let mut conform = Conform::new(source, known, Extras::Collected)?;
    let mut log = FaultLog::new(source.on_error);
    let mut pieces = Vec::new();
    let mut is_text = false;
    each_chunk(source, table, &mut |chunk| {
        is_text |= chunk.typing != Typing::Typed;
        pieces.push(conform.conform(chunk, &mut log)?.batch);
        Ok(())
    })?;
    let union = split_lists(source, &union(source.path(), known, &pieces, is_text)?)?;
    let report = finish(source, union.num_rows() as u64, log, conform)?;
    Ok((union, report))
}

/// One batch of all pieces: known columns first, in the order of the contract, then the others in the order in
/// which they first appear. A piece without a column has nulls there.
fn union(path: &Path, known: &[Known], pieces: &[RecordBatch], is_text: bool) -> Result<RecordBatch> {
    let mut names: Vec<&str> = known.iter().map(|known| known.name).collect();
    let mut taken: HashSet<&str> = names.iter().copied().collect();
    let mut positions: Vec<HashMap<&str, usize>> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let fields = piece.schema_ref().fields();
        for field in fields {
            if taken.insert(field.name()) {
                names.push(field.name());
            }
        }
        let of_piece = fields.iter().enumerate();
        positions.push(
            of_piece
                .map(|(position, field)| (field.name().as_str(), position))
                .collect(),
        );
    }
    let (mut fields, mut columns) = (vec![], vec![]);
    for name in names {
        let of_piece = pieces.iter().zip(&positions).map(|(piece, positions)| {
            let position = positions.get(name);
            (piece.num_rows(), position.map(|&position| piece.column(position)))
        });
        let Some(column) = joined(path, name, &of_piece.collect::<Vec<_>>())? else {
            continue;
        };
        let column = match known.iter().find(|known| known.name == name) {
            Some(known) if is_text && known.meaning == Meaning::Words => json_lists(&column),
            None if is_text => settle(&column),
            _ => column,
        };
        let nullable = known.iter().all(|known| known.name != name || !known.required);
        fields.push(Field::new(name, column.data_type().clone(), nullable));
        columns.push(column);
    }
    let n_rows = pieces.iter().map(RecordBatch::num_rows).sum();
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|error| parquet_error(path, &error))
}

/// Cuts the columns that the source calls lists into words.
fn split_lists(source: &Source, table: &RecordBatch) -> Result<RecordBatch> {
    let (mut fields, mut columns) = (table.schema_ref().fields().to_vec(), table.columns().to_vec());
    for (name, between) in &source.lists {
        let place = fields.iter().position(|field| field.name() == name);
        let text = place.and_then(|place| columns[place].as_string_opt::<i32>().map(|text| (place, text)));
        let Some((place, text)) = text else {
            return Err(source.bad("lists", format!("there is no column `{name}` of texts")));
        };
        let words = |cell: &str| {
            let words = cell
                .split(between.as_str())
                .map(str::trim)
                .filter(|word| !word.is_empty());
            words.map(str::to_owned).collect()
        };
        let column: ArrayRef = Arc::new(lists(text, words));
        fields[place] = Arc::new(Field::new(name, column.data_type().clone(), true));
        columns[place] = column;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(table.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options)
        .map_err(|error| parquet_error(source.path(), &error))
}

/// The column of all pieces, each with its number of rows, in one; `None` where no piece has it.
fn joined(path: &Path, name: &str, pieces: &[(usize, Option<&ArrayRef>)]) -> Result<Option<ArrayRef>> {
    let mut types = pieces.iter().filter_map(|(_, column)| *column);
    let Some(first) = types.next() else {
        return Ok(None);
    };
    // Lists take single words in, not the other way round.
    let list = types.find(|column| matches!(column.data_type(), DataType::List(_)));
    let data_type = list.unwrap_or(first).data_type();
    let mut parts = Vec::with_capacity(pieces.len());
    for &(n_rows, column) in pieces {
        parts.push(match column {
            None => new_null_array(data_type, n_rows),
            Some(column) if column.data_type() == data_type => column.clone(),
            Some(column) => cast(column, data_type)
                .ok()
                .filter(|cast| cast.null_count() == column.null_count())
                .ok_or_else(|| Error::WrongType {
                    path: path.to_owned(),
                    column: name.to_owned(),
                    expected: format!("{data_type}, as in the first file"),
                    found: column.data_type().to_string(),
                })?,
        });
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts)
        .map(Some)
        .map_err(|error| parquet_error(path, &error))
}

/// A column of text in which a cell is a JSON list of words becomes a column of lists; a cell that is none is a
/// list of one.
fn json_lists(column: &ArrayRef) -> ArrayRef {
    let list_in = |cell: &str| serde_json::from_str::<Vec<String>>(cell).ok();
    let Some(text) = column.as_string_opt::<i32>() else {
        return column.clone();
    };
    if !text
        .iter()
        .flatten()
        .any(|cell| cell.starts_with('[') && list_in(cell).is_some())
    {
        return column.clone();
    }
    Arc::new(lists(text, |cell| {
        list_in(cell).unwrap_or_else(|| vec![cell.to_owned()])
    }))
}

/// A list for each cell; null where it is null.
fn lists(text: &StringArray, split: impl Fn(&str) -> Vec<String>) -> ListArray {
    let mut lists = ListBuilder::new(StringBuilder::new());
    for cell in text {
        for word in cell.map(&split).unwrap_or_default() {
            lists.values().append_value(word);
        }
        lists.append(cell.is_some());
    }
    debug_assert_eq!(lists.finish_cloned().data_type(), &list_of_words());
    lists.finish()
}
