//! Segments as bars.

use std::fmt::{Result, Write};

use super::RunReport;
use super::curves::short;
use super::escape::Text;
use crate::metric_report::SegmentReport;

const ROW: f64 = 26.0;
const WIDTH: f64 = 400.0;
const LEFT: f64 = 140.0;
/// Room for the number at the end of the longest bar.
const RIGHT: f64 = 52.0;

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    let Some(list) = report.headline() else {
        return Ok(());
    };
    let Some(metric) = list.report.metrics.keys().next() else {
        return Ok(());
    };
    if list.report.segments.is_empty() {
        return Ok(());
    }
    write!(
        page,
        "<section>\n<h2>For whom, and for what</h2>\n<p class=\"quiet\">{} of “{}” by segment; the thin line is ± 1.96 standard \
         errors. In segments of items a user counts with the held-out items of that segment.</p>\n<div class=\"grid\">\n",
        Text(metric),
        Text(&list.list)
    )?;
    for (number, segments) in list.report.segments.iter().enumerate() {
        figure(page, number, segments, metric)?;
    }
    page.write_str("</div>\n</section>\n")
}

fn figure(page: &mut String, number: usize, report: &SegmentReport, metric: &str) -> Result {
    let height = ROW * report.segments.len() as f64 + 8.0;
    let values: Vec<(f64, f64)> = report
        .segments
        .iter()
        .map(|segment| {
            let value = segment.metrics.get(metric).unwrap_or(0.0);
            (value, 1.96 * segment.standard_errors.get(metric).unwrap_or(0.0))
        })
        .collect();
    let most = values
        .iter()
        .map(|(value, error)| value + error)
        .fold(1e-9, f64::max);
    let x = |value: f64| LEFT + (value / most).clamp(0.0, 1.0) * (WIDTH - LEFT - RIGHT);
    let described: Vec<String> = report
        .segments
        .iter()
        .zip(&values)
        .map(|(segment, (value, _))| format!("{}: {value:.4}", segment.label))
        .collect();
    let id = format!("bars{number}");
    write!(
        page,
        "<figure><figcaption>{0}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {height}\" style=\"max-width:480px\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title \
         id=\"{id}t\">{1} by {0}</title><desc id=\"{id}d\">{2}</desc>",
        Text(&report.by),
        Text(metric),
        Text(&described.join("; "))
    )?;
    for (position, (segment, (value, error))) in report.segments.iter().zip(&values).enumerate() {
        let top = ROW * position as f64 + 4.0;
        let middle = top + ROW / 2.0;
        write!(
            page,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}<title>{} users, {} held-out pairs</title></text><rect class=\"bar\" x=\"{LEFT}\" \
             y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            LEFT - 8.0,
            middle + 4.0,
            Text(&shortened(&segment.label)),
            segment.users,
            segment.pairs,
            top + 3.0,
            x(*value) - LEFT,
            ROW - 6.0
        )?;
        if *error > 0.0 {
            write!(
                page,
                "<path class=\"whisker\" d=\"M{:.1} {middle:.1}H{:.1}\"/>",
                x(value - error),
                x(value + error)
            )?;
        }
        write!(
            page,
            "<text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            x(value + error) + 6.0,
            middle + 4.0,
            short(*value)
        )?;
    }
    page.write_str("</svg></figure>\n")
}

/// As much of a label as fits beside its bar.
fn shortened(label: &str) -> String {
    const LONGEST: usize = 20;
    if label.chars().count() <= LONGEST {
        return label.to_owned();
    }
    label.chars().take(LONGEST - 1).chain(['…']).collect()
}
