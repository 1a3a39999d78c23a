//! How the program holds on to memory.

use std::ffi::c_int;

/// `purge_delay` of mimalloc 3: milliseconds until unused memory goes back to the system; below 0, never.
const PURGE_DELAY: c_int = 15;

/// Keeps what was used once, in large pages where the system has them: of a command that takes and gives back gigabytes
/// and then ends, the system otherwise clears the same pages again and again. Of 20 million events, `prepare` takes two thirds of
/// the time. Not for a memory limit: what is kept counts, too.
pub(crate) fn keep_memory() {
    #[expect(
        unsafe_code,
        reason = "two numbers for two settings that this version of the allocator knows"
    )]
    // SAFETY: `mi_option_set` writes an integer into a table of options and ignores what it does not know. It is not to be called
    // while other threads allocate: of these there are none before the first stage begins.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, -1);
        libmimalloc_sys::mi_option_set(libmimalloc_sys::mi_option_large_os_pages, 1);
    }
}
