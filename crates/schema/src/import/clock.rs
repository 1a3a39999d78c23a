//! Reading moments.

use jiff::civil;
use jiff::tz::Offset;

use super::source::{Source, TimeUnit};
use crate::Result;

/// Turns what a file says about a moment into milliseconds since the Unix epoch. One for each column, because
/// [`TimeUnit::Auto`] remembers the unit that it saw first.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    unit: TimeUnit,
    origin_ms: i64,
    /// What `Auto` has settled on.
    settled: Option<TimeUnit>,
    /// Whether a number told nothing and was taken as seconds.
    guessed: bool,
}

/// The forms of a moment that an import reads, for people.
pub const TIME_FORMS: &str =
    "2026-03-01, 2026-03-01 10:00, 2026-03-01T10:00:00Z (or +01:00), and numbers since 1970 in s, ms or us";

/// What to ask of a value that is no moment at all.
const RIGHT_COLUMN: &str = "is this the column of the times?";

const OUT_OF_RANGE: &str = "is outside the years -9999 to 9999: check time_unit";

impl Clock {
    pub(super) fn new(source: &Source) -> Result<Self> {
        Ok(Self {
            unit: source.time_unit,
            origin_ms: source.origin_ms()?,
            settled: None,
            guessed: false,
        })
    }

    /// Whether times were read that told no unit, and none that did.
    pub(super) fn guessed_seconds(&self) -> bool {
        self.guessed && self.settled.is_none()
    }

    /// Reads a number or, where the unit allows it, a moment in words. The error is the reason.
    pub(super) fn read(&mut self, text: &str) -> Result<i64, String> {
        let text = text.trim();
        if self.unit == TimeUnit::Rfc3339 {
            return parse_moment(text).ok_or_else(|| {
                format!(
                    "is no moment in words such as 2026-11-24T09:30:00Z or 2026-11-24 09:30; {RIGHT_COLUMN}"
                )
            });
        }
        match Decimal::parse(text) {
            Some(number) => self.read_number(number),
            None if self.unit == TimeUnit::Auto => parse_moment(text)
                .ok_or_else(|| format!("is no moment in a form that is read ({TIME_FORMS}); {RIGHT_COLUMN}")),
            None => Err(format!(
                "is not a number: set time_unit = \"rfc3339\" for times in words; {RIGHT_COLUMN}"
            )),
        }
    }

    /// Reads a whole number of units.
    pub(super) fn read_integer(&mut self, units: i64) -> Result<i64, String> {
        if self.unit == TimeUnit::Rfc3339 {
            return Err("is a number, but time_unit is rfc3339".to_owned());
        }
        self.read_number(Decimal::from(units))
    }

    fn read_number(&mut self, number: Decimal) -> Result<i64, String> {
        let unit = match self.unit {
            TimeUnit::Auto => self.settle(number)?,
            unit => unit,
        };
        // Numerator and denominator of a unit in milliseconds.
        let (times, over) = match unit {
            TimeUnit::Minutes => (60_000, 1),
            TimeUnit::Millis => (1, 1),
            TimeUnit::Micros => (1, 1000),
            TimeUnit::Seconds | TimeUnit::Auto | TimeUnit::Rfc3339 => (1000, 1),
        };
        let millis = number
            .scaled_floor(times, over)
            .and_then(|millis| millis.checked_add(i128::from(self.origin_ms)))
            .and_then(|millis| i64::try_from(millis).ok());
        millis
            .filter(|&millis| jiff::Timestamp::from_millisecond(millis).is_ok())
            .ok_or_else(|| OUT_OF_RANGE.to_owned())
    }

    /// The unit that a number tells by its size. Numbers near zero tell nothing and are taken as the settled
    /// unit, or as seconds.
    fn settle(&mut self, number: Decimal) -> Result<TimeUnit, String> {
        let size = number
            .scaled_floor(1, 1)
            .ok_or_else(|| OUT_OF_RANGE.to_owned())?
            .unsigned_abs();
        let told = match size {
            0..100_000_000 => {
                self.guessed |= self.settled.is_none();
                return Ok(self.settled.unwrap_or(TimeUnit::Seconds));
            }
            100_000_000..100_000_000_000 => TimeUnit::Seconds,
            100_000_000_000..100_000_000_000_000 => TimeUnit::Millis,
            100_000_000_000_000..100_000_000_000_000_000 => TimeUnit::Micros,
            _ => return Err("is too large for microseconds: set time_unit".to_owned()),
        };
        match *self.settled.get_or_insert(told) {
            settled if settled == told => Ok(told),
            _ => Err("tells another unit by its size than the times before: set time_unit".to_owned()),
        }
    }
}

/// Whether a text is a moment that an import reads: RFC 3339, also a date alone, or without an offset.
pub fn is_moment(text: &str) -> bool {
    parse_moment(text).is_some()
}

