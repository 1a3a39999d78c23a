//! Answers do not depend on where channels run, and no channel can break one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ThreadId;

use catchment_schema::{
    Event, History, ItemFilter, ItemIdx, ItemSet, NeighbourTable, Score, ScoredItem, Time,
};

use super::*;
use crate::testing::{FakeDeadline, FakeStopwatch, query};
use crate::{
    ChannelError, ItemToItemChannel, ItemToItemConfig, MergeConfig, PopularChannel, Recalled, merge,
};

/// A channel made of a closure.
struct Closure<F>(&'static str, F);

impl<F> Channel for Closure<F>
where
    F: Fn(&RecallQuery<'_>) -> Result<Recalled, ChannelError> + Send + Sync,
{
    fn name(&self) -> &str {
        self.0
    }
    fn recall(
        &self,
        query: &RecallQuery<'_>,
        _: usize,
        _: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        (self.1)(query)
    }
}

fn boxed<F>(name: &'static str, recall: F) -> (Box<dyn Channel>, usize)
where
    F: Fn(&RecallQuery<'_>) -> Result<Recalled, ChannelError> + Send + Sync + 'static,
{
    (Box::new(Closure(name, recall)), 3)
}

fn list(items: &[u32]) -> Recalled {
    let scored = items
        .iter()
        .zip(0u8..)
        .map(|(&item, place)| ScoredItem::new(ItemIdx(item), Score::clamped(1.0 - f32::from(place))));
    Recalled {
        items: scored.collect(),
        cut_short: false,
    }
}

fn popular() -> (Box<dyn Channel>, usize) {
    (
        Box::new(PopularChannel::new("popular", &[1.0, 2.0, 3.0]).unwrap()),
        2,
    )
}

fn executor(channels: Vec<(Box<dyn Channel>, usize)>) -> Executor {
    Executor::new(channels, ExecutorConfig::default()).unwrap()
}

fn run_once(channels: Vec<(Box<dyn Channel>, usize)>, query: &RecallQuery<'_>) -> Gathered {
    executor(channels).run(query, &Unmeasured, &mut ExecutorScratch::default())
}

#[test]
fn the_answer_is_the_same_on_any_number_of_threads() {
    let row = |row: u32| -> Vec<ScoredItem> {
        let neighbours: ItemSet = (1..20).map(|step| ItemIdx((row * step * 7) % 300)).collect();
        let score = |item: ItemIdx| Score::clamped((item.0 * 37 % 11) as f32 * 0.1);
        neighbours
            .iter()
            .map(|item| ScoredItem::new(item, score(item)))
            .collect()
    };
    let rows: Vec<Vec<ScoredItem>> = (0..300).map(row).collect();
    let scores: Vec<f32> = (0..300u16).map(|item| f32::from(item % 17)).collect();
    let make = || {
        let i2i = |name: &str, half_life| -> (Box<dyn Channel>, usize) {
            let config = ItemToItemConfig {
                recent_items: 10,
                half_life,
            };
            let table = NeighbourTable::from_lists(rows.clone());
            (
                Box::new(ItemToItemChannel::new(name, table, None, config).unwrap()),
                40,
            )
        };
        let popular: Box<dyn Channel> = Box::new(PopularChannel::new("popular", &scores).unwrap());
        executor(vec![
            i2i("cf", None),
            i2i("recent", Some(2.0)),
            (popular, 30),
            i2i("swing", Some(9.0)),
        ])
    };
    let answers = |threads: usize, step: u64| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let executor = make();
        let stopwatch = FakeStopwatch::stepping(step);
        let mut scratch = ExecutorScratch::default();
        let answer = |user: u32| {
            let events: Vec<Event> = (0..12)
                .map(|n| Event::new(ItemIdx((user * 31 + n * n) % 300), Time::UNKNOWN))
                .collect();
            let asked = RecallQuery {
                history: History::new(&events),
                ..query()
            };
            let mut gathered = executor.run(&asked, &stopwatch, &mut scratch);
            for report in &mut gathered.reports {
                report.micros = 0;
            }
            let merged = merge(&gathered.channel_lists(), &MergeConfig::default());
            (gathered, merged)
        };
        pool.install(|| (0..20).map(answer).collect::<Vec<_>>())
    };
    let inline = answers(1, 0);
    assert!(
        inline
            .iter()
            .all(|(gathered, _)| gathered.lists.iter().all(|list| !list.is_empty()))
    );
    for threads in [1, 2, 4] {
        assert_eq!(
            answers(threads, 5000),
            inline,
            "{threads} threads, every channel dear"
        );
    }
}

#[test]
fn cheap_channels_run_in_the_callers_thread_and_dear_ones_side_by_side() {
    let caller = std::thread::current().id();
    let threads: Arc<std::sync::Mutex<Vec<ThreadId>>> = Arc::default();
    let note = |name: &'static str| {
        let threads = threads.clone();
        boxed(name, move |_| {
            threads.lock().unwrap().push(std::thread::current().id());
            Ok(list(&[1]))
        })
    };
    run_once(vec![note("a"), note("b"), note("c")], &query());
    assert_eq!(*threads.lock().unwrap(), [caller; 3]);

    // From the second request on each waits for the other; one after the other they would wait in vain.
    let arrivals = Arc::new(AtomicUsize::new(0));
    let meet = |name: &'static str| {
        let arrivals = arrivals.clone();
        boxed(name, move |_| {
            let goal = match arrivals.fetch_add(1, Ordering::SeqCst) {
                0 | 1 => return Ok(list(&[1])),
                _ => 4,
            };
            for _ in 0..20_000_000 {
                if arrivals.load(Ordering::SeqCst) == goal {
                    return Ok(list(&[1]));
                }
                std::thread::yield_now();
            }
            Err(ChannelError::Failed("nobody came".to_owned()))
        })
    };
    let executor = executor(vec![meet("a"), meet("b")]);
    let stopwatch = FakeStopwatch::stepping(5000);
    let mut scratch = ExecutorScratch::default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.install(|| {
        executor.run(&query(), &stopwatch, &mut scratch);
        let second = executor.run(&query(), &stopwatch, &mut scratch);
        assert_eq!(second.degraded().count(), 0, "{:?}", second.reports);
    });
}

#[test]
fn a_channel_that_panics_or_fails_is_missing_and_the_others_answer() {
    let gathered = run_once(
        vec![
            boxed("bug", |_| panic!("index out of bounds")),
            boxed("remote", |_| {
                Err(ChannelError::Failed("connection refused".to_owned()))
            }),
            boxed("cold", |_| Err(ChannelError::NothingToGoOn)),
            popular(),
        ],
        &query(),
    );
    let missing: Vec<_> = gathered
        .reports
        .iter()
        .map(|report| report.missing.clone())
        .collect();
    assert_eq!(
        missing,
        [
            Some(Cause::Error("panicked: index out of bounds".to_owned())),
            Some(Cause::Error("connection refused".to_owned())),
            Some(Cause::NothingToGoOn),
            None
        ]
    );
    assert_eq!(gathered.degraded().collect::<Vec<_>>(), ["bug", "remote"]);
    assert_eq!(gathered.lists[3].len(), 2);
    assert_eq!(
        gathered.channel_lists().len(),
        4,
        "also the empty lists, for their quotas"
    );
}

#[test]
fn a_panic_among_dear_channels_is_caught_too() {
    let calls = AtomicUsize::new(0);
    let bug = move |_: &RecallQuery<'_>| {
        assert!(calls.fetch_add(1, Ordering::SeqCst) == 0, "only once");
        Ok(list(&[1]))
    };
    let executor = executor(vec![boxed("bug", bug), popular()]);
    let stopwatch = FakeStopwatch::stepping(5000);
    let mut scratch = ExecutorScratch::default();
    let first = executor.run(&query(), &stopwatch, &mut scratch);
    assert_eq!(first.degraded().count(), 0);
    let second = executor.run(&query(), &stopwatch, &mut scratch);
    assert_eq!(second.degraded().collect::<Vec<_>>(), ["bug"]);
    assert_eq!(second.lists[1].len(), 2);
}

