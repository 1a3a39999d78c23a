//! A function of the query engine that draws lots: the same for equal values and seed, on any machine.

use std::sync::Arc;

use catchment_schema::arrow::array::{Array, AsArray, UInt64Array};
use catchment_schema::arrow::compute::cast;
use catchment_schema::arrow::datatypes::{DataType, UInt64Type};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, lit,
};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What stands for a null, so that it differs from an empty text and from 0.
const NULL: &[u8] = b"\xffnull";

/// A number that is evenly spread over all of `u64`, from a seed and any columns of texts or integers.
pub(crate) fn seeded_hash(seed: u64, columns: Vec<Expr>) -> Expr {
    let mut arguments = vec![lit(seed)];
    arguments.extend(columns);
    ScalarUDF::from(SeededHash {
        signature: Signature::variadic_any(Volatility::Immutable),
    })
    .call(arguments)
}

/// The seed for one purpose, so that two draws of one seed know nothing of each other.
pub(crate) fn seed_for(purpose: &str, seed: u64) -> u64 {
    xxh3_64_with_seed(purpose.as_bytes(), seed)
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SeededHash {
    signature: Signature,
}

impl ScalarUDFImpl for SeededHash {
    fn name(&self) -> &'static str {
        "catchment_seeded_hash"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _argument_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::UInt64)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let mut columns = ColumnarValue::values_to_arrays(&arguments.args)?.into_iter();
        let seeds = columns
            .next()
            .map(|seeds| cast(&seeds, &DataType::UInt64))
            .transpose()?;
        let n_rows = seeds.as_ref().map_or(0, Array::len);
        let mut hashes = match &seeds {
            Some(seeds) => seeds.as_primitive::<UInt64Type>().values().to_vec(),
            None => vec![],
        };
        for column in columns {
            // As text every integer type hashes alike, and so does a text column of any layout.
            let column = cast(&column, &DataType::Utf8)?;
            let texts = column.as_string::<i32>();
            for (row, hash) in hashes.iter_mut().enumerate().take(n_rows) {
                let bytes = if texts.is_null(row) {
                    NULL
                } else {
                    texts.value(row).as_bytes()
                };
                *hash = xxh3_64_with_seed(bytes, *hash);
            }
        }
        let hashes = UInt64Array::from(hashes);
        Ok(ColumnarValue::Array(Arc::new(hashes)))
    }
}
