//! YouTube DNN (Covington et al. 2016, section 3): recommending as a classification with a class for each item.
//!
//! `P(i | user, context) = exp(⟨v_i, u⟩ + b_i) / Σ_j exp(⟨v_j, u⟩ + b_j)`, with `u` the last hidden layer over what the user
//! did and when, and `v_i` the softmax weights of item `i`: these are served, not the embeddings that the input layer looks
//! up. The paper has no `b`; it is an option, and served exactly by one dimension more.

use serde::{Deserialize, Serialize};

use super::mlp::Activation;
use super::plan::{
    Decay, HardNegatives, ItemSide, Negatives, Optimizer, Plan, ProposalKind, ShownNegatives, Temperature,
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
pub struct YoutubeDnnConfig {
    /// Width of an embedded feature.
    pub dim: usize,
    /// Widths of the hidden layers, the last that of the vectors; none: the input is the vector.
    pub layers: Vec<usize>,
    /// After each layer.
    pub activation: Activation,
    /// After the last, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Activation>,
    /// Before each activation.
    pub norm: Norm,
    /// Share of hidden outputs left out in training.
    pub dropout: f32,
    /// Whether histories are looked up in the softmax weights themselves.
    pub shared: bool,
    /// Whether each class has a bias.
    pub bias: bool,
    /// Whether the age of an example is an input, 0 when served.
    pub example_age: bool,
    /// Whether vectors have length one.
    pub normalised: bool,
    /// Divides scores.
    pub temperature: f32,
    /// Whether it is learned from there.
    pub learned_temperature: bool,
    /// Sampled classes of a batch; 0: all classes, which a small catalogue affords.
    pub negatives: usize,
    /// Where they are drawn from.
    pub proposal: ProposalKind,
    /// How the sample is corrected for.
    pub correction: Correction,
    /// Negatives that the model itself ranks high, beside the others.
    pub hard: Option<HardNegatives>,
    /// Negatives that were shown beside what was taken, beside the others.
    pub shown: Option<ShownNegatives>,
    /// Whether what the user took at any time is left out of the sample.
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

impl Default for YoutubeDnnConfig {
    fn default() -> Self {
        Self::preset(Preset::Small)
    }
}

impl YoutubeDnnConfig {
    /// Settings to begin from. Of the paper are the halving widths with `ReLU`, the age of an example, and as many examples
    /// of each user; it has vectors of any length and no bias. What it does not say, the optimizer among that, is as in
    /// [`Preset::Small`].
    pub fn preset(preset: Preset) -> Self {
        match preset {
            Preset::Nano => Self {
                dim: 8,
                layers: vec![8],
                last: Some(Activation::Identity),
                shared: false,
                negatives: 16,
                batch: 64,
                epochs: 2,
                ..Self::small()
            },
            Preset::Small => Self::small(),
            Preset::Paper => Self {
                dim: 256,
                layers: vec![1024, 512, 256],
                shared: false,
                example_age: true,
                normalised: false,
                temperature: 1.0,
                proposal: ProposalKind::LogUniform,
                examples: ExamplesConfig {
                    per_user: 50,
                    ..ExamplesConfig::default()
                },
                learning_rate: 1e-3,
                ..Self::small()
            },
        }
    }

    fn small() -> Self {
        Self {
            dim: 64,
            layers: vec![],
            activation: Activation::Relu,
            last: None,
            norm: Norm::None,
            dropout: 0.0,
            shared: true,
            bias: false,
            example_age: false,
            normalised: true,
            temperature: 0.1,
            learned_temperature: false,
            negatives: 800,
            proposal: ProposalKind::Unigram(0.5),
            correction: Correction::LogQ,
            hard: None,
            shown: None,
            spare_known: false,
            examples: ExamplesConfig::default(),
            init: 0.05,
            optimizer: Optimizer::Adam,
            learning_rate: 3e-3,
            decay: Decay::Cosine,
            l2: 0.0,
            batch: 512,
            epochs: 10,
        }
    }
}

impl YoutubeDnnConfig {
    /// What a training takes.
    pub fn plan(&self) -> Plan {
        Plan {
            model: "youtube_dnn",
            dim: self.dim,
            query: HiddenConfig {
                layers: self.layers.clone(),
                activation: self.activation,
                last: self.last,
                norm: self.norm,
                dropout: self.dropout,
            },
            item: ItemSide::Table {
                bias: self.bias,
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
            negatives: match self.negatives {
                0 => Negatives::Full,
                n => Negatives::Sampled {
                    n,
                    proposal: self.proposal,
                },
            },
            hard: self.hard,
            shown: self.shown.clone(),
            spare_known: self.spare_known,
            example_age: self.example_age,
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
