//! Tables of vectors.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, FixedSizeListArray, Float32Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use serde::{Deserialize, Serialize};

use crate::columns::{all_finite, column, required_column};
use crate::parquet_file::{FileKind, Metadata, ParquetFileWriter, parquet_error, read_parquet};
use crate::{Error, Result};

/// The embeddings file.
pub const EMBEDDINGS: FileKind = FileKind {
    name: "embeddings",
    version: 1,
};

/// Rows that are written at once, a row group: no more than these are in memory twice.
const WRITTEN_AT_ONCE: usize = 1 << 14;

/// How near two vectors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// `⟨a, b⟩`; higher is nearer.
    InnerProduct,
    /// `⟨a, b⟩ / (‖a‖ ‖b‖)`, 0 where a norm is 0; higher is nearer.
    Cosine,
    /// Minus the squared Euclidean distance, so that higher is nearer here too.
    L2,
}

impl Metric {
    /// Its name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::InnerProduct => "inner_product",
            Self::Cosine => "cosine",
            Self::L2 => "l2",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::InnerProduct, Self::Cosine, Self::L2]
            .into_iter()
            .find(|metric| metric.name() == name)
    }
}

/// What the vectors of a table stand for, and how they are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingsMeta {
    /// `item`, `user`, `user_type` or `item_type`.
    pub kind: String,
    /// The kind of model that made them, as in a recipe (`ials`, `item2vec`, …).
    pub model: String,
    /// How they are compared.
    pub metric: Metric,
    /// Whether every vector has length 1.
    pub normalised: bool,
    /// Which run made them.
    pub run: String,
}

/// One vector for each id, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    /// What they are.
    pub meta: EmbeddingsMeta,
    /// Width of a vector.
    pub dim: usize,
    /// Raw ids, one a row.
    pub ids: Vec<Arc<str>>,
    /// `[ids.len(), dim]`, finite.
    pub vectors: Vec<f32>,
    /// `[ids.len()]`, where the model has a bias for each id.
    pub bias: Option<Vec<f32>>,
}

impl Embeddings {
    /// The vector in row `row`.
    pub fn vector(&self, row: usize) -> &[f32] {
        &self.vectors[row * self.dim..(row + 1) * self.dim]
    }

