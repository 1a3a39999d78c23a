//! Vectors for other programs: `.npy` arrays and the text form of word2vec.

use std::io::Write;
use std::path::Path;

use crate::columns::all_finite;
use crate::{AtomicFile, Error, Result};

/// Writes a `NumPy` file (format 1.0): a two-dimensional array `[vectors.len() / dim, dim]` of little-endian float32
/// in C order, as `numpy.load` reads it. The rows are in the order in which they are given; ids have no place in it.
///
/// # Errors
/// [`Error::Inconsistent`] when `vectors` is no whole number of rows, [`Error::BadValue`] for a value that is not
/// finite, [`Error::Io`].
pub fn write_npy(path: impl AsRef<Path>, dim: usize, vectors: &[f32]) -> Result<()> {
    let path = path.as_ref();
    let n_rows = n_rows(path, dim, vectors)?;
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({n_rows}, {dim}), }}");
    // Magic, version and length take 10 bytes; the data begins at a multiple of 64, after a line break.
    let padding = 63 - (10 + header.len()) % 64;
    header.push_str(&" ".repeat(padding));
    header.push('\n');
    // Two numbers of at most 20 digits: always far below the limit.
    let length = u16::try_from(header.len()).unwrap_or(u16::MAX);
    let mut file = AtomicFile::create(path)?;
    let mut write = || {
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&length.to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        vectors
            .iter()
            .try_for_each(|value| file.write_all(&value.to_le_bytes()))
    };
    write().map_err(Error::io(path))?;
    file.commit()
}

/// Writes the text form of word2vec: a line with the number of rows and the dimension, then a line for each id with
/// its values. Values are written so that they are read back as the same float32.
///
/// # Errors
/// [`Error::Inconsistent`] when there are not `dim` values for each id; [`Error::BadValue`] for a value that is not
/// finite, and for an id that is empty or has white space in it, which the format cannot hold.
pub fn write_word2vec_text<S: AsRef<str>>(
    path: impl AsRef<Path>,
    ids: &[S],
    dim: usize,
    vectors: &[f32],
) -> Result<()> {
    let path = path.as_ref();
    let n_rows = n_rows(path, dim, vectors)?;
    if n_rows != ids.len() {
        return Err(Error::Inconsistent {
            path: path.to_owned(),
            reason: format!("{} ids, {n_rows} vectors", ids.len()),
        });
    }
    let unfit = |id: &str| id.is_empty() || id.contains(char::is_whitespace);
    if let Some(row) = ids.iter().position(|id| unfit(id.as_ref())) {
        return Err(Error::BadValue {
            path: path.to_owned(),
            row: row as u64 + 1,
            column: "id".to_owned(),
            value: ids[row].as_ref().to_owned(),
            reason: "the word2vec text form has no place for empty ids and white space in ids".to_owned(),
        });
    }
    let mut file = AtomicFile::create(path)?;
    let mut write = || {
        writeln!(file, "{n_rows} {dim}")?;
        for (id, vector) in ids.iter().zip(vectors.chunks_exact(dim)) {
            write!(file, "{}", id.as_ref())?;
            vector.iter().try_for_each(|value| write!(file, " {value}"))?;
            writeln!(file)?;
        }
        Ok(())
    };
    write().map_err(Error::io(path))?;
    file.commit()
}

fn n_rows(path: &Path, dim: usize, vectors: &[f32]) -> Result<usize> {
    if dim == 0 || !vectors.len().is_multiple_of(dim) {
        return Err(Error::Inconsistent {
            path: path.to_owned(),
            reason: format!("{} values are no rows of dimension {dim}", vectors.len()),
        });
    }
    all_finite(path, "vector", vectors, dim)?;
    Ok(vectors.len() / dim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_bytes_are_those_of_the_format() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("items.npy");
        write_npy(&path, 3, &[1.0, 2.0, 3.0, -4.0, 0.5, 6.0]).expect("writes");
        let bytes = std::fs::read(&path).expect("reads");
        assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
        let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        assert_eq!((10 + length) % 64, 0);
        let header = std::str::from_utf8(&bytes[10..10 + length]).expect("text");
        assert!(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"));
        assert!(header.ends_with('\n'));
        let values: Vec<f32> = bytes[10 + length..]
            .chunks_exact(4)
            .map(|value| f32::from_le_bytes([value[0], value[1], value[2], value[3]]))
            .collect();
        assert_eq!(values, [1.0, 2.0, 3.0, -4.0, 0.5, 6.0]);
    }

    #[test]
    fn word2vec_text_reads_back_to_the_same_floats() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("items.txt");
        let vectors = [0.1, f32::MIN_POSITIVE, -1e30, 3.0];
        write_word2vec_text(&path, &["a", "b"], 2, &vectors).expect("writes");
        let text = std::fs::read_to_string(&path).expect("reads");
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("2 2"));
        let read: Vec<f32> = lines
            .flat_map(|line| line.split(' ').skip(1))
            .map(|value| value.parse().expect("a float"))
            .collect();
        assert_eq!(read, vectors);
    }

    #[test]
    fn what_has_no_place_in_a_file_is_refused_and_leaves_none() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("items");
        assert!(matches!(
            write_npy(&path, 2, &[1.0]),
            Err(Error::Inconsistent { .. })
        ));
        assert!(matches!(
            write_npy(&path, 0, &[]),
            Err(Error::Inconsistent { .. })
        ));
        let nan = write_npy(&path, 2, &[1.0, 1.0, 1.0, f32::NAN]);
        assert!(matches!(nan, Err(Error::BadValue { row: 2, .. })));
        let spaced = write_word2vec_text(&path, &["a", "b c"], 1, &[1.0, 2.0]);
        assert!(matches!(spaced, Err(Error::BadValue { row: 2, .. })));
        let short = write_word2vec_text(&path, &["a", "b"], 1, &[1.0]);
        assert!(matches!(short, Err(Error::Inconsistent { .. })));
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
    }
}
