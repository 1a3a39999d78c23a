//! Asking the memory for a row before its turn.
#![allow(unsafe_code, reason = "a prefetch takes an address")]

/// Numbers of a cache line.
const LINE: usize = 16;

/// A row that will be read soon: rows lie far apart in a large table, and the processor does not guess which is next.
#[inline]
pub(super) fn prefetch(row: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in row.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86_64, and a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (row, LINE);
}
