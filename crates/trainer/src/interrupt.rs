//! Ctrl-C: the first asks the work to stop where it can be taken up again, the second ends the program.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

static ASKED: AtomicBool = AtomicBool::new(false);

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Listens for Ctrl-C and for a polite request to end, from now on.
///
/// # Errors
/// When the system does not let us.
pub(crate) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::Relaxed) {
            #[allow(clippy::exit, reason = "somebody asked twice")]
            process::exit(INTERRUPTED);
        }
        eprintln!("stopping after this step; once more to stop at once");
    })?;
    Ok(())
}

/// Whether somebody asked.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}
