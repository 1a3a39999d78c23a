//! When people are about: a daily and weekly rhythm, in UTC.

use crate::stream::Stream;

const HOURS: usize = 168;
const SECONDS_PER_HOUR: f64 = 3600.0;
const SECONDS_PER_WEEK: f64 = 604_800.0;
/// The Unix epoch was a Thursday; weeks here begin on Monday.
const MONDAY: f64 = 4.0 * 86_400.0;
/// Monday to Sunday.
const DAYS: [f64; 7] = [0.9, 0.85, 0.85, 0.9, 1.05, 1.35, 1.4];

/// The intensity λ(t) of sessions, constant within an hour, with a mean of 1, and its integral Λ.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Calendar {
    intensity: [f64; HOURS],
    /// Λ at the beginning of each hour of a week, in hours.
    before: [f64; HOURS + 1],
}

impl Calendar {
    /// Noon and evening are busy, nights are not, weekends are busier.
    pub(crate) fn rhythm() -> Self {
        Self::new(|hour| {
            let of_day = (hour % 24) as f64;
            let bump = |peak: f64, width: f64| {
                let distance = (of_day - peak).abs().min(24.0 - (of_day - peak).abs()) / width;
                libm::exp(-0.5 * distance * distance)
            };
            DAYS[hour / 24] * (0.08 + 0.55 * bump(12.0, 2.5) + bump(20.0, 2.5))
        })
    }

    /// Every hour like every other.
    pub(crate) fn flat() -> Self {
        Self::new(|_| 1.0)
    }

    fn new(weight: impl Fn(usize) -> f64) -> Self {
        let mut intensity = [0.0; HOURS];
        for (hour, value) in intensity.iter_mut().enumerate() {
            *value = weight(hour);
        }
        let mean = intensity.iter().sum::<f64>() / HOURS as f64;
        let mut before = [0.0; HOURS + 1];
        for hour in 0..HOURS {
            intensity[hour] /= mean;
            before[hour + 1] = before[hour] + intensity[hour];
        }
        Self { intensity, before }
    }

    /// λ at a moment (Unix seconds).
    pub(crate) fn intensity(&self, second: f64) -> f64 {
        let (_, hour) = week_and_hour(second);
        self.intensity[place(hour)]
    }

    /// Λ at a moment (Unix seconds), in hours.
    pub(crate) fn integral(&self, second: f64) -> f64 {
        let (week, hour) = week_and_hour(second);
        let whole = place(hour);
        week * self.before[HOURS] + self.before[whole] + self.intensity[whole] * (hour - whole as f64)
    }

    /// The moment at which Λ has a value.
    pub(crate) fn moment(&self, integral: f64) -> f64 {
        let week = (integral / self.before[HOURS]).floor();
        let rest = integral - week * self.before[HOURS];
        let hour = self
            .before
            .partition_point(|&before| before <= rest)
            .clamp(1, HOURS)
            - 1;
        let inside = (rest - self.before[hour]) / self.intensity[hour];
        week * SECONDS_PER_WEEK + MONDAY + (hour as f64 + inside) * SECONDS_PER_HOUR
    }

    /// A moment between two, in proportion to λ, in whole Unix seconds.
    pub(crate) fn draw(&self, from: i64, to: i64, stream: &mut Stream) -> i64 {
        let (low, high) = (self.integral(from as f64), self.integral(to as f64));
        let moment = self.moment(low + stream.uniform() * (high - low));
        second(moment).clamp(from, (to - 1).max(from))
    }
}

fn week_and_hour(second: f64) -> (f64, f64) {
    let since = second - MONDAY;
    let week = (since / SECONDS_PER_WEEK).floor();
    (week, (since - week * SECONDS_PER_WEEK) / SECONDS_PER_HOUR)
}

fn place(hour: f64) -> usize {
    (crate::catalogue::whole(hour) as usize).min(HOURS - 1)
}

#[expect(clippy::cast_possible_truncation, reason = "seconds of this age of the world")]
fn second(moment: f64) -> i64 {
    moment as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_integral_and_the_moment_undo_each_other() {
        let calendar = Calendar::rhythm();
        let mut last = f64::NEG_INFINITY;
        for step in 0..2000 {
            let second = 1_767_571_200.0 + f64::from(step) * 1234.5;
            let integral = calendar.integral(second);
            assert!(integral > last);
            last = integral;
            assert!((calendar.moment(integral) - second).abs() < 0.01, "{second}");
        }
    }

    #[test]
    fn a_monday_begins_where_a_week_does() {
        let calendar = Calendar::rhythm();
        // 2026-01-05 was a Monday; the Saturday after it is busier at the same hour.
        let (monday, saturday) = (1_767_571_200.0, 1_767_571_200.0 + 5.0 * 86_400.0);
        let evening = 20.5 * 3600.0;
        let ratio = calendar.intensity(saturday + evening) / calendar.intensity(monday + evening);
        assert!((ratio - 1.35 / 0.9).abs() < 1e-9, "{ratio}");
        assert!(calendar.intensity(monday + 4.0 * 3600.0) < 0.3 * calendar.intensity(monday + evening));
    }
}
