//! The settings of skip-gram with negative sampling.

use catchment_sampling::{Context, Unigram, Walk};
use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// How several threads train at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parallel {
    /// Fixed lanes that compute changes side by side, which are then made in turn: the same bytes on any number of
    /// threads.
    #[default]
    Deterministic,
    /// All threads on the same rows, without locks (Niu et al. 2011). Faster, and another result every time.
    LockFree,
}

/// Which pairs have the same negatives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NegativesForm {
    /// Every pair has its own, as in word2vec.
    #[default]
    Each,
    /// All pairs of a centre (of up to 32 contexts) have the same: small matrix products, which are faster. Then a pair is
    /// trained from the context's side, as in word2vec; over a session these are the same ordered pairs.
    ///
    /// Every context takes its step before it has seen the others', and a negative one step for all of them. So with many
    /// negatives and `deterministic`, where a round adds further steps that have not seen each other, large rates diverge
    /// sooner: on Gowalla with 30 negatives 0.1 does, and 0.05 does not. A smaller `lane_targets` makes rounds shorter.
    Shared,
}

/// How the learning rate falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decay {
    /// In a straight line, as word2vec has it.
    #[default]
    Linear,
    /// Along half a cosine: slowly at first and at the end.
    Cosine,
}

/// Settings of [`fit`](super::fit).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgnsConfig {
    /// Width of the vectors.
    pub dim: usize,
    /// How often all sessions are read.
    pub epochs: u32,
    /// What of a session an item is trained against. A window of 10 by default: sessions have an order, and a set costs
    /// the square of its size. Where the order means nothing, `{ sampled = 10 }` costs as little. One of `"set"`, `{ sampled = 10 }`, `{ window = 5 }` or
    /// `{ drawn_window = 5 }`.
    pub context: Context,
    /// Negatives for every positive pair.
    pub negatives: usize,
    /// Whether every pair has its own or those of a centre share them: `"each"` or `"shared"`.
    pub negatives_form: NegativesForm,
    /// Negatives are drawn in proportion to their count to this power; any number. With the number of epochs and
    /// `subsample` it matters most (Caselles-Dupré et al. 2018).
    pub exponent: f64,
    /// `ρ`: an item that makes up the part `f` of the log is kept with probability `√(ρ/f)`. 0 keeps everything.
    pub subsample: f64,
    /// The learning rate at the beginning. word2vec's default is meant for billions of words; logs of some million events
    /// want 0.05 to 0.1 or more epochs.
    pub learning_rate: f32,
    /// The learning rate at the end.
    pub final_learning_rate: f32,
    /// How it falls from one to the other.
    pub decay: Decay,
    /// How several threads train at once.
    pub parallel: Parallel,
    /// Of `deterministic`: how many lanes, each of which one thread works on at a time. Part of the result.
    pub lanes: usize,
    /// Of `deterministic`: after how many targets (positives and negatives) of a lane the lanes' changes are made; fewer
    /// where all lanes would have more than there are items. Fewer follow each other more closely; more cost less. Part
    /// of the result.
    pub lane_targets: usize,
}

impl Default for SgnsConfig {
    fn default() -> Self {
        Self {
            dim: 64,
            epochs: 20,
            context: Context::Window(10),
            negatives: 15,
            negatives_form: NegativesForm::Each,
            exponent: 0.75,
            subsample: 1e-3,
            learning_rate: 0.025,
            final_learning_rate: 1e-4,
            decay: Decay::Linear,
            parallel: Parallel::Deterministic,
            lanes: 8,
            lane_targets: 2_000,
        }
    }
}

/// Largest width: a row of a million items is then 4 KiB, and a table 4 GiB.
const MOST_DIM: usize = 1024;

impl SgnsConfig {
    /// Checks the ranges that need no data.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::Sampling`] name the key and what is allowed.
    pub fn validate(&self) -> Result<()> {
        let refuse = |key, value: String, allowed| Err(Error::Config { key, value, allowed });
        if self.dim == 0 || self.dim > MOST_DIM {
            return refuse("dim", self.dim.to_string(), "1 to 1024");
        }
        if self.epochs == 0 {
            return refuse("epochs", self.epochs.to_string(), "1 or more");
        }
        if self.negatives == 0 || self.negatives > 1000 {
            return refuse("negatives", self.negatives.to_string(), "1 to 1000");
        }
        Walk::new(self.context, self.subsample, &[])?;
        Unigram::new(&[1], self.exponent)?;
        let is_rate = |rate: f32| rate.is_finite() && rate >= 0.0;
        if !is_rate(self.learning_rate) || self.learning_rate == 0.0 || self.learning_rate > 1.0 {
            return refuse(
                "learning_rate",
                self.learning_rate.to_string(),
                "above 0, up to 1",
            );
        }
        if !is_rate(self.final_learning_rate) || self.final_learning_rate > self.learning_rate {
            return refuse(
                "final_learning_rate",
                self.final_learning_rate.to_string(),
                "0 to learning_rate",
            );
        }
        if self.lanes == 0 || self.lanes > 256 {
            return refuse("lanes", self.lanes.to_string(), "1 to 256");
        }
        if self.lane_targets == 0 {
            return refuse("lane_targets", self.lane_targets.to_string(), "1 or more");
        }
        Ok(())
    }

    /// The learning rate when the part `done` of the training, 0 to 1, is over.
    #[expect(clippy::cast_possible_truncation, reason = "a rate needs no more than f32")]
    pub(super) fn rate(&self, done: f64) -> f32 {
        let done = done.clamp(0.0, 1.0);
        let left = match self.decay {
            Decay::Linear => 1.0 - done,
            Decay::Cosine => f64::midpoint((done * std::f64::consts::PI).cos(), 1.0),
        };
        let (first, last) = (f64::from(self.learning_rate), f64::from(self.final_learning_rate));
        (last + (first - last) * left) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_begin_and_end_where_they_should() {
        for decay in [Decay::Linear, Decay::Cosine] {
            let config = SgnsConfig {
                decay,
                ..SgnsConfig::default()
            };
            assert!((config.rate(0.0) - 0.025).abs() < 1e-9);
            assert!((config.rate(1.0) - 1e-4).abs() < 1e-9);
            assert!((config.rate(0.5) - f32::midpoint(0.025, 1e-4)).abs() < 1e-8);
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let failed = |change: fn(&mut SgnsConfig)| {
            let mut config = SgnsConfig::default();
            change(&mut config);
            config.validate().expect_err("refused").to_string()
        };
        assert!(failed(|config| config.dim = 0).contains("`dim`"));
        assert!(failed(|config| config.epochs = 0).contains("`epochs`"));
        assert!(failed(|config| config.negatives = 0).contains("`negatives`"));
        assert!(failed(|config| config.learning_rate = f32::NAN).contains("`learning_rate`"));
        assert!(failed(|config| config.final_learning_rate = 1.0).contains("`final_learning_rate`"));
        assert!(failed(|config| config.lanes = 0).contains("`lanes`"));
        assert!(failed(|config| config.lane_targets = 0).contains("`lane_targets`"));
        assert!(SgnsConfig::default().validate().is_ok());
    }
}
