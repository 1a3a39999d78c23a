//! What a training of towers is made of: the three systems are three ways to fill this in.

use catchment_sampling::StreamingConfig;
use serde::{Deserialize, Serialize};

use super::{Activation, ExamplesConfig, HiddenConfig, Norm, Order};
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
    /// Drawn for each row of a batch by itself.
    Own {
        /// How many a row.
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

/// Items that the model itself ranks high, beside the other negatives: a loss of their own, over each row's positive and
/// them, that is added to the other. What the user took at any time is never one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HardNegatives {
    /// How many of each row.
    pub n: usize,
    /// From which ranks, counted from 0, the last excluded: every one alike. The first few may well be what the user wants.
    pub ranks: [usize; 2],
    /// After how many steps the vectors are looked up anew that items are ranked by. A step ranks all items for each row.
    pub refresh: usize,
    /// What their loss counts beside the other.
    pub weight: f32,
}

impl Default for HardNegatives {
    fn default() -> Self {
        Self {
            n: 4,
            ranks: [100, 500],
            refresh: 100,
            weight: 1.0,
        }
    }
}

impl HardNegatives {
    fn validate(&self) -> Result<()> {
        let bad = |key: &'static str, value: String, allowed: &'static str| {
            Err(Error::Config { key, value, allowed })
        };
        if !(1..=1 << 12).contains(&self.n) {
            return bad("hard.n", self.n.to_string(), "1 to 4096");
        }
        if self.ranks[0] >= self.ranks[1] {
            return bad(
                "hard.ranks",
                format!("{:?}", self.ranks),
                "two ranks, the first below the second",
            );
        }
        if self.refresh == 0 {
            return bad("hard.refresh", "0".to_owned(), "at least 1");
        }
        if !(self.weight > 0.0 && self.weight.is_finite()) {
            return bad("hard.weight", self.weight.to_string(), "above 0, finite");
        }
        Ok(())
    }
}

/// What was shown beside what was taken, beside the other negatives: a loss of its own, over each row's positive and some of
/// the items that were shown with it, that is added to the other. What the user took at any time is never one, and a row
/// that was shown nothing has no such loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShownNegatives {
    /// The column of the log with the items that were shown: a list, or a text of ids.
    pub column: String,
    /// Between the ids of a text.
    pub separator: String,
    /// How many of each row.
    pub n: usize,
    /// What their loss counts beside the other.
    pub weight: f32,
}

impl Default for ShownNegatives {
    fn default() -> Self {
        Self {
            column: "shown".to_owned(),
            separator: "|".to_owned(),
            n: 4,
            weight: 1.0,
        }
    }
}

impl ShownNegatives {
    fn validate(&self) -> Result<()> {
        let bad = |key: &'static str, value: String, allowed: &'static str| {
            Err(Error::Config { key, value, allowed })
        };
        if self.separator.is_empty() {
            return bad("shown.separator", "\"\"".to_owned(), "at least one character");
        }
        if !(1..=1 << 12).contains(&self.n) {
            return bad("shown.n", self.n.to_string(), "1 to 4096");
        }
        if !(self.weight > 0.0 && self.weight.is_finite()) {
            return bad("shown.weight", self.weight.to_string(), "above 0, finite");
        }
        Ok(())
    }
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

/// Where the numbers of embeddings begin.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number (embeddings begin within -init..init) or \"glorot\""
)]
pub enum Init {
    /// Drawn evenly from `-range..range`.
    Range(f32),
    /// By a rule.
    Rule(InitRule),
}

/// How wide the numbers of a table are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InitRule {
    /// Evenly from ±√(6 / (rows + width)), as the weights of a layer with so many inputs and outputs (Glorot and Bengio
    /// 2010).
    Glorot,
}

impl Init {
    /// The numbers of a table of `rows × width` are drawn from `-range..range`.
    pub fn range(self, rows: usize, width: usize) -> f32 {
        match self {
            Self::Range(range) => range,
            Self::Rule(InitRule::Glorot) => (6.0 / (rows + width) as f32).sqrt(),
        }
    }
}

