//! What the program says: results to stdout, everything else to stderr. Nothing else prints.

use std::io::{self, ErrorKind};
use std::sync::{Mutex, PoisonError};

use crate::failure::Failure;

/// Why something could not be printed, the first time.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// A line of the result. A reader who has gone, as `head` does, is no failure, and what there is to do is done without
/// one; anything else is kept for [`heard`].
pub(crate) fn say(text: impl AsRef<str>) {
    if let Err(error) = line(&mut io::stdout().lock(), text.as_ref())
        && error.kind() != ErrorKind::BrokenPipe
    {
        let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(error);
    }
}

/// A line on the side. Nothing is left to do where even this cannot be printed.
pub(crate) fn aside(text: impl AsRef<str>) {
    let _ = line(&mut io::stderr().lock(), text.as_ref());
}

/// Whether all that was said could be.
///
/// # Errors
/// Why not, such as a disk that is full.
pub(crate) fn heard() -> Result<(), Failure> {
    let failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner).take();
    failed.map_or(Ok(()), |error| {
        let error = anyhow::Error::new(error).context("the result cannot be printed");
        Err(Failure::with_help(
            error,
            "check that what stdout goes to has room",
        ))
    })
}

fn line(stream: &mut impl io::Write, text: &str) -> io::Result<()> {
    writeln!(stream, "{text}")?;
    stream.flush()
}
