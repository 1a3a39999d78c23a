//! What is counted of each recommendation.

use catchment_pipeline::{Answer, Pipeline};
use catchment_recall::Cause;

use super::Metrics;

impl Metrics {
    /// Counts an answer. `wanted` is how many items were asked for, `wait_seconds` how long no worker was free.
    pub(crate) fn recommended(
        &self,
        pipeline: &Pipeline,
        answer: &Answer,
        wanted: usize,
        personalised: bool,
        wait_seconds: f64,
    ) {
        let trace = &answer.trace;
        let seconds = |micros: u64| micros as f64 / 1e6;
        for (stage, took) in [
            ("wait", wait_seconds),
            ("features", seconds(trace.micros.features)),
            ("recall", seconds(trace.micros.recall)),
            ("merge", seconds(trace.micros.merge)),
            ("rank", seconds(trace.micros.rank)),
        ] {
            self.stage_seconds.with_label_values(&[stage]).observe(took);
        }
        for report in &trace.channels {
            let name = report.name.as_str();
            self.channel_seconds
                .with_label_values(&[name])
                .observe(seconds(report.micros));
            for (stage, count) in [
                ("asked", report.asked),
                ("returned", report.returned),
                ("kept", report.kept),
            ] {
                self.channel_items
                    .with_label_values(&[name, stage])
                    .inc_by(count as u64);
            }
        }
        for source in answer.items.iter().flat_map(|item| &item.sources) {
            let name = pipeline.channel_name(source.channel).unwrap_or_default();
            self.channel_items.with_label_values(&[name, "answered"]).inc();
        }
        for &(rule, count) in &trace.removed {
            self.filter_removed
                .with_label_values(&[rule.name()])
                .inc_by(count as u64);
        }
        if answer.items.len() < wanted {
            self.recall_short.inc();
        }
        if trace.fallback > 0 {
            self.fallback.with_label_values(&[fallback_reason(answer)]).inc();
        }
        self.answered_items.inc_by(answer.items.len() as u64);
        let personalised = if personalised { "true" } else { "false" };
        self.answers.with_label_values(&[personalised]).inc();
    }

    pub(super) fn take_shares(&self, channels: &[&str]) {
        let share = |part: u64, whole: u64| {
            if whole == 0 {
                0.0
            } else {
                part as f64 / whole as f64
            }
        };
        let items = self.answered_items.get();
        self.recall_share.reset();
        for name in channels {
            let found = self.channel_items.with_label_values(&[*name, "answered"]).get();
            self.recall_share
                .with_label_values(&[*name])
                .set(share(found, items));
        }
        let of = |personalised: &str| self.answers.with_label_values(&[personalised]).get();
        self.personalised_ratio
            .set(share(of("true"), of("true") + of("false")));
    }
}

/// `error` where a channel failed, `deadline` where one was late, otherwise nothing was found.
fn fallback_reason(answer: &Answer) -> &'static str {
    let reports = &answer.trace.channels;
    if reports
        .iter()
        .any(|report| matches!(report.missing, Some(Cause::Error(_))))
    {
        "error"
    } else if reports.iter().any(catchment_recall::ChannelReport::is_degraded) {
        "deadline"
    } else {
        "nothing_found"
    }
}
