//! Files of nothing but numbers, little endian.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use super::Failure;

/// Writes them one after the other.
pub(crate) fn write<T: Copy>(path: &Path, numbers: &[T], bytes: fn(T) -> [u8; 4]) -> Result<(), Failure> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    for &number in numbers {
        file.write_all(&bytes(number))?;
    }
    Ok(file.flush()?)
}

/// Reads ids.
pub(crate) fn read(path: &Path) -> Result<Vec<u32>, Failure> {
    let bytes =
        fs::read(path).map_err(|error| format!("{}: {error}; make the input anew", path.display()))?;
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("{} ends within a number; make the input anew", path.display()).into());
    }
    Ok(numbers.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect())
}
