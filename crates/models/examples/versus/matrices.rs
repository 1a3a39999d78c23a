//! Sparse matrices that another program wrote.

use std::fs;
use std::path::Path;

use super::Failure;
use super::gowalla::{Rows, Split};

/// The two parts, and the one value of the matrix.
pub(crate) fn read(folder: &Path) -> Result<(Split, f64), Failure> {
    let rows = |part: &str| -> Result<Rows, Failure> {
        let starts = npy(
            &folder.join(format!("{part}_indptr.npy")),
            "<i8",
            i64::from_le_bytes,
        )?;
        let columns = npy(
            &folder.join(format!("{part}_indices.npy")),
            "<i4",
            i32::from_le_bytes,
        )?;
        let row = |bounds: &[i64]| -> Result<Vec<u32>, Failure> {
            let columns = columns
                .get(usize::try_from(bounds[0])?..usize::try_from(bounds[1])?)
                .ok_or("a row ends beyond the columns")?;
            let mut row = columns
                .iter()
                .map(|&column| u32::try_from(column))
                .collect::<Result<Vec<_>, _>>()?;
            row.sort_unstable();
            Ok(row)
        };
        starts.windows(2).map(row).collect()
    };
    let (train, test) = (rows("train")?, rows("test")?);
    let values = npy(&folder.join("train_data.npy"), "<f4", f32::from_le_bytes)?;
    let value = *values.first().ok_or("the matrix is empty")?;
    if values.iter().any(|other| other.to_bits() != value.to_bits()) {
        return Err("the values of train_data.npy differ: this iALS asks whether, not how much".into());
    }
    let last = train.iter().chain(&test).flatten().max();
    let n_items = last.map_or(0, |&last| last as usize + 1);
    Ok((Split { train, test, n_items }, f64::from(value)))
}

/// The values of an array of one dimension, little endian.
pub(crate) fn npy<const WIDTH: usize, T>(
    path: &Path,
    kind: &str,
    value: fn([u8; WIDTH]) -> T,
) -> Result<Vec<T>, Failure> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let damaged = || format!("{} is not an array of {kind}", path.display());
    // Magic, version, the header's length in 2 bytes (version 1) or 4, the header.
    let (length, begin) = match *bytes.get(..12).ok_or_else(damaged)? {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, a, b, ..] => (usize::from(u16::from_le_bytes([a, b])), 10),
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d] => {
            (u32::from_le_bytes([a, b, c, d]) as usize, 12)
        }
        _ => return Err(damaged().into()),
    };
    let header = String::from_utf8_lossy(bytes.get(begin..begin + length).ok_or_else(damaged)?);
    if !header.contains(&format!("'{kind}'")) {
        return Err(format!("{}: {}", damaged(), header.trim()).into());
    }
    let (values, rest) = bytes[begin + length..].as_chunks::<WIDTH>();
    if !rest.is_empty() {
        return Err(damaged().into());
    }
    Ok(values.iter().map(|&bytes| value(bytes)).collect())
}
