//! DSSM (Huang et al. 2013), as a recommender: a tower over any features of the user, a tower over any features of the item,
//! and the cosine of the two.
//!
//! `P(item | user) = softmax(γ · cos)` over what was taken and a few others, drawn, every one alike; or over the items of the
//! batch. `γ` is the inverse of the temperature. All layers are `tanh`, as in the paper.

use serde::{Deserialize, Serialize};

use super::mlp::Activation;
use super::plan::{
    Decay, FrequencyKind, HardNegatives, Init, InitRule, ItemSide, Negatives, Optimizer, Plan, ProposalKind,
    ShownNegatives, Temperature,
};
use super::{ExamplesConfig, HiddenConfig, Norm, Preset};
use crate::losses::Correction;

/// What a row is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number of items that a batch shares (0: its own items), or `{ own = 4 }`: drawn for each row"
)]
pub enum DssmNegatives {
    /// Items drawn for a batch and shared by its rows; 0: the items of the batch are each other's negatives.
    Shared(usize),
    /// Items drawn for each row by itself.
    Own(OwnNegatives),
}

/// Negatives of each row by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnNegatives {
    /// How many.
    pub own: usize,
}

/// The settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own in a recipe"
)]
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
    /// What the rows of an input go through, summed, with a number added to each: they are then the weights of a first
    /// layer over sparse numbers, as the paper's are over trigrams. None: the sums are the input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<Activation>,
    /// Whether histories are looked up in the table of the item's own id.
    pub shared: bool,
    /// Whether features of texts share a table where their ids mean the same (`vocabulary`), on both sides.
    pub shared_texts: bool,
    /// Multiplies cosines (`γ`).
    pub gamma: f32,
    /// Whether it is learned from there.
    pub learned_gamma: bool,
    /// What a row is compared with: items that are drawn, every one alike, or the items of the batch.
    pub negatives: DssmNegatives,
    /// How the sample is corrected for.
    pub correction: Correction,
    /// Negatives that the model itself ranks high, beside the others.
    pub hard: Option<HardNegatives>,
    /// Negatives that were shown beside what was taken, beside the others.
    pub shown: Option<ShownNegatives>,
    /// Whether what the user took at any time is no negative.
    pub spare_known: bool,
    /// How a log becomes examples.
    pub examples: ExamplesConfig,
    /// Where the numbers of embeddings begin.
    pub init: Init,
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
    /// Settings to begin from. Of the paper are layers of 300, 300 and 128 with `tanh` after each, the first of them over
    /// the sparse input itself; weights even in ±√(6 / (inputs + outputs)); four negatives of each row, none of them what
    /// the user took; and plain descent.
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
                input: Some(Activation::Tanh),
                user_layers: vec![300, 128],
                item_layers: vec![300, 128],
                last: None,
                negatives: DssmNegatives::Own(OwnNegatives { own: 4 }),
                spare_known: true,
                init: Init::Rule(InitRule::Glorot),
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
            input: None,
            shared: false,
            shared_texts: false,
            gamma: 10.0,
            learned_gamma: false,
            negatives: DssmNegatives::Shared(0),
            correction: Correction::LogQ,
            hard: None,
            shown: None,
            spare_known: false,
            examples: ExamplesConfig::default(),
            init: Init::Range(0.05),
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
            input_activation: self.input,
            shared_texts: self.shared_texts,
            normalised: true,
            temperature: Temperature {
                value: 1.0 / self.gamma,
                learned: self.learned_gamma,
            },
            correction: self.correction,
            negatives: match self.negatives {
                DssmNegatives::Shared(0) => Negatives::InBatch {
                    uniform: 0,
                    memory: 0,
                    frequency: FrequencyKind::Counted,
                },
                DssmNegatives::Shared(n) => Negatives::Sampled {
                    n,
                    proposal: ProposalKind::Uniform,
                },
                DssmNegatives::Own(OwnNegatives { own }) => Negatives::Own {
                    n: own,
                    proposal: ProposalKind::Uniform,
                },
            },
            hard: self.hard,
            shown: self.shown.clone(),
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