/// Leaves its scratch in disorder the first time; afterwards only answers where it is in order again.
struct LeavesAMess(AtomicUsize);

impl Channel for LeavesAMess {
    fn name(&self) -> &'static str {
        "mess"
    }
    fn recall(
        &self,
        _: &RecallQuery<'_>,
        _: usize,
        scratch: &mut ChannelScratch,
    ) -> Result<Recalled, ChannelError> {
        if self.0.fetch_add(1, Ordering::SeqCst) == 0 {
            scratch.vector.push(f32::NAN);
            panic!("half way");
        }
        Ok(list(if scratch.vector.is_empty() { &[1] } else { &[] }))
    }
}

#[test]
fn what_a_panic_left_half_done_does_not_reach_the_next_request() {
    let executor = executor(vec![(Box::new(LeavesAMess(AtomicUsize::new(0))), 3)]);
    let mut scratch = ExecutorScratch::default();
    let first = executor.run(&query(), &Unmeasured, &mut scratch);
    assert_eq!(
        first.reports[0].missing,
        Some(Cause::Error("panicked: half way".to_owned()))
    );
    let second = executor.run(&query(), &Unmeasured, &mut scratch);
    assert_eq!(second.lists[0].len(), 1);
}

#[test]
fn an_unlawful_channel_cannot_return_what_is_forbidden_or_too_much() {
    let seen: ItemSet = [ItemIdx(5), ItemIdx(9)].into_iter().collect();
    let filtered = RecallQuery {
        filter: ItemFilter::excluding(&seen),
        ..query()
    };
    let gathered = run_once(
        vec![boxed("remote", |_| Ok(list(&[5, 1, 9, 2, 3, 4])))],
        &filtered,
    );
    let items: Vec<u32> = gathered.lists[0].iter().map(|scored| scored.item.0).collect();
    assert_eq!(items, [1, 2, 3]);
    let report = &gathered.reports[0];
    assert_eq!((report.asked, report.returned), (3, 6));
    assert_eq!((report.filtered_out, report.surplus, report.kept), (2, 1, 3));
}

