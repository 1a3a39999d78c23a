//! The step of one centre with its contexts, where all of them share one set of negatives.
//!
//! With the contexts' input vectors as rows of `V` and the output vectors of the centre (first) and of the negatives
//! as rows of `U`, the logits are one small matrix product, and so are both gradients (as in Ji et al., *Parallelizing
//! `Word2Vec` in Shared and Distributed Memory*, 2016):
//!
//! ```text
//! L = V Uᵀ      G = η (Y − σ(L)), where Y has ones in its first column      V ← V + G U      U ← U + Gᵀ V
//! ```
//!
//! (all right sides as they were before). A row is fetched once for all of the window, where the classical form fetches
//! `1 + K` rows for every pair.
#![allow(
    clippy::needless_range_loop,
    clippy::inline_always,
    unsafe_code,
    reason = "functions compiled for instructions that were detected at run time, on rows that threads share; the tests compare all that this CPU has with plain Rust"
)]

use super::kernel::{Instructions, Kernel};
#[cfg(target_arch = "x86_64")]
use super::lanes::{Avx2, Avx512};
use super::lanes::{Lanes, Portable};
use super::rows::{LINE, Rows};
use super::sigmoid::{sigmoid, softplus};

/// So many contexts share a set of negatives at most; the next ones have another. It bounds how far a negative's row
/// goes in one step, and what lies in the first cache.
pub(super) const MOST_INPUTS: usize = 32;

/// One centre's contexts and what they are trained against. Rows are addresses, as in a
/// [`Plan`](super::plan::Plan).
#[derive(Debug)]
pub(super) struct Window {
    /// Of the contexts' input vectors, at most [`MOST_INPUTS`].
    inputs: Vec<*mut f32>,
    /// Of the centre's output vector, then of the negatives'.
    outputs: Vec<*mut f32>,
    /// `[inputs, outputs]`: logits, then what vectors are multiplied by.
    logits: Vec<f32>,
    steps: Vec<f32>,
    /// The rows as they were before the step.
    v: Rows,
    u: Rows,
}

// SAFETY: addresses are put in and used up by one thread within one call; between calls they mean nothing.
unsafe impl Send for Window {}

impl Window {
    /// An empty one, for vectors of this width.
    pub(super) fn new(dim: usize) -> Self {
        Self {
            inputs: Vec::new(),
            outputs: Vec::new(),
            logits: Vec::new(),
            steps: Vec::new(),
            v: Rows::zeros(0, dim),
            u: Rows::zeros(0, dim),
        }
    }

    pub(super) fn clear(&mut self) {
        self.inputs.clear();
        self.outputs.clear();
    }

    #[inline]
    pub(super) fn push_input(&mut self, row: *mut f32) {
        self.inputs.push(row);
    }

    /// The first is the positive.
    #[inline]
    pub(super) fn push_output(&mut self, row: *mut f32) {
        self.outputs.push(row);
    }

    /// The rows that a step changes: inputs, then outputs.
    pub(super) fn n_rows(&self) -> usize {
        self.inputs.len() + self.outputs.len()
    }

    /// The sum of the losses of all pairs, as they were before the step that was taken last.
    pub(super) fn loss(&self) -> f64 {
        let of_input = |logits: &[f32]| {
            let negatives: f64 = logits[1..].iter().map(|&logit| softplus(logit)).sum();
            softplus(-logits[0]) + negatives
        };
        self.logits.chunks_exact(self.outputs.len()).map(of_input).sum()
    }

    /// Takes the step.
    ///
    /// # Safety
    /// All rows begin whole rows of tables of the window's width.
    #[inline]
    pub(super) unsafe fn train(&mut self, kernel: Kernel, rate: f32) {
        // SAFETY: the caller's; nothing is recorded.
        unsafe { self.run::<true>(kernel, rate, std::ptr::null_mut()) }
    }

    /// Computes the step and leaves all rows as they are: `vectors` gets what each of them gains, inputs first.
    ///
    /// # Safety
    /// As [`Window::train`]; `vectors` reaches over [`Window::n_rows`] rows of the window's width that nobody else has.
    #[inline]
    pub(super) unsafe fn look(&mut self, kernel: Kernel, rate: f32, vectors: *mut f32) {
        // SAFETY: the caller's.
        unsafe { self.run::<false>(kernel, rate, vectors) }
    }

