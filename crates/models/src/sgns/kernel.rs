//! The step of one centre: its logits, its gradient and those of its targets, in one pass over their rows.
//!
//! For a centre `v` and targets `u_t` with labels `y_t`, the objective of a group is
//! `Σ_t y_t log σ(⟨v, u_t⟩) + (1 − y_t) log σ(−⟨v, u_t⟩)`, so that with `g_t = η (y_t − σ(⟨v, u_t⟩))`
//!
//! ```text
//! u_t ← u_t + g_t v        v ← v + Σ_t g_t u_t        (both right sides as they were before the group)
//! ```
//!
//! The centre and its gradient stay in registers for all groups. What the centre gained is added to its row at the end,
//! so that little is lost where somebody else trains the same centre.
#![allow(
    clippy::needless_range_loop,
    clippy::inline_always,
    unsafe_code,
    reason = "functions compiled for instructions that were detected at run time, on rows that threads share; the tests compare all that this CPU has with plain Rust"
)]

#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::lanes::{Lanes, Portable};
use super::plan::Plan;
use super::rows::{LINE, Rows};
use super::sigmoid::sigmoid;

/// An instruction set that this CPU has. Only made by asking the CPU, so that holding one is the permission to use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kernel(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instructions {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Kernel {
    /// All that this CPU can run, the fastest last.
    pub(super) fn available() -> Vec<Self> {
        #[allow(unused_mut, reason = "only one on other architectures")]
        let mut kernels = vec![Self(Instructions::Portable)];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            kernels.push(Self(Instructions::Avx2));
            if is_x86_feature_detected!("avx512f") {
                kernels.push(Self(Instructions::Avx512));
            }
        }
        kernels
    }

    /// The fastest that this CPU can run.
    pub(super) fn best() -> Self {
        Self::available().pop().unwrap_or(Self(Instructions::Portable))
    }

    /// What it may use.
    pub(super) fn instructions(self) -> Instructions {
        self.0
    }

    /// Trains one centre against its plan.
    ///
    /// # Safety
    /// `centre` and all of `plan.rows` begin whole rows of tables of the plan's width.
    #[inline]
    pub(super) unsafe fn train(self, centre: *mut f32, plan: &mut Plan, rate: f32) {
        // SAFETY: the caller's; nothing is recorded.
        unsafe { self.run::<true>(centre, plan, rate, std::ptr::null_mut()) }
    }

    /// Computes the step of one centre and leaves all rows as they are. `plan.steps` says how much of the centre each
    /// target gains, and `vectors` gets the centre as each group saw it and then, as one vector more, what the centre
    /// itself gains.
    ///
    /// # Safety
    /// As [`Kernel::train`]; `vectors` reaches over `plan.ends.len() + 1` rows of the plan's width that nobody else has.
    #[inline]
    pub(super) unsafe fn look(self, centre: *mut f32, plan: &mut Plan, rate: f32, vectors: *mut f32) {
        // SAFETY: the caller's.
        unsafe { self.run::<false>(centre, plan, rate, vectors) }
    }

    #[inline]
    unsafe fn run<const WRITE: bool>(self, centre: *mut f32, plan: &mut Plan, rate: f32, vectors: *mut f32) {
        let n = plan.rows.len();
        plan.logits.resize(n, 0.0);
        plan.steps.resize(n, 0.0);
        // SAFETY: the rows by the caller's contract; the instructions because this value exists.
        unsafe {
            match self.0 {
                Instructions::Portable => by_length::<Portable, WRITE>(centre, plan, rate, vectors),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => avx2::<WRITE>(centre, plan, rate, vectors),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => avx512::<WRITE>(centre, plan, rate, vectors),
            }
        }
    }

    /// Adds to the rows of `table` what `updates` say, in their order: of those rows only whose number has the low bits
    /// `part` under `mask`.
    ///
    /// # Panics
    /// When an update names a row that there is not.
    pub(super) fn apply(self, table: &Rows, vectors: &Rows, updates: &[Update], part: u32, mask: u32) {
        // SAFETY: `Rows` gives whole rows, and both are of the same width; the instructions because this value exists.
        unsafe {
            match self.0 {
                Instructions::Portable => add_updates::<Portable>(table, vectors, updates, part, mask),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => add_updates_avx2(table, vectors, updates, part, mask),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => add_updates_avx512(table, vectors, updates, part, mask),
            }
        }
    }
}