    /// Writes `id`, `vector` and, where there is one, `bias`.
    ///
    /// # Errors
    /// [`Error::Inconsistent`] when the lengths disagree or an id occurs twice, [`Error::BadValue`] for a value that is not finite.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let n = self.ids.len();
        let lengths_agree = self.dim > 0
            && self.vectors.len() == n * self.dim
            && self.bias.as_ref().is_none_or(|bias| bias.len() == n);
        if !lengths_agree {
            return Err(Error::Inconsistent {
                path: path.to_owned(),
                reason: format!("{n} ids, {} values, dimension {}", self.vectors.len(), self.dim),
            });
        }
        no_duplicates(path, &self.ids)?;
        all_finite(path, "vector", &self.vectors, self.dim)?;
        all_finite(path, "bias", self.bias.as_deref().unwrap_or_default(), 1)?;
        let width = i32::try_from(self.dim).map_err(|_| Error::Inconsistent {
            path: path.to_owned(),
            reason: format!("dimension {} is too large", self.dim),
        })?;
        let element = Arc::new(Field::new("item", DataType::Float32, false));
        let mut fields = vec![
            Field::new("id", DataType::Utf8, false),
            Field::new("vector", DataType::FixedSizeList(element.clone(), width), false),
        ];
        if self.bias.is_some() {
            fields.push(Field::new("bias", DataType::Float32, false));
        }
        let schema = Arc::new(Schema::new(fields));
        let metadata = Metadata::from([
            ("catchment.kind".to_owned(), self.meta.kind.clone()),
            ("catchment.model".to_owned(), self.meta.model.clone()),
            ("catchment.metric".to_owned(), self.meta.metric.name().to_owned()),
            (
                "catchment.normalised".to_owned(),
                self.meta.normalised.to_string(),
            ),
            ("catchment.run".to_owned(), self.meta.run.clone()),
        ]);
        let mut writer = ParquetFileWriter::create(path, EMBEDDINGS, schema.clone(), &metadata)?;
        for begin in (0..n.max(1)).step_by(WRITTEN_AT_ONCE) {
            let rows = begin..n.min(begin + WRITTEN_AT_ONCE);
            let values = self.vectors[rows.start * self.dim..rows.end * self.dim].to_vec();
            let values = Arc::new(Float32Array::from(values));
            let vectors = FixedSizeListArray::try_new(element.clone(), width, values, None)
                .map_err(|error| parquet_error(path, &error))?;
            let mut columns: Vec<ArrayRef> = vec![
                Arc::new(StringArray::from_iter_values(&self.ids[rows.clone()])),
                Arc::new(vectors),
            ];
            if let Some(bias) = &self.bias {
                columns.push(Arc::new(Float32Array::from(bias[rows.clone()].to_vec())));
            }
            let batch =
                RecordBatch::try_new(schema.clone(), columns).map_err(|error| parquet_error(path, &error))?;
            writer.write(&batch)?;
            if rows.end < n {
                writer.end_row_group()?;
            }
        }
        writer.commit()
    }

    /// Bytes that [`Embeddings::write`] takes beside the table itself, at most: where each id is, and some rows on their
    /// way to the file.
    pub fn writing_bytes(n_rows: usize, dim: usize) -> usize {
        // A hash set of so many borrowed texts, at its fullest twice as large; the rows as they are, and what the writer makes
        // of them: it looks for values that come again before it gives that up (seven to eleven times, measured).
        let row = dim * size_of::<f32>();
        n_rows * (size_of::<Arc<str>>() + 2 * (size_of::<&str>() + 1))
            + n_rows.min(WRITTEN_AT_ONCE) * 12 * row
    }

    /// Reads what [`Embeddings::write`] wrote.
    ///
    /// # Errors
    /// As [`read_parquet`]; [`Error::BadValue`] for nulls and values that are not finite; [`Error::Inconsistent`] when
    /// an id occurs twice or the metric is unknown.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (batch, metadata) = read_parquet(path, EMBEDDINGS)?;
        let ids = required_column::<StringArray>(path, &batch, "id")?;
        let lists = required_column::<FixedSizeListArray>(path, &batch, "vector")?;
        let wrong_type = || Error::WrongType {
            path: path.to_owned(),
            column: "vector".to_owned(),
            expected: "FixedSizeList<Float32>".to_owned(),
            found: lists.data_type().to_string(),
        };
        let dim = usize::try_from(lists.value_length()).map_err(|_| wrong_type())?;
        let values = lists
            .values()
            .as_any()
            .downcast_ref::<Float32Array>()
            .ok_or_else(wrong_type)?;
        if dim == 0 {
            return Err(wrong_type());
        }
        if let Some(position) = (0..values.len()).find(|&position| values.is_null(position)) {
            return Err(Error::BadValue {
                path: path.to_owned(),
                row: (position / dim) as u64 + 1,
                column: "vector".to_owned(),
                value: String::new(),
                reason: "a vector has no gaps".to_owned(),
            });
        }
        // A sliced list still points at all values of its parent.
        let start = usize::try_from(lists.value_offset(0)).map_err(|_| wrong_type())?;
        let vectors = values.values()[start..start + batch.num_rows() * dim].to_vec();
        all_finite(path, "vector", &vectors, dim)?;
        let ids: Vec<Arc<str>> = ids.iter().flatten().map(Arc::from).collect();
        no_duplicates(path, &ids)?;
        let bias = match column(path, &batch, "bias") {
            Ok(_) => Some(
                required_column::<Float32Array>(path, &batch, "bias")?
                    .values()
                    .to_vec(),
            ),
            Err(_) => None,
        };
        all_finite(path, "bias", bias.as_deref().unwrap_or_default(), 1)?;
        let text = |key: &str| metadata.get(key).cloned().unwrap_or_default();
        let metric = Metric::from_name(&text("catchment.metric")).ok_or_else(|| Error::Inconsistent {
            path: path.to_owned(),
            reason: format!("unknown metric {:?} in its metadata", text("catchment.metric")),
        })?;
        Ok(Self {
            meta: EmbeddingsMeta {
                kind: text("catchment.kind"),
                model: text("catchment.model"),
                metric,
                normalised: text("catchment.normalised") == "true",
                run: text("catchment.run"),
            },
            dim,
            ids,
            vectors,
            bias,
        })
    }
}

fn no_duplicates(path: &Path, ids: &[Arc<str>]) -> Result<()> {
    let mut seen = HashSet::with_capacity(ids.len());
    for id in ids {
        if !seen.insert(id.as_ref()) {
            return Err(Error::Inconsistent {
                path: path.to_owned(),
                reason: format!("the id {id:?} occurs twice"),
            });
        }
    }
    Ok(())
}
