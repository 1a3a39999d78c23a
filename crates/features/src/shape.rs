//! What columns a side has, before any row exists.

use serde::{Deserialize, Serialize};

/// The name and layout of one feature's column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnShape {
    /// The feature's name in the recipe.
    pub name: String,
    /// Numbers or ids.
    pub kind: ColumnKind,
}

/// The layout of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// `width` finite numbers a row.
    Dense {
        /// Numbers a row.
        width: usize,
    },
    /// Any number of weighted ids a row.
    Bag {
        /// Ids are below this.
        cardinality: u32,
    },
}
