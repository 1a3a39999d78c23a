//! Tables for people.

use std::fmt::Write as _;

use catchment_evaluation::metric_report::SegmentMetrics;

use crate::judge::Judgement;

/// Where the words of a table are explained.
pub(crate) const WORDS: &str =
    "(what recall@k, ndcg, mrr, item_cf, ials and the other words mean: docs/guide.md, \"Words\")";

/// Columns as wide as their widest cell; the first is left-aligned, the others right.
pub(crate) fn render(header: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .chain(header.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut text = String::new();
    for row in std::iter::once(header).chain(rows.iter().map(Vec::as_slice)) {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, &width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// The judgements as a table, protocol first.
pub(crate) fn judgements(judgements: &[Judgement]) -> String {
    let Some(first) = judgements.first() else {
        return String::new();
    };
    let names: Vec<&str> = first.report.metrics.keys().collect();
    let mut header = vec!["list".to_owned()];
    header.extend(names.iter().map(|&name| name.to_owned()));
    let row = |judgement: &Judgement| {
        let value = |name: &&str| {
            let value = judgement.report.metrics.get(name);
            value.map_or("-".to_owned(), |value| format!("{value:.4}"))
        };
        std::iter::once(judgement.list.clone())
            .chain(names.iter().map(value))
            .collect()
    };
    let rows: Vec<Vec<String>> = judgements.iter().map(row).collect();
    let report = &first.report;
    format!(
        "{}\n{} users ({} cold), {} held-out pairs ({} with a cold item), {} items\n\n{}",
        report.protocol,
        report.users,
        report.cold_users,
        report.pairs,
        report.cold_pairs,
        report.items,
        render(&header, &rows)
    )
}

/// How each list differs from the one that it was compared with.
pub(crate) fn comparisons(judgements: &[Judgement]) -> String {
    let header = ["", "difference", "interval", "p", "better", "worse"].map(str::to_owned);
    let mut text = String::new();
    for judgement in judgements {
        for comparison in &judgement.compared {
            let rows: Vec<Vec<String>> = comparison
                .metrics
                .iter()
                .map(|found| {
                    let interval = found.interval.map_or("-".to_owned(), |interval| {
                        format!("{:+.4} to {:+.4}", interval.low, interval.high)
                    });
                    vec![
                        found.metric.clone(),
                        format!("{:+.4}", found.difference),
                        interval,
                        format!("{:.4}", found.p_value),
                        found.better.to_string(),
                        found.worse.to_string(),
                    ]
                })
                .collect();
            let mut title = format!("{} minus {}", judgement.list, comparison.against);
            if let Some(common) = comparison.common {
                let _ = write!(title, ", over {} of {} users", common.users, common.of);
            }
            text.extend(["\n", &title, "\n", &render(&header, &rows)]);
            for found in &comparison.metrics {
                let (list, metric) = (&judgement.list, &found.metric);
                let _ = writeln!(text, "{list} in {metric}: {}", found.verdict());
            }
        }
    }
    text
}

/// The first metrics of each list by segment.
pub(crate) fn segments(judgement: &Judgement) -> String {
    const MOST_COLUMNS: usize = 6;
    let mut text = String::new();
    for report in &judgement.report.segments {
        let names: Vec<&str> = judgement.report.metrics.keys().take(MOST_COLUMNS).collect();
        let mut header = vec![report.by.clone(), "users".to_owned(), "pairs".to_owned()];
        header.extend(names.iter().map(|&name| name.to_owned()));
        let row = |segment: &SegmentMetrics| {
            let mut row = vec![
                segment.label.clone(),
                segment.users.to_string(),
                segment.pairs.to_string(),
            ];
            let value = |name: &&str| segment.metrics.get(name);
            row.extend(
                names
                    .iter()
                    .map(|name| value(name).map_or("-".to_owned(), |value| format!("{value:.4}"))),
            );
            row
        };
        let rows: Vec<Vec<String>> = report.segments.iter().map(row).collect();
        text.extend(["\n", &judgement.list, "\n", &render(&header, &rows)]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let text = render(
            &row(["list", "recall@10"]),
            &[row(["popular", ".04"]), row(["merge", ".2"])],
        );
        assert_eq!(
            text,
            "list     recall@10\npopular        .04\nmerge           .2\n"
        );
    }
}
