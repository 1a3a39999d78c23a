//! The settings that the three systems have in common.

use serde::{Deserialize, Serialize};

use super::mlp::Activation;
use crate::{Error, Result};

/// What happens to a layer's outputs before its activation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Nothing.
    #[default]
    None,
    /// Mean 0 and variance 1 over the batch; as served, by the running mean and variance.
    Batch,
    /// Mean 0 and variance 1 over the outputs of one example.
    Layer,
}

/// Settings that go together, for a recipe to begin from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// As small as it gets, for a test of everything around it.
    Nano,
    /// Vectors of length one and histories in the items' own table, without hidden layers that would have to be learned first
    /// (`dssm` has two).
    #[default]
    Small,
    /// As in the paper, where it says so.
    Paper,
}

/// The hidden layers of one tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HiddenConfig {
    /// The width of each, from the input on. The last one's is that of the vector; without layers the input is the vector.
    pub layers: Vec<usize>,
    /// After each but the last.
    pub activation: Activation,
    /// After the last; as the others where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Activation>,
    /// Before each activation.
    pub norm: Norm,
    /// Share of the outputs of each layer but the last that are left out in training.
    pub dropout: f32,
}

impl Default for HiddenConfig {
    fn default() -> Self {
        Self {
            layers: vec![],
            activation: Activation::Relu,
            last: None,
            norm: Norm::None,
            dropout: 0.0,
        }
    }
}

impl HiddenConfig {
    /// The activation of layer `place`.
    pub fn activation_of(&self, place: usize) -> Activation {
        if place + 1 == self.layers.len() {
            self.last.unwrap_or(self.activation)
        } else {
            self.activation
        }
    }

    /// # Errors
    /// [`Error::Config`]
    pub fn validate(&self) -> Result<()> {
        if let Some(width) = self.layers.iter().find(|&&width| !(1..=65_536).contains(&width)) {
            return Err(Error::Config {
                key: "layers",
                value: width.to_string(),
                allowed: "widths of 1 to 65536",
            });
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::Config {
                key: "dropout",
                value: self.dropout.to_string(),
                allowed: "at least 0, below 1",
            });
        }
        if self.dropout > 0.0 && self.layers.len() < 2 {
            return Err(Error::Config {
                key: "dropout",
                value: self.dropout.to_string(),
                allowed: "0 with fewer than two layers: the last leaves nothing out",
            });
        }
        if self.norm != Norm::None && self.layers.is_empty() {
            return Err(Error::Config {
                key: "norm",
                value: format!("{:?}", self.norm).to_lowercase(),
                allowed: "none without layers",
            });
        }
        Ok(())
    }
}
