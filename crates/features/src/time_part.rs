//! Parts of a moment: hour, weekday, month, weekend.

use std::sync::LazyLock;

use catchment_schema::Time;
use serde::{Deserialize, Serialize};

use crate::config::TimeConfig;
use crate::fingerprint::StateHash;
use crate::number::to_f32;
use crate::{ColumnKind, FeatureColumn, FeatureConfig};

const MILLIS_PER_MINUTE: i64 = 60_000;
const MILLIS_PER_HOUR: i64 = 3_600_000;
const HOURS_PER_DAY: i64 = 24;
/// The epoch was a Thursday; weeks begin on Monday.
const EPOCH_WEEKDAY: i64 = 3;
/// The farthest clocks from UTC.
const MAX_OFFSET_MINUTES: i32 = 14 * 60;

/// Which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// 0 to 23.
    Hour,
    /// Monday is 0.
    Weekday,
    /// January is 0.
    Month,
    /// Saturday and Sunday are 1, other days 0.
    Weekend,
}

/// A part, on whose clock, and in which form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimePart {
    pub(crate) part: Part,
    offset_minutes: i32,
    cyclic: bool,
}

impl TimePart {
    /// On the clock of UTC, as an id.
    pub(crate) const fn utc(part: Part) -> Self {
        Self {
            part,
            offset_minutes: 0,
            cyclic: false,
        }
    }

    /// The part that a kind asks for, with its settings; `None` where it is no part of a moment.
    pub(crate) fn of(config: &FeatureConfig) -> Option<(Self, &TimeConfig)> {
        let (part, time) = match config {
            FeatureConfig::Hour(time) => (Part::Hour, time),
            FeatureConfig::Weekday(time) => (Part::Weekday, time),
            FeatureConfig::Month(time) => (Part::Month, time),
            FeatureConfig::Weekend(time) => (Part::Weekend, time),
            _ => return None,
        };
        let offset = time.utc_offset.as_deref().and_then(parse_offset);
        let rule = Self {
            part,
            offset_minutes: offset.unwrap_or(0),
            cyclic: time.cyclic,
        };
        Some((rule, time))
    }

    /// How many values there are; the id for an unknown moment is behind them.
    fn n_values(self) -> u32 {
        match self.part {
            Part::Hour => 24,
            Part::Weekday => 7,
            Part::Month => 12,
            Part::Weekend => 2,
        }
    }

    pub(crate) fn kind(self) -> ColumnKind {
        if self.cyclic {
            return ColumnKind::Dense { width: 2 };
        }
        ColumnKind::Bag {
            cardinality: self.n_values() + 1,
        }
    }

    fn value(self, now: Time) -> Option<u32> {
        let offset = i64::from(self.offset_minutes) * MILLIS_PER_MINUTE;
        let hours = now.millis()?.saturating_add(offset).div_euclid(MILLIS_PER_HOUR);
        let days = hours.div_euclid(HOURS_PER_DAY);
        let weekday = (days + EPOCH_WEEKDAY).rem_euclid(7);
        let value = match self.part {
            Part::Hour => hours.rem_euclid(HOURS_PER_DAY),
            Part::Weekday => weekday,
            Part::Month => month(days),
            Part::Weekend => i64::from(weekday >= 5),
        };
        u32::try_from(value).ok()
    }

    /// Adds one row: the id, with the last id for an unknown moment; or sine and cosine, zeros for an unknown moment.
    #[inline]
    pub(crate) fn write(self, now: Time, column: &mut FeatureColumn) {
        let value = self.value(now);
        if self.cyclic {
            let point = value.map_or([0.0; 2], |value| self.circle()[value as usize]);
            column.push_number(point[0]);
            column.push_number(point[1]);
        } else {
            column.push_id(value.unwrap_or(self.n_values()));
        }
    }

    fn circle(self) -> &'static [[f32; 2]] {
        static HOURS: LazyLock<Vec<[f32; 2]>> = LazyLock::new(|| points(24));
        static WEEKDAYS: LazyLock<Vec<[f32; 2]>> = LazyLock::new(|| points(7));
        static MONTHS: LazyLock<Vec<[f32; 2]>> = LazyLock::new(|| points(12));
        match self.part {
            Part::Hour => &HOURS,
            Part::Month => &MONTHS,
            // A weekend has no circle; the settings are refused.
            Part::Weekday | Part::Weekend => &WEEKDAYS,
        }
    }

    pub(crate) fn hash(self, hash: &mut StateHash) {
        hash.text(match self.part {
            Part::Hour => "hour",
            Part::Weekday => "weekday",
            Part::Month => "month",
            Part::Weekend => "weekend",
        });
        if self.offset_minutes != 0 || self.cyclic {
            hash.extension("on a clock");
            hash.count(i64::from(self.offset_minutes).cast_unsigned());
            hash.count(u64::from(self.cyclic));
        }
    }
}

