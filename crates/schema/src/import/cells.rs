//! From what a column holds to what its meaning needs, cell by cell.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array,
    PrimitiveArray, PrimitiveBuilder, StringArray, TimestampMillisecondArray, UInt32Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit};
use arrow::util::display::array_value_to_string;

use super::clock::Clock;
use super::faults::Origin;
use super::meaning::{Meaning, list_of_words};
use crate::parquet_file::parquet_error;
use crate::{Error, Result};

/// A column of a file that is being read.
pub(super) struct Column<'a> {
    /// Its name in the file.
    pub(super) name: &'a str,
    pub(super) cells: &'a ArrayRef,
}

impl Column<'_> {
    /// The cells as what they mean. Cells that cannot be used are marked in `origin`, and hold anything.
    pub(super) fn read(&self, meaning: Meaning, clock: &mut Clock, origin: &mut Origin) -> Result<ArrayRef> {
        let plain = Column {
            name: self.name,
            cells: &plain(self.name, self.cells, origin)?,
        };
        Ok(match meaning {
            Meaning::Id => Arc::new(plain.ids(origin)?),
            Meaning::Text => Arc::new(plain.text(meaning, origin)?),
            Meaning::Time => Arc::new(plain.times(clock, origin)?.with_timezone("UTC")),
            Meaning::Number => Arc::new(plain.numbers32(origin)?),
            Meaning::Latitude => Arc::new(plain.degrees(meaning, 90.0, origin)?),
            Meaning::Longitude => Arc::new(plain.degrees(meaning, 180.0, origin)?),
            Meaning::Duration => Arc::new(plain.integers(meaning, 0..=i64::MAX, origin)?),
            Meaning::Order => {
                let order = plain.integers(meaning, 0..=i64::from(u32::MAX), origin)?;
                let order: UInt32Array = order.unary_opt(|order| u32::try_from(order).ok());
                Arc::new(order)
            }
            Meaning::Flag => Arc::new(plain.flags(origin)?),
            Meaning::Words => plain.words(origin)?,
        })
    }

    fn ids(&self, origin: &mut Origin) -> Result<StringArray> {
        if matches!(self.cells.data_type(), DataType::Boolean) {
            return Err(self.wrong_type(Meaning::Id, origin));
        }
        let text = self.text(Meaning::Id, origin)?;
        if text.null_count() == 0 {
            return Ok(text);
        }
        for row in (0..text.len()).filter(|&row| text.is_null(row)) {
            origin.fault(row, self.name, "", "an id must not be null or empty");
        }
        Ok(StringArray::from_iter_values(
            text.iter().map(Option::unwrap_or_default),
        ))
    }

    fn text(&self, meaning: Meaning, origin: &Origin) -> Result<StringArray> {
        let as_text = match self.cells.data_type() {
            DataType::Utf8 => self.cells.clone(),
            DataType::Boolean | DataType::Decimal128(_, 0) | DataType::Decimal256(_, 0) => {
                self.cast(&DataType::Utf8, origin)?
            }
            integer if integer.is_integer() => self.cast(&DataType::Utf8, origin)?,
            _ => return Err(self.wrong_type(meaning, origin)),
        };
        let text = as_text.as_string::<i32>();
        if text.iter().all(|cell| cell != Some("")) {
            return Ok(text.clone());
        }
        Ok(text
            .iter()
            .map(|cell| cell.filter(|cell| !cell.is_empty()))
            .collect())
    }

    fn times(&self, clock: &mut Clock, origin: &mut Origin) -> Result<TimestampMillisecondArray> {
        let ticks = |per_milli: i64, per_tick: i64| -> Result<TimestampMillisecondArray> {
            let ticks = self.cast(&DataType::Int64, origin)?;
            let ticks = ticks.as_primitive::<Int64Type>().iter();
            Ok(ticks
                .map(|ticks| {
                    ticks?
                        .checked_mul(per_tick)
                        .map(|ticks| ticks.div_euclid(per_milli))
                })
                .collect())
        };
        let times = match self.cells.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => ticks(1, 1000)?,
            DataType::Timestamp(TimeUnit::Millisecond, _) | DataType::Date64 => ticks(1, 1)?,
            DataType::Timestamp(TimeUnit::Microsecond, _) => ticks(1000, 1)?,
            DataType::Timestamp(TimeUnit::Nanosecond, _) => ticks(1_000_000, 1)?,
            DataType::Date32 => {
                let days = self.cast(&DataType::Date64, origin)?;
                let column = Column {
                    name: self.name,
                    cells: &days,
                };
                return column.times(clock, origin);
            }
            DataType::Utf8 => {
                let text = self.cells.as_string::<i32>().clone();
                return Ok(self.each(text.iter(), origin, |cell| {
                    if cell.trim().is_empty() {
                        Ok(None)
                    } else {
                        clock.read(cell).map(Some)
                    }
                }));
            }
            DataType::UInt64 => {
                let text = self.cast(&DataType::Utf8, origin)?;
                return Ok(self.each(text.as_string::<i32>().iter(), origin, |cell| {
                    clock.read(cell).map(Some)
                }));
            }
            integer if integer.is_integer() => {
                let units = self.cast(&DataType::Int64, origin)?;
                return Ok(
                    self.each(units.as_primitive::<Int64Type>().iter(), origin, |units| {
                        clock.read_integer(units).map(Some)
                    }),
                );
            }
            DataType::Float32 | DataType::Float64 => {
                let units = self.cast(&DataType::Float64, origin)?;
                // Printing a float gives its shortest exact decimal, never an exponent.
                return Ok(
                    self.each(units.as_primitive::<Float64Type>().iter(), origin, |units| {
                        clock.read(&units.to_string()).map(Some)
                    }),
                );
            }
            _ => return Err(self.wrong_type(Meaning::Time, origin)),
        };
        for row in (0..times.len()).filter(|&row| self.cells.is_valid(row)) {
            let in_range = times.is_valid(row) && jiff::Timestamp::from_millisecond(times.value(row)).is_ok();
            if !in_range {
                origin.fault(
                    row,
                    self.name,
                    &self.shown(row),
                    "is outside the years -9999 to 9999",
                );
            }
        }
        Ok(times)
    }

    /// The cells as 64-bit numbers, not yet judged.
    fn numbers(&self, meaning: Meaning, origin: &mut Origin) -> Result<Float64Array> {
        match self.cells.data_type() {
            DataType::Utf8 => {
                let text = self.cells.as_string::<i32>().clone();
                Ok(self.each(text.iter(), origin, |cell| match cell.trim() {
                    "" => Ok(None),
                    cell => cell
                        .parse::<f64>()
                        .map(Some)
                        .map_err(|_| "is not a number".to_owned()),
                }))
            }
            number if number.is_numeric() => Ok(self
                .cast(&DataType::Float64, origin)?
                .as_primitive::<Float64Type>()
                .clone()),
            _ => Err(self.wrong_type(meaning, origin)),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "what overflows becomes infinite and is refused"
    )]
    fn numbers32(&self, origin: &mut Origin) -> Result<Float32Array> {
        let numbers = self.numbers(Meaning::Number, origin)?;
        Ok(self.each(numbers.iter(), origin, |number| match number as f32 {
            number if number.is_finite() => Ok(Some(number)),
            _ => Err("must be finite in 32 bits".to_owned()),
        }))
    }

    fn degrees(&self, meaning: Meaning, limit: f64, origin: &mut Origin) -> Result<Float64Array> {
        let numbers = self.numbers(meaning, origin)?;
        Ok(self.each(numbers.iter(), origin, |degrees| {
            if degrees.abs() <= limit {
                Ok(Some(degrees))
            } else {
                Err(format!("must be between -{limit} and {limit}"))
            }
        }))
    }

    /// Whole numbers; `12.0` is one.
    fn integers(
        &self,
        meaning: Meaning,
        range: std::ops::RangeInclusive<i64>,
        origin: &mut Origin,
    ) -> Result<Int64Array> {
        let judged = |number: i64| {
            if range.contains(&number) {
                Ok(Some(number))
            } else {
                Err(format!("must be between {} and {}", range.start(), range.end()))
            }
        };
        if self.cells.data_type().is_integer() {
            let integers = self.cast(&DataType::Int64, origin)?;
            for row in (0..integers.len()).filter(|&row| integers.is_null(row) && self.cells.is_valid(row)) {
                origin.fault(row, self.name, &self.shown(row), "is too large");
            }
            return Ok(self.each(integers.as_primitive::<Int64Type>().iter(), origin, judged));
        }
        let numbers = self.numbers(meaning, origin)?;
        Ok(self.each(numbers.iter(), origin, |number| {
            // Above 2^53 not every integer has a float of its own.
            if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 {
                #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
                judged(number as i64)
            } else {
                Err("must be a whole number within 2^53".to_owned())
            }
        }))
    }

    fn flags(&self, origin: &mut Origin) -> Result<BooleanArray> {
        if let Some(flags) = self.cells.as_boolean_opt() {
            return Ok(flags.clone());
        }
        let text = self.text(Meaning::Flag, origin)?;
        let mut flags = Vec::with_capacity(text.len());
        for (row, cell) in text.iter().enumerate() {
            flags.push(
                match cell.map(|cell| cell.trim().to_ascii_lowercase()).as_deref() {
                    None => None,
                    Some("true" | "1" | "yes") => Some(true),
                    Some("false" | "0" | "no") => Some(false),
                    Some(other) => {
                        origin.fault(row, self.name, other, "must be true or false, 1 or 0, yes or no");
                        None
                    }
                },
            );
        }
        Ok(BooleanArray::from(flags))
    }

    fn words(&self, origin: &Origin) -> Result<ArrayRef> {
        match self.cells.data_type() {
            DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
                self.cast(&list_of_words(), origin)
            }
            _ => Ok(Arc::new(self.text(Meaning::Words, origin)?)),
        }
    }

    /// Reads cell by cell; a reason instead of a value marks the row.
    fn each<T, P: ArrowPrimitiveType>(
        &self,
        cells: impl Iterator<Item = Option<T>>,
        origin: &mut Origin,
        mut read: impl FnMut(T) -> Result<Option<P::Native>, String>,
    ) -> PrimitiveArray<P> {
        let mut values = PrimitiveBuilder::with_capacity(self.cells.len());
        for (row, cell) in cells.enumerate() {
            match cell.map(&mut read).transpose() {
                Ok(value) => values.append_option(value.flatten()),
                Err(reason) => {
                    origin.fault(row, self.name, &self.shown(row), reason);
                    values.append_null();
                }
            }
        }
        values.finish()
    }

    fn shown(&self, row: usize) -> String {
        array_value_to_string(self.cells, row).unwrap_or_else(|error| error.to_string())
    }

    fn cast(&self, to: &DataType, origin: &Origin) -> Result<ArrayRef> {
        cast(self.cells, to).map_err(|_| Error::WrongType {
            path: origin.path.clone(),
            column: self.name.to_owned(),
            expected: to.to_string(),
            found: self.cells.data_type().to_string(),
        })
    }

    fn wrong_type(&self, meaning: Meaning, origin: &Origin) -> Error {
        Error::WrongType {
            path: origin.path.clone(),
            column: self.name.to_owned(),
            expected: meaning.expected().to_owned(),
            found: self.cells.data_type().to_string(),
        }
    }
}

/// One spelling of a type instead of several: dictionaries, views, large and binary text become text.
pub(super) fn plain(name: &str, cells: &ArrayRef, origin: &mut Origin) -> Result<ArrayRef> {
    let to = match cells.data_type() {
        DataType::Dictionary(_, values) => {
            let values = cast(cells, values).map_err(|error| parquet_error(&origin.path, &error))?;
            return plain(name, &values, origin);
        }
        DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Null => DataType::Utf8,
        DataType::Float16 => DataType::Float32,
        _ => return Ok(cells.clone()),
    };
    let plain = cast(cells, &to).map_err(|error| parquet_error(&origin.path, &error))?;
    if plain.logical_null_count() > cells.logical_null_count() {
        for row in (0..cells.len()).filter(|&row| plain.is_null(row) && cells.is_valid(row)) {
            origin.fault(row, name, "", "is not UTF-8");
        }
    }
    Ok(plain)
}
