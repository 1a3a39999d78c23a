//! The model: what serving needs, and nothing of training.

use std::path::Path;
use std::sync::Arc;

use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, UInt32Array};
use catchment_schema::arrow::datatypes::{DataType, Field, Schema};
use catchment_schema::columns::{all_finite, required_column};
use catchment_schema::parquet_file::{FileKind, read_parquet, write_parquet};
use catchment_schema::{Error as FileError, Metadata};

use super::SparseRow;
use crate::Result;

/// The file of a linear model.
pub const LINEAR_MODEL: FileKind = FileKind {
    name: "linear-model",
    version: 1,
};
const N_FEATURES: &str = "catchment.n_features";
const BIAS: &str = "catchment.bias";

/// `logit(x) = bias + Σ weights[i]·x_i`.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    /// `[n_features]`, finite; most are exactly 0 after training with L1.
    pub weights: Vec<f32>,
    /// The log-odds of a row without features.
    pub bias: f32,
}

impl LogisticRegression {
    /// The log-odds of a row, summed in `f64` from the bias on, in the row's order. A feature beyond the
    /// weights counts nothing.
    pub fn logit(&self, row: SparseRow<'_>) -> f32 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the sum is kept wide, the result need not be"
        )]
        let logit = self.wide_logit(row) as f32;
        logit
    }

    /// As [`LogisticRegression::logit`], before rounding.
    pub fn wide_logit(&self, row: SparseRow<'_>) -> f64 {
        row.entries
            .iter()
            .fold(f64::from(self.bias), |sum, &(index, value)| {
                let weight = self.weights.get(index as usize).copied().unwrap_or(0.0);
                sum + f64::from(weight) * f64::from(value)
            })
    }

    /// How many weights are not zero.
    pub fn n_nonzero(&self) -> usize {
        self.weights.iter().filter(|&&weight| weight != 0.0).count()
    }

    /// Writes the weights that are not zero as Parquet: `index` (`UInt32`), `weight` (`Float32`).
    ///
    /// # Errors
    /// As [`write_parquet`]; [`FileError::BadValue`] for a weight or bias that is not finite.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        all_finite(path, "weight", &self.weights, 1)?;
        all_finite(path, "bias", &[self.bias], 1)?;
        let nonzero = || (0u32..).zip(&self.weights).filter(|&(_, &weight)| weight != 0.0);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(nonzero().map(|(index, _)| index))),
            Arc::new(Float32Array::from_iter_values(
                nonzero().map(|(_, &weight)| weight),
            )),
        ];
        let schema = Schema::new(vec![
            Field::new("index", DataType::UInt32, false),
            Field::new("weight", DataType::Float32, false),
        ]);
        let batch =
            RecordBatch::try_new(Arc::new(schema), columns).map_err(|error| inconsistent(path, &error))?;
        let metadata = Metadata::from([
            (N_FEATURES.to_owned(), self.weights.len().to_string()),
            (BIAS.to_owned(), self.bias.to_string()),
        ]);
        Ok(write_parquet(path, LINEAR_MODEL, &batch, &metadata)?)
    }

    /// Reads what [`LogisticRegression::save`] wrote.
    ///
    /// # Errors
    /// As [`read_parquet`]; [`FileError::Inconsistent`] when indices are beyond the features or do not rise,
    /// [`FileError::BadValue`] for a weight that is not finite.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let (batch, metadata) = read_parquet(path, LINEAR_MODEL)?;
        let indices = required_column::<UInt32Array>(path, &batch, "index")?;
        let values = required_column::<Float32Array>(path, &batch, "weight")?;
        all_finite(path, "weight", values.values(), 1)?;
        let text = |key: &str| metadata.get(key).cloned().unwrap_or_default();
        let n_features = text(N_FEATURES)
            .parse::<usize>()
            .ok()
            .filter(|&n| u32::try_from(n).is_ok());
        let bias = text(BIAS).parse::<f32>().ok().filter(|bias| bias.is_finite());
        let (Some(n_features), Some(bias)) = (n_features, bias) else {
            let reason = format!("its metadata lack a usable {N_FEATURES} or {BIAS}");
            return Err(inconsistent(path, &reason).into());
        };
        let in_order = indices.values().is_sorted_by(|a, b| a < b);
        let below = indices
            .values()
            .last()
            .is_none_or(|&index| (index as usize) < n_features);
        if !in_order || !below {
            let reason = format!("its indices do not rise, or not below {n_features}");
            return Err(inconsistent(path, &reason).into());
        }
        let mut weights = vec![0.0; n_features];
        for (&index, &weight) in indices.values().iter().zip(values.values()) {
            weights[index as usize] = weight;
        }
        Ok(Self { weights, bias })
    }
}

