//! What the run is made of: data, and what a look at it brought to light.

use std::fmt::{Result, Write};

use catchment_schema::{Finding, Severity};
use serde::{Deserialize, Serialize};

use super::RunReport;
use super::escape::Text;
use crate::seen_items::SeenItems;
use crate::{GroundTruth, ItemPopularity};

const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 220.0;

/// The data in numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DataFacts {
    /// Names and values, in the order in which they are shown.
    pub numbers: Vec<(String, String)>,
    /// Which share of all pairs of user and item the most popular 0 %, 5 %, …, 100 % of items have; empty without pairs.
    pub long_tail: Vec<f64>,
}

impl DataFacts {
    /// What users had before, and what was held out.
    pub fn new(seen: &SeenItems, popularity: &ItemPopularity, truth: &GroundTruth) -> Self {
        let (users, items, pairs) = (truth.n_users(), truth.n_items(), seen.n_pairs());
        let cells = users as f64 * items as f64;
        let density = if cells > 0.0 {
            pairs as f64 / cells * 100.0
        } else {
            0.0
        };
        let mut counts = popularity.counts().to_vec();
        counts.sort_unstable_by_key(|&count| std::cmp::Reverse(count));
        let numbers = [
            ("users", users.to_string()),
            ("items", items.to_string()),
            (
                "different pairs of user and item before the held-out part",
                pairs.to_string(),
            ),
            ("density", format!("{density:.4} %")),
            (
                "items per user, mean",
                format!("{:.1}", pairs as f64 / users.max(1) as f64),
            ),
            (
                "items that one user had or none",
                counts.iter().filter(|&&count| count < 2).count().to_string(),
            ),
        ];
        Self {
            numbers: numbers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            long_tail: long_tail(&counts),
        }
    }
}

impl DataFacts {
    /// The day of a moment in Unix milliseconds, `2026-01-31` (UTC).
    pub fn day(millis: i64) -> String {
        // Days since 0000-03-01, in eras of 400 years (Hinnant, *chrono-compatible low-level date algorithms*).
        let days = millis.div_euclid(86_400_000) + 719_468;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * march + 2) / 5 + 1;
        let month = if march < 10 { march + 3 } else { march - 9 };
        let year = year + era * 400 + i64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }
}

/// # Shapes
/// `counts`: falling.
fn long_tail(counts: &[u32]) -> Vec<f64> {
    let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
    if total == 0 {
        return Vec::new();
    }
    let share = |step: usize| {
        let head: u64 = counts[..counts.len() * step / 20]
            .iter()
            .map(|&count| u64::from(count))
            .sum();
        head as f64 / total as f64
    };
    (0..=20).map(share).collect()
}

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    let facts = &report.facts;
    if !facts.numbers.is_empty() {
        page.write_str("<section>\n<h2>The data</h2>\n<dl>\n")?;
        for (name, value) in &facts.numbers {
            writeln!(page, "<div><dt>{}</dt><dd>{}</dd></div>", Text(name), Text(value))?;
        }
        page.write_str("</dl>\n")?;
        tail(page, &facts.long_tail)?;
        page.write_str("</section>\n")?;
    }
    if !report.findings.is_empty() {
        page.write_str("<section>\n<h2>What a look at the data found</h2>\n")?;
        for found in &report.findings {
            finding(page, found)?;
        }
        page.write_str("</section>\n")?;
    }
    Ok(())
}

fn tail(page: &mut String, shares: &[f64]) -> Result {
    if shares.len() < 2 {
        return Ok(());
    }
    let (left, bottom) = (46.0, HEIGHT - 36.0);
    let x = |share: f64| left + share * (WIDTH - left - 12.0);
    let y = |share: f64| bottom - share * (bottom - 10.0);
    let last = (shares.len() - 1) as f64;
    let path: Vec<String> = shares
        .iter()
        .enumerate()
        .map(|(position, &share)| format!("{:.1} {:.1}", x(position as f64 / last), y(share)))
        .collect();
    let fifth = shares[(shares.len() - 1) / 5] * 100.0;
    write!(
        page,
        "<figure><figcaption>The long tail: the most popular fifth of the items has {fifth:.0} % of all pairs</figcaption>\n<svg viewBox=\"0 0 \
         {WIDTH} {HEIGHT}\" style=\"max-width:420px\" role=\"img\" aria-labelledby=\"tailt taild\"><title id=\"tailt\">Share of all pairs by share of \
         items, the most popular first</title><desc id=\"taild\">The most popular fifth of the items has {fifth:.0} percent</desc>"
    )?;
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        write!(
            page,
            "<path class=\"axis\" d=\"M{left} {0:.1}H{1:.1}\"/><text class=\"quiet\" text-anchor=\"end\" x=\"{2:.1}\" y=\"{3:.1}\">{4} %</text><text \
             class=\"quiet\" text-anchor=\"middle\" x=\"{5:.1}\" y=\"{6:.1}\">{4}</text>",
            y(share),
            x(1.0),
            left - 6.0,
            y(share) + 4.0,
            step * 25,
            x(share),
            bottom + 16.0
        )?;
    }
    writeln!(
        page,
        "<text class=\"quiet\" text-anchor=\"end\" x=\"{:.1}\" y=\"{:.1}\">% of the items</text><g class=\"c0\"><path class=\"curve\" \
         d=\"M{}\"/></g></svg></figure>",
        x(1.0),
        HEIGHT - 4.0,
        path.join("L")
    )
}

fn finding(page: &mut String, found: &Finding) -> Result {
    let (class, word) = match found.severity {
        Severity::Note => ("note", "Note"),
        Severity::Warning => ("warning", "Warning"),
        Severity::Error => ("error", "Error"),
    };
    write!(
        page,
        "<div class=\"finding {class}\"><p><strong>{word}</strong> ({}): {}</p>",
        Text(&found.code),
        Text(&found.message)
    )?;
    if !found.examples.is_empty() {
        page.write_str("<ul>")?;
        for example in &found.examples {
            write!(page, "<li>{}</li>", Text(example))?;
        }
        page.write_str("</ul>")?;
    }
    writeln!(
        page,
        "<p class=\"quiet\">What to do: {}</p></div>",
        Text(&found.remedy)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (millis, day) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400_000, "2000-02-29"),
            (1_798_675_199_999, "2026-12-30"),
        ] {
            assert_eq!(DataFacts::day(millis), day);
        }
    }

    #[test]
    fn the_long_tail_rises_from_0_to_1() {
        let shares = long_tail(&[60, 20, 10, 5, 5]);
        assert_eq!(shares.len(), 21);
        assert!(
            (shares[4] - 0.6).abs() < 1e-12 && (shares[20] - 1.0).abs() < 1e-12 && shares[0].abs() < 1e-12
        );
        assert!(shares.is_sorted() && long_tail(&[0, 0]).is_empty());
    }
}
