//! What a channel is asked.

use catchment_schema::{AttributeTable, History, ItemFilter, ItemIdx, Time, UserIdx};

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
    /// Their raw id, where the vocabulary knows them: for encoders that read features of the user.
    pub user_id: Option<&'a str>,
    /// The table of user attributes and their row there, where the vocabulary knows them.
    pub user_attributes: Option<(&'a AttributeTable, usize)>,
    /// What may be returned.
    pub filter: ItemFilter<'a>,
    /// The moment of the request.
    pub now: Time,
    /// When to give up.
    pub deadline: &'a dyn Deadline,
}
