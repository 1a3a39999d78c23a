//! Numbers in tables.

use std::fmt::{Result, Write};

use super::escape::Text;
use super::{Comparison, ListReport, RunReport, families};

pub(super) fn write(page: &mut String, report: &RunReport) -> Result {
    page.write_str("<section>\n<h2>How good</h2>\n")?;
    let has_intervals = report.lists.iter().any(|list| !list.report.intervals.is_empty());
    if has_intervals {
        page.write_str(
            "<p class=\"quiet\">Below each mean stands where it may lie with other users of the same kind (bootstrap over \
             users). The best of a column is bold.</p>\n",
        )?;
    }
    page.write_str("<div class=\"grid\">\n")?;
    for (family, ks) in report.families() {
        let rows = report.lists.iter().map(|list| (list, &list.report.metrics));
        table(page, &family, &ks, &rows.collect::<Vec<_>>(), true)?;
    }
    page.write_str("</div>\n")?;
    let catalogue = report.lists.first().map(|list| list.report.catalogue.keys());
    let catalogue = families(catalogue.into_iter().flatten());
    if !catalogue.is_empty() {
        page.write_str("<h2>What the lists do to the catalogue</h2>\n<div class=\"grid\">\n")?;
        for (family, ks) in catalogue {
            let rows = report.lists.iter().map(|list| (list, &list.report.catalogue));
            table(page, &family, &ks, &rows.collect::<Vec<_>>(), false)?;
        }
        page.write_str("</div>\n")?;
    }
    for list in &report.lists {
        for note in &list.notes {
            writeln!(
                page,
                "<p class=\"quiet\">{}: {}</p>",
                Text(&list.list),
                Text(note)
            )?;
        }
    }
    page.write_str("</section>\n")
}

/// What a metric says, in a line.
fn meaning(family: &str) -> &'static str {
    match family {
        "recall" => "share of a user's held-out items among the first k",
        "ndcg" => "hits among the first k, early ones counting more",
        "hit_rate" => "share of users with any hit among the first k",
        "mrr" => "one over the rank of the first hit among the first k",
        "precision" => "share of the first k that are hits",
        "map" => "precision at each hit among the first k, averaged",
        "pooled_recall" => "share of all held-out rows among the first k of their users",
        "coverage" => "share of the catalogue that is in anybody's first k",
        "gini" => "0: all items are shown alike; 1: one takes all",
        "novelty" => "how surprising the items are, in bits: 1 for one that half of the users had",
        "popularity_lift" => "popularity of the lists over that of what users had before; 1: alike",
        "popularity_vs_held_out" => {
            "popularity of the lists over that of what users went on to choose; 1: alike"
        }
        _ => "",
    }
}

fn table(
    page: &mut String,
    family: &str,
    ks: &[usize],
    rows: &[(&ListReport, &crate::MetricTable)],
    best: bool,
) -> Result {
    write!(
        page,
        "<div class=\"scroll\"><table>\n<caption><strong>{}@k</strong>: {}</caption>\n<thead><tr><th scope=\"col\">list</th>",
        Text(family),
        meaning(family)
    )?;
    for k in ks {
        write!(page, "<th scope=\"col\">k = {k}</th>")?;
    }
    page.write_str("</tr></thead>\n<tbody>\n")?;
    let names: Vec<String> = ks.iter().map(|k| format!("{family}@{k}")).collect();
    let highest = |name: &str| {
        let values = rows.iter().filter_map(|(_, table)| table.get(name));
        values.fold(f64::NEG_INFINITY, f64::max)
    };
    for (list, table) in rows {
        write!(page, "<tr><th scope=\"row\">{}</th>", Text(&list.list))?;
        for name in &names {
            let Some(value) = table.get(name) else {
                page.write_str("<td>–</td>")?;
                continue;
            };
            let class = if best && value >= highest(name) {
                " class=\"best\""
            } else {
                ""
            };
            write!(page, "<td{class}>{value:.4}")?;
            if let Some(interval) = list.report.interval(name) {
                write!(page, "<small>{:.4}–{:.4}</small>", interval.low, interval.high)?;
            }
            page.write_str("</td>")?;
        }
        page.write_str("</tr>\n")?;
    }
    page.write_str("</tbody></table></div>\n")
}

pub(super) fn write_comparisons(page: &mut String, report: &RunReport) -> Result {
    let compared: Vec<(&ListReport, &Comparison)> = report
        .lists
        .iter()
        .flat_map(|list| list.compared.iter().map(move |comparison| (list, comparison)))
        .collect();
    if compared.is_empty() {
        return Ok(());
    }
    page.write_str(
        "<section>\n<h2>Compared on the same users</h2>\n<p class=\"quiet\">Differences of means with paired bootstrap \
         intervals. p: how often random signs of the users' differences give a difference at least so large; not \
         corrected for the number of rows.</p>\n",
    )?;
    for (list, comparison) in compared {
        write!(
            page,
            "<div class=\"scroll\"><table>\n<caption><strong>{}</strong> minus <strong>{}</strong></caption>\n<thead><tr><th \
             scope=\"col\">metric</th><th scope=\"col\">difference</th><th scope=\"col\">interval</th><th scope=\"col\">p</th><th \
             scope=\"col\">users better</th><th scope=\"col\">worse</th></tr></thead>\n<tbody>\n",
            Text(&list.list),
            Text(&comparison.against)
        )?;
        for found in &comparison.metrics {
            let interval = found.interval.map_or_else(
                || "–".to_owned(),
                |interval| format!("{:+.4} to {:+.4}", interval.low, interval.high),
            );
            let signs = |text: String| text.replace('-', "−");
            writeln!(
                page,
                "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{:.4}</td><td>{}</td><td>{}</td></tr>",
                Text(&found.metric),
                signs(format!("{:+.4}", found.difference)),
                signs(interval),
                found.p_value,
                found.better,
                found.worse
            )?;
        }
        page.write_str("</tbody></table></div>\n")?;
    }
    page.write_str("</section>\n")
}
