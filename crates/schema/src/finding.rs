//! What a look at data brings to light.

use serde::{Deserialize, Serialize};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good to know.
    Note,
    /// Results may mislead.
    Warning,
    /// Results would be wrong.
    Error,
}

/// Something found in data: what, where, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for programs, such as `bad_row`.
    pub code: String,
    /// What was found, with counts.
    pub message: String,
    /// Up to ten examples: file, line, value.
    pub examples: Vec<String>,
    /// What to do about it.
    pub remedy: String,
}
