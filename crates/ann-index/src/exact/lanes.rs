//! The few vector instructions that the kernels are written in, once for each instruction set.
#![allow(
    clippy::inline_always,
    reason = "an intrinsic compiles to one instruction only inside a function of its instruction set, so everything between must vanish"
)]
#![allow(
    unsafe_code,
    reason = "intrinsics need the CPU's consent, which `Kernel` has asked for; `kernel::tests` compares every set with the portable one"
)]

/// A register of `WIDTH` values.
///
/// # Safety
/// Every function may be called only where the CPU has the instructions of the implementor, and `load` and
/// `store` only on `WIDTH` values of valid memory.
pub(super) trait Lanes {
    type Vector: Copy;
    const WIDTH: usize;
    unsafe fn splat(value: f32) -> Self::Vector;
    unsafe fn load(from: *const f32) -> Self::Vector;
    unsafe fn store(vector: Self::Vector, to: *mut f32);
    unsafe fn subtract(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b + c`, rounded once where the instruction set can.
    unsafe fn multiply_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
}

/// `a · b + c`: rounded once where the compilation target has the instruction, else twice (a library
/// call for each product would cost more than a scan can bear).
#[inline(always)]
pub(super) fn portable_multiply_add(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

/// Four values in plain Rust.
pub(super) struct Portable;

impl Lanes for Portable {
    type Vector = [f32; 4];
    const WIDTH: usize = 4;

    #[inline(always)]
    unsafe fn splat(value: f32) -> [f32; 4] {
        [value; 4]
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> [f32; 4] {
        // SAFETY: the caller gives four values of valid memory; no alignment is assumed.
        unsafe { from.cast::<[f32; 4]>().read_unaligned() }
    }

    #[inline(always)]
    unsafe fn store(vector: [f32; 4], to: *mut f32) {
        // SAFETY: as in `load`.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(vector) };
    }

    #[inline(always)]
    unsafe fn subtract(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        [a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]]
    }

    #[inline(always)]
    unsafe fn multiply_add(a: [f32; 4], b: [f32; 4], c: [f32; 4]) -> [f32; 4] {
        [
            portable_multiply_add(a[0], b[0], c[0]),
            portable_multiply_add(a[1], b[1], c[1]),
            portable_multiply_add(a[2], b[2], c[2]),
            portable_multiply_add(a[3], b[3], c[3]),
        ]
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm256_sub_ps,
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps, _mm512_sub_ps,
    };

    use super::Lanes;

    macro_rules! lanes {
        ($(#[$doc:meta])* $name:ident, $vector:ty, $width:literal, $splat:ident, $load:ident, $store:ident, $sub:ident, $fma:ident) => {
            $(#[$doc])*
            pub(in super::super) struct $name;

            // SAFETY of every block: the trait's contract, handed on.
            impl Lanes for $name {
                type Vector = $vector;
                const WIDTH: usize = $width;

                #[inline(always)]
                unsafe fn splat(value: f32) -> $vector {
                    unsafe { $splat(value) }
                }

                #[inline(always)]
                unsafe fn load(from: *const f32) -> $vector {
                    unsafe { $load(from) }
                }

                #[inline(always)]
                unsafe fn store(vector: $vector, to: *mut f32) {
                    unsafe { $store(to, vector) }
                }

                #[inline(always)]
                unsafe fn subtract(a: $vector, b: $vector) -> $vector {
                    unsafe { $sub(a, b) }
                }

                #[inline(always)]
                unsafe fn multiply_add(a: $vector, b: $vector, c: $vector) -> $vector {
                    unsafe { $fma(a, b, c) }
                }
            }
        };
    }

    lanes! {
        /// Eight values, AVX2 with FMA.
        Avx2, __m256, 8, _mm256_set1_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_fmadd_ps
    }
    lanes! {
        /// Sixteen values, AVX-512F.
        Avx512, __m512, 16, _mm512_set1_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_sub_ps, _mm512_fmadd_ps
    }
}
