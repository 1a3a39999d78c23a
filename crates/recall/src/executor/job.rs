//! One channel at work for one request.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use catchment_schema::ScoredItem;

use super::{Cause, ChannelReport, Slot, Stopwatch};
use crate::{ChannelError, ChannelScratch, RecallQuery, Recalled};

pub(super) struct Job<'a> {
    slot: &'a Slot,
    scratch: &'a mut ChannelScratch,
    /// The estimate at the request's start; it may move while others sort by it.
    pub(super) usual_micros: u64,
    items: Vec<ScoredItem>,
    report: ChannelReport,
}

impl<'a> Job<'a> {
    pub(super) fn new(slot: &'a Slot, scratch: &'a mut ChannelScratch) -> Self {
        let report = ChannelReport {
            name: slot.channel.name().to_owned(),
            asked: slot.k,
            returned: 0,
            filtered_out: 0,
            surplus: 0,
            kept: 0,
            micros: 0,
            cut_short: false,
            missing: Some(Cause::Deadline),
        };
        Self {
            slot,
            scratch,
            usual_micros: slot.cost.micros(),
            items: Vec::new(),
            report,
        }
    }

    pub(super) fn run(&mut self, query: &RecallQuery<'_>, stopwatch: &dyn Stopwatch) {
        if query.deadline.expired() {
            return;
        }
        let begin = stopwatch.micros();
        // What a panic leaves half done is the scratch alone, and that is thrown away.
        let answer = catch_unwind(AssertUnwindSafe(|| {
            self.slot.channel.recall(query, self.slot.k, self.scratch)
        }));
        self.report.micros = stopwatch.micros().saturating_sub(begin);
        match answer {
            Ok(Ok(recalled)) => self.take(recalled, query),
            Ok(Err(ChannelError::NothingToGoOn)) => self.report.missing = Some(Cause::NothingToGoOn),
            Ok(Err(error)) => self.report.missing = Some(Cause::Error(error.to_string())),
            Err(panic) => {
                *self.scratch = ChannelScratch::default();
                self.report.missing = Some(Cause::Error(format!("panicked: {}", said(panic.as_ref()))));
            }
        }
    }

    fn take(&mut self, recalled: Recalled, query: &RecallQuery<'_>) {
        let report = &mut self.report;
        self.slot.cost.measured(report.micros);
        self.items = recalled.items;
        report.returned = self.items.len();
        self.items.retain(|scored| query.filter.passes(scored.item));
        report.filtered_out = report.returned - self.items.len();
        report.kept = self.items.len().min(self.slot.k);
        report.surplus = self.items.len() - report.kept;
        self.items.truncate(self.slot.k);
        report.cut_short = recalled.cut_short;
        let nothing_in_time = recalled.cut_short && self.items.is_empty();
        report.missing = nothing_in_time.then_some(Cause::Deadline);
    }

    pub(super) fn into_answer(self) -> (Vec<ScoredItem>, ChannelReport) {
        (self.items, self.report)
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
