//! How a history asks a space of item vectors.

use serde::{Deserialize, Serialize};

use super::ItemToItemConfig;
use crate::ConfigError;

/// Two ways to ask vectors of items for somebody who has a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueryForm {
    /// One query: the weighted mean of the directions of the recent items
    /// ([`EmbeddingChannel`](crate::EmbeddingChannel)).
    #[default]
    Pooled,
    /// Every recent item asks for its own neighbours, and their weighted scores are summed
    /// ([`ItemToItemChannel`](crate::ItemToItemChannel)). Several tastes stay several. A score is above 0: a positive cosine,
    /// or, of an inner product `x`, `ln(1 + eˣ)`.
    Seeds,
}

/// What the items of a history are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The items' input vectors, by cosine: what is alike. Popular items have no advantage.
    #[default]
    Input,
    /// The items' output vectors, by inner product with the history's directions: what is likely to be in the same
    /// session, which popular items are.
    Output,
}

/// How a channel of item vectors (Item2Vec, Airbnb) turns a history into a query.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ItemVectorsConfig {
    /// `pooled` or `seeds`.
    pub form: QueryForm,
    /// `input` or `output`.
    pub against: Against,
    /// How many of the most recent distinct items of the history are taken; 0: all of them.
    pub recent_items: usize,
    /// After how many positions, counted back from the most recent distinct item, an item weighs half. From 0.001
    /// to 1000000; none: every item weighs 1.
    pub half_life: Option<f32>,
    /// Of `seeds`: how many neighbours each item brings. From 1 to 10000.
    pub neighbours: usize,
}

impl Default for ItemVectorsConfig {
    fn default() -> Self {
        Self {
            form: QueryForm::default(),
            against: Against::default(),
            recent_items: 0,
            half_life: None,
            neighbours: 100,
        }
    }
}

impl ItemVectorsConfig {
    /// Checks every key; `channel` is named in the error.
    ///
    /// # Errors
    /// [`ConfigError::OutOfRange`].
    pub fn validate(self, channel: &str) -> Result<(), ConfigError> {
        self.seeds().validate(channel)?;
        if self.neighbours == 0 || self.neighbours > 10_000 {
            return Err(ConfigError::OutOfRange {
                key: format!("neighbours of channel `{channel}`"),
                value: self.neighbours.to_string(),
                allowed: "from 1 to 10000",
            });
        }
        Ok(())
    }

    /// Which items are taken, and at which weights.
    pub fn seeds(self) -> ItemToItemConfig {
        ItemToItemConfig {
            recent_items: self.recent_items,
            half_life: self.half_life,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_named() {
        let failed = |config: ItemVectorsConfig| config.validate("vectors").expect_err("refused").to_string();
        let some = ItemVectorsConfig::default();
        assert!(
            failed(ItemVectorsConfig {
                neighbours: 0,
                ..some
            })
            .contains("neighbours")
        );
        assert!(
            failed(ItemVectorsConfig {
                half_life: Some(0.0),
                ..some
            })
            .contains("half_life")
        );
        assert!(some.validate("vectors").is_ok());
    }
}
