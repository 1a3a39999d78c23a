//! A served query tower as files: what it is made of in `query.json`, its tables beside it, which are read where they lie.

use std::fs;
use std::path::{Path, PathBuf};

use catchment_schema::arrow::array::{Array, FixedSizeListArray, Float32Array};
use catchment_schema::columns::{all_finite, required_column};
use catchment_schema::parquet_file::{FileKind, read_parquet};
use catchment_schema::{
    AtomicFile, Embeddings, EmbeddingsMeta, Error as FileError, Matrix, Metric, Vocabulary,
};
use serde::{Deserialize, Serialize};

use super::served::QueryTower;
use super::{InputLayer, Mlp};
use crate::Result;

/// A table of numbers as it was in format 1 and 2: `row`, a `FixedSizeList<Float32>`, in order.
const MATRIX: FileKind = FileKind {
    name: "matrix",
    version: 1,
};

/// The vectors of the items, in the folder of a tower.
pub const ITEMS_FILE: &str = "items.parquet";
/// What a query tower is made of.
pub const QUERY_FILE: &str = "query.json";
/// The version of [`QUERY_FILE`].
///
/// 2: an input may have a bias and an activation. 3: tables are [`Matrix`] files, before it Parquet.
const FORMAT: u32 = 3;
/// The last with tables in Parquet.
const PARQUET: u64 = 2;

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

fn table_file(folder: &Path, table: usize, ending: &str) -> PathBuf {
    folder.join(format!("table_{table}.{ending}"))
}

impl QueryTower {
    /// Writes it into `folder`; `features` is the fingerprint of what it reads.
    ///
    /// # Errors
    /// [`crate::Error::File`].
    pub fn save(&self, folder: impl AsRef<Path>, features: &str) -> Result<()> {
        let folder = folder.as_ref();
        for (table, rows) in self.tables().iter().enumerate() {
            rows.write(table_file(folder, table, "arrow"))?;
        }
        let path = folder.join(QUERY_FILE);
        let written = Written {
            format: FORMAT,
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
        let format = raw["format"].as_u64();
        let Some(format) = format.filter(|&format| format <= u64::from(FORMAT)) else {
            let reason = format!("format {}, this program reads up to {FORMAT}", raw["format"]);
            return Err(inconsistent(&path, reason).into());
        };
        let read: Written =
            serde_json::from_value(raw).map_err(|error| inconsistent(&path, error.to_string()))?;
        if read.features != features {
            let reason = format!(
                "it was trained on the features {}, not on {features}",
                read.features
            );
            return Err(inconsistent(&path, reason).into());
        }
        let tables = (0..read.n_tables).map(|table| {
            if format <= PARQUET {
                return read_parquet_matrix(&table_file(folder, table, "parquet"));
            }
            Ok(Matrix::map(table_file(folder, table, "arrow"))?)
        });
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

fn read_parquet_matrix(path: &Path) -> Result<Matrix> {
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
    Ok(Matrix::new(dim, rows)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catchment_schema::Metadata;
    use catchment_schema::arrow::array::{ArrayRef, RecordBatch};
    use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
    use catchment_schema::parquet_file::write_parquet;

    use super::*;
    use crate::towers::{Activation, Layer};

    /// As older programs wrote it.
    fn write_parquet_matrix(path: &Path, rows: &[f32], dim: usize) {
        let width = i32::try_from(dim).expect("narrow");
        let element = Arc::new(Field::new("item", DataType::Float32, false));
        let values = Arc::new(Float32Array::from(rows.to_vec()));
        let lists = FixedSizeListArray::try_new(element.clone(), width, values, None).expect("lists");
        let field = Field::new("row", DataType::FixedSizeList(element, width), false);
        let columns: Vec<ArrayRef> = vec![Arc::new(lists)];
        let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), columns).expect("a batch");
        write_parquet(path, MATRIX, &batch, &Metadata::new()).expect("written");
    }

    #[test]
    fn a_tower_with_tables_in_parquet_is_still_read_and_one_of_tomorrow_is_told() {
        let mut input = InputLayer::default();
        input.append_numbers("age", 2);
        let layer = Layer::Dense {
            weights: vec![1.0, 2.0, 3.0, 4.0],
            bias: vec![0.5, 0.25],
            activation: Activation::Tanh,
        };
        let mlp = Mlp::new(2, vec![layer], true).expect("layers");
        let tower = QueryTower::new(input, &[], mlp, true, false).expect("a tower");
        let folder = tempfile::tempdir().expect("temporary folder");
        tower.save(folder.path(), "f").expect("written");
        assert_eq!(QueryTower::open(folder.path(), "f").expect("read"), tower);
        let path = folder.path().join(QUERY_FILE);
        let as_format = |format: u32| {
            let text = fs::read_to_string(&path).expect("text");
            let now = text.find(',').expect("keys");
            let text = format!("{{\"format\":{format}{}", &text[now..]);
            fs::write(&path, text).expect("written");
        };
        for format in [1, 2] {
            as_format(format);
            assert_eq!(QueryTower::open(folder.path(), "f").expect("read"), tower);
        }
        as_format(4);
        let error = QueryTower::open(folder.path(), "f").expect_err("of tomorrow");
        assert!(error.to_string().contains("reads up to 3"), "{error}");
        let table = folder.path().join("table_0.parquet");
        write_parquet_matrix(&table, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
        let read = read_parquet_matrix(&table).expect("read");
        assert_eq!(
            (read.dim(), read.rows()),
            (3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..])
        );
    }
}