#[test]
fn a_channel_that_is_not_begun_at_the_deadline_is_missing() {
    // One look a channel: time is up after the first.
    let deadline = FakeDeadline::after(1);
    let hurried = RecallQuery {
        deadline: &deadline,
        ..query()
    };
    let gathered = run_once(
        vec![
            boxed("first", |_| Ok(list(&[1]))),
            boxed("second", |_| Ok(list(&[2]))),
        ],
        &hurried,
    );
    assert_eq!(gathered.reports[0].missing, None);
    assert_eq!(gathered.reports[1].missing, Some(Cause::Deadline));
    assert_eq!(gathered.degraded().collect::<Vec<_>>(), ["second"]);
}

#[test]
fn a_channel_that_is_cut_short_is_named_and_keeps_what_it_has() {
    let cut = |items: &'static [u32]| {
        move |_: &RecallQuery<'_>| {
            Ok(Recalled {
                cut_short: true,
                ..list(items)
            })
        }
    };
    let gathered = run_once(
        vec![boxed("some", cut(&[1, 2])), boxed("none", cut(&[]))],
        &query(),
    );
    assert_eq!(gathered.lists[0].len(), 2);
    assert_eq!(
        (gathered.reports[0].cut_short, &gathered.reports[0].missing),
        (true, &None)
    );
    assert_eq!(gathered.reports[1].missing, Some(Cause::Deadline));
    assert_eq!(gathered.degraded().collect::<Vec<_>>(), ["some", "none"]);
}

#[test]
fn reports_carry_the_time_on_the_stopwatch_they_were_given() {
    let gathered = executor(vec![popular()]).run(
        &query(),
        &FakeStopwatch::stepping(7),
        &mut ExecutorScratch::default(),
    );
    assert_eq!(gathered.reports[0].micros, 7);
}

#[test]
fn channels_that_reports_could_not_tell_apart_are_refused() {
    let error = Executor::new(vec![popular(), popular()], ExecutorConfig::default()).unwrap_err();
    assert_eq!(error.to_string(), "two channels are named `popular`");
    let (channel, _) = popular();
    let error = Executor::new(vec![(channel, 0)], ExecutorConfig::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "k of channel `popular` = 0 is out of range: at least 1"
    );
}
