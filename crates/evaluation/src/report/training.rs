//! How the training of a channel went: its loss and the length of its gradient, epoch by epoch (or shard by shard), and what
//! it thought of how often items come.

use std::fmt::{Result, Write};

use serde::{Deserialize, Serialize};

use super::RunReport;
use super::curves::{Axes, HEIGHT, WIDTH, round_up, short};
use super::escape::Text;

/// What a training was like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingCurve {
    /// The channel.
    pub channel: String,
    /// The mean loss of each epoch.
    pub losses: Vec<f64>,
    /// The length of the gradient by the vectors that meet, of each epoch: the root of the mean of its square.
    pub gradients: Vec<f64>,
    /// Examples seen.
    pub examples: u64,
    /// What divides scores, at the end.
    pub temperature: f64,
    /// Whether what is called an epoch here is a shard of a log that was learned in the order of time.
    #[serde(default)]
    pub by_shard: bool,
    /// Rows of a batch that are of an item: as counted in the last pass and as estimated after it. Empty where nothing is
    /// estimated.
    #[serde(default)]
    pub frequencies: Vec<[f64; 2]>,
}

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    if report.trainings.is_empty() {
        return Ok(());
    }
    page.write_str("<section>\n<h2>How towers were trained</h2>\n")?;
    for (number, curve) in report.trainings.iter().enumerate() {
        writeln!(
            page,
            "<h3>{}</h3>\n<p class=\"quiet\">{} examples; temperature {:.4} at the end.</p>\n<div \
             class=\"grid\">",
            Text(&curve.channel),
            curve.examples,
            curve.temperature
        )?;
        line(page, &format!("loss{number}"), "Loss", curve, &curve.losses)?;
        line(
            page,
            &format!("gradient{number}"),
            "Length of the gradient",
            curve,
            &curve.gradients,
        )?;
        frequencies(page, number, curve)?;
        page.write_str("</div>\n")?;
    }
    page.write_str("</section>\n")
}

fn line(page: &mut String, id: &str, what: &str, curve: &TrainingCurve, values: &[f64]) -> Result {
    let n = values.len();
    let part = if curve.by_shard { "shard" } else { "epoch" };
    let axes = Axes {
        x: [1.0, n as f64],
        y_max: round_up(values.iter().copied().fold(0.0, f64::max)),
    };
    let (first, last) = (values.first().copied(), values.last().copied());
    write!(
        page,
        "<figure><figcaption>{what}, by {part}</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">{what} of “{}” by {part}</title><desc id=\"{id}d\">{:.4} in the first, \
         {:.4} in the last</desc>",
        Text(&curve.channel),
        first.unwrap_or(0.0),
        last.unwrap_or(0.0)
    )?;
    axes.frame(page, &[(1.0, "1".to_owned()), (n as f64, n.to_string())], part)?;
    let points: Vec<String> = (1..)
        .zip(values)
        .map(|(epoch, &value): (u32, _)| format!("{:.1} {:.1}", axes.x(f64::from(epoch)), axes.y(value)))
        .collect();
    if !points.is_empty() {
        write!(
            page,
            "<g class=\"c0\"><path class=\"curve\" d=\"M{}\"/></g>",
            points.join("L")
        )?;
    }
    page.write_str("</svg></figure>\n")
}

/// Estimated against counted, both axes logarithmic: on the diagonal where the estimate is right.
fn frequencies(page: &mut String, number: usize, curve: &TrainingCurve) -> Result {
    let is_drawn = |point: &&[f64; 2]| point.iter().all(|value| value.is_finite() && *value > 0.0);
    let points: Vec<[f64; 2]> = curve
        .frequencies
        .iter()
        .filter(is_drawn)
        .map(|point| point.map(f64::log10))
        .collect();
    if points.is_empty() {
        return Ok(());
    }
    let values = || points.iter().flatten().copied();
    let low = values().fold(f64::INFINITY, f64::min).floor();
    let high = values().fold(f64::NEG_INFINITY, f64::max).ceil().max(low + 1.0);
    let axes = Axes {
        x: [low, high],
        y_max: high - low,
    };
    let error = points
        .iter()
        .map(|[counted, estimated]| (estimated - counted).abs())
        .sum::<f64>();
    let factor = 10_f64.powf(error / points.len() as f64);
    let id = format!("frequency{number}");
    write!(
        page,
        "<figure><figcaption>Rows of a batch that are of an item: estimated (up) against counted (across), in powers of \
         ten</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title \
         id=\"{id}t\">Estimated against counted frequency of “{}”</title><desc id=\"{id}d\">{} items; apart by a factor of \
         {factor:.2} on average (geometric mean)</desc>",
        Text(&curve.channel),
        points.len()
    )?;
    let ticks = [low, high].map(|power| (power, short(power)));
    axes.frame_from(page, low, &ticks, "counted")?;
    write!(
        page,
        "<g class=\"c0\"><path class=\"curve\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/></g><g class=\"c1\">",
        axes.x(low),
        axes.y(0.0),
        axes.x(high),
        axes.y(high - low)
    )?;
    for [counted, estimated] in &points {
        write!(
            page,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\"/>",
            axes.x(*counted),
            axes.y(estimated - low)
        )?;
    }
    page.write_str("</g></svg></figure>\n")
}
