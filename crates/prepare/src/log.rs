//! The log as the plans see it: one table with fixed columns, whatever was imported.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{
    Array, ArrayRef, RecordBatch, StringArray, StructArray, UInt8Array, new_null_array,
};
use catchment_schema::arrow::compute::cast;
use catchment_schema::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use catchment_schema::columns::required_column;
use datafusion::error::DataFusionError;
use datafusion::prelude::{DataFrame, SessionContext};
use tempfile::TempDir;

use crate::Error;
use crate::engine::memory_table;
use crate::workshop::{DiskTable, TableWriter, Workshop};

pub(crate) const USER_ID: &str = "user_id";
pub(crate) const ITEM_ID: &str = "item_id";
pub(crate) const PART: &str = "part";
pub(crate) const TIME: &str = "time";
pub(crate) const ORDER: &str = "order";
pub(crate) const EVENT: &str = "event";
pub(crate) const VALUE: &str = "value";
pub(crate) const DWELL: &str = "dwell";
pub(crate) const SESSION_ID: &str = "session_id";
/// Further columns of the log travel as one struct, so that their names cannot meet ours.
pub(crate) const EXTRA: &str = "extra";

/// Where a row belongs. Until the split, everything but a given test log is train.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    /// Its number in the column `part`.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Train => 0,
            Self::Validation => 1,
            Self::Test => 2,
        }
    }
}

/// An imported column, what it is called here, and its type here.
fn known_columns() -> [(&'static str, &'static str, DataType); 6] {
    [
        ("timestamp", TIME, DataType::Int64),
        ("order", ORDER, DataType::UInt32),
        ("event", EVENT, DataType::Utf8),
        ("value", VALUE, DataType::Float32),
        ("dwell_ms", DWELL, DataType::Int64),
        ("session_id", SESSION_ID, DataType::Utf8),
    ]
}

/// Collects imported batches: in memory, or in a file where the workshop keeps tables on disk.
#[derive(Default)]
pub(crate) struct Log {
    extra: Option<Fields>,
    batches: Vec<RecordBatch>,
    file: Option<(TempDir, TableWriter)>,
    n_rows: u64,
    workshop: Arc<Workshop>,
}

impl Log {
    pub(crate) fn new(workshop: Arc<Workshop>) -> Self {
        Self {
            workshop,
            ..Self::default()
        }
    }

    /// Adds rows of `part`. The first batch decides which extra columns there are; later ones are cast to
    /// its types, and have nulls where they lack a column.
    pub(crate) fn push(
        &mut self,
        path: &Path,
        part: Part,
        batch: &RecordBatch,
    ) -> catchment_schema::Result<()> {
        if batch.num_rows() == 0 && self.extra.is_some() {
            return Ok(());
        }
        let extra = self.extra.get_or_insert_with(|| extra_fields(batch)).clone();
        let n_rows = batch.num_rows();
        let mut columns: Vec<ArrayRef> = vec![];
        for name in [USER_ID, ITEM_ID] {
            columns.push(Arc::new(
                required_column::<StringArray>(path, batch, name)?.clone(),
            ));
        }
        columns.push(Arc::new(UInt8Array::from(vec![part.code(); n_rows])));
        for (imported, _, data_type) in known_columns() {
            columns.push(column_as(path, batch, imported, &data_type)?);
        }
        if !extra.is_empty() {
            let fields = extra
                .iter()
                .map(|field| column_as(path, batch, field.name(), field.data_type()))
                .collect::<catchment_schema::Result<Vec<_>>>()?;
            columns.push(Arc::new(StructArray::new(extra.clone(), fields, None)));
        }
        let schema = log_schema(&extra);
        let batch = RecordBatch::try_new(schema, columns).map_err(|error| inconsistent(path, &error))?;
        self.n_rows += n_rows as u64;
        self.workshop.meter.add_rows(n_rows);
        self.keep(batch).map_err(|error| inconsistent(path, &error))
    }

    fn keep(&mut self, batch: RecordBatch) -> Result<(), DataFusionError> {
        if self.file.is_none()
            && let Some(folder) = self.workshop.table_folder()?
        {
            let writer = TableWriter::create(folder.path(), 0, batch.schema())?;
            self.file = Some((folder, writer));
        }
        match &mut self.file {
            Some((_, writer)) => writer.write(&batch)?,
            None => self.batches.push(batch),
        }
        Ok(())
    }

    pub(crate) fn n_rows(&self) -> u64 {
        self.n_rows
    }

    /// The extra columns, in the order of the log.
    pub(crate) fn extra(&self) -> Vec<FieldRef> {
        self.extra
            .iter()
            .flat_map(|fields| fields.iter().cloned())
            .collect()
    }

    /// The whole log as a table of `n_partitions`.
    pub(crate) fn into_table(
        self,
        context: &SessionContext,
        n_partitions: usize,
    ) -> crate::Result<DataFrame> {
        let schema = log_schema(&self.extra.unwrap_or_else(Fields::empty));
        if let Some((folder, writer)) = self.file {
            return writer
                .finish()
                .and_then(|()| DiskTable::open(folder, schema))
                .and_then(|table| context.read_table(Arc::new(table)))
                .map_err(Error::engine("import"));
        }
        let mut partitions = vec![vec![]; n_partitions.max(1)];
        for (place, batch) in self.batches.into_iter().enumerate() {
            partitions[place % n_partitions.max(1)].push(batch);
        }
        memory_table(context, schema, partitions).map_err(Error::engine("import"))
    }
}

fn log_schema(extra: &Fields) -> SchemaRef {
    let mut fields = vec![
        Field::new(USER_ID, DataType::Utf8, false),
        Field::new(ITEM_ID, DataType::Utf8, false),
        Field::new(PART, DataType::UInt8, false),
    ];
    fields.extend(known_columns().map(|(_, name, data_type)| Field::new(name, data_type, true)));
    if !extra.is_empty() {
        fields.push(Field::new(EXTRA, DataType::Struct(extra.clone()), false));
    }
    Arc::new(Schema::new(fields))
}

fn extra_fields(batch: &RecordBatch) -> Fields {
    let is_known = |name: &str| {
        [USER_ID, ITEM_ID].contains(&name) || known_columns().iter().any(|(imported, ..)| *imported == name)
    };
    let schema = batch.schema();
    let extra = schema.fields().iter().filter(|field| !is_known(field.name()));
    extra
        .map(|field| Field::new(field.name(), field.data_type().clone(), true))
        .collect()
}

fn column_as(
    path: &Path,
    batch: &RecordBatch,
    name: &str,
    data_type: &DataType,
) -> catchment_schema::Result<ArrayRef> {
    let Some(column) = batch.column_by_name(name) else {
        return Ok(new_null_array(data_type, batch.num_rows()));
    };
    if column.data_type() == data_type {
        return Ok(column.clone());
    }
    // A cast makes nulls of what it cannot carry over; such a column has the wrong type.
    let cast = cast(column, data_type).ok();
    cast.filter(|cast| cast.null_count() == column.null_count())
        .ok_or_else(|| catchment_schema::Error::WrongType {
            path: path.to_owned(),
            column: name.to_owned(),
            expected: data_type.to_string(),
            found: column.data_type().to_string(),
        })
}

fn inconsistent(path: &Path, error: &dyn std::fmt::Display) -> catchment_schema::Error {
    catchment_schema::Error::Inconsistent {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
