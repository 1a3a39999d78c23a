//! Events as they come in and as they are kept.

use serde::{Deserialize, Serialize};

/// An event that was accepted: raw ids, so that it outlives every bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The client's own id for it, where given: the same id twice is one event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
    /// Who.
    pub user_id: String,
    /// With what.
    pub item_id: String,
    /// What was done.
    #[serde(rename = "type")]
    pub kind: String,
    /// How much.
    pub value: f32,
    /// For how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell_ms: Option<u32>,
    /// When, in milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// In which session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// After which recommendation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recomm_id: Option<String>,
}
