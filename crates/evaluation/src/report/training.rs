//! How the training of a channel went: its loss and the length of its gradient, epoch by epoch.

use std::fmt::{Result, Write};

use serde::{Deserialize, Serialize};

use super::RunReport;
use super::curves::{Axes, HEIGHT, WIDTH, round_up};
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
        line(
            page,
            &format!("loss{number}"),
            "Loss",
            &curve.channel,
            &curve.losses,
        )?;
        line(
            page,
            &format!("gradient{number}"),
            "Length of the gradient",
            &curve.channel,
            &curve.gradients,
        )?;
        page.write_str("</div>\n")?;
    }
    page.write_str("</section>\n")
}

fn line(page: &mut String, id: &str, what: &str, channel: &str, values: &[f64]) -> Result {
    let n = values.len();
    let axes = Axes {
        x: [1.0, n as f64],
        y_max: round_up(values.iter().copied().fold(0.0, f64::max)),
    };
    let (first, last) = (values.first().copied(), values.last().copied());
    write!(
        page,
        "<figure><figcaption>{what}, by epoch</figcaption>\n<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">{what} of “{}” by epoch</title><desc id=\"{id}d\">{:.4} in the first, \
         {:.4} in the last</desc>",
        Text(channel),
        first.unwrap_or(0.0),
        last.unwrap_or(0.0)
    )?;
    axes.frame(page, &[(1.0, "1".to_owned()), (n as f64, n.to_string())], "epoch")?;
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
