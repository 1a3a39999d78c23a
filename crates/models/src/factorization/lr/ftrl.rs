//! The optimiser: FTRL-Proximal, Algorithm 1 of the paper.

use super::model::sigmoid;
use super::{FtrlConfig, LogisticRegression, SparseRow};

/// What FTRL remembers of one coordinate, with the weight that follows from it.
#[derive(Clone, Copy, Debug, Default)]
struct Coordinate {
    /// `Σ g_s − Σ σ_s w_s`.
    z: f64,
    /// `Σ g_s²`.
    n: f64,
    /// The weight now.
    w: f64,
}

impl Coordinate {
    /// Takes the gradient `g` of one row: with `σ = (√(n + g²) − √n) / α`, `z ← z + g − σw` and `n ← n + g²`;
    /// then `w` is 0 where `|z| ≤ l1`, else `−(z − sgn(z)·l1) / ((β + √n)/α + l2)`.
    fn step(&mut self, g: f64, alpha: f64, beta: f64, l1: f64, l2: f64) {
        let root_before = self.n.sqrt();
        self.n += g * g;
        let root = self.n.sqrt();
        let sigma = (root - root_before) / alpha;
        self.z += g - sigma * self.w;
        self.w = if self.z.abs() <= l1 {
            0.0
        } else {
            -(self.z - self.z.signum() * l1) / ((beta + root) / alpha + l2)
        };
    }
}

/// The state of a training: 24 bytes a feature. [`Ftrl::model`] is what remains of it.
#[derive(Clone, Debug)]
pub struct Ftrl {
    config: FtrlConfig,
    coordinates: Vec<Coordinate>,
    bias: Coordinate,
}

impl Ftrl {
    /// All weights 0. `config` has been validated.
    pub(super) fn new(config: &FtrlConfig, n_features: usize) -> Self {
        Self {
            config: config.clone(),
            coordinates: vec![Coordinate::default(); n_features],
            bias: Coordinate::default(),
        }
    }

    /// Learns from one row; `label` in [0, 1], `weight` from 0. Answers the log-odds *before* learning.
    /// The row's indices are below the number of features.
    pub(super) fn step(&mut self, row: SparseRow<'_>, label: f64, weight: f64) -> f64 {
        let FtrlConfig {
            alpha, beta, l1, l2, ..
        } = self.config;
        let logit = row.entries.iter().fold(self.bias.w, |sum, &(index, value)| {
            sum + self.coordinates[index as usize].w * f64::from(value)
        });
        let slope = weight * (sigmoid(logit) - label);
        self.bias.step(slope, alpha, beta, 0.0, 0.0);
        for &(index, value) in row.entries {
            self.coordinates[index as usize].step(slope * f64::from(value), alpha, beta, l1, l2);
        }
        logit
    }

    /// The model as it stands.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "weights are learned wide and kept narrow"
    )]
    pub fn model(&self) -> LogisticRegression {
        LogisticRegression {
            weights: self
                .coordinates
                .iter()
                .map(|coordinate| coordinate.w as f32)
                .collect(),
            bias: self.bias.w as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SparseRows, logloss};
    use super::*;

    #[test]
    fn a_step_follows_the_gradient_of_the_loss() {
        let mut rows = SparseRows::new(3);
        rows.push([(0, 1.0), (2, -0.5)]).expect("good row");
        let (row, label, weight) = (rows.row(0), 0.3, 2.0);
        let mut ftrl = Ftrl::new(
            &FtrlConfig {
                l1: 0.0,
                ..Default::default()
            },
            3,
        );
        ftrl.step(row, 1.0, 1.0);
        let before = ftrl.clone();
        ftrl.step(row, label, weight);
        let loss = |ftrl: &Ftrl| {
            let logit = row.entries.iter().fold(ftrl.bias.w, |sum, &(index, value)| {
                sum + ftrl.coordinates[index as usize].w * f64::from(value)
            });
            weight * logloss(logit, label)
        };
        let step = 1e-5;
        for index in 0..=3 {
            let numeric = {
                let moved = |by: f64| {
                    let mut moved = before.clone();
                    let bias = &mut moved.bias;
                    moved.coordinates.get_mut(index).unwrap_or(bias).w += by;
                    loss(&moved)
                };
                (moved(step) - moved(-step)) / (2.0 * step)
            };
            // `n` is the sum of squared gradients: its growth says which gradient the step took.
            let pick = |ftrl: &Ftrl| ftrl.coordinates.get(index).copied().unwrap_or(ftrl.bias);
            let taken = (pick(&ftrl).n - pick(&before).n).sqrt();
            assert!(
                (taken - numeric.abs()).abs() < 1e-8,
                "coordinate {index}: {taken} {numeric}"
            );
            assert!(
                (pick(&ftrl).w - pick(&before).w) * numeric <= 0.0,
                "coordinate {index} went uphill"
            );
        }
    }
}