/// A moment in words, in milliseconds since the Unix epoch; without an offset it is taken as UTC.
pub(super) fn parse_moment(text: &str) -> Option<i64> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let local = text
        .parse::<civil::DateTime>()
        .or_else(|_| text.parse::<civil::Date>().map(civil::DateTime::from))
        .ok()?;
    Some(Offset::UTC.to_timestamp(local).ok()?.as_millisecond())
}

/// `digits / 10^places`, exactly: a binary float would move 1396860669.277 s by a millisecond now and then.
#[derive(Clone, Copy, Debug)]
struct Decimal {
    digits: i128,
    places: u32,
}

impl From<i64> for Decimal {
    fn from(units: i64) -> Self {
        Self {
            digits: i128::from(units),
            places: 0,
        }
    }
}

impl Decimal {
    /// `None` where `text` is no finite number. Places beyond the twelfth are cut off.
    fn parse(text: &str) -> Option<Self> {
        if text.contains(['e', 'E']) {
            let value: f64 = text.parse().ok()?;
            return (value.abs() < 1e18).then(|| Self::parse(&format!("{value}")))?;
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty())
            || whole.len() > 20
            || !all_digits(whole)
            || !all_digits(fraction)
        {
            return None;
        }
        let fraction = &fraction[..fraction.len().min(12)];
        let mut digits = 0i128;
        for byte in whole.bytes().chain(fraction.bytes()) {
            digits = digits * 10 + i128::from(byte - b'0');
        }
        Some(Self {
            digits: if negative { -digits } else { digits },
            places: u32::try_from(fraction.len()).ok()?,
        })
    }

    /// The largest integer that is not above `self · times / over`.
    fn scaled_floor(self, times: i128, over: i128) -> Option<i128> {
        let below = 10i128.checked_pow(self.places)?.checked_mul(over)?;
        Some(self.digits.checked_mul(times)?.div_euclid(below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::Format;

    fn clock(unit: TimeUnit, origin: Option<&str>) -> Clock {
        let mut source = Source::new("a.csv", Format::Csv);
        source.time_unit = unit;
        source.time_origin = origin.map(str::to_owned);
        Clock::new(&source).expect("a valid source")
    }

    #[test]
    fn fractions_of_a_second_are_exact() {
        let mut seconds = clock(TimeUnit::Seconds, None);
        assert_eq!(seconds.read("1396860669.277"), Ok(1_396_860_669_277));
        assert_eq!(seconds.read("1396860669.2779"), Ok(1_396_860_669_277));
        assert_eq!(seconds.read(" 12. "), Ok(12_000));
        assert_eq!(seconds.read("-0.0001"), Ok(-1));
        assert_eq!(seconds.read("1.396860669277E9"), Ok(1_396_860_669_277));
        for text in [
            "",
            ".",
            "1.2.3",
            "NaN",
            "inf",
            "1e400",
            "0x10",
            "2026-01-01",
            "99999999999999999999",
        ] {
            assert!(seconds.read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn minutes_count_from_the_origin() {
        let mut minutes = clock(TimeUnit::Minutes, Some("2012-04-03T00:00:00Z"));
        assert_eq!(minutes.read("1.5"), Ok(1_333_411_200_000 + 90_000));
        assert_eq!(minutes.read_integer(-1), Ok(1_333_411_200_000 - 60_000));
    }

    #[test]
    fn auto_tells_the_unit_once_and_refuses_a_mixture() {
        let check = |first: &str, millis| assert_eq!(clock(TimeUnit::Auto, None).read(first), Ok(millis));
        check("978300760", 978_300_760_000);
        check("978300760123", 978_300_760_123);
        check("978300760123456", 978_300_760_123);
        check("5", 5_000);
        check("2026-11-24T09:30:00+01:00", 1_795_509_000_000);
        check("2026-11-24 08:30:00", 1_795_509_000_000);
        check("2026-11-24 08:30", 1_795_509_000_000);
        check("2026-11-24", 1_795_478_400_000);
        let mut auto = clock(TimeUnit::Auto, None);
        assert_eq!(auto.read("978300760123"), Ok(978_300_760_123));
        assert_eq!(auto.read("5"), Ok(5));
        assert!(
            auto.read("978300760")
                .expect_err("another unit")
                .contains("time_unit")
        );
    }

    #[test]
    fn words_and_numbers_are_not_taken_for_each_other() {
        assert!(clock(TimeUnit::Rfc3339, None).read("978300760").is_err());
        assert!(clock(TimeUnit::Rfc3339, None).read_integer(978_300_760).is_err());
        assert!(clock(TimeUnit::Millis, None).read("2026-11-24").is_err());
    }
}
