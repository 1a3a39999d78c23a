//! What a training of towers is made of: the three systems are three ways to fill this in.

use catchment_sampling::StreamingConfig;
use serde::{Deserialize, Serialize};

use super::{ExamplesConfig, HiddenConfig, Order};
use crate::embedding_table::RowOptimizer;
use crate::losses::Correction;
use crate::{Error, Result};

/// The other side of the inner product.
#[derive(Clone, Debug, PartialEq)]
pub enum ItemSide {
    /// A row of a table for each item: the weights of a softmax.
    Table {
        /// A number for each item beside its row; served as one more dimension.
        bias: bool,
        /// The table is the one that histories are looked up in.
        shared: bool,
    },
    /// A tower over the item's features.
    Tower {
        /// Its hidden layers.
        hidden: HiddenConfig,
        /// Histories are looked up in the table of the feature that is the item's own id.
        shared: bool,
    },
}

/// What a positive is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Negatives {
    /// All items.
    Full,
    /// Drawn, and shared by the rows of a batch.
    Sampled {
        /// How many.
        n: usize,
        /// From where.
        proposal: ProposalKind,
    },
    /// The other items of the batch, and more.
    InBatch {
        /// Drawn beside them, every item alike.
        uniform: usize,
        /// Vectors of earlier batches that are kept.
        memory: usize,
        /// How it is known how often a batch holds an item.
        frequency: FrequencyKind,
    },
}

/// A distribution over items.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProposalKind {
    /// Falling with the item's rank by frequency: `ln((r + 2) / (r + 1)) / ln(N + 1)`.
    LogUniform,
    /// All alike.
    Uniform,
    /// As frequent as in the log, to a power.
    Unigram(f64),
}

/// Where the expected count of an item in a batch comes from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrequencyKind {
    /// Counted in the log before training.
    Counted,
    /// Estimated on the way.
    Streaming(StreamingConfig),
}

/// How raw scores become logits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature {
    /// Divides them; at the beginning, where it is learned.
    pub value: f32,
    /// Whether it is learned.
    pub learned: bool,
}

/// How weights and rows go down their gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Optimizer {
    /// In a straight line.
    Sgd,
    /// By the sum of squares: of rows one number each.
    Adagrad,
    /// By decaying means; of rows those that are seen.
    #[default]
    Adam,
}

impl Optimizer {
    /// With its usual settings.
    pub fn rows(self) -> RowOptimizer {
        match self {
            Self::Sgd => RowOptimizer::Sgd,
            Self::Adagrad => RowOptimizer::ADAGRAD,
            Self::Adam => RowOptimizer::ADAM,
        }
    }
}

/// How the learning rate goes down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// It does not.
    #[default]
    None,
    /// In a line, to a hundredth at the end.
    Linear,
    /// As half a cosine, to a hundredth at the end.
    Cosine,
}

impl Decay {
    /// What the rate is multiplied with when `done` of the steps are done, from 0 to 1.
    pub fn factor(self, done: f64) -> f64 {
        const LEAST: f64 = 0.01;
        let left = match self {
            Self::None => return 1.0,
            Self::Linear => 1.0 - done,
            Self::Cosine => f64::midpoint(1.0, (std::f64::consts::PI * done).cos()),
        };
        LEAST + (1.0 - LEAST) * left
    }
}

/// All settings of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Which system, in messages.
    pub model: &'static str,
    /// Width of an embedded feature.
    pub dim: usize,
    /// The query tower's hidden layers.
    pub query: HiddenConfig,
    /// The other side.
    pub item: ItemSide,
    /// Whether both answers are brought to length one.
    pub normalised: bool,
    /// How scores become logits.
    pub temperature: Temperature,
    /// How a sample is corrected for.
    pub correction: Correction,
    /// What a positive is compared with.
    pub negatives: Negatives,
    /// Whether what the user took at any time is left out of the negatives.
    pub spare_known: bool,
    /// Whether the age of an example is an input.
    pub example_age: bool,
    /// How a log becomes examples.
    pub examples: ExamplesConfig,
    /// Numbers of embeddings are drawn from `-init..init`.
    pub init: f32,
    /// How weights and rows go down their gradients.
    pub optimizer: RowOptimizer,
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

impl Plan {
    /// # Errors
    /// [`Error::Config`]
    pub fn validate(&self) -> Result<()> {
        let bad = |key: &'static str, value: String, allowed: &'static str| {
            Err(Error::Config { key, value, allowed })
        };
        self.query.validate()?;
        if let ItemSide::Tower { hidden, .. } = &self.item {
            hidden.validate()?;
        }
        if !(1..=4096).contains(&self.dim) {
            return bad("dim", self.dim.to_string(), "1 to 4096");
        }
        if !(self.temperature.value > 0.0 && self.temperature.value.is_finite()) {
            return bad(
                "temperature",
                self.temperature.value.to_string(),
                "above 0, finite",
            );
        }
        if !(self.init >= 0.0 && self.init.is_finite()) {
            return bad("init", self.init.to_string(), "at least 0, finite");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return bad("learning_rate", self.learning_rate.to_string(), "above 0, finite");
        }
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return bad("l2", self.l2.to_string(), "at least 0, finite");
        }
        if !(0.0..1.0).contains(&self.examples.forget) {
            return bad(
                "examples.forget",
                self.examples.forget.to_string(),
                "at least 0, below 1",
            );
        }
        if !(1..=1 << 20).contains(&self.batch) {
            return bad("batch", self.batch.to_string(), "1 to 1048576");
        }
        if !(1..=100_000).contains(&self.epochs) {
            return bad("epochs", self.epochs.to_string(), "1 to 100000");
        }
        if matches!(self.examples.order, Order::ByTime(_)) && self.epochs != 1 {
            return bad(
                "epochs",
                self.epochs.to_string(),
                "1 with `examples.order` by time: each shard is seen once",
            );
        }
        match self.negatives {
            Negatives::Sampled { n, .. } if !(1..=1 << 20).contains(&n) => {
                bad("negatives", n.to_string(), "1 to 1048576")
            }
            Negatives::Sampled {
                proposal: ProposalKind::Unigram(exponent),
                ..
            } if !exponent.is_finite() => bad("exponent", exponent.to_string(), "finite"),
            Negatives::InBatch { uniform, memory, .. } if uniform.max(memory) > 1 << 22 => bad(
                "uniform or memory",
                uniform.max(memory).to_string(),
                "at most 4194304",
            ),
            _ => Ok(()),
        }
    }
}
