//! Labelled rows in the text forms of LIBSVM and LIBFFM.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float32Builder, ListBuilder, PrimitiveBuilder, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};

use super::chunk::CHUNK_ROWS;
use super::faults::{FaultLog, Origin};
use super::files::{self, Table};
use super::lines::Lines;
use super::source::{Format, Source};
use super::{ImportReport, nothing};
use crate::Result;
use crate::parquet_file::parquet_error;

/// A batch is also full at this many features.
const CHUNK_FEATURES: usize = 1 << 22;

/// The columns of imported samples: `label` Float32; where there are fields `fields` `List<UInt32>`; `indices`
/// `List<UInt32>`; `values` `List<Float32>`. The lists of a row have one length, none is null.
pub fn samples_schema(with_fields: bool) -> SchemaRef {
    let list = |name: &str, item: DataType| {
        Field::new(
            name,
            DataType::List(Arc::new(Field::new_list_field(item, false))),
            false,
        )
    };
    let mut columns = vec![Field::new("label", DataType::Float32, false)];
    if with_fields {
        columns.push(list("fields", DataType::UInt32));
    }
    columns.push(list("indices", DataType::UInt32));
    columns.push(list("values", DataType::Float32));
    Arc::new(Schema::new(columns))
}

/// Streams labelled rows ([`Format::LibSvm`], [`Format::LibFfm`]) in batches of up to 65,536, all of
/// [`samples_schema`]. Memory does not grow with the file.
///
/// A line is a label and then its features, in any order: `index:value`, or `field:index:value`. Labels and values
/// are finite, `+1` is 1; indices and fields are whole numbers below 2³². What follows a `#` is a comment.
///
/// # Errors
/// As [`super::import_interactions`]. An index that comes twice in a row (for LIBFFM: twice in one field) is
/// [`crate::Error::BadValue`].
pub fn import_samples(
    source: &Source,
    sink: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<ImportReport> {
    source.validate()?;
    let with_fields = match source.format {
        Format::LibSvm => false,
        Format::LibFfm => true,
        other => {
            let reason = format!("{} is no form of samples: libsvm or libffm", other.name());
            return Err(source.bad("format", reason));
        }
    };
    let mut log = FaultLog::new(source.on_error);
    let mut n_rows = 0;
    for path in files::resolve(source, Table::Interactions)? {
        let mut lines = Lines::open(&path)?;
        let mut features = Vec::new();
        loop {
            let mut origin = Origin::new(path.clone());
            let mut rows = Rows::new(with_fields);
            let mut more = true;
            while more && !rows.is_full() && origin.n_unreadable() < CHUNK_ROWS {
                more = lines.advance(&path)?;
                if more && let Some(line) = lines.text(&mut origin) {
                    match parse(line, with_fields, &mut features) {
                        Ok(Some(label)) => rows.push(label, &features),
                        Ok(None) => {}
                        Err(fault) => {
                            origin.unreadable(lines.number(), &fault.column, &fault.value, fault.reason);
                        }
                    }
                }
            }
            log.take(origin)?;
            if rows.len > 0 {
                n_rows += rows.len as u64;
                sink(rows.finish().map_err(|error| parquet_error(&path, &error))?)?;
            }
            if !more {
                break;
            }
        }
    }
    if n_rows == 0 {
        return Err(nothing(source, log));
    }
    Ok(ImportReport {
        rows: n_rows,
        skipped: log.n_skipped(),
        findings: Vec::from_iter(log.finding(n_rows)),
    })
}

/// Rows under construction.
struct Rows {
    labels: Float32Builder,
    fields: Option<ListBuilder<PrimitiveBuilder<UInt32Type>>>,
    indices: ListBuilder<PrimitiveBuilder<UInt32Type>>,
    values: ListBuilder<Float32Builder>,
    len: usize,
    n_features: usize,
}

impl Rows {
    fn new(with_fields: bool) -> Self {
        let whole = || {
            let item = Field::new_list_field(DataType::UInt32, false);
            ListBuilder::new(PrimitiveBuilder::<UInt32Type>::new()).with_field(item)
        };
        let item = Field::new_list_field(DataType::Float32, false);
        Self {
            labels: Float32Builder::new(),
            fields: with_fields.then(whole),
            indices: whole(),
            values: ListBuilder::new(Float32Builder::new()).with_field(item),
            len: 0,
            n_features: 0,
        }
    }

    fn push(&mut self, label: f32, features: &[Feature]) {
        self.labels.append_value(label);
        for feature in features {
            self.indices.values().append_value(feature.index);
            self.values.values().append_value(feature.value);
        }
        self.indices.append(true);
        self.values.append(true);
        if let Some(fields) = &mut self.fields {
            for feature in features {
                fields.values().append_value(feature.field);
            }
            fields.append(true);
        }
        self.len += 1;
        self.n_features += features.len();
    }

    fn is_full(&self) -> bool {
        self.len >= CHUNK_ROWS || self.n_features >= CHUNK_FEATURES
    }

    fn finish(mut self) -> Result<RecordBatch, arrow::error::ArrowError> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(self.labels.finish())];
        let with_fields = self.fields.is_some();
        if let Some(mut fields) = self.fields {
            columns.push(Arc::new(fields.finish()));
        }
        columns.push(Arc::new(self.indices.finish()));
        columns.push(Arc::new(self.values.finish()));
        RecordBatch::try_new(samples_schema(with_fields), columns)
    }
}

