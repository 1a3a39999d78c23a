//! The sampling-bias-corrected two-tower model (Yi et al. 2019).
//!
//! `s(x, y) = ⟨u(x), v(y)⟩ / τ` of two towers, each brought to length one; a softmax over the items of the batch, where every
//! column is corrected by `ln p_j`, how often a batch is expected to hold its item: from a count, or estimated from the
//! stream that is learned from. Items that a user has seen are looked up in the table of the item tower's own id.

use catchment_sampling::StreamingConfig;
use serde::{Deserialize, Serialize};

use super::mlp::Activation;
use super::plan::{
    Decay, FrequencyKind, HardNegatives, ItemSide, Negatives, Optimizer, Plan, ShownNegatives, Temperature,
};
use super::{ExamplesConfig, HiddenConfig, Norm, Preset};
use crate::losses::Correction;

/// The settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in a recipe"
)]
pub struct TwoTowerConfig {
    /// Width of an embedded feature.
    pub dim: usize,
    /// Widths of the user tower's hidden layers; none: its input is the vector.
    pub user_layers: Vec<usize>,
    /// Widths of the item tower's hidden layers, ending as the user's do.
    pub item_layers: Vec<usize>,
    /// After each layer but the last.
    pub activation: Activation,
    /// After the last.
    pub last: Activation,
    /// Before each activation.
    pub norm: Norm,
    /// Share of hidden outputs left out in training.
    pub dropout: f32,
    /// Whether histories are looked up in the table of the item's own id.
    pub shared: bool,
    /// Whether vectors have length one.
    pub normalised: bool,
    /// Divides scores (`τ`).
    pub temperature: f32,
    /// Whether it is learned from there.
    pub learned_temperature: bool,
    /// How the batch is corrected for.
    pub correction: Correction,
    /// How it is known how often a batch holds an item.
    pub frequency: FrequencyKind,
    /// Items drawn beside those of the batch, every one alike (mixed negative sampling).
    pub uniform: usize,
    /// Vectors of earlier batches that are kept as negatives (cross-batch memory).
    pub memory: usize,
    /// Negatives that the model itself ranks high, beside the others.
    pub hard: Option<HardNegatives>,
    /// Negatives that were shown beside what was taken, beside the others.
    pub shown: Option<ShownNegatives>,
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

impl Default for TwoTowerConfig {
    fn default() -> Self {
        Self::preset(Preset::Small)
    }
}

impl TwoTowerConfig {
    /// Settings to begin from. Of the paper are three layers, the estimator that learns from the stream at its rate, and one
    /// pass over the log.
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
                user_layers: vec![1024, 512, 128],
                item_layers: vec![1024, 512, 128],
                temperature: 0.05,
                frequency: FrequencyKind::Streaming(StreamingConfig {
                    rate: 0.01,
                    ..StreamingConfig::default()
                }),
                optimizer: Optimizer::Adagrad,
                learning_rate: 0.05,
                decay: Decay::None,
                epochs: 1,
                ..Self::small()
            },
        }
    }

    fn small() -> Self {
        Self {
            dim: 64,
            user_layers: vec![],
            item_layers: vec![],
            activation: Activation::Relu,
            last: Activation::Identity,
            norm: Norm::None,
            dropout: 0.0,
            shared: true,
            normalised: true,
            temperature: 0.1,
            learned_temperature: false,
            correction: Correction::LogQ,
            frequency: FrequencyKind::Streaming(StreamingConfig::default()),
            uniform: 0,
            memory: 0,
            hard: None,
            shown: None,
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

impl TwoTowerConfig {
    /// What a training takes.
    pub fn plan(&self) -> Plan {
        let hidden = |layers: &[usize]| HiddenConfig {
            layers: layers.to_vec(),
            activation: self.activation,
            last: Some(self.last),
            norm: self.norm,
            dropout: self.dropout,
        };
        Plan {
            model: "two_tower",
            dim: self.dim,
            query: hidden(&self.user_layers),
            item: ItemSide::Tower {
                hidden: hidden(&self.item_layers),
                shared: self.shared,
            },
            input_activation: None,
            shared_texts: false,
            normalised: self.normalised,
            temperature: Temperature {
                value: self.temperature,
                learned: self.learned_temperature,
            },
            correction: self.correction,
            negatives: Negatives::InBatch {
                uniform: self.uniform,
                memory: self.memory,
                frequency: self.frequency,
            },
            hard: self.hard,
            shown: self.shown.clone(),
            spare_known: self.spare_known,
            example_age: false,
            examples: self.examples.clone(),
            init: self.init.into(),
            optimizer: self.optimizer.rows(),
            learning_rate: self.learning_rate,
            decay: self.decay,
            l2: self.l2,
            batch: self.batch,
            epochs: self.epochs,
        }
    }
}
