//! What a channel is asked.

use catchment_features::FeatureRow;
use catchment_schema::{History, ItemFilter, ItemIdx, Time, UserIdx};

/// Says when to stop. Made outside (from a clock at serving, a fake in tests): channels own no clock.
pub trait Deadline: Sync {
    /// Whether the time is up.
    fn expired(&self) -> bool;
}

/// There is no hurry.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDeadline;

impl Deadline for NoDeadline {
    fn expired(&self) -> bool {
        false
    }
}

/// One question to all channels.
#[derive(Clone, Copy)]
pub struct RecallQuery<'a> {
    /// Who asks, where the vocabulary knows them.
    pub user: Option<UserIdx>,
    /// What they did, oldest first.
    pub history: History<'a>,
    /// Items to start from instead of the history ("more like these"); empty: the history decides.
    pub seeds: &'a [ItemIdx],
    /// The user's features, transformed once for the request, where the bundle has any.
    pub user_features: Option<FeatureRow<'a>>,
    /// The context's features, transformed once for the request, where the bundle has any.
    pub context_features: Option<FeatureRow<'a>>,
    /// What may be returned.
    pub filter: ItemFilter<'a>,
    /// The moment of the request.
    pub now: Time,
    /// When to give up.
    pub deadline: &'a dyn Deadline,
}