    #[inline]
    unsafe fn run<const WRITE: bool>(&mut self, kernel: Kernel, rate: f32, vectors: *mut f32) {
        let n = self.inputs.len() * self.outputs.len();
        self.logits.resize(n, 0.0);
        self.steps.resize(n, 0.0);
        self.v.grow(self.inputs.len());
        self.u.grow(self.outputs.len());
        // SAFETY: the rows by the caller's contract; the instructions because the kernel exists.
        unsafe {
            match kernel.instructions() {
                Instructions::Portable => by_length::<Portable, WRITE>(self, rate, vectors),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx2 => avx2::<WRITE>(self, rate, vectors),
                #[cfg(target_arch = "x86_64")]
                Instructions::Avx512 => avx512::<WRITE>(self, rate, vectors),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2<const WRITE: bool>(window: &mut Window, rate: f32, vectors: *mut f32) {
    // SAFETY: the caller's.
    unsafe { by_length::<Avx2, WRITE>(window, rate, vectors) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512<const WRITE: bool>(window: &mut Window, rate: f32, vectors: *mut f32) {
    // SAFETY: the caller's.
    unsafe { by_length::<Avx512, WRITE>(window, rate, vectors) }
}

#[inline(always)]
unsafe fn by_length<L: Lanes, const WRITE: bool>(window: &mut Window, rate: f32, vectors: *mut f32) {
    // SAFETY: the caller's.
    unsafe {
        match window.v.lines_a_row() {
            2 => step::<L, WRITE, 2>(window, rate, vectors),
            3 => step::<L, WRITE, 3>(window, rate, vectors),
            4 => step::<L, WRITE, 4>(window, rate, vectors),
            5 => step::<L, WRITE, 5>(window, rate, vectors),
            6 => step::<L, WRITE, 6>(window, rate, vectors),
            7 => step::<L, WRITE, 7>(window, rate, vectors),
            8 => step::<L, WRITE, 8>(window, rate, vectors),
            // One line, and longer rows by parts of one.
            _ => step::<L, WRITE, 1>(window, rate, vectors),
        }
    }
}

/// A step by parts of `N` lines of each row.
#[inline(always)]
unsafe fn step<L: Lanes, const WRITE: bool, const N: usize>(
    window: &mut Window,
    rate: f32,
    vectors: *mut f32,
) {
    let (n_inputs, n_outputs) = (window.inputs.len(), window.outputs.len());
    let length = window.v.lines_a_row() * LINE;
    // SAFETY: all rows have `length` numbers, which is a multiple of `N` lines, and the CPU has the instructions, by the
    // caller's contract; `v` and `u` have as many rows as the window, and are nobody else's.
    unsafe {
        for (rows, copies) in [(&window.inputs, &window.v), (&window.outputs, &window.u)] {
            for (place, &row) in rows.iter().enumerate() {
                let copy = copies.row(place);
                for at in (0..length).step_by(LINE) {
                    L::store(copy.add(at), L::load(row.add(at)));
                }
            }
        }
        let (v, u) = (window.v.rows(0, n_inputs), window.u.rows(0, n_outputs));
        for (input, logits) in window.logits.chunks_exact_mut(n_outputs).enumerate() {
            let v = v.add(input * length);
            if length == N * LINE {
                let mut of_input = [L::splat(0.0); N];
                for line in 0..N {
                    of_input[line] = L::load(v.add(line * LINE));
                }
                for (output, logit) in logits.iter_mut().enumerate() {
                    let u = u.add(output * length);
                    let mut sums = [L::splat(0.0); 2];
                    for line in 0..N {
                        sums[line % 2] =
                            L::mul_add(of_input[line], L::load(u.add(line * LINE)), sums[line % 2]);
                    }
                    *logit = L::sum(L::add(sums[0], sums[1]));
                }
            } else {
                for (output, logit) in logits.iter_mut().enumerate() {
                    let u = u.add(output * length);
                    let mut sum = L::splat(0.0);
                    for at in (0..length).step_by(LINE) {
                        sum = L::mul_add(L::load(v.add(at)), L::load(u.add(at)), sum);
                    }
                    *logit = L::sum(sum);
                }
            }
        }
        for (step, &logit) in window.steps.iter_mut().zip(&window.logits) {
            *step = -rate * sigmoid(logit);
        }
        for steps in window.steps.chunks_exact_mut(n_outputs) {
            steps[0] += rate;
        }
        // `G U`: the steps of an input lie side by side.
        gain::<L, WRITE, N>(
            &window.inputs,
            &window.steps,
            [n_outputs, 1],
            [u, vectors],
            n_outputs,
            length,
        );
        let vectors = vectors.wrapping_add(n_inputs * length);
        gain::<L, WRITE, N>(
            &window.outputs,
            &window.steps,
            [1, n_outputs],
            [v, vectors],
            n_inputs,
            length,
        );
    }
}

/// Each of `rows` gains `Σ_i step(row, i) · others_i`, `step` lying at `row · strides[0] + i · strides[1]`.
#[inline(always)]
unsafe fn gain<L: Lanes, const WRITE: bool, const N: usize>(
    rows: &[*mut f32],
    steps: &[f32],
    strides: [usize; 2],
    [others, vectors]: [*mut f32; 2],
    n_others: usize,
    length: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        for (place, &row) in rows.iter().enumerate() {
            for part in (0..length).step_by(N * LINE) {
                let mut gained = [L::splat(0.0); N];
                for other in 0..n_others {
                    let step = L::splat(steps[place * strides[0] + other * strides[1]]);
                    let other = others.add(other * length + part);
                    for line in 0..N {
                        gained[line] = L::mul_add(step, L::load(other.add(line * LINE)), gained[line]);
                    }
                }
                for line in 0..N {
                    let at = part + line * LINE;
                    if WRITE {
                        L::store(row.add(at), L::add(L::load(row.add(at)), gained[line]));
                    } else {
                        L::store(vectors.add(place * length + at), gained[line]);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The formulas above in double precision; what all rows are afterwards.
    fn reference(rows: &[Vec<f64>], inputs: &[usize], outputs: &[usize], rate: f64) -> Vec<Vec<f64>> {
        let mut after = rows.to_vec();
        for &input in inputs {
            for (place, &output) in outputs.iter().enumerate() {
                let dot: f64 = rows[input].iter().zip(&rows[output]).map(|(a, b)| a * b).sum();
                let label = if place == 0 { 1.0 } else { 0.0 };
                let step = rate * (label - 1.0 / (1.0 + f64::exp(-dot)));
                for at in 0..rows[input].len() {
                    after[input][at] += step * rows[output][at];
                    after[output][at] += step * rows[input][at];
                }
            }
        }
        after
    }

    proptest! {
        #[test]
        fn every_kernel_does_what_the_formula_says_and_to_look_is_to_train_later(
            dim in prop_oneof![1..40_usize, Just(64), Just(100), Just(128), Just(129), Just(200)],
            n_inputs in 1..9_usize,
            n_outputs in 1..9_usize,
            seed in 0..1000_u32,
        ) {
            // Inputs are in one table and outputs in another; either may be there twice.
            let inputs: Vec<usize> = (0..n_inputs).map(|at| (at * 7 + seed as usize) % 6).collect();
            let outputs: Vec<usize> = (0..n_outputs).map(|at| 6 + (at * 5 + seed as usize) % 6).collect();
            let number = |at: usize| ((at as f32 * 12.9898 + seed as f32).sin() * 437.5).fract() * 0.6;
            let vectors: Vec<f32> = (0..12 * dim).map(number).collect();
            let exact: Vec<Vec<f64>> =
                vectors.chunks(dim).map(|row| row.iter().map(|&x| f64::from(x)).collect()).collect();
            let expected = reference(&exact, &inputs, &outputs, 0.3);
            let mut fused = Vec::new();
            for kernel in Kernel::available() {
                let rows = Rows::from_vectors(&vectors, dim);
                let mut window = Window::new(dim);
                for &row in &inputs {
                    window.push_input(rows.row(row));
                }
                for &row in &outputs {
                    window.push_output(rows.row(row));
                }
                let gained = Rows::zeros(window.n_rows(), dim);
                // SAFETY: all rows are of `rows`, and there is a row of `gained` for each.
                unsafe { window.look(kernel, 0.3, gained.rows(0, window.n_rows())) };
                prop_assert_eq!(rows.to_vectors(), vectors.clone(), "looking changes nothing");
                let loss = window.loss();
                // SAFETY: as above.
                unsafe { window.train(kernel, 0.3) };
                let found = rows.to_vectors();
                for (found, exact) in found.iter().zip(expected.iter().flatten()) {
                    prop_assert!((f64::from(*found) - exact).abs() < 5e-5, "{kernel:?}: {found} is not {exact}");
                }
                let mut later = vectors.clone();
                for (row, gained) in inputs.iter().chain(&outputs).zip(gained.to_vectors().chunks(dim)) {
                    for (number, gained) in later[row * dim..].iter_mut().zip(gained) {
                        *number += gained;
                    }
                }
                prop_assert_eq!(&later, &found);
                let exact_loss: f64 = inputs.iter().map(|&input| outputs.iter().enumerate().map(|(place, &output)| {
                    let dot: f64 = exact[input].iter().zip(&exact[output]).map(|(a, b)| a * b).sum();
                    (1.0 + f64::exp(if place == 0 { -dot } else { dot })).ln()
                }).sum::<f64>()).sum();
                prop_assert!((loss - exact_loss).abs() < 1e-4);
                if kernel != Kernel::available()[0] {
                    fused.push(found);
                }
            }
            prop_assert!(fused.windows(2).all(|pair| pair[0] == pair[1]), "AVX2 and AVX-512 give the same bits");
        }
    }
}
