//! Which rows of a user belong together.

use datafusion::prelude::DataFrame;

use crate::Result;
use crate::chronology::PLACE;
use crate::engine::{ascending, walked};
use crate::walk::Sessions;

const STAGE: &str = "sessions";

/// The number of a row's session among its user's sessions, from 1, in the order in which they begin.
pub(crate) const SESSION: &str = "session";

/// Numbers the sessions of each user. Rows that name one belong to it, wherever they stand; the others are
/// cut where more than `gap_ms` has passed since the last known time, or where times begin to be known.
/// Rows without a time give no reason to cut.
pub(crate) async fn with_sessions(log: DataFrame, gap_ms: i64) -> Result<(DataFrame, u64)> {
    walked(STAGE, log, &[ascending(PLACE)], &|| {
        vec![Box::new(Sessions::new(gap_ms))]
    })
    .await
}
