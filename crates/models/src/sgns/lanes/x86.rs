//! The lanes of x86-64.

use core::arch::x86_64::{
    __m256, __m512, _MM_HINT_T0, _mm_add_ps, _mm_add_ss, _mm_cvtss_f32, _mm_movehdup_ps, _mm_movehl_ps,
    _mm_prefetch, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps256_ps128, _mm256_extractf128_ps,
    _mm256_fmadd_ps, _mm256_set1_ps, _mm256_sub_ps, _mm512_add_ps, _mm512_castps_pd, _mm512_castps512_ps256,
    _mm512_extractf64x4_pd, _mm512_fmadd_ps, _mm512_set1_ps, _mm512_sub_ps,
};
use std::arch::asm;

use super::Lanes;

/// AVX-512.
pub(in super::super) struct Avx512;

impl Lanes for Avx512 {
    type Vector = __m512;

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn load(at: *const f32) -> __m512 {
        let vector: __m512;
        // SAFETY: sixteen numbers begin at `at`, by the trait's contract. The load stands for the relaxed loads of the
        // eight words that it covers.
        unsafe {
            asm!("vmovups {vector}, zmmword ptr [{at}]", vector = lateout(zmm_reg) vector, at = in(reg) at,
                options(nostack, preserves_flags, readonly));
        }
        vector
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn store(at: *mut f32, vector: __m512) {
        // SAFETY: as in `load`, with stores.
        unsafe {
            asm!("vmovups zmmword ptr [{at}], {vector}", vector = in(zmm_reg) vector, at = in(reg) at,
                options(nostack, preserves_flags));
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn splat(value: f32) -> __m512 {
        _mm512_set1_ps(value)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn mul_add(a: __m512, b: __m512, c: __m512) -> __m512 {
        _mm512_fmadd_ps(a, b, c)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        _mm512_add_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        _mm512_sub_ps(a, b)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn sum(vector: __m512) -> f32 {
        let high = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(_mm512_castps_pd(vector)));
        sum8(_mm256_add_ps(_mm512_castps512_ps256(vector), high))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn prefetch(at: *const f32) {
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
}

/// AVX2 with multiply-add: a line is two registers.
pub(in super::super) struct Avx2;

impl Lanes for Avx2 {
    type Vector = [__m256; 2];

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn load(at: *const f32) -> [__m256; 2] {
        let (low, high): (__m256, __m256);
        // SAFETY: sixteen numbers begin at `at`, by the trait's contract. The loads stand for the relaxed loads of the
        // eight words that they cover.
        unsafe {
            asm!("vmovups {low}, ymmword ptr [{at}]", "vmovups {high}, ymmword ptr [{at} + 32]",
                low = out(ymm_reg) low, high = lateout(ymm_reg) high, at = in(reg) at,
                options(nostack, preserves_flags, readonly));
        }
        [low, high]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn store(at: *mut f32, [low, high]: [__m256; 2]) {
        // SAFETY: as in `load`, with stores.
        unsafe {
            asm!("vmovups ymmword ptr [{at}], {low}", "vmovups ymmword ptr [{at} + 32], {high}",
                low = in(ymm_reg) low, high = in(ymm_reg) high, at = in(reg) at,
                options(nostack, preserves_flags));
        }
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn splat(value: f32) -> [__m256; 2] {
        [_mm256_set1_ps(value); 2]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn mul_add(a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        [
            _mm256_fmadd_ps(a[0], b[0], c[0]),
            _mm256_fmadd_ps(a[1], b[1], c[1]),
        ]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn sub(a: [__m256; 2], b: [__m256; 2]) -> [__m256; 2] {
        [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])]
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn sum([low, high]: [__m256; 2]) -> f32 {
        sum8(_mm256_add_ps(low, high))
    }

    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn prefetch(at: *const f32) {
        _mm_prefetch::<_MM_HINT_T0>(at.cast());
    }
}

/// Lanes `i` and `i + 4`, then `i` and `i + 2`, then both.
#[inline]
#[target_feature(enable = "avx")]
fn sum8(vector: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(vector), _mm256_extractf128_ps::<1>(vector));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)))
}
