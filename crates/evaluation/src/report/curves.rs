//! Each metric over its cut-offs, and probabilities against what came true.

use std::fmt::{Result, Write};

use super::escape::Text;
use super::page::colour;
use super::{ListReport, RunReport};
use crate::metric_report::ListCalibration;

pub(super) const WIDTH: f64 = 360.0;
pub(super) const HEIGHT: f64 = 240.0;
const LEFT: f64 = 46.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 36.0;

/// Where values lie on the paper.
pub(super) struct Axes {
    pub(super) x: [f64; 2],
    pub(super) y_max: f64,
}

impl Axes {
    pub(super) fn x(&self, value: f64) -> f64 {
        let [low, high] = self.x;
        let share = if high > low {
            (value - low) / (high - low)
        } else {
            0.5
        };
        LEFT + share * (WIDTH - LEFT - RIGHT)
    }

    pub(super) fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - value / self.y_max * (HEIGHT - TOP - BOTTOM)
    }

    pub(super) fn frame(&self, page: &mut String, x_ticks: &[(f64, String)], x_label: &str) -> Result {
        self.frame_from(page, 0.0, x_ticks, x_label)
    }

    /// The same where the lowest value stands for `y_min`, which values are given without.
    pub(super) fn frame_from(
        &self,
        page: &mut String,
        y_min: f64,
        x_ticks: &[(f64, String)],
        x_label: &str,
    ) -> Result {
        let digits = digits(self.y_max / 4.0);
        for step in 0..=4 {
            let value = self.y_max * f64::from(step) / 4.0;
            let y = self.y(value);
            write!(
                page,
                "<path class=\"axis\" d=\"M{LEFT} {y:.1}H{:.1}\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" class=\"quiet\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                rounded(y_min + value, digits)
            )?;
        }
        for (place, label) in x_ticks {
            let x = self.x(*place);
            // A long label at the edge would be cut off.
            let at_edge = x + 4.0 * label.len() as f64 > WIDTH;
            write!(
                page,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"{}\" class=\"quiet\">{label}</text>",
                if at_edge { WIDTH } else { x },
                HEIGHT - BOTTOM + 16.0,
                if at_edge { "end" } else { "middle" }
            )?;
        }
        write!(
            page,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" class=\"quiet\">{x_label}</text>",
            WIDTH - RIGHT,
            HEIGHT - 4.0
        )
    }
}

/// Decimals that tell numbers apart which differ by so much; three at least.
pub(super) fn digits(step: f64) -> usize {
    let tells_apart = |digits: &u8| step * 10_f64.powi(i32::from(*digits)) >= 1.0;
    (3..12_u8).find(tells_apart).unwrap_or(3).into()
}

/// Few digits, without the zeros that say nothing.
pub(super) fn short(value: f64) -> String {
    rounded(value, 3)
}

/// So many decimals, without the zeros that say nothing.
pub(super) fn rounded(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() {
        "0".to_owned()
    } else {
        text.to_owned()
    }
}

/// The next of 1, 2, 2.5, 4, 5, 10 times a power of ten, so that quarters of it are short.
pub(super) fn round_up(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0];
    let step = steps.into_iter().find(|step| step * power >= value);
    step.unwrap_or(10.0) * power
}

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    let families: Vec<_> = report
        .families()
        .into_iter()
        .filter(|(_, ks)| ks.len() > 1)
        .collect();
    if !families.is_empty() {
        page.write_str("<section>\n<h2>By length of the list</h2>\n<ul class=\"legend\">\n")?;
        for (position, list) in report.lists.iter().enumerate() {
            writeln!(
                page,
                "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\" class=\"{}\"><path class=\"curve\" d=\"M0 5H26\"{}/><circle cx=\"13\" cy=\"5\" \
                 r=\"4\"/></svg>{}</li>",
                colour(position),
                dashes(position),
                Text(&list.list)
            )?;
        }
        page.write_str("</ul>\n<div class=\"grid\">\n")?;
        for (number, (family, ks)) in families.iter().enumerate() {
            curve(page, report, number, family, ks)?;
        }
        page.write_str("</div>\n</section>\n")?;
    }
    for list in &report.lists {
        if let Some(calibration) = &list.report.calibration {
            reliability(page, list, calibration)?;
        }
    }
    Ok(())
}

/// Lists differ in more than colour.
fn dashes(position: usize) -> &'static str {
    [
        "",
        " stroke-dasharray=\"7 3\"",
        " stroke-dasharray=\"2 3\"",
        " stroke-dasharray=\"9 3 2 3\"",
    ][position % 4]
}

