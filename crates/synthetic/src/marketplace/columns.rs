//! The files of a marketplace as Arrow tables, piece by piece.

use std::ops::Range;
use std::sync::Arc;

use catchment_schema::arrow::array::{
    ArrayRef, Float32Array, Float64Array, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMillisecondArray,
};

use super::config::Part;
use super::walk::{Happening, HappeningKind};
use super::{Label, Marketplace};
use crate::tables::batch;

/// `u` and the number; `i` and the number: room for the longest.
pub(crate) fn id(letter: char, number: u32) -> String {
    format!("{letter}{number}")
}

fn ids(letter: u8, numbers: impl ExactSizeIterator<Item = u32>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(numbers.len(), 8 * numbers.len());
    let mut text = Vec::with_capacity(12);
    for number in numbers {
        text.clear();
        text.push(letter);
        push_digits(&mut text, number.into(), 1);
        builder.append_value(std::str::from_utf8(&text).unwrap_or_default());
    }
    Arc::new(builder.finish())
}

/// A number in decimal, with zeros in front up to `width`.
pub(crate) fn push_digits(text: &mut Vec<u8>, number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let (mut left, mut from) = (number, digits.len());
    while left > 0 || digits.len() - from < width {
        from -= 1;
        digits[from] = b'0' + u8::try_from(left % 10).unwrap_or_default();
        left /= 10;
    }
    text.extend_from_slice(&digits[from..]);
}

fn moments(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times.collect::<TimestampMillisecondArray>().with_timezone("UTC"))
}

impl Marketplace {
    /// `user_id`, `item_id`, `timestamp`, `event`; with sessions `session_id` and `dwell_ms`.
    pub(super) fn event_columns(&self, events: &[Happening]) -> RecordBatch {
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("user_id", ids(b'u', events.iter().map(|event| event.user))),
            ("item_id", ids(b'i', events.iter().map(|event| event.item))),
            (
                "timestamp",
                moments(events.iter().map(|event| event.time.millis())),
            ),
            (
                "event",
                Arc::new(StringArray::from_iter_values(
                    events.iter().map(|event| event.kind.word()),
                )),
            ),
        ];
        if !self.config.has(Part::Sessions) {
            return batch(columns);
        }
        let mut sessions = StringBuilder::with_capacity(events.len(), 12 * events.len());
        let mut text = Vec::with_capacity(24);
        for event in events {
            text.clear();
            push_session(&mut text, event);
            sessions.append_value(std::str::from_utf8(&text).unwrap_or_default());
        }
        columns.push(("session_id", Arc::new(sessions.finish())));
        let dwell: Int64Array = events.iter().map(|event| dwell(event).map(i64::from)).collect();
        let columns = columns.into_iter().map(|(name, column)| (name, column, false));
        let dwell: ArrayRef = Arc::new(dwell);
        RecordBatch::try_from_iter_with_nullable(columns.chain([("dwell_ms", dwell, true)]))
            .expect("columns of one length, made above")
    }

    /// `item_id`, `title`, `category` (a list), `price`, `published_at`; with places `market`, `latitude`, `longitude`.
    pub(super) fn item_columns(&self, items: Range<u32>) -> RecordBatch {
        let places = || items.clone().map(|item| item as usize);
        let mut categories = ListBuilder::new(StringBuilder::new());
        for item in places() {
            categories.append_value([Some(self.topic_name(self.topic_of(item)))]);
        }
        let titles = StringArray::from_iter_values(places().map(|item| self.title(item)));
        let prices = places().map(|item| self.price_cents_of(item) as f32 / 100.0);
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("item_id", ids(b'i', items.clone())),
            ("title", Arc::new(titles)),
            ("category", Arc::new(categories.finish())),
            ("price", Arc::new(Float32Array::from_iter_values(prices))),
            (
                "published_at",
                moments(places().map(|item| self.published_at(item).millis())),
            ),
        ];
        if self.config.has(Part::Places) {
            let markets = places().map(|item| self.markets[self.market_of(item)].name);
            columns.push(("market", Arc::new(StringArray::from_iter_values(markets))));
            let at = places().map(|item| self.place_of(item));
            let (latitudes, longitudes): (Vec<f64>, Vec<f64>) = at.unzip();
            columns.push(("latitude", Arc::new(Float64Array::from(latitudes))));
            columns.push(("longitude", Arc::new(Float64Array::from(longitudes))));
        }
        batch(columns)
    }

    /// `user_id`, `age`, `country`; with places `home_market`.
    pub(super) fn user_columns(&self, users: Range<u32>) -> RecordBatch {
        let people: Vec<_> = users.clone().map(|user| self.person(user)).collect();
        let ages = people.iter().map(|person| i64::from(person.age));
        let countries = people.iter().map(|person| person.country);
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("user_id", ids(b'u', users)),
            ("age", Arc::new(Int64Array::from_iter_values(ages))),
            ("country", Arc::new(StringArray::from_iter_values(countries))),
        ];
        if self.config.has(Part::Places) {
            let homes = people.iter().map(|person| self.markets[person.home].name);
            columns.push(("home_market", Arc::new(StringArray::from_iter_values(homes))));
        }
        batch(columns)
    }

    /// `label` (1 for a booking), `probability`, `user_id`, `item_id`, `timestamp`.
    pub(super) fn label_columns(labels: &[Label]) -> RecordBatch {
        let outcomes = labels.iter().map(|label| f32::from(u8::from(label.is_booked)));
        let probabilities = labels.iter().map(|label| label.probability);
        batch(vec![
            ("label", Arc::new(Float32Array::from_iter_values(outcomes))),
            (
                "probability",
                Arc::new(Float64Array::from_iter_values(probabilities)),
            ),
            ("user_id", ids(b'u', labels.iter().map(|label| label.view.user))),
            ("item_id", ids(b'i', labels.iter().map(|label| label.view.item))),
            (
                "timestamp",
                moments(labels.iter().map(|label| label.view.time.millis())),
            ),
        ])
    }
}

/// The user's number and the session's.
pub(crate) fn push_session(text: &mut Vec<u8>, event: &Happening) {
    text.push(b's');
    push_digits(text, event.user.into(), 1);
    text.push(b'-');
    push_digits(text, event.session.into(), 1);
}

/// Only views have one.
pub(crate) fn dwell(event: &Happening) -> Option<u32> {
    (event.kind == HappeningKind::View).then_some(event.dwell_ms)
}
