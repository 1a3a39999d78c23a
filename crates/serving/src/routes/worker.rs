//! Work that keeps a core busy, away from the threads that talk to clients.

use std::cell::Cell;
use std::sync::Arc;

use catchment_pipeline::Scratch;
use tokio::sync::Semaphore;

use crate::problem::Problem;

thread_local! {
    /// Buffers of this thread, for whichever bundle it serves.
    static SCRATCH: Cell<Option<Scratch>> = const { Cell::new(None) };
}

/// Waits for a free worker and runs `work` there. A panic in it is an internal problem, and nothing else.
pub(super) async fn on_worker<T: Send + 'static>(
    workers: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    let permit = workers.acquire_owned().await;
    let permit = permit.map_err(|error| Problem::internal(&error))?;
    let worked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        work()
    });
    worked
        .await
        .unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// Lends the buffers of this thread. What a panic leaves half done is thrown away with them.
pub(super) fn with_scratch<T>(work: impl FnOnce(&mut Scratch) -> T) -> T {
    let mut scratch = SCRATCH.take().unwrap_or_default();
    let result = work(&mut scratch);
    SCRATCH.set(Some(scratch));
    result
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[tokio::test]
    async fn a_panic_at_work_is_an_internal_problem_and_the_worker_is_free_again() {
        let workers = Arc::new(Semaphore::new(1));
        let problem = on_worker(workers.clone(), || -> Result<(), Problem> {
            panic!("on purpose")
        });
        assert_eq!(problem.await.expect_err("a problem").code, "internal");
        assert_eq!(on_worker(workers, || Ok(7)).await.expect("worked"), 7);
    }

    #[test]
    fn a_panic_takes_the_buffers_with_it_and_the_next_request_gets_new_ones() {
        with_scratch(|_| ());
        let panicked = catch_unwind(AssertUnwindSafe(|| with_scratch(|_| panic!("on purpose"))));
        assert!(panicked.is_err());
        with_scratch(|_| ());
    }
}
