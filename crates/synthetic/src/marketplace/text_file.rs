//! The files of a marketplace as comma-separated text, piece by piece.

use std::ops::Range;

use catchment_schema::Time;

use super::Marketplace;
use super::columns::{dwell, push_digits, push_session};
use super::config::Part;
use super::walk::Happening;

const MILLIS_PER_DAY: i64 = 86_400_000;

impl Marketplace {
    pub(super) fn event_header(&self) -> &'static str {
        if self.config.has(Part::Sessions) {
            "user_id,item_id,timestamp,event,session_id,dwell_ms\n"
        } else {
            "user_id,item_id,timestamp,event\n"
        }
    }

    pub(super) fn event_lines(&self, events: &[Happening]) -> Vec<u8> {
        let has_sessions = self.config.has(Part::Sessions);
        let mut text = Vec::with_capacity(72 * events.len());
        for event in events {
            text.push(b'u');
            push_digits(&mut text, event.user.into(), 1);
            text.extend_from_slice(b",i");
            push_digits(&mut text, event.item.into(), 1);
            text.push(b',');
            push_moment(&mut text, event.time);
            text.push(b',');
            text.extend_from_slice(event.kind.word().as_bytes());
            if has_sessions {
                text.push(b',');
                push_session(&mut text, event);
                text.push(b',');
                if let Some(dwell) = dwell(event) {
                    push_digits(&mut text, dwell.into(), 1);
                }
            }
            text.push(b'\n');
        }
        text
    }

    pub(super) fn item_header(&self) -> &'static str {
        if self.config.has(Part::Places) {
            "item_id,title,category,price,published_at,market,latitude,longitude\n"
        } else {
            "item_id,title,category,price,published_at\n"
        }
    }

    pub(super) fn item_lines(&self, items: Range<u32>) -> Vec<u8> {
        let mut text = Vec::new();
        for number in items {
            let item = number as usize;
            let (title, topic) = (self.title(item), self.topic_name(self.topic_of(item)));
            let cents = self.price_cents_of(item);
            text.extend_from_slice(format!("i{number},{title},{topic},{}.", cents / 100).as_bytes());
            push_digits(&mut text, (cents % 100).into(), 2);
            text.push(b',');
            push_moment(&mut text, self.published_at(item));
            if self.config.has(Part::Places) {
                let (latitude, longitude) = self.place_of(item);
                let market = self.markets[self.market_of(item)].name;
                text.extend_from_slice(format!(",{market},{latitude},{longitude}").as_bytes());
            }
            text.push(b'\n');
        }
        text
    }

    pub(super) fn user_header(&self) -> &'static str {
        if self.config.has(Part::Places) {
            "user_id,age,country,home_market\n"
        } else {
            "user_id,age,country\n"
        }
    }

    pub(super) fn user_lines(&self, users: Range<u32>) -> Vec<u8> {
        let mut text = Vec::new();
        for number in users {
            let person = self.person(number);
            text.extend_from_slice(format!("u{number},{},{}", person.age, person.country).as_bytes());
            if self.config.has(Part::Places) {
                text.push(b',');
                text.extend_from_slice(self.markets[person.home].name.as_bytes());
            }
            text.push(b'\n');
        }
        text
    }
}

/// RFC 3339 with milliseconds. The calendar is proleptic Gregorian, in years that begin with March, so that leap days
/// come last.
fn push_moment(text: &mut Vec<u8>, time: Time) {
    let millis = time.millis().unwrap_or_default();
    let (days, rest) = (
        millis.div_euclid(MILLIS_PER_DAY),
        millis.rem_euclid(MILLIS_PER_DAY),
    );
    // Days since 0000-03-01; 400 years have 146,097.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    for (number, width, after) in [
        (year, 4, b'-'),
        (month, 2, b'-'),
        (day, 2, b'T'),
        (rest / 3_600_000, 2, b':'),
        (rest / 60_000 % 60, 2, b':'),
        (rest / 1000 % 60, 2, b'.'),
        (rest % 1000, 3, b'Z'),
    ] {
        push_digits(text, u64::try_from(number).unwrap_or_default(), width);
        text.push(after);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for step in 0..20_000i64 {
            let millis = step * 362_880_123 + step % 997;
            let mut text = Vec::new();
            push_moment(&mut text, Time::from_millis(millis));
            let text = String::from_utf8(text).expect("digits");
            let read: Timestamp = text.parse().expect("a moment");
            assert_eq!(read.as_millisecond(), millis, "{text}");
            assert_eq!(text.len(), 24);
        }
    }
}
