//! What a training says it takes at most is what it takes at most.
#![allow(unsafe_code, reason = "an allocator that counts, around that of the system")]

#[cfg(feature = "towers-train")]
mod towers;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use catchment_models::progress::Silent;
use catchment_models::sgns::{self, NegativesForm, SgnsConfig};
use catchment_sampling::{Context, MemorySessions, Session};
use catchment_schema::{ItemIdx, Vocabulary};

struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn taken(bytes: usize) {
    let now = NOW.fetch_add(bytes, Ordering::Relaxed) + bytes;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: all is left to the allocator of the system.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        taken(layout.size());
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that some work takes at most, beside what is there already.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let done = work();
    (PEAK.load(Ordering::Relaxed) - before, done)
}

/// What is told for a training, and what it and saving its model took.
fn check(n_items: u32, config: &SgnsConfig) -> [usize; 3] {
    let mut sessions = MemorySessions::default();
    for number in 0..2 * n_items / 10 {
        let items = (0..20)
            .map(|at| ItemIdx((number * 10 + at * at) % n_items))
            .collect();
        sessions.push(&Session {
            items,
            ..Session::default()
        });
    }
    let names: Vec<String> = (0..n_items).map(|item| format!("item-{item:07}")).collect();
    let items = Vocabulary::from_counts(names.iter().map(|name| (name.as_str(), 1)));
    let folder = tempfile::tempdir().expect("temporary folder");
    let (training, model) =
        peak(|| sgns::fit(&sessions, n_items as usize, config, 1, &mut Silent).expect("fitted"));
    let (saving, ()) = peak(|| {
        model
            .save(folder.path(), &items, "item2vec", "run")
            .expect("written");
    });
    // The model itself was there before it was saved.
    let tables = size_of_val(&model.input[..]) + size_of_val(&model.output[..]);
    [
        sgns::memory_bytes(n_items as usize, config),
        training,
        tables + saving,
    ]
}

/// One test: a peak is that of the whole process.
#[test]
fn a_training_takes_what_is_told_at_most_and_not_much_less() {
    #[cfg(feature = "towers-train")]
    towers::check();
    let base = SgnsConfig {
        epochs: 1,
        subsample: 0.0,
        negatives: 5,
        context: Context::Window(3),
        ..SgnsConfig::default()
    };
    for (n_items, negatives_form, lane_targets) in [
        (40_000, NegativesForm::Each, 2000),
        (40_000, NegativesForm::Shared, 2000),
        (10_000, NegativesForm::Shared, 20),
        (4_000, NegativesForm::Each, 20_000),
        (300, NegativesForm::Shared, 20_000),
    ] {
        for dim in [20, 64] {
            let config = SgnsConfig {
                dim,
                negatives_form,
                lane_targets,
                ..base.clone()
            };
            let [told, training, saving] = check(n_items, &config);
            // What does not grow with the items: names of files, buffers of threads and of the writer.
            let fixed = 4_000_000;
            let found = training.max(saving);
            assert!(
                found <= told + fixed && told <= 2 * found + fixed,
                "{n_items} items, {dim} wide, {negatives_form:?}: told {told}, training {training}, saving {saving}"
            );
        }
    }
}
