//! Settings of the features that are numbers.

use serde::{Deserialize, Serialize};

use crate::Transform;

/// A numeric attribute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NumberConfig {
    /// The feature's name.
    pub name: String,
    /// The column of the attributes.
    pub column: String,
    /// How the number becomes what the model sees.
    pub transform: Transform,
    /// Whether a second number says that the first is missing (1) or not (0). Only for dense transforms.
    pub missing_flag: bool,
}

/// A count of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CountConfig {
    /// The feature's name.
    pub name: String,
    /// How the count becomes what the model sees; `log` where the recipe says nothing.
    pub transform: Transform,
}

impl Default for CountConfig {
    fn default() -> Self {
        Self {
            name: String::new(),
            transform: Transform::Log,
        }
    }
}