/// `table[row] += step · vectors[vector]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Update {
    pub(super) row: u32,
    pub(super) vector: u32,
    pub(super) step: f32,
}

/// So many updates ahead of the one that is added, memory is asked for.
const AHEAD: usize = 16;

#[inline(always)]
unsafe fn add_updates<L: Lanes>(table: &Rows, vectors: &Rows, updates: &[Update], part: u32, mask: u32) {
    debug_assert_eq!(table.lines_a_row(), vectors.lines_a_row());
    let length = table.lines_a_row() * LINE;
    for (place, update) in updates.iter().enumerate() {
        if let Some(ahead) = updates.get(place + AHEAD)
            && ahead.row & mask == part
        {
            let row = table.row(ahead.row as usize);
            for at in (0..length).step_by(LINE) {
                // SAFETY: the caller's.
                unsafe { L::prefetch(row.add(at)) };
            }
        }
        if update.row & mask != part {
            continue;
        }
        let row = table.row(update.row as usize);
        let vector = vectors.row(update.vector as usize);
        // SAFETY: the caller's.
        unsafe {
            let step = L::splat(update.step);
            for at in (0..length).step_by(LINE) {
                let changed = L::mul_add(step, L::load(vector.add(at)), L::load(row.add(at)));
                L::store(row.add(at), changed);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn add_updates_avx2(table: &Rows, vectors: &Rows, updates: &[Update], part: u32, mask: u32) {
    // SAFETY: the caller's.
    unsafe { add_updates::<Avx2>(table, vectors, updates, part, mask) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn add_updates_avx512(table: &Rows, vectors: &Rows, updates: &[Update], part: u32, mask: u32) {
    // SAFETY: the caller's.
    unsafe { add_updates::<Avx512>(table, vectors, updates, part, mask) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const WRITE: bool>(centre: *mut f32, plan: &mut Plan, rate: f32, vectors: *mut f32) {
    // SAFETY: the caller's.
    unsafe { by_length::<Avx2, WRITE>(centre, plan, rate, vectors) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512<const WRITE: bool>(centre: *mut f32, plan: &mut Plan, rate: f32, vectors: *mut f32) {
    // SAFETY: the caller's.
    unsafe { by_length::<Avx512, WRITE>(centre, plan, rate, vectors) }
}

#[inline(always)]
unsafe fn by_length<L: Lanes, const WRITE: bool>(
    centre: *mut f32,
    plan: &mut Plan,
    rate: f32,
    vectors: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        match plan.wide.lines_a_row() {
            1 => narrow::<L, WRITE, 1>(centre, plan, rate, vectors),
            2 => narrow::<L, WRITE, 2>(centre, plan, rate, vectors),
            3 => narrow::<L, WRITE, 3>(centre, plan, rate, vectors),
            4 => narrow::<L, WRITE, 4>(centre, plan, rate, vectors),
            5 => narrow::<L, WRITE, 5>(centre, plan, rate, vectors),
            6 => narrow::<L, WRITE, 6>(centre, plan, rate, vectors),
            7 => narrow::<L, WRITE, 7>(centre, plan, rate, vectors),
            8 => narrow::<L, WRITE, 8>(centre, plan, rate, vectors),
            _ => wide::<L, WRITE>(centre, plan, rate, vectors),
        }
    }
}

/// Turns logits into steps `η (y − σ)`.
#[inline(always)]
fn steps(logits: &[f32], labels: &[f32], rate: f32, steps: &mut [f32]) {
    for ((step, logit), label) in steps.iter_mut().zip(logits).zip(labels) {
        *step = rate * (label - sigmoid(*logit));
    }
}

/// Rows of `N` lines.
#[inline(always)]
unsafe fn narrow<L: Lanes, const WRITE: bool, const N: usize>(
    centre: *mut f32,
    plan: &mut Plan,
    rate: f32,
    vectors: *mut f32,
) {
    // SAFETY: all rows have `N` lines, and the CPU has the instructions, by the caller's contract.
    unsafe {
        let mut before = [L::splat(0.0); N];
        for line in 0..N {
            before[line] = L::load(centre.add(line * LINE));
        }
        let mut v = before;
        let mut begin = 0;
        for group in 0..plan.ends.len() {
            let end = plan.ends[group];
            if let Some(&after) = plan.ends.get(group + 1) {
                for &row in &plan.rows[end..after] {
                    for line in 0..N {
                        L::prefetch(row.add(line * LINE));
                    }
                }
            }
            if !WRITE {
                for line in 0..N {
                    L::store(vectors.add((group * N + line) * LINE), v[line]);
                }
            }
            let rows = &plan.rows[begin..end];
            let logits = &mut plan.logits[begin..end];
            for (logit, &row) in logits.iter_mut().zip(rows) {
                let mut sum = L::splat(0.0);
                let mut other = L::splat(0.0);
                for line in 0..N {
                    let u = L::load(row.add(line * LINE));
                    if line % 2 == 0 {
                        sum = L::mul_add(v[line], u, sum);
                    } else {
                        other = L::mul_add(v[line], u, other);
                    }
                }
                *logit = L::sum(L::add(sum, other));
            }
            steps(
                logits,
                &plan.labels[begin..end],
                rate,
                &mut plan.steps[begin..end],
            );
            let mut gradient = [L::splat(0.0); N];
            for (&row, &step) in rows.iter().zip(&plan.steps[begin..end]) {
                let step = L::splat(step);
                for line in 0..N {
                    let u = L::load(row.add(line * LINE));
                    gradient[line] = L::mul_add(step, u, gradient[line]);
                    if WRITE {
                        L::store(row.add(line * LINE), L::mul_add(step, v[line], u));
                    }
                }
            }
            for line in 0..N {
                v[line] = L::add(v[line], gradient[line]);
            }
            begin = end;
        }
        for line in 0..N {
            let gained = L::sub(v[line], before[line]);
            if WRITE {
                let now = L::load(centre.add(line * LINE));
                L::store(centre.add(line * LINE), L::add(now, gained));
            } else {
                L::store(vectors.add((plan.ends.len() * N + line) * LINE), gained);
            }
        }
    }
}

/// Rows of any length: the centre and its gradient lie in the plan's memory, not in registers.
#[inline(always)]
unsafe fn wide<L: Lanes, const WRITE: bool>(centre: *mut f32, plan: &mut Plan, rate: f32, vectors: *mut f32) {
    // SAFETY: as in `narrow`; `plan.wide` holds three rows, and is nobody else's.
    unsafe {
        let [v, gradient, before] = [0, 1, 2].map(|row| plan.wide.row(row));
        let length = plan.wide.lines_a_row() * LINE;
        for at in (0..length).step_by(LINE) {
            let now = L::load(centre.add(at));
            L::store(v.add(at), now);
            L::store(before.add(at), now);
        }
        let mut begin = 0;
        for (group, &end) in plan.ends.iter().enumerate() {
            if !WRITE {
                for at in (0..length).step_by(LINE) {
                    L::store(vectors.add(group * length + at), L::load(v.add(at)));
                }
            }
            let rows = &plan.rows[begin..end];
            let logits = &mut plan.logits[begin..end];
            for (logit, &row) in logits.iter_mut().zip(rows) {
                let mut sum = L::splat(0.0);
                for at in (0..length).step_by(LINE) {
                    sum = L::mul_add(L::load(v.add(at)), L::load(row.add(at)), sum);
                }
                *logit = L::sum(sum);
            }
            steps(
                logits,
                &plan.labels[begin..end],
                rate,
                &mut plan.steps[begin..end],
            );
            for at in (0..length).step_by(LINE) {
                L::store(gradient.add(at), L::splat(0.0));
            }
            for (&row, &step) in rows.iter().zip(&plan.steps[begin..end]) {
                let step = L::splat(step);
                for at in (0..length).step_by(LINE) {
                    let u = L::load(row.add(at));
                    L::store(gradient.add(at), L::mul_add(step, u, L::load(gradient.add(at))));
                    if WRITE {
                        L::store(row.add(at), L::mul_add(step, L::load(v.add(at)), u));
                    }
                }
            }
            for at in (0..length).step_by(LINE) {
                let gained = L::load(gradient.add(at));
                L::store(v.add(at), L::add(L::load(v.add(at)), gained));
            }
            begin = end;
        }
        for at in (0..length).step_by(LINE) {
            let gained = L::sub(L::load(v.add(at)), L::load(before.add(at)));
            if WRITE {
                L::store(centre.add(at), L::add(L::load(centre.add(at)), gained));
            } else {
                L::store(vectors.add(plan.ends.len() * length + at), gained);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sgns::NegativesForm;
    use crate::sgns::record::Record;

    /// The formulas above in double precision.
    fn reference(centre: &mut [f64], targets: &mut [Vec<f64>], groups: &[Vec<(usize, f32)>], rate: f64) {
        for group in groups {
            let dots: Vec<f64> = group
                .iter()
                .map(|(target, _)| centre.iter().zip(&targets[*target]).map(|(a, b)| a * b).sum())
                .collect();
            let mut gradient = vec![0.0; centre.len()];
            for (&(target, label), dot) in group.iter().zip(dots) {
                let step = rate * (f64::from(label) - 1.0 / (1.0 + f64::exp(-dot)));
                for (at, number) in targets[target].iter_mut().enumerate() {
                    gradient[at] += step * *number;
                    *number += step * centre[at];
                }
            }
            for (number, gained) in centre.iter_mut().zip(gradient) {
                *number += gained;
            }
        }
    }

    fn run(kernel: Kernel, vectors: &[f32], dim: usize, groups: &[Vec<(usize, f32)>], rate: f32) -> Vec<f32> {
        let rows = Rows::from_vectors(vectors, dim);
        let mut plan = Plan::new(dim);
        for group in groups {
            for &(target, label) in group {
                plan.push(rows.row(target + 1), label);
            }
            plan.end_group();
        }
        // SAFETY: all rows are of `rows`.
        unsafe { kernel.train(rows.row(0), &mut plan, rate) };
        rows.to_vectors()
    }

    proptest! {
        #[test]
        fn every_kernel_does_what_the_formula_says(
            dim in prop_oneof![1..40_usize, Just(64), Just(100), Just(128), Just(129), Just(200)],
            groups in prop::collection::vec(prop::collection::btree_map(0..6_usize, prop_oneof![Just(0.0_f32), Just(1.0)], 1..5), 1..5),
            seed in 0..1000_u32,
        ) {
            let groups: Vec<Vec<(usize, f32)>> = groups.into_iter().map(|group| group.into_iter().collect()).collect();
            let number = |at: usize| ((at as f32 * 12.9898 + seed as f32).sin() * 437.5).fract() * 0.6;
            let vectors: Vec<f32> = (0..7 * dim).map(number).collect();
            let mut exact: Vec<Vec<f64>> = vectors.chunks(dim).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
            let (centre, targets) = exact.split_at_mut(1);
            reference(&mut centre[0], targets, &groups, 0.3);
            let mut fused = Vec::new();
            for kernel in Kernel::available() {
                let found = run(kernel, &vectors, dim, &groups, 0.3);
                for (found, exact) in found.iter().zip(exact.iter().flatten()) {
                    prop_assert!((f64::from(*found) - exact).abs() < 2e-5, "{kernel:?}: {found} is not {exact}");
                }
                if kernel != Kernel(Instructions::Portable) {
                    fused.push(found);
                }
            }
            prop_assert!(fused.windows(2).all(|pair| pair[0] == pair[1]), "AVX2 and AVX-512 give the same bits");
        }
    }

    proptest! {
        /// With a target in one group alone, to look and then to make the changes is to train.
        #[test]
        fn what_is_recorded_and_then_made_is_what_training_does(
            dim in prop_oneof![1..40_usize, Just(64), Just(129), Just(200)],
            sizes in prop::collection::vec(1..5_usize, 1..5),
            seed in 0..1000_u32,
        ) {
            let number = |at: usize| ((at as f32 * 78.233 + seed as f32).sin() * 437.5).fract() * 0.6;
            let mut next = 0;
            let groups: Vec<Vec<(usize, f32)>> = sizes
                .iter()
                .map(|&size| {
                    next += size;
                    (next - size..next).map(|target| (target, if target % 3 == 0 { 1.0 } else { 0.0 })).collect()
                })
                .collect();
            let vectors: Vec<f32> = (0..(next + 1) * dim).map(number).collect();
            for kernel in Kernel::available() {
                let trained = run(kernel, &vectors, dim, &groups, 0.3);
                let rows = Rows::from_vectors(&vectors, dim);
                let mut plan = Plan::new(dim);
                for group in &groups {
                    for &(target, label) in group {
                        plan.push(rows.row(target + 1), label);
                    }
                    plan.end_group();
                }
                let mut record = Record::new(dim, 0, NegativesForm::Each);
                let first = record.room(groups.len() + 1);
                // SAFETY: all rows are of `rows`; the record has room for a vector a group and one more.
                unsafe { kernel.look(rows.row(0), &mut plan, 0.3, record.vectors(first, groups.len() + 1)) };
                prop_assert_eq!(rows.to_vectors(), vectors.clone(), "looking changes nothing");
                let number = |at: usize| u32::try_from(at).expect("small");
                let mut steps = plan.steps.iter();
                let mut updates = vec![Update { row: 0, vector: number(groups.len()), step: 1.0 }];
                for (vector, group) in (0..).zip(&groups) {
                    for (&(target, _), &step) in group.iter().zip(&mut steps) {
                        updates.push(Update { row: number(target + 1), vector, step });
                    }
                }
                for part in 0..4 {
                    kernel.apply(&rows, &record.vectors, &updates, part, 3);
                }
                prop_assert_eq!(rows.to_vectors(), trained, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn a_step_raises_the_objective() {
        let vectors: Vec<f32> = (0..5 * 20)
            .map(|at| ((at * 37 % 19) as f32 - 9.0) / 20.0)
            .collect();
        let groups = vec![vec![(0, 1.0), (1, 0.0), (2, 0.0), (3, 0.0)]];
        let objective = |vectors: &[f32]| -> f64 {
            let rows: Vec<&[f32]> = vectors.chunks(20).collect();
            let term = |&(target, label): &(usize, f32)| {
                let dot: f64 = rows[0]
                    .iter()
                    .zip(rows[target + 1])
                    .map(|(a, b)| f64::from(a * b))
                    .sum();
                let sign = if label > 0.5 { 1.0 } else { -1.0 };
                -(1.0 + f64::exp(-sign * dot)).ln()
            };
            groups[0].iter().map(term).sum()
        };
        for kernel in Kernel::available() {
            assert!(objective(&run(kernel, &vectors, 20, &groups, 0.1)) > objective(&vectors));
        }
    }
}