fn inconsistent(path: &Path, reason: &dyn std::fmt::Display) -> FileError {
    FileError::Inconsistent {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

/// `1 / (1 + e^−logit)`, without overflow.
pub fn sigmoid(logit: f64) -> f64 {
    if logit >= 0.0 {
        1.0 / (1.0 + (-logit).exp())
    } else {
        let odds = logit.exp();
        odds / (1.0 + odds)
    }
}

/// `−label·ln p − (1 − label)·ln(1 − p)` with `p = σ(logit)`, in nats, exact for any logit. Its slope in the logit is
/// `p − label`.
pub fn logloss(logit: f64, label: f64) -> f64 {
    // ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|)
    logit.max(0.0) + (-logit.abs()).exp().ln_1p() - label * logit
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    #[test]
    fn logloss_is_that_of_the_definition_and_finite_at_the_extremes() {
        for logit in [-3.0, -0.1, 0.0, 0.7, 5.0] {
            for label in [0.0, 0.25, 1.0] {
                let p = sigmoid(logit);
                let expected = -label * p.ln() - (1.0 - label) * (1.0 - p).ln();
                assert!((logloss(logit, label) - expected).abs() < 1e-12);
            }
        }
        assert!((logloss(1e6, 0.0) - 1e6).abs() < 1e-9);
        assert!(logloss(-1e6, 0.0).abs() < 1e-9);
        assert!(sigmoid(-1e6) <= 0.0);
        assert!(sigmoid(1e6) >= 1.0);
    }

    #[test]
    fn a_saved_model_opens_as_it_was() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("weights.parquet");
        for weights in [vec![0.0, 0.1, 0.0, -1e-30, f32::MAX], vec![0.0; 3], vec![]] {
            let model = LogisticRegression { weights, bias: -0.1 };
            model.save(&path).expect("saved");
            assert_eq!(LogisticRegression::open(&path).expect("opened"), model);
        }
    }

    #[test]
    fn what_is_no_model_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("weights.parquet");
        let model = LogisticRegression {
            weights: vec![f32::NAN],
            bias: 0.0,
        };
        assert!(matches!(
            model.save(&path),
            Err(Error::File(FileError::BadValue { .. }))
        ));
        assert!(matches!(
            LogisticRegression::open(&path),
            Err(Error::File(FileError::Io { .. }))
        ));
        std::fs::write(&path, b"not Parquet").expect("written");
        assert!(matches!(
            LogisticRegression::open(&path),
            Err(Error::File(FileError::Parquet { .. }))
        ));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from(vec![7])),
            Arc::new(Float32Array::from(vec![1.0])),
        ];
        let schema = Schema::new(vec![
            Field::new("index", DataType::UInt32, false),
            Field::new("weight", DataType::Float32, false),
        ]);
        let batch = RecordBatch::try_new(Arc::new(schema), columns).expect("batch");
        for n_features in ["7", "minus one", "99999999999999"] {
            let metadata = [(N_FEATURES, n_features), (BIAS, "0")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()));
            write_parquet(&path, LINEAR_MODEL, &batch, &Metadata::from(metadata)).expect("written");
            let error = LogisticRegression::open(&path).expect_err("inconsistent");
            assert!(
                matches!(error, Error::File(FileError::Inconsistent { .. })),
                "{error}"
            );
        }
    }
}
