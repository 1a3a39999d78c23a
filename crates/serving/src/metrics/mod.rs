//! What the server counts and measures, for `GET /metrics` on the admin address.
//!
//! Names are those of the API's description and carry no prefix. Times are seconds, sizes are bytes. Counters start at
//! zero with the process. The two shares, `recall_share` and `personalised_ratio`, are taken over everything since the
//! start; who wants them over a window divides the rates of the counters that they are made of.
//!
//! An answer costs about twenty relaxed additions and as many look-ups of a label, a few microseconds in all; text is
//! made only when somebody asks. There is no recall of an approximate index against the exact one here: no index that
//! is served is approximate.

mod process;
mod recommended;

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{
    Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

/// Upper ends of the buckets of all times, in seconds: from a cheap channel to the limit of a request.
const BUCKETS: [f64; 16] = [
    0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// Everything that is measured. Each server has its own.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    channel_seconds: HistogramVec,
    channel_items: IntCounterVec,
    recall_share: GaugeVec,
    recall_short: IntCounter,
    fallback: IntCounterVec,
    filter_removed: IntCounterVec,
    stage_seconds: HistogramVec,
    answers: IntCounterVec,
    answered_items: IntCounter,
    personalised_ratio: Gauge,
    /// From an event's arrival to the moment from which answers know it.
    pub(crate) event_visible_seconds: Histogram,
    events: IntCounterVec,
    bundle_info: IntGaugeVec,
    /// Bundles that were taken up while serving.
    pub(crate) swaps: IntCounter,
    /// Requests that were given up unanswered, because no worker was free in time.
    pub(crate) shed: IntCounter,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    /// Lines that the request log could not take.
    pub(crate) request_log_dropped: IntCounter,
    live_users: IntGauge,
    live_events: IntGauge,
    memory: IntGauge,
}

/// What stands at the moment of asking, and is not counted on the way.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The bundle that is served.
    pub bundle: &'a str,
    /// Its channels.
    pub channels: &'a [&'a str],
    /// Users with live events.
    pub live_users: usize,
    /// Live events.
    pub live_events: usize,
}

impl Metrics {
    /// Everything at zero.
    ///
    /// # Errors
    /// When two of them have one name: a slip in this file.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let of = Family(&registry);
        Ok(Self {
            channel_seconds: of.times(
                "recall_channel_seconds",
                "How long a channel took, in seconds.",
                &["channel"],
            )?,
            channel_items: of.counters(
                "recall_channel_items",
                "Items of a channel by stage: asked for, returned, kept by the filter, answered.",
                &["channel", "stage"],
            )?,
            recall_share: of.add(GaugeVec::new(
                Opts::new(
                    "recall_share",
                    "Share of all answered items that the channel was a source of, since the start, 0 to 1.",
                ),
                &["channel"],
            )?)?,
            recall_short: of.counter(
                "recall_short_total",
                "Answers with fewer items than were asked for.",
            )?,
            fallback: of.counters(
                "fallback_total",
                "Answers filled up with the most frequent items, by the reason.",
                &["reason"],
            )?,
            filter_removed: of.counters(
                "filter_removed_total",
                "Items of the catalogue that a rule kept out, summed over requests.",
                &["rule"],
            )?,
            stage_seconds: of.times(
                "stage_seconds",
                "How long a stage of an answer took, in seconds; wait is the time before a worker was free.",
                &["stage"],
            )?,
            answers: of.counters(
                "recommend_answers_total",
                "Recommendations answered.",
                &["personalised"],
            )?,
            answered_items: of.counter("recommend_items_total", "Items in all recommendations answered.")?,
            personalised_ratio: of.add(Gauge::new(
                "personalised_ratio",
                "Share of recommendations that were personalised, since the start, 0 to 1.",
            )?)?,
            event_visible_seconds: of.add(Histogram::with_opts(times(
                "event_visible_seconds",
                "From the arrival of events to the moment from which answers know them, in seconds.",
            ))?)?,
            events: of.counters(
                "events_total",
                "Events sent, by outcome: accepted, duplicate, rejected, not_durable.",
                &["outcome"],
            )?,
            bundle_info: of.add(IntGaugeVec::new(
                Opts::new("bundle_info", "1 for the bundle that is served."),
                &["id"],
            )?)?,
            swaps: of.counter("bundle_swaps_total", "Bundles taken up while serving.")?,
            shed: of.counter(
                "shed_total",
                "Requests given up because they were not answered in time.",
            )?,
            requests: of.counters(
                "http_requests_total",
                "Requests answered, by route and status.",
                &["method", "route", "status"],
            )?,
            request_seconds: of.times(
                "http_request_seconds",
                "From a request's head to its answer, in seconds.",
                &["method", "route"],
            )?,
            request_log_dropped: of.counter(
                "request_log_dropped_total",
                "Lines that the request log could not take: its queue was full, or the disk did not take them.",
            )?,
            live_users: of.add(IntGauge::new(
                "live_users",
                "Users with events since their bundle.",
            )?)?,
            live_events: of.add(IntGauge::new("live_events", "Events kept beside the bundle.")?)?,
            memory: of.add(IntGauge::new(
                "process_resident_memory_bytes",
                "Memory of the process that is resident, in bytes; 0 where the system does not say.",
            )?)?,
            registry,
        })
    }

    /// A request was answered. `route` is the pattern of the path, never the path: there are few of those.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        // A stranger could otherwise make as many series as there are words.
        let method = match method {
            "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => method,
            _ => "other",
        };
        self.requests
            .with_label_values(&[method, route, &status.to_string()])
            .inc();
        self.request_seconds
            .with_label_values(&[method, route])
            .observe(took.as_secs_f64());
    }

    /// Events came to this end.
    pub(crate) fn events(&self, outcome: &str, count: usize) {
        self.events.with_label_values(&[outcome]).inc_by(count as u64);
    }

    /// Everything in the text form of Prometheus.
    ///
    /// # Errors
    /// When a value cannot be written, which no value here can.
    pub fn render(&self, standing: &Standing<'_>) -> Result<String, prometheus::Error> {
        self.bundle_info.reset();
        self.bundle_info.with_label_values(&[standing.bundle]).set(1);
        let count = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        self.live_users.set(count(standing.live_users));
        self.live_events.set(count(standing.live_events));
        self.memory.set(process::resident_bytes());
        self.take_shares(standing.channels);
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

fn times(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(BUCKETS.to_vec())
}

/// Makes and registers.
struct Family<'a>(&'a Registry);

impl Family<'_> {
    fn add<C: Collector + Clone + 'static>(&self, collector: C) -> Result<C, prometheus::Error> {
        self.0.register(Box::new(collector.clone()))?;
        Ok(collector)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, prometheus::Error> {
        self.add(IntCounter::new(name, help)?)
    }

    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, prometheus::Error> {
        self.add(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    fn times(&self, name: &str, help: &str, labels: &[&str]) -> Result<HistogramVec, prometheus::Error> {
        self.add(HistogramVec::new(times(name, help), labels)?)
    }
}
