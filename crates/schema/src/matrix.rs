//! Tables of numbers that are read where they lie.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, AsArray, FixedSizeListArray, Float32Array, RecordBatch};
use arrow::buffer::{Buffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Float32Type, Schema};
use arrow::error::ArrowError;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::root_as_footer;
use arrow::ipc::writer::FileWriter;
use memmap2::Mmap;

use crate::columns::all_finite;
use crate::parquet_file::{FILE_KEY, FORMAT_KEY};
use crate::{AtomicFile, Error, Result};

/// The version of the file.
const FORMAT: u32 = 1;
const KIND: &str = "matrix";
const ROW: &str = "row";
/// What an Arrow file ends in: the length of its footer, then six letters.
const TRAILER: usize = 10;

/// `[n_rows × dim]` numbers, in memory or in a mapped file. A copy shares them.
///
/// The file is one of Arrow (IPC, not compressed) with one column `row`, a `FixedSizeList<Float32>`, in one batch: any Arrow
/// library reads it, and this one maps it into memory, where its pages come from the disk as they are read and are shared by
/// all processes that read it.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    dim: usize,
    rows: ScalarBuffer<f32>,
}

impl Matrix {
    /// Of rows in memory.
    ///
    /// # Errors
    /// [`Error::NoMatrix`] where `rows` is no number of whole rows.
    pub fn new(dim: usize, rows: Vec<f32>) -> Result<Self> {
        if dim == 0 || !rows.len().is_multiple_of(dim) {
            return Err(Error::NoMatrix {
                dim,
                n_numbers: rows.len(),
            });
        }
        Ok(Self {
            dim,
            rows: rows.into(),
        })
    }

    /// Their width.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// `[n_rows × dim]`
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// Writes the file; it appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::BadValue`] for a number that is not finite, [`Error::Io`], [`Error::Inconsistent`] for rows that are too wide.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        all_finite(path, ROW, &self.rows, self.dim)?;
        let width = i32::try_from(self.dim).map_err(|_| Error::Inconsistent {
            path: path.to_owned(),
            reason: format!("rows of {} are too wide", self.dim),
        })?;
        let mut file = AtomicFile::create(path)?;
        let mut written = || -> Result<(), ArrowError> {
            let element = Arc::new(Field::new_list_field(DataType::Float32, false));
            let values = Arc::new(Float32Array::new(self.rows.clone(), None));
            let lists = FixedSizeListArray::try_new(element, width, values, None)?;
            let field = Field::new(ROW, lists.data_type().clone(), false);
            let metadata = [(FILE_KEY, KIND.to_owned()), (FORMAT_KEY, FORMAT.to_string())];
            let metadata = metadata.map(|(key, value)| (key.to_owned(), value));
            let schema = Arc::new(Schema::new(vec![field]).with_metadata(metadata.into()));
            let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(lists)])?;
            let mut writer = FileWriter::try_new(&mut file, &schema)?;
            writer.write(&batch)?;
            writer.finish()
        };
        written().map_err(|error| arrow_error(path, error))?;
        file.commit()
    }

    /// Maps a file that [`Matrix::write`] wrote, and looks at every number once.
    ///
    /// Files of ours are never changed where they lie: a new one takes the place of an old one, which stays whole for who has
    /// mapped it. A program that cuts off a mapped file takes its pages away, and who reads them is killed by the system.
    ///
    /// # Errors
    /// [`Error::Io`], [`Error::Empty`], [`Error::Inconsistent`] for a file that is damaged or no matrix,
    /// [`Error::WrongVersion`], [`Error::BadValue`] for a number that is not finite.
    pub fn map(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io(path))?;
        if file.metadata().map_err(Error::io(path))?.len() == 0 {
            return Err(Error::Empty {
                path: path.to_owned(),
                expected: "a matrix".to_owned(),
            });
        }
        #[expect(
            unsafe_code,
            reason = "a file that is mapped; what writes files here never changes one where it lies"
        )]
        // SAFETY: the mapping is read only, and nobody changes the file, as said above.
        let mapped = unsafe { Mmap::map(&file) }.map_err(Error::io(path))?;
        let bytes = Buffer::from(bytes::Bytes::from_owner(mapped));
        // On damaged bytes some assertions of the decoder fail instead of returning an error; nothing half-done is seen.
        let read = catch_unwind(AssertUnwindSafe(|| decode(path, &bytes)));
        let matrix = read.unwrap_or_else(|_| Err(damaged(path, "its Arrow data are damaged")))?;
        all_finite(path, ROW, &matrix.rows, matrix.dim)?;
        Ok(matrix)
    }
}

