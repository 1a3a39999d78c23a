//! DSSM (Huang et al. 2013), as a recommender: a tower over any features of the user, a tower over any features of the item,
//! and the cosine of the two.
//!
//! `P(item | user) = softmax(γ · cos)` over what was taken and a few others, drawn, every one alike; or over the items of the
//! batch. `γ` is the inverse of the temperature. All layers are `tanh`, as in the paper.

use serde::{Deserialize, Serialize};

use super::mlp::Activation;
use super::plan::{Decay, FrequencyKind, ItemSide, Negatives, Optimizer, Plan, ProposalKind, Temperature};
use super::{ExamplesConfig, HiddenConfig, Norm, Preset};
use crate::losses::Correction;

/// The settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DssmConfig {
    /// Width of an embedded feature.
    pub dim: usize,
    /// Widths of the user tower's hidden layers; none: its input is the vector.
    pub user_layers: Vec<usize>,
    /// Widths of the item tower's hidden layers, ending as the user's do.
    pub item_layers: Vec<usize>,
    /// After each layer.
    pub activation: Activation,
    /// After the last, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Activation>,
    /// Before each activation.
    pub norm: Norm,
    /// Share of hidden outputs left out in training.
    pub dropout: f32,
    /// Whether histories are looked up in the table of the item's own id.
    pub shared: bool,
    /// Multiplies cosines (`γ`).
    pub gamma: f32,
    /// Whether it is learned from there.
    pub learned_gamma: bool,
    /// Items drawn for a batch and shared by its rows, every one alike; 0: the items of the batch are each other's negatives.
    pub negatives: usize,
    /// How the sample is corrected for.
    pub correction: Correction,
    /// Whether what the user took at any time is no negative.
    pub spare_known: bool,
    /// How a log becomes examples.
    pub examples: ExamplesConfig,
    /// Numbers of embeddings are drawn from `-init..init`.
    pub init: f32,
    /// How weights go down their gradients.
    pub optimizer: Optimizer,
    /// How fast.
    pub learning_rate: f64,
    /// How that goes down.
    pub decay: Decay,
    /// Pulls rows that are seen towards 0.
    pub l2: f32,
    /// Examples of a step.
    pub batch: usize,
    /// Passes over the examples.
    pub epochs: usize,
}

impl Default for DssmConfig {
    fn default() -> Self {
        Self::preset(Preset::Small)
    }
}

impl DssmConfig {
    /// Settings to begin from. Of the paper are layers of 300, 300 and 128 with `tanh` after each, and plain descent; its
    /// four negatives of each row are here as many shared ones.
    pub fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Nano => Self {
                dim: 8,
                user_layers: vec![8],
                item_layers: vec![8],
                batch: 64,
                epochs: 2,
                ..Self::small()
            },
            Preset::Small => Self::small(),
            Preset::Paper => Self {
                dim: 300,
                user_layers: vec![300, 300, 128],
                item_layers: vec![300, 300, 128],
                last: None,
                negatives: 4,
                optimizer: Optimizer::Sgd,
                learning_rate: 0.1,
                decay: Decay::None,
                epochs: 20,
                batch: 1024,
                ..Self::small()
            },
        }
    }

    fn small() -> Self {
        Self {
            dim: 64,
            user_layers: vec![128, 64],
            item_layers: vec![128, 64],
            activation: Activation::Tanh,
            last: Some(Activation::Identity),
            norm: Norm::None,
            dropout: 0.0,
            shared: false,
            gamma: 10.0,
            learned_gamma: false,
            negatives: 0,
            correction: Correction::LogQ,
            spare_known: false,
            examples: ExamplesConfig::default(),
            init: 0.05,
            optimizer: Optimizer::Adam,
            learning_rate: 3e-3,
            decay: Decay::Cosine,
            l2: 0.0,
            batch: 256,
            epochs: 10,
        }
    }
}

impl DssmConfig {
    /// What a training takes.
    pub fn plan(&self) -> Plan {
        let hidden = |layers: &[usize]| HiddenConfig {
            layers: layers.to_vec(),
            activation: self.activation,
            last: self.last,
            norm: self.norm,
            dropout: self.dropout,
        };
        Plan {
            model: "dssm",
            dim: self.dim,
            query: hidden(&self.user_layers),
            item: ItemSide::Tower {
                hidden: hidden(&self.item_layers),
                shared: self.shared,
            },
            normalised: true,
            temperature: Temperature {
                value: 1.0 / self.gamma,
                learned: self.learned_gamma,
            },
            correction: self.correction,
            negatives: match self.negatives {
                0 => Negatives::InBatch {
                    uniform: 0,
                    memory: 0,
                    frequency: FrequencyKind::Counted,
                },
                n => Negatives::Sampled {
                    n,
                    proposal: ProposalKind::Uniform,
                },
            },
            spare_known: self.spare_known,
            example_age: false,
            examples: self.examples.clone(),
            init: self.init,
            optimizer: self.optimizer.rows(),
            learning_rate: self.learning_rate,
            decay: self.decay,
            l2: self.l2,
            batch: self.batch,
            epochs: self.epochs,
        }
    }
}
