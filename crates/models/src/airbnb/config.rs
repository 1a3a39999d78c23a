//! What of a recipe's channel makes it Airbnb's.

use catchment_schema::AttributeTable;
use serde::{Deserialize, Serialize};

use super::markets::markets;
use crate::sgns::{GroupNegatives, Objective};
use crate::{Error, Result};

/// A recipe's `objective`: what is learned beside who stands near whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ObjectiveConfig {
    /// The event that a session is for: `booking`, `purchase`, `subscribe`. It ends its session. None: no session has a
    /// goal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goal: Option<String>,
    /// The goal's item is a positive of everything in its session, however far away.
    pub global_goal: bool,
    /// Sessions with a goal are read so many times. From 1 to 1000.
    pub oversample: u32,
    /// The column of the items that says which market they are of; none: there are no markets. An item without one gets
    /// no negatives of a market, and neither does one that is alone in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub market: Option<String>,
    /// How many negatives of its own market every centre gets. Up to 1000.
    pub market_negatives: usize,
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self {
            goal: None,
            global_goal: true,
            oversample: 5,
            market: None,
            market_negatives: 5,
        }
    }
}

impl ObjectiveConfig {
    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn validate(&self) -> Result<()> {
        let refuse = |key, value: String, allowed| Err(Error::Config { key, value, allowed });
        if !(1..=1000).contains(&self.oversample) {
            return refuse("oversample", self.oversample.to_string(), "1 to 1000");
        }
        if self.market_negatives > 1000 {
            return refuse("market_negatives", self.market_negatives.to_string(), "0 to 1000");
        }
        Ok(())
    }

    /// The terms, with the markets of these items.
    ///
    /// # Errors
    /// [`Error::MissingColumn`] where the items have no such column.
    pub fn objective(&self, items: &AttributeTable) -> Result<Objective> {
        let group_negatives = match &self.market {
            Some(column) if self.market_negatives > 0 => Some(GroupNegatives {
                groups: markets("objective.market", column, items)?,
                negatives: self.market_negatives,
            }),
            _ => None,
        };
        Ok(Objective {
            global_goal: self.goal.is_some() && self.global_goal,
            group_negatives,
            rejects: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let failed = |change: fn(&mut ObjectiveConfig)| {
            let mut config = ObjectiveConfig::default();
            change(&mut config);
            config.validate().expect_err("refused").to_string()
        };
        assert!(failed(|config| config.oversample = 0).contains("`oversample`"));
        assert!(failed(|config| config.market_negatives = 1001).contains("`market_negatives`"));
        assert!(ObjectiveConfig::default().validate().is_ok());
    }

    #[test]
    fn without_a_goal_and_a_market_nothing_is_added() {
        let objective = ObjectiveConfig::default()
            .objective(&AttributeTable::empty(3))
            .expect("no column is needed");
        assert!(!objective.global_goal && objective.group_negatives.is_none());
        let config = ObjectiveConfig {
            market: Some("city".to_owned()),
            ..ObjectiveConfig::default()
        };
        let message = config
            .objective(&AttributeTable::empty(3))
            .expect_err("no column")
            .to_string();
        assert!(
            message.contains("objective.market") && message.contains("city"),
            "{message}"
        );
    }
}