fn decode(path: &Path, bytes: &Buffer) -> Result<Matrix> {
    let short = || damaged(path, "it is cut off, or no Arrow file");
    let failed = |error: ArrowError| arrow_error(path, error);
    let trailer = bytes.len().checked_sub(TRAILER).ok_or_else(short)?;
    let end = bytes[trailer..].try_into().map_err(|_| short())?;
    let length = read_footer_length(end).map_err(|_| short())?;
    let footer = trailer.checked_sub(length).ok_or_else(short)?;
    let footer =
        root_as_footer(&bytes[footer..trailer]).map_err(|error| damaged(path, &error.to_string()))?;
    let schema = footer.schema().ok_or_else(short)?;
    let schema = Arc::new(fb_to_schema(schema));
    check_kind(path, &schema)?;
    let decoder = FileDecoder::new(schema, footer.version()).with_require_alignment(true);
    let mut blocks = footer.recordBatches().into_iter().flatten();
    let (Some(block), None) = (blocks.next(), blocks.next()) else {
        return Err(damaged(path, "a matrix is one batch"));
    };
    let place = |number: i64| usize::try_from(number).map_err(|_| short());
    let (offset, body) = (place(block.offset())?, place(block.bodyLength())?);
    let length = body
        .checked_add(place(block.metaDataLength().into())?)
        .filter(|&length| offset.checked_add(length).is_some_and(|end| end <= trailer))
        .ok_or_else(short)?;
    let data = bytes.slice_with_length(offset, length);
    let batch = decoder.read_record_batch(block, &data).map_err(failed)?;
    let batch = batch.ok_or_else(short)?;
    let lists = batch
        .column_by_name(ROW)
        .and_then(|rows| rows.as_fixed_size_list_opt());
    let lists = lists.ok_or_else(|| damaged(path, "it has no column `row` of lists"))?;
    let dim = usize::try_from(lists.value_length()).unwrap_or(0);
    let numbers = lists.values().as_primitive_opt::<Float32Type>();
    let is_whole = dim > 0 && lists.null_count() == 0;
    match numbers.filter(|numbers| is_whole && numbers.null_count() == 0) {
        Some(numbers) if numbers.len() == batch.num_rows() * dim => Ok(Matrix {
            dim,
            rows: numbers.values().clone(),
        }),
        _ => Err(damaged(path, "its rows are not of numbers")),
    }
}

fn check_kind(path: &Path, schema: &Schema) -> Result<()> {
    let of = |key: &str| schema.metadata().get(key).map(String::as_str);
    let found = of(FORMAT_KEY).unwrap_or("none");
    let is_kind = of(FILE_KEY) == Some(KIND);
    match found.parse::<u32>() {
        Ok(version) if is_kind && version <= FORMAT => Ok(()),
        _ => Err(Error::WrongVersion {
            path: path.to_owned(),
            kind: KIND,
            found: match of(FILE_KEY) {
                Some(kind) if !is_kind => format!("{kind} {found}"),
                _ => found.to_owned(),
            },
            supported: FORMAT,
        }),
    }
}

fn damaged(path: &Path, reason: &str) -> Error {
    Error::Inconsistent {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

fn arrow_error(path: &Path, error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => Error::io(path)(error),
        error => damaged(path, &error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Matrix {
        let rows = (0..12_u8).map(f32::from).collect();
        Matrix::new(3, rows).expect("whole rows")
    }

    #[test]
    fn what_was_written_is_mapped_where_it_lies() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("m.arrow");
        some().write(&path).expect("written");
        let mapped = Matrix::map(&path).expect("mapped");
        assert_eq!(mapped, some());
        assert_eq!((mapped.n_rows(), mapped.dim()), (4, 3));
        // Not a copy: the numbers lie in a page of the file, behind its header.
        let second = Matrix::map(&path).expect("mapped again");
        assert_ne!(mapped.rows().as_ptr(), second.rows().as_ptr());
        let in_page = |matrix: &Matrix| matrix.rows().as_ptr().addr() % 4096;
        assert_eq!(in_page(&mapped), in_page(&second));
        let bytes = std::fs::read(&path).expect("read");
        let at = in_page(&mapped);
        assert_eq!(
            bytes[at..at + 48],
            *bytemuck::cast_slice::<f32, u8>(some().rows())
        );
        // A newer file takes the place of the old one, which stays for who has it.
        Matrix::new(1, vec![7.0])
            .expect("a row")
            .write(&path)
            .expect("written");
        assert_eq!(mapped, some());
        assert_eq!(Matrix::map(&path).expect("mapped").rows(), [7.0]);
        // None, and still of a width.
        Matrix::new(5, vec![])
            .expect("no rows")
            .write(&path)
            .expect("written");
        let none = Matrix::map(&path).expect("mapped");
        assert_eq!((none.n_rows(), none.dim()), (0, 5));
    }

    #[test]
    fn no_rows_and_bad_numbers_are_refused() {
        assert!(matches!(
            Matrix::new(3, vec![0.0; 4]),
            Err(Error::NoMatrix { dim: 3, n_numbers: 4 })
        ));
        assert!(Matrix::new(0, vec![]).is_err());
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("m.arrow");
        let bad = Matrix::new(1, vec![0.0, f32::NAN]).expect("rows");
        assert!(matches!(bad.write(&path), Err(Error::BadValue { .. })));
        assert!(!path.exists());
    }

    /// Every cut and every flipped byte is an error or the same numbers, and no panic gets out.
    #[test]
    fn a_damaged_file_is_told() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let path = folder.path().join("m.arrow");
        some().write(&path).expect("written");
        let whole = std::fs::read(&path).expect("read");
        let map = |bytes: &[u8]| {
            let path = folder.path().join("damaged.arrow");
            std::fs::write(&path, bytes).expect("written");
            Matrix::map(&path)
        };
        for cut in 0..whole.len() {
            assert!(map(&whole[..cut]).is_err(), "cut at {cut}");
        }
        let mut n_told = 0;
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x80;
            match map(&bytes) {
                Ok(matrix) => assert!(matrix.rows().iter().all(|number| number.is_finite())),
                Err(error) => {
                    assert!(error.to_string().contains("damaged.arrow"), "{error}");
                    n_told += 1;
                }
            }
        }
        assert!(n_told > 100, "{n_told}");
        assert!(matches!(
            Matrix::map(folder.path().join("none")),
            Err(Error::Io { .. })
        ));
        assert!(matches!(map(b""), Err(Error::Empty { .. })));
        assert!(matches!(map(b"id,item\n1,2\n"), Err(Error::Inconsistent { .. })));
    }
}
