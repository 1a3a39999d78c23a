//! Sixteen numbers at a time, in rows that other threads may be writing.
//!
//! The same arithmetic on every machine: a sum over sixteen lanes adds lanes `i` and `i + 8`, then `i` and `i + 4`, and
//! so on. AVX2 and AVX-512 round a multiply-add once and give the same bits; the portable lanes round twice.
#![allow(
    clippy::needless_range_loop,
    clippy::cast_ptr_alignment,
    unsafe_code,
    clippy::inline_always,
    reason = "vector instructions on rows that threads share; inlined into functions compiled for them"
)]

#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::atomic::{AtomicU64, Ordering};

use super::rows::{LINE, join, split};
#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

/// One instruction set.
///
/// # Safety
/// Every method may only be called on a CPU that has the instructions. `load` and `store` take the address of sixteen
/// numbers inside a [`Rows`](super::rows::Rows) or of memory that only the caller has.
pub(super) trait Lanes {
    type Vector: Copy;

    unsafe fn load(at: *const f32) -> Self::Vector;
    unsafe fn store(at: *mut f32, vector: Self::Vector);
    unsafe fn splat(value: f32) -> Self::Vector;
    /// `a b + c`.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sum(vector: Self::Vector) -> f32;
    /// Asks for the line at `at`, which will be wanted soon.
    unsafe fn prefetch(at: *const f32);
}

/// Plain Rust.
pub(super) struct Portable;

impl Lanes for Portable {
    type Vector = [f32; LINE];

    #[inline(always)]
    unsafe fn load(at: *const f32) -> [f32; LINE] {
        let mut vector = [0.0; LINE];
        for (word, pair) in vector.chunks_exact_mut(2).enumerate() {
            // SAFETY: sixteen aligned numbers begin at `at`, by the trait's contract; all who share them use atomics.
            let bits = unsafe { AtomicU64::from_ptr(at.cast_mut().cast::<u64>().add(word)) };
            pair.copy_from_slice(&split(bits.load(Ordering::Relaxed)));
        }
        vector
    }

    #[inline(always)]
    unsafe fn store(at: *mut f32, vector: [f32; LINE]) {
        for (word, pair) in vector.chunks_exact(2).enumerate() {
            // SAFETY: as in `load`.
            let bits = unsafe { AtomicU64::from_ptr(at.cast::<u64>().add(word)) };
            bits.store(join([pair[0], pair[1]]), Ordering::Relaxed);
        }
    }

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; LINE] {
        [value; LINE]
    }

    #[inline(always)]
    unsafe fn mul_add(a: [f32; LINE], b: [f32; LINE], mut c: [f32; LINE]) -> [f32; LINE] {
        for lane in 0..LINE {
            c[lane] += a[lane] * b[lane];
        }
        c
    }

    #[inline(always)]
    unsafe fn add(mut a: [f32; LINE], b: [f32; LINE]) -> [f32; LINE] {
        for lane in 0..LINE {
            a[lane] += b[lane];
        }
        a
    }

    #[inline(always)]
    unsafe fn sub(mut a: [f32; LINE], b: [f32; LINE]) -> [f32; LINE] {
        for lane in 0..LINE {
            a[lane] -= b[lane];
        }
        a
    }

    #[inline(always)]
    unsafe fn sum(mut vector: [f32; LINE]) -> f32 {
        for width in [8, 4, 2, 1] {
            for lane in 0..width {
                vector[lane] += vector[lane + width];
            }
        }
        vector[0]
    }

    #[inline(always)]
    unsafe fn prefetch(_at: *const f32) {}
}
