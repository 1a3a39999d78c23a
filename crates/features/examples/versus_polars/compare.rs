//! Are the peer's values ours?

use std::path::Path;

use catchment_features::{FeatureBatch, FeatureColumn, FittedFeatures, Side};
use catchment_schema::arrow::array::{Array as _, AsArray as _};
use catchment_schema::arrow::compute::cast;
use catchment_schema::arrow::datatypes::{DataType, Float64Type};
use catchment_schema::parquet_file::read_any_parquet;

/// Numbers may differ by the rounding of a mean and of a logarithm.
const TOLERANCE: f64 = 2e-6;

/// Compares every column with `NAME.parquet`, `NAME.len.parquet` (entries a row) and, where there is one,
/// `NAME.weight.parquet` (the weight of a row's entries) in `folder`.
pub(crate) fn with(folder: &Path, fitted: &FittedFeatures, ours: &FeatureBatch) -> crate::Anything<()> {
    for (shape, column) in fitted.shape(Side::Item).iter().zip(&ours.columns) {
        let read = |suffix: &str| numbers(&folder.join(format!("{}{suffix}.parquet", shape.name)));
        let values = read("")?;
        match column {
            FeatureColumn::Dense { values: own, .. } => {
                let own: Vec<f64> = own.iter().map(|&value| f64::from(value)).collect();
                equal(&shape.name, &own, &values, TOLERANCE)?;
            }
            FeatureColumn::Bag {
                offsets,
                ids,
                weights,
                ..
            } => {
                let own: Vec<f64> = ids.iter().map(|&id| f64::from(id)).collect();
                equal(&shape.name, &own, &values, 0.0)?;
                let rows = || offsets.windows(2);
                let own: Vec<f64> = rows().map(|row| f64::from(row[1] - row[0])).collect();
                equal(&format!("{}.len", shape.name), &own, &read(".len")?, 0.0)?;
                if let Ok(peer) = read(".weight") {
                    let filled = rows().filter(|row| row[1] > row[0]);
                    let own: Vec<f64> = filled.map(|row| f64::from(weights[row[0] as usize])).collect();
                    equal(&format!("{}.weight", shape.name), &own, &peer, TOLERANCE)?;
                }
            }
        }
        println!("{}: {} values are equal", shape.name, values.len());
    }
    Ok(())
}

fn numbers(path: &Path) -> crate::Anything<Vec<f64>> {
    let (batch, _) = read_any_parquet(path)?;
    let column = cast(batch.column(0), &DataType::Float64)?;
    if column.null_count() > 0 {
        return Err(format!("{} has nulls", path.display()).into());
    }
    Ok(column.as_primitive::<Float64Type>().values().to_vec())
}

fn equal(name: &str, ours: &[f64], peer: &[f64], tolerance: f64) -> crate::Anything<()> {
    if ours.len() != peer.len() {
        return Err(format!("{name}: {} values, the peer has {}", ours.len(), peer.len()).into());
    }
    let differs = |(a, b): (&f64, &f64)| (a - b).abs() > tolerance * b.abs().max(1.0);
    match ours.iter().zip(peer).position(differs) {
        Some(place) => Err(format!(
            "{name}: value {place} is {}, the peer's is {}",
            ours[place], peer[place]
        )
        .into()),
        None => Ok(()),
    }
}
