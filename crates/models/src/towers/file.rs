//! A served query tower as files: what it is made of in `query.json`, its numbers in Parquet beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catchment_schema::arrow::array::{Array, ArrayRef, FixedSizeListArray, Float32Array, RecordBatch};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
use catchment_schema::columns::{all_finite, required_column};
use catchment_schema::parquet_file::{FileKind, read_parquet, write_parquet};
use catchment_schema::{
    AtomicFile, Embeddings, EmbeddingsMeta, Error as FileError, Metadata, Metric, Vocabulary,
};
use serde::{Deserialize, Serialize};

use super::served::{QueryTower, Table};
use super::{InputLayer, Mlp};
use crate::Result;

/// A table of numbers: `row`, a `FixedSizeList<Float32>`, in order.
pub const MATRIX: FileKind = FileKind {
    name: "matrix",
    version: 1,
};

/// The vectors of the items, in the folder of a tower.
pub const ITEMS_FILE: &str = "items.parquet";
/// What a query tower is made of.
pub const QUERY_FILE: &str = "query.json";
/// The version of [`QUERY_FILE`].
const FORMAT: u32 = 2;
/// The one that is written where the input is not bent, so that older programs can read it.
const UNBENT: u32 = 1;

/// `query.json`.
#[derive(Serialize, Deserialize)]
struct Written {
    format: u32,
    /// The features that it was trained on.
    features: String,
    input: InputLayer,
    mlp: Mlp,
    has_age: bool,
    has_bias: bool,
    n_tables: usize,
}

fn table_file(folder: &Path, table: usize) -> PathBuf {
    folder.join(format!("table_{table}.parquet"))
}

impl QueryTower {
    /// Writes it into `folder`; `features` is the fingerprint of what it reads.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn save(&self, folder: impl AsRef<Path>, features: &str) -> Result<()> {
        let folder = folder.as_ref();
        for (table, rows) in self.tables().iter().enumerate() {
            write_matrix(&table_file(folder, table), &rows.rows, rows.dim)?;
        }
        let path = folder.join(QUERY_FILE);
        let written = Written {
            format: if self.input().activation().is_none() {
                UNBENT
            } else {
                FORMAT
            },
            features: features.to_owned(),
            input: self.input().clone(),
            mlp: self.mlp().clone(),
            has_age: self.has_age(),
            has_bias: self.has_bias(),
            n_tables: self.tables().len(),
        };
        let json = serde_json::to_vec(&written).map_err(|error| inconsistent(&path, error.to_string()))?;
        AtomicFile::write(&path, &json)?;
        Ok(())
    }

    /// Reads what [`QueryTower::save`] wrote; `features` is the fingerprint of what it will be given.
    ///
    /// # Errors
    /// [`crate::Error::File`] for files that are missing, damaged, newer than this program, or of other features;
    /// [`crate::Error::Lookup`], [`crate::Error::BadLayers`] where the parts do not fit together.
    pub fn open(folder: impl AsRef<Path>, features: &str) -> Result<Self> {
        let folder = folder.as_ref();
        let path = folder.join(QUERY_FILE);
        let json = fs::read(&path).map_err(FileError::io(&path))?;
        let raw: serde_json::Value =
            serde_json::from_slice(&json).map_err(|error| inconsistent(&path, error.to_string()))?;
        if raw["format"]
            .as_u64()
            .is_none_or(|format| format > u64::from(FORMAT))
        {
            let reason = format!("format {}, this program reads up to {FORMAT}", raw["format"]);
            return Err(inconsistent(&path, reason).into());
        }
        let read: Written =
            serde_json::from_value(raw).map_err(|error| inconsistent(&path, error.to_string()))?;
        if read.features != features {
            let reason = format!(
                "it was trained on the features {}, not on {features}",
                read.features
            );
            return Err(inconsistent(&path, reason).into());
        }
        let tables = (0..read.n_tables).map(|table| read_matrix(&table_file(folder, table)));
        let tables = tables.collect::<Result<Vec<_>>>()?;
        Self::new(read.input, &tables, read.mlp, read.has_age, read.has_bias)
    }
}

/// Writes the vectors of the items, in vocabulary order.
///
/// # Errors
/// [`crate::Error::File`].
pub fn save_items(
    folder: &Path,
    items: &Vocabulary,
    vectors: &[f32],
    dim: usize,
    (model, run): (&str, &str),
    normalised: bool,
) -> Result<()> {
    let table = Embeddings {
        meta: EmbeddingsMeta {
            kind: "item".to_owned(),
            model: model.to_owned(),
            metric: Metric::InnerProduct,
            normalised,
            run: run.to_owned(),
        },
        dim,
        ids: items.ids().to_vec(),
        vectors: vectors.to_vec(),
        bias: None,
    };
    Ok(table.write(folder.join(ITEMS_FILE))?)
}

/// Reads what [`save_items`] wrote, against the same vocabulary.
///
/// # Errors
/// [`crate::Error::File`].
pub fn open_items(folder: &Path, items: &Vocabulary) -> Result<Embeddings> {
    let path = folder.join(ITEMS_FILE);
    let table = Embeddings::read(&path)?;
    if table.ids != items.ids() || table.meta.metric != Metric::InnerProduct {
        let reason = "its ids are not those of the item vocabulary, or its metric is no inner product";
        return Err(inconsistent(&path, reason.to_owned()).into());
    }
    Ok(table)
}

fn inconsistent(path: &Path, reason: String) -> FileError {
    FileError::Inconsistent {
        path: path.to_owned(),
        reason,
    }
}

fn write_matrix(path: &Path, rows: &[f32], dim: usize) -> Result<()> {
    all_finite(path, "row", rows, dim)?;
    let width = i32::try_from(dim).map_err(|_| inconsistent(path, format!("rows of {dim} are too wide")))?;
    let element = Arc::new(Field::new("item", DataType::Float32, false));
    let values = Arc::new(Float32Array::from(rows.to_vec()));
    let failed = |error: catchment_schema::arrow::error::ArrowError| FileError::Parquet {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let lists = FixedSizeListArray::try_new(element.clone(), width, values, None).map_err(failed)?;
    let schema = Schema::new(vec![Field::new(
        "row",
        DataType::FixedSizeList(element, width),
        false,
    )]);
    let columns: Vec<ArrayRef> = vec![Arc::new(lists)];
    let batch = RecordBatch::try_new(Arc::new(schema), columns).map_err(failed)?;
    Ok(write_parquet(path, MATRIX, &batch, &Metadata::new())?)
}

fn read_matrix(path: &Path) -> Result<Table> {
    let (batch, _) = read_parquet(path, MATRIX)?;
    let lists = required_column::<FixedSizeListArray>(path, &batch, "row")?;
    let dim = usize::try_from(lists.value_length()).unwrap_or(0);
    let values = lists.values().as_any().downcast_ref::<Float32Array>();
    let Some(values) = values.filter(|values| dim > 0 && values.null_count() == 0) else {
        return Err(inconsistent(path, "its rows are not of numbers".to_owned()).into());
    };
    let start = usize::try_from(lists.value_offset(0)).unwrap_or(0);
    let rows = values.values()[start..start + batch.num_rows() * dim].to_vec();
    all_finite(path, "row", &rows, dim)?;
    Ok(Table { dim, rows })
}
