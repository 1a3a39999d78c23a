//! The run in a sentence or two.

use super::{Comparison, ListReport, RunReport};
use crate::paired::{PairedDifference, SIGNIFICANT};

pub(super) fn verdict(report: &RunReport) -> String {
    let Some(list) = report.headline() else {
        return "Nothing was measured.".to_owned();
    };
    let Some((metric, value)) = list.report.metrics.iter().next() else {
        return "Nothing was measured.".to_owned();
    };
    let interval = match list.report.interval(metric) {
        Some(interval) => format!(
            " ({:.4} to {:.4} with other users of the kind)",
            interval.low, interval.high
        ),
        None => String::new(),
    };
    let first = format!("“{}” reaches {metric} {value:.4}{interval}.", list.list);
    let rival = list
        .compared
        .iter()
        .find(|comparison| is_list(report, comparison));
    match rival.and_then(|rival| Some((rival, of_metric(rival, metric)?))) {
        Some((rival, difference)) => format!("{first} {}", against(list, rival, difference, metric)),
        None => first,
    }
}

fn is_list(report: &RunReport, comparison: &Comparison) -> bool {
    report.lists.iter().any(|list| list.list == comparison.against)
}

fn of_metric<'a>(comparison: &'a Comparison, metric: &str) -> Option<&'a PairedDifference> {
    comparison.metrics.iter().find(|found| found.metric == metric)
}

fn against(list: &ListReport, rival: &Comparison, found: &PairedDifference, metric: &str) -> String {
    let (ours, theirs) = (&list.list, &rival.against);
    let size = found.difference.abs();
    let word = if found.difference > 0.0 { "more" } else { "less" };
    let evidence = match found.interval {
        Some(interval) => format!("interval {:+.4} to {:+.4}", interval.low, interval.high),
        None => "no interval".to_owned(),
    };
    let evidence = evidence.replace('-', "−");
    let p = if found.p_value < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p = {:.3}", found.p_value)
    };
    let users = found.better + found.worse;
    if found.p_value < SIGNIFICANT {
        let beats = if found.difference > 0.0 {
            "beats"
        } else {
            "is beaten by"
        };
        return format!(
            "It {beats} the best channel, “{theirs}”: {size:.4} {word}, which is more than chance ({evidence}; {p})."
        );
    }
    format!(
        "Against the best channel, “{theirs}”, it is {size:.4} {word}, which may be chance ({evidence}; {p}): “{ours}” is better in \
         {metric} for {} of the {users} users for whom they differ.",
        found.better
    )
}