/// `[sin, cos]` of value / period · 2π for each value.
fn points(period: u32) -> Vec<[f32; 2]> {
    let turn = |value: u32| f64::from(value) / f64::from(period) * std::f64::consts::TAU;
    (0..period)
        .map(|value| [to_f32(turn(value).sin()), to_f32(turn(value).cos())])
        .collect()
}

/// The month, from 0, of a day counted from the epoch. Years are taken to begin in March, so that the leap day is the
/// last of its year and months have lengths in a period of five (H. Hinnant, chrono-compatible low-level date algorithms).
fn month(days: i64) -> i64 {
    const FROM_MARCH_OF_YEAR_0: i64 = 719_468;
    const DAYS_OF_400_YEARS: i64 = 146_097;
    let day = days
        .saturating_add(FROM_MARCH_OF_YEAR_0)
        .rem_euclid(DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let months_from_march = (5 * day_of_year + 2) / 153;
    (months_from_march + 2) % 12
}

/// Minutes of `+05:30` or `-03:00`.
pub(crate) fn parse_offset(text: &str) -> Option<i32> {
    let (sign, clock) = match text.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_once(':')?;
    let number = |digits: &str| {
        let two_digits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|_| two_digits)
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|&minutes| minutes < 60)?);
    let total = hours * 60 + minutes;
    (total <= MAX_OFFSET_MINUTES).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(part: Part, offset_minutes: i32, now: Time) -> u32 {
        let rule = TimePart {
            offset_minutes,
            ..TimePart::utc(part)
        };
        let mut column = FeatureColumn::new(rule.kind());
        rule.write(now, &mut column);
        match column {
            FeatureColumn::Bag { ids, .. } => ids[0],
            FeatureColumn::Dense { .. } => panic!("a bag"),
        }
    }

    #[test]
    fn months_are_those_of_a_walk_through_the_calendar() {
        // 1200-01-01 to 2400-12-31, by the rule for leap years and the lengths of months alone.
        let mut days = -281_237;
        for year in 1200..=2400 {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let lengths = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
            for (expected, length) in (0..).zip(lengths) {
                for _ in 0..length {
                    if year == 1970 && expected == 0 {
                        assert!((0..31).contains(&days));
                    }
                    assert_eq!(month(days), expected, "year {year}, day {days}");
                    days += 1;
                }
            }
        }
    }

    #[test]
    fn weekends_and_hours_are_those_of_the_clock_that_is_asked_for() {
        // 2000-01-01 00:30 UTC was a Saturday; in New York it was still Friday and December.
        let now = Time::from_millis(946_686_600_000);
        let parts = [Part::Hour, Part::Weekday, Part::Month, Part::Weekend];
        assert_eq!(parts.map(|part| id(part, 0, now)), [0, 5, 0, 1]);
        assert_eq!(parts.map(|part| id(part, -300, now)), [19, 4, 11, 0]);
        assert_eq!(parts.map(|part| id(part, 330, now)), [6, 5, 0, 1]);
        assert_eq!(parts.map(|part| id(part, 330, Time::UNKNOWN)), [24, 7, 12, 2]);
    }

    #[test]
    fn the_ends_of_time_have_ids() {
        for part in [Part::Hour, Part::Weekday, Part::Month, Part::Weekend] {
            for millis in [i64::MIN + 1, i64::MAX] {
                for offset in [-840, 0, 840] {
                    assert!(id(part, offset, Time::from_millis(millis)) < TimePart::utc(part).n_values());
                }
            }
        }
    }

    #[test]
    fn offsets_are_read_and_others_refused() {
        let read = ["+00:00", "-00:30", "+05:30", "-14:00"].map(parse_offset);
        assert_eq!(read, [Some(0), Some(-30), Some(330), Some(-840)]);
        for text in [
            "", "05:30", "+5:30", "+05", "+05:60", "+14:01", "+05:3x", "UTC", "é05:30", "+-5:30",
        ] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }
}