impl From<f32> for Init {
    fn from(range: f32) -> Self {
        Self::Range(range)
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
#[expect(
    clippy::struct_excessive_bools,
    reason = "as in the configs that it is made of"
)]
pub struct Plan {
    /// Which system, in messages.
    pub model: &'static str,
    /// Width of an embedded feature.
    pub dim: usize,
    /// The query tower's hidden layers.
    pub query: HiddenConfig,
    /// The other side.
    pub item: ItemSide,
    /// What the input of a tower goes through, with a number added to each of its own: the rows of the tables are then the
    /// weights of a first layer. `None`: the input is what the tables say.
    pub input_activation: Option<Activation>,
    /// Whether features of texts whose ids mean the same share a table, on both sides.
    pub shared_texts: bool,
    /// Whether both answers are brought to length one.
    pub normalised: bool,
    /// How scores become logits.
    pub temperature: Temperature,
    /// How a sample is corrected for.
    pub correction: Correction,
    /// What a positive is compared with.
    pub negatives: Negatives,
    /// And with what besides.
    pub hard: Option<HardNegatives>,
    /// And with what was shown beside it.
    pub shown: Option<ShownNegatives>,
    /// Whether what the user took at any time is left out of the negatives.
    pub spare_known: bool,
    /// Whether the age of an example is an input.
    pub example_age: bool,
    /// How a log becomes examples.
    pub examples: ExamplesConfig,
    /// Where the numbers of embeddings begin.
    pub init: Init,
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
        if let Init::Range(range) = self.init
            && !(range >= 0.0 && range.is_finite())
        {
            return bad("init", range.to_string(), "at least 0, finite");
        }
        if let Some(activation) = self.input_activation
            && activation.slope(0.0).is_none()
        {
            let value = format!("{activation:?}").to_lowercase();
            return bad("input", value, "identity, relu or tanh");
        }
        if !(self.learning_rate > 0.0 && self.learning_rate.is_finite()) {
            return bad("learning_rate", self.learning_rate.to_string(), "above 0, finite");
        }
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return bad("l2", self.l2.to_string(), "at least 0, finite");
        }
        self.examples.validate()?;
        let is_by_time = matches!(self.examples.order, Order::ByTime(_));
        if self.example_age && is_by_time {
            let allowed =
                "false with `examples.order` by time: what is learned last is what is newest by itself";
            return bad("example_age", "true".to_owned(), allowed);
        }
        if self.spare_known && self.negatives == Negatives::Full {
            let allowed =
                "false where a positive is compared with all items: nothing is drawn that could be spared";
            return bad("spare_known", "true".to_owned(), allowed);
        }
        let towers = match &self.item {
            ItemSide::Table { .. } => vec![&self.query],
            ItemSide::Tower { hidden, .. } => vec![&self.query, hidden],
        };
        if self.batch == 1 && towers.iter().any(|hidden| hidden.norm == Norm::Batch) {
            return bad("batch", "1".to_owned(), "at least 2 with `norm = \"batch\"`");
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
        if let Some(hard) = self.hard {
            hard.validate()?;
        }
        if let Some(shown) = &self.shown {
            shown.validate()?;
        }
        match self.negatives {
            Negatives::Sampled { n, .. } if !(1..=1 << 20).contains(&n) => {
                bad("negatives", n.to_string(), "1 to 1048576")
            }
            Negatives::Own { n, .. } if !(1..=1 << 12).contains(&n) => {
                bad("negatives.own", n.to_string(), "1 to 4096")
            }
            Negatives::Sampled {
                proposal: ProposalKind::Unigram(exponent),
                ..
            }
            | Negatives::Own {
                proposal: ProposalKind::Unigram(exponent),
                ..
            } if !exponent.is_finite() => bad("exponent", exponent.to_string(), "finite"),
            Negatives::InBatch { uniform, memory, .. } if uniform.max(memory) > 1 << 22 => bad(
                "uniform or memory",
                uniform.max(memory).to_string(),
                "at most 4194304",
            ),
            Negatives::InBatch {
                frequency: FrequencyKind::Streaming(config),
                ..
            } => config.validate().map_err(Error::Sampling),
            _ => Ok(()),
        }
    }
}