/// One feature of a row; without fields, the field is 0.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Feature {
    field: u32,
    index: u32,
    value: f32,
}

/// Why a line is none.
#[derive(Debug)]
struct Fault {
    column: String,
    value: String,
    reason: String,
}

/// The label of a line and, in `features`, what follows; `None` for a line that is nothing but a comment.
fn parse(line: &str, with_fields: bool, features: &mut Vec<Feature>) -> Result<Option<f32>, Fault> {
    features.clear();
    let line = line.split('#').next().unwrap_or_default();
    let mut words = line.split_ascii_whitespace();
    let Some(label) = words.next() else {
        return Ok(None);
    };
    let fault = |column: String, value: &str, reason: &str| Fault {
        column,
        value: value.to_owned(),
        reason: reason.to_owned(),
    };
    let label = finite(label).ok_or_else(|| {
        fault(
            "label".to_owned(),
            label,
            "must be a finite number, before the features",
        )
    })?;
    let mut is_rising = true;
    for (position, word) in words.enumerate() {
        let column = || format!("feature {}", position + 1);
        let shape = if with_fields {
            "is not field:index:value"
        } else {
            "is not index:value"
        };
        let (head, value) = word
            .rsplit_once(':')
            .ok_or_else(|| fault(column(), word, shape))?;
        let (field, index) = match (with_fields, head.split_once(':')) {
            (true, Some((field, index))) => (field, index),
            (false, None) => ("0", head),
            _ => return Err(fault(column(), word, shape)),
        };
        let whole = |text: &str, what: &str| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = text.parse().ok().filter(|_| digits);
            number.ok_or_else(|| {
                fault(
                    column(),
                    word,
                    &format!("the {what} must be a whole number below 2^32"),
                )
            })
        };
        let feature = Feature {
            field: whole(field, "field")?,
            index: whole(index, "index")?,
            value: finite(value).ok_or_else(|| fault(column(), word, "the value must be a finite number"))?,
        };
        is_rising &= features.last().is_none_or(|last| last.key() < feature.key());
        features.push(feature);
    }
    if !is_rising && let Some(twice) = repeated(features) {
        let (column, reason) = if with_fields {
            (
                format!("{}:{}", twice.field, twice.index),
                "comes twice in this row, in one field",
            )
        } else {
            (twice.index.to_string(), "comes twice in this row")
        };
        return Err(fault(column, &twice.value.to_string(), reason));
    }
    Ok(Some(label))
}

impl Feature {
    fn key(self) -> (u32, u32) {
        (self.field, self.index)
    }
}

fn repeated(features: &[Feature]) -> Option<Feature> {
    let mut sorted = features.to_vec();
    sorted.sort_by_key(|feature| feature.key());
    let pairs = sorted.windows(2);
    pairs
        .filter(|pair| pair[0].key() == pair[1].key())
        .map(|pair| pair[1])
        .next()
}

fn finite(text: &str) -> Option<f32> {
    text.parse().ok().filter(|number: &f32| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = (f32, Vec<(u32, u32, f32)>);

    fn read(line: &str, with_fields: bool) -> Result<Read, String> {
        let mut features = vec![];
        let label = parse(line, with_fields, &mut features)
            .map_err(|fault| format!("{}: {} ({})", fault.column, fault.reason, fault.value))?;
        let features = features.iter().map(|one| (one.field, one.index, one.value));
        Ok((label.expect("a label"), features.collect()))
    }

    #[test]
    fn labels_and_features_are_read_in_both_forms() {
        let svm = read("+1 1:0.5 7:-2e1 # a comment", false);
        assert_eq!(svm, Ok((1.0, vec![(0, 1, 0.5), (0, 7, -20.0)])));
        assert_eq!(read("-1", false), Ok((-1.0, vec![])));
        let ffm = read("0 2:9:1 0:9:1", true);
        assert_eq!(ffm, Ok((0.0, vec![(2, 9, 1.0), (0, 9, 1.0)])));
    }

    #[test]
    fn what_is_no_feature_is_named() {
        for (line, with_fields, part) in [
            ("1:2 3:4", false, "label"),
            ("nan 1:2", false, "label"),
            ("1 3", false, "feature 1: is not index:value"),
            ("1 1:2:3", false, "feature 1: is not index:value"),
            ("1 1:2", true, "is not field:index:value"),
            ("1 1:2 -1:2", false, "feature 2: the index"),
            ("1 4294967296:2", false, "the index"),
            ("1 1:inf", false, "the value"),
            ("1 5:1 3:1 5:2", false, "5: comes twice"),
            ("1 0:5:1 0:5:2", true, "0:5: comes twice"),
        ] {
            let reason = read(line, with_fields).expect_err(line);
            assert!(reason.contains(part), "{line}: {reason}");
        }
        assert!(read("1 0:5:1 1:5:2", true).is_ok(), "one index in two fields");
    }
}
