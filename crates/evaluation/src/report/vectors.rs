//! The vectors of a channel: a map of items, and how many directions they use.

use std::fmt::{Result, Write};

use serde::{Deserialize, Serialize};

use super::RunReport;
use super::curves::{Axes, HEIGHT, WIDTH, round_up};
use super::escape::Text;
use super::page::colour;

/// Width and height of a map.
const SIDE: f64 = 360.0;

/// What the item vectors of a channel look like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VectorMap {
    /// The channel.
    pub channel: String,
    /// Singular values of the matrix of directions over the root of their number: falling, squares adding up to 1.
    pub singular_values: Vec<f64>,
    /// How many directions are used, as if evenly: from 1 to the width.
    pub effective_rank: f64,
    /// Some of the items, in the plane of the first two principal components.
    pub points: Vec<MapPoint>,
    /// How many items have a vector.
    pub n_items: usize,
    /// The groups that points are coloured by; none where items have no groups.
    pub groups: Vec<String>,
}

/// One item on a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MapPoint {
    /// Along the first and the second component.
    pub place: [f64; 2],
    /// What it is called.
    pub label: String,
    /// Its group, by position; none: all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<usize>,
}

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    if report.vectors.is_empty() {
        return Ok(());
    }
    page.write_str(
        "<section>\n<h2>The vectors of items</h2>\n<p class=\"quiet\">A map shows directions in the plane in which they differ most. \
         Singular values say how many directions are used at all: where the first is near 1 and the others near 0, the space has \
         collapsed, and everything is like everything.</p>\n",
    )?;
    for (number, map) in report.vectors.iter().enumerate() {
        writeln!(page, "<h3>{}</h3>", Text(&map.channel))?;
        legend(page, map)?;
        page.write_str("<div class=\"grid\">\n")?;
        write_map(page, number, map)?;
        spectrum(page, number, map)?;
        page.write_str("</div>\n")?;
    }
    page.write_str("</section>\n")
}

fn legend(page: &mut String, map: &VectorMap) -> Result {
    if map.groups.is_empty() {
        return Ok(());
    }
    page.write_str("<ul class=\"legend\">\n")?;
    for (position, group) in map.groups.iter().enumerate() {
        writeln!(
            page,
            "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\" class=\"{}\"><circle cx=\"13\" cy=\"5\" r=\"4\"/></svg>{}</li>",
            colour(position),
            Text(group)
        )?;
    }
    if map.points.iter().any(|point| point.group.is_none()) {
        page.write_str(
            "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><circle class=\"other\" cx=\"13\" cy=\"5\" r=\"4\"/></svg>others</li>\n",
        )?;
    }
    page.write_str("</ul>\n")
}

fn write_map(page: &mut String, number: usize, map: &VectorMap) -> Result {
    let far = map.points.iter().flat_map(|point| point.place).map(f64::abs);
    let far = far.fold(1e-9, f64::max);
    let at = |value: f64| SIDE / 2.0 + value / far * (SIDE / 2.0 - 8.0);
    let (id, middle) = (format!("map{number}"), SIDE / 2.0);
    write!(
        page,
        "<figure><figcaption>{} of {} items, by the first two principal components of their directions</figcaption>\n<svg viewBox=\"0 0 \
         {SIDE} {SIDE}\" style=\"max-width:420px\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">Map of the items of \
         “{}”</title><desc id=\"{id}d\">Each point is an item; its place says how it differs from the mean.</desc><path class=\"axis\" \
         d=\"M0 {middle:.1}H{SIDE}M{middle:.1} 0V{SIDE}\"/>",
        map.points.len(),
        map.n_items,
        Text(&map.channel)
    )?;
    // Others first: groups lie above them.
    let groups = std::iter::once(None).chain((0..map.groups.len()).map(Some));
    for group in groups {
        let class = group.map_or_else(|| "other".to_owned(), colour);
        write!(page, "<g class=\"{class}\">")?;
        for point in map.points.iter().filter(|point| point.group == group) {
            let [x, y] = point.place;
            write!(
                page,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.2\" fill-opacity=\".75\"><title>{}</title></circle>",
                at(x),
                SIDE - at(y),
                Text(&point.label)
            )?;
        }
        page.write_str("</g>")?;
    }
    page.write_str("</svg></figure>\n")
}

fn spectrum(page: &mut String, number: usize, map: &VectorMap) -> Result {
    let (n, most) = (map.singular_values.len(), map.singular_values.first().copied());
    let axes = Axes {
        x: [1.0, n as f64],
        y_max: round_up(most.unwrap_or(0.0)),
    };
    let id = format!("spectrum{number}");
    write!(
        page,
        "<figure><figcaption>Singular values; {:.1} of {n} directions are used, as if evenly</figcaption>\n<svg viewBox=\"0 0 {WIDTH} \
         {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}t {id}d\"><title id=\"{id}t\">Singular values of “{}”</title><desc \
         id=\"{id}d\">The largest is {:.4}, the smallest {:.4}</desc>",
        map.effective_rank,
        Text(&map.channel),
        most.unwrap_or(0.0),
        map.singular_values.last().copied().unwrap_or(0.0)
    )?;
    axes.frame(page, &[(1.0, "1".to_owned()), (n as f64, n.to_string())], "place")?;
    let points: Vec<String> = (1..)
        .zip(&map.singular_values)
        .map(|(place, &value): (u32, _)| format!("{:.1} {:.1}", axes.x(f64::from(place)), axes.y(value)))
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
