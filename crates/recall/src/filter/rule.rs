//! The reasons why an item may not be returned.

use serde::{Deserialize, Serialize};

/// The reason why an item may not be returned, in the order in which they are looked at: the first that holds is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Rule {
    /// The user has had it.
    Seen,
    /// The request does not want it.
    Excluded,
    /// It is not to be had.
    Unavailable,
    /// Its `published_at` lies after the moment of the request.
    NotYetPublished,
    /// Its `expires_at` does not lie after the moment of the request.
    Expired,
    /// The request names what may come, and it is not among that.
    NotAllowed,
}
