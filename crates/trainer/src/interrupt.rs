//! Ctrl-C. In a training the first asks it to stop where it can be taken up again, and the second ends the program;
//! elsewhere the first ends it, as what is half written is never taken for whole.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;
use crate::speech;

static IN_TRAINING: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicBool = AtomicBool::new(false);

/// What a shell expects of a program that was interrupted.
const INTERRUPTED: i32 = 130;

/// Listens for Ctrl-C and for a polite request to end, from now on.
///
/// # Errors
/// When the system does not let us.
pub(crate) fn listen() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if !IN_TRAINING.load(Ordering::SeqCst) || ASKED.swap(true, Ordering::SeqCst) {
            #[allow(clippy::exit, reason = "somebody asked")]
            process::exit(INTERRUPTED);
        }
        speech::aside("stopping after this step; once more to stop at once");
    })?;
    Ok(())
}

/// For as long as it lives, the first Ctrl-C only asks.
pub(crate) struct Training;

impl Training {
    pub(crate) fn begin() -> Self {
        IN_TRAINING.store(true, Ordering::SeqCst);
        Self
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        IN_TRAINING.store(false, Ordering::SeqCst);
    }
}

/// Whether somebody asked.
pub(crate) fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}
