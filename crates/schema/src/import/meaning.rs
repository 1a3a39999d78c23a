//! What columns mean, and the Arrow types that follow from it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

/// What the cells of a column mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A raw id: text that is not empty, or an integer, which is written in decimal.
    Id,
    /// Text; empty text is null.
    Text,
    /// A moment.
    Time,
    /// A finite number in 32 bits.
    Number,
    /// Degrees of latitude.
    Latitude,
    /// Degrees of longitude.
    Longitude,
    /// A duration, at least 0.
    Duration,
    /// A place in an order.
    Order,
    /// Yes or no.
    Flag,
    /// One word or a list of words.
    Words,
}

impl Meaning {
    /// The Arrow type of our column ([`Meaning::Words`]: of a column with one word a cell).
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Id | Self::Text | Self::Words => DataType::Utf8,
            Self::Time => DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into())),
            Self::Number => DataType::Float32,
            Self::Latitude | Self::Longitude => DataType::Float64,
            Self::Duration => DataType::Int64,
            Self::Order => DataType::UInt32,
            Self::Flag => DataType::Boolean,
        }
    }

    /// What a column of this meaning may hold, in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Id => "text or whole numbers",
            Self::Text => "text",
            Self::Time => "times, numbers or text",
            Self::Number | Self::Latitude | Self::Longitude => "numbers",
            Self::Duration | Self::Order => "whole numbers",
            Self::Flag => "true or false",
            Self::Words => "text or lists of text",
        }
    }
}

/// The type of a column with lists of words.
pub(super) fn list_of_words() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)))
}
