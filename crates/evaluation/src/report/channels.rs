//! What each channel adds: overlap as a heat map, hits of its own.

use std::fmt::{Result, Write};

use super::RunReport;
use super::escape::Text;
use crate::attribution::Attribution;

const CELL: f64 = 64.0;
const LEFT: f64 = 120.0;
const TOP: f64 = 34.0;

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    let Some(found) = &report.attribution else {
        return Ok(());
    };
    write!(
        page,
        "<section>\n<h2>What each channel adds</h2>\n<p>The first {} items of all channels together hold {:.4} of what users did \
         next: no order of the same items has a higher recall.</p>\n<div class=\"scroll\"><table>\n<caption>Hits of each channel among \
         its first {}</caption>\n<thead><tr><th scope=\"col\">channel</th><th scope=\"col\">recall alone</th><th scope=\"col\">hits</th><th \
         scope=\"col\">of them found by no other</th><th scope=\"col\">recall lost without it</th></tr></thead>\n<tbody>\n",
        found.k, found.recall_union, found.k
    )?;
    for ((channel, marginal), position) in found.channels.iter().zip(found.marginal_recall()).zip(0..) {
        let (hits, unique) = (found.hits[position], found.unique_hits[position]);
        let share = if hits > 0 {
            unique as f64 / hits as f64 * 100.0
        } else {
            0.0
        };
        writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{:.4}</td><td>{hits}</td><td>{unique}<small>{share:.1} %</small></td><td>{marginal:.4}</td></tr>",
            Text(channel),
            found.recall_alone[position]
        )?;
    }
    page.write_str("</tbody></table></div>\n")?;
    heat_map(page, found)?;
    page.write_str("</section>\n")
}

fn heat_map(page: &mut String, found: &Attribution) -> Result {
    let n = found.channels.len() as f64;
    let (width, height) = (LEFT + n * CELL + 8.0, TOP + n * 40.0 + 8.0);
    let described: Vec<String> = (0..found.channels.len())
        .flat_map(|a| (a + 1..found.channels.len()).map(move |b| (a, b)))
        .map(|(a, b)| {
            let [left, right] = [a, b].map(|channel| &found.channels[channel]);
            format!("{left} and {right}: {:.2}", found.overlap[a][b])
        })
        .collect();
    write!(
        page,
        "<figure><figcaption>Overlap: what two channels' first {} items have in common (Jaccard index, mean over \
         users)</figcaption>\n<svg viewBox=\"0 0 {width} {height}\" style=\"max-width:{width}px\" role=\"img\" aria-labelledby=\"overt \
         overd\"><title id=\"overt\">Overlap of the channels</title><desc id=\"overd\">{}</desc>",
        found.k,
        Text(&described.join("; "))
    )?;
    for (a, row) in found.overlap.iter().enumerate() {
        let y = TOP + 40.0 * a as f64;
        let name = shortened(&found.channels[a], 16);
        write!(
            page,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            LEFT - 8.0,
            y + 24.0,
            Text(&name),
            LEFT + CELL * (a as f64 + 0.5),
            TOP - 10.0,
            Text(&shortened(&found.channels[a], 9))
        )?;
        for (b, &value) in row.iter().enumerate() {
            let x = LEFT + CELL * b as f64;
            // Never so strong that the number on it is hard to read.
            let strength = if a == b { 0.0 } else { 0.04 + 0.36 * value };
            let text = if a == b {
                "·".to_owned()
            } else {
                format!("{value:.2}")
            };
            write!(
                page,
                "<rect class=\"cell\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{CELL}\" height=\"40\" fill-opacity=\"{strength:.3}\"/><text x=\"{:.1}\" \
                 y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                x + CELL / 2.0,
                y + 24.0
            )?;
        }
    }
    page.write_str("</svg></figure>\n")
}

fn shortened(label: &str, longest: usize) -> String {
    if label.chars().count() <= longest {
        return label.to_owned();
    }
    label.chars().take(longest - 1).chain(['…']).collect()
}