fn curve(page: &mut String, report: &RunReport, number: usize, family: &str, ks: &[usize]) -> Result {
    let mut ks = ks.to_vec();
    ks.sort_unstable();
    let log = |k: usize| (k as f64).ln();
    let at = |list: &ListReport, k: usize| list.report.metrics.get(&format!("{family}@{k}"));
    let high = |list: &ListReport, k: usize| {
        let interval = list.report.interval(&format!("{family}@{k}"));
        interval.map(|interval| interval.high).or(at(list, k))
    };
    let values = report
        .lists
        .iter()
        .flat_map(|list| ks.iter().filter_map(|&k| high(list, k)).collect::<Vec<_>>());
    let axes = Axes {
        x: [log(ks[0]), log(ks[ks.len() - 1])],
        y_max: round_up(values.fold(0.0, f64::max)),
    };
    let describe = |list: &ListReport| {
        let (first, last) = (ks[0], ks[ks.len() - 1]);
        let value = |k| at(list, k).map_or("–".to_owned(), |value| format!("{value:.4}"));
        format!(
            "{}: {} at {first}, {} at {last}",
            list.list,
            value(first),
            value(last)
        )
    };
    let described: Vec<String> = report.lists.iter().map(describe).collect();
    let id = format!("curve{number}");
    write!(
        page,
        "<figure><figcaption>{0}@k</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title \
         id=\"{id}t\">{0} by length of the list</title><desc id=\"{id}d\">{1}</desc>",
        Text(family),
        Text(&described.join("; "))
    )?;
    let ticks: Vec<(f64, String)> = ks.iter().map(|&k| (log(k), k.to_string())).collect();
    axes.frame(page, &ticks, "k (log)")?;
    for (position, list) in report.lists.iter().enumerate() {
        let points: Vec<(f64, f64)> = ks
            .iter()
            .filter_map(|&k| Some((axes.x(log(k)), axes.y(at(list, k)?))))
            .collect();
        let path: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1} {y:.1}")).collect();
        write!(page, "<g class=\"{}\">", colour(position))?;
        for &k in &ks {
            if let Some(interval) = list.report.interval(&format!("{family}@{k}")) {
                let (x, low, high) = (axes.x(log(k)), axes.y(interval.low), axes.y(interval.high));
                write!(
                    page,
                    "<path stroke-opacity=\".5\" stroke-width=\"4\" d=\"M{x:.1} {low:.1}V{high:.1}\"/>"
                )?;
            }
        }
        write!(
            page,
            "<path class=\"curve\"{} d=\"M{}\"/>",
            dashes(position),
            path.join("L")
        )?;
        for (x, y) in points {
            write!(page, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>")?;
        }
        page.write_str("</g>")?;
    }
    page.write_str("</svg></figure>\n")
}

fn reliability(page: &mut String, list: &ListReport, found: &ListCalibration) -> Result {
    let most = found.bins.iter().map(|bin| bin.predicted.max(bin.observed));
    let most = round_up(most.fold(0.0, f64::max));
    let axes = Axes {
        x: [0.0, most],
        y_max: most,
    };
    write!(
        page,
        "<section>\n<h2>Do the probabilities of “{}” come true?</h2>\n<p>Over the {} listed items, the mean gap between the \
         probability and the share that came true is {:.4} (expected calibration error, bins of equal mass).",
        Text(&list.list),
        found.rows,
        found.ece
    )?;
    if let Some(gauc) = found.gauc {
        write!(
            page,
            " Within a list, a hit stands above a miss with probability {:.4} (GAUC over {} users; {} users with hits alone or misses \
             alone are left out).",
            gauc.value, gauc.groups, gauc.groups_left_out
        )?;
    }
    let lowest = found.bins.first().map_or(0.0, |bin| bin.observed);
    let highest = found.bins.last().map_or(0.0, |bin| bin.observed);
    write!(
        page,
        "</p>\n<figure><figcaption>Share that came true, by predicted probability; the line is where both are \
         equal</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" style=\"max-width:420px\" role=\"img\" aria-labelledby=\"relt reld\"><title id=\"relt\">Reliability \
         of the probabilities</title><desc id=\"reld\">{} bins; {lowest:.4} came true in the lowest, {highest:.4} in the highest</desc>",
        found.bins.len()
    )?;
    let ticks: Vec<(f64, String)> = (0..=4)
        .map(|step| most * f64::from(step) / 4.0)
        .map(|value| (value, short(value)))
        .collect();
    axes.frame(page, &ticks, "predicted")?;
    write!(
        page,
        "<path class=\"axis\" stroke-dasharray=\"4 3\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/><g class=\"c0\">",
        axes.x(0.0),
        axes.y(0.0),
        axes.x(most),
        axes.y(most)
    )?;
    for bin in &found.bins {
        write!(
            page,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>",
            axes.x(bin.predicted),
            axes.y(bin.observed)
        )?;
    }
    page.write_str("</g></svg></figure>\n</section>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_above_the_data() {
        for (value, expect) in [
            (0.17, 0.2),
            (0.21, 0.24),
            (0.57, 0.6),
            (1.0, 1.0),
            (0.0, 1.0),
            (31.0, 32.0),
        ] {
            assert!(
                (round_up(value) - expect).abs() < 1e-9,
                "{value}: {}",
                round_up(value)
            );
        }
        assert_eq!(
            (digits(0.05), digits(0.0006), digits(0.0), digits(3.0)),
            (3, 4, 3, 3)
        );
        assert_eq!(rounded(0.2616, digits(0.0006)), "0.2616");
        assert_eq!(
            (short(0.25), short(0.0), short(10.0)),
            ("0.25".into(), "0".into(), "10".into())
        );
    }
}
