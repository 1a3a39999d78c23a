//! The hidden layers of a tower as they are served: forward only, on one thread, for one request or a batch of them.

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// What a layer does to each of its outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// Nothing.
    #[default]
    Identity,
    /// `max(0, x)`
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// `x Φ(x)`, by the error function (Hendrycks and Gimpel 2016), not by its approximation with a tangent.
    Gelu,
}

impl Activation {
    /// Its slope where its answer is `answer`; `None` of one whose answer does not tell.
    pub fn slope(self, answer: f32) -> Option<f32> {
        match self {
            Self::Identity => Some(1.0),
            Self::Relu => Some(if answer > 0.0 { 1.0 } else { 0.0 }),
            Self::Tanh => Some(1.0 - answer * answer),
            Self::Gelu => None,
        }
    }

    pub(crate) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Identity => {}
            Self::Relu => values.iter_mut().for_each(|value| *value = value.max(0.0)),
            Self::Tanh => values.iter_mut().for_each(|value| *value = value.tanh()),
            Self::Gelu => values.iter_mut().for_each(|value| *value = gelu(*value)),
        }
    }
}

/// `x Φ(x)`; the normal distribution by Abramowitz and Stegun 7.1.26, whose error is below 1.5e-7.
fn gelu(x: f32) -> f32 {
    let z = f64::from(x.abs()) / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let coefficients = [
        1.061_405_429,
        -1.453_152_027,
        1.421_413_741,
        -0.284_496_736,
        0.254_829_592,
    ];
    let polynomial = coefficients
        .iter()
        .fold(0.0, |sum, coefficient| (sum + coefficient) * t);
    let upper_tail = 0.5 * polynomial * (-z * z).exp();
    let below = if x < 0.0 { upper_tail } else { 1.0 - upper_tail };
    #[expect(
        clippy::cast_possible_truncation,
        reason = "as exact as the layer's other numbers"
    )]
    let value = (f64::from(x) * below) as f32;
    value
}

/// One step of a tower.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Layer {
    /// `activation(x · weights + bias)`
    Dense {
        /// `[inputs × outputs]`, the weights of one input after those of the one before it.
        weights: Vec<f32>,
        /// `[outputs]`
        bias: Vec<f32>,
        /// What comes after.
        activation: Activation,
    },
    /// `(x - mean) / √(variance + epsilon) · scale + shift`, over the numbers of one example.
    Norm {
        /// `[width]`
        scale: Vec<f32>,
        /// `[width]`
        shift: Vec<f32>,
        /// Added to the variance.
        epsilon: f32,
        /// What comes after.
        #[serde(default)]
        activation: Activation,
    },
}

impl Layer {
    fn n_outputs(&self) -> usize {
        match self {
            Self::Dense { bias, .. } => bias.len(),
            Self::Norm { scale, .. } => scale.len(),
        }
    }

    fn fits(&self, n_inputs: usize) -> bool {
        match self {
            Self::Dense { weights, bias, .. } => {
                !bias.is_empty() && n_inputs.checked_mul(bias.len()) == Some(weights.len())
            }
            Self::Norm { scale, shift, .. } => scale.len() == n_inputs && shift.len() == n_inputs,
        }
    }

    fn numbers(&self) -> impl Iterator<Item = &f32> {
        let (first, second) = match self {
            Self::Dense { weights, bias, .. } => (weights, bias),
            Self::Norm { scale, shift, .. } => (scale, shift),
        };
        first.iter().chain(second)
    }

    fn forward(&self, input: &[f32], out: &mut Vec<f32>) {
        out.clear();
        match self {
            Self::Dense {
                weights,
                bias,
                activation,
            } => {
                out.extend_from_slice(bias);
                for (value, weights) in input.iter().zip(weights.chunks_exact(bias.len())) {
                    // After a ReLU half of them are.
                    if *value != 0.0 {
                        for (sum, weight) in out.iter_mut().zip(weights) {
                            *sum += value * weight;
                        }
                    }
                }
                activation.apply(out);
            }
            Self::Norm {
                scale,
                shift,
                epsilon,
                activation,
            } => {
                let n = input.len() as f32;
                let mean = input.iter().sum::<f32>() / n;
                let variance = input
                    .iter()
                    .map(|value| (value - mean) * (value - mean))
                    .sum::<f32>()
                    / n;
                let factor = 1.0 / (variance + epsilon).sqrt();
                let cells = input.iter().zip(scale).zip(shift);
                out.extend(cells.map(|((value, scale), shift)| (value - mean) * factor * scale + shift));
                activation.apply(out);
            }
        }
    }
}

/// The layers of a tower, one after the other, and whether its answer is brought to length one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mlp {
    n_inputs: usize,
    layers: Vec<Layer>,
    normalised: bool,
}

/// Memory that an encoding needs, kept from one to the next.
#[derive(Clone, Debug, Default)]
pub struct MlpScratch {
    input: Vec<f32>,
    output: Vec<f32>,
}

impl Mlp {
    /// Of `n_inputs` numbers.
    ///
    /// # Errors
    /// [`Error::BadLayers`] where a layer does not fit the one before it, or holds a number that is not finite.
    pub fn new(n_inputs: usize, layers: Vec<Layer>, normalised: bool) -> Result<Self> {
        let mlp = Self {
            n_inputs,
            layers,
            normalised,
        };
        mlp.check()?;
        Ok(mlp)
    }

    /// For one that was read from somewhere.
    ///
    /// # Errors
    /// As [`Mlp::new`].
    pub fn check(&self) -> Result<()> {
        let mut width = self.n_inputs;
        for (layer, step) in self.layers.iter().enumerate() {
            if !step.fits(width) {
                let reason = format!("its numbers are not those of {width} inputs");
                return Err(Error::BadLayers { layer, reason });
            }
            if !step.numbers().all(|number| number.is_finite()) {
                let reason = "it holds a number that is not finite".to_owned();
                return Err(Error::BadLayers { layer, reason });
            }
            width = step.n_outputs();
        }
        Ok(())
    }

    /// Numbers of an input.
    pub fn n_inputs(&self) -> usize {
        self.n_inputs
    }

    /// Numbers of an answer.
    pub fn n_outputs(&self) -> usize {
        self.layers.last().map_or(self.n_inputs, Layer::n_outputs)
    }

    /// The vector of one input, into `out`.
    ///
    /// # Panics
    /// Where `input` or `out` has another width.
    pub fn encode(&self, input: &[f32], scratch: &mut MlpScratch, out: &mut [f32]) {
        assert_eq!(input.len(), self.n_inputs, "the width of the input");
        assert_eq!(out.len(), self.n_outputs(), "the width of the answer");
        scratch.input.clear();
        scratch.input.extend_from_slice(input);
        for layer in &self.layers {
            layer.forward(&scratch.input, &mut scratch.output);
            std::mem::swap(&mut scratch.input, &mut scratch.output);
        }
        out.copy_from_slice(&scratch.input);
        if self.normalised {
            let length = out.iter().map(|value| value * value).sum::<f32>().sqrt();
            if length > 0.0 {
                for value in out {
                    *value /= length;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(weights: &[f32], bias: &[f32], activation: Activation) -> Layer {
        Layer::Dense {
            weights: weights.to_vec(),
            bias: bias.to_vec(),
            activation,
        }
    }

    fn encoded(mlp: &Mlp, input: &[f32]) -> Vec<f32> {
        let mut out = vec![f32::NAN; mlp.n_outputs()];
        mlp.encode(input, &mut MlpScratch::default(), &mut out);
        out
    }

    #[test]
    fn layers_are_applied_one_after_the_other() {
        let layers = vec![
            dense(&[1.0, 2.0, -1.0, 0.5], &[0.5, -4.0], Activation::Relu),
            dense(&[2.0, -1.0, 1.0, 3.0], &[0.0, 1.0], Activation::Identity),
        ];
        // (3, 1) · [[1, 2], [-1, .5]] + (.5, -4) = (2.5, 2.5); · [[2, -1], [1, 3]] + (0, 1) = (7.5, 6).
        let mlp = Mlp::new(2, layers.clone(), false).expect("fits");
        assert_eq!(encoded(&mlp, &[3.0, 1.0]), [7.5, 6.0]);
        // (-1, -1): (.5, -6.5) is (.5, 0) after the ReLU.
        assert_eq!(encoded(&mlp, &[-1.0, -1.0]), [1.0, 0.5]);
        let normalised = Mlp::new(2, layers, true).expect("fits");
        let length = 7.5_f32.hypot(6.0);
        let close = encoded(&normalised, &[3.0, 1.0]);
        assert!((close[0] - 7.5 / length).abs() < 1e-6 && (close[1] - 6.0 / length).abs() < 1e-6);
        let nothing = Mlp::new(2, vec![], true).expect("fits");
        assert_eq!(
            encoded(&nothing, &[0.0, 0.0]),
            [0.0, 0.0],
            "nothing has no direction"
        );
    }

    #[test]
    fn activations_have_their_known_values() {
        let of = |activation: Activation| {
            let mut values = [-1.0, 0.0, 2.0];
            activation.apply(&mut values);
            values
        };
        let close = |found: [f32; 3], wanted: [f32; 3]| {
            assert!(
                found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6),
                "{found:?} {wanted:?}"
            );
        };
        close(of(Activation::Identity), [-1.0, 0.0, 2.0]);
        close(of(Activation::Relu), [0.0, 0.0, 2.0]);
        close(of(Activation::Tanh), [-0.761_594_2, 0.0, 0.964_027_6]);
        close(of(Activation::Gelu), [-0.158_655_26, 0.0, 1.954_499_7]);
    }

    #[test]
    fn a_norm_is_of_mean_zero_and_variance_one() {
        let norm = Layer::Norm {
            scale: vec![1.0, 1.0, 1.0, 2.0],
            shift: vec![0.0, 0.0, 0.0, 1.0],
            epsilon: 0.0,
            activation: Activation::Identity,
        };
        let mlp = Mlp::new(4, vec![norm], false).expect("fits");
        let found = encoded(&mlp, &[1.0, 3.0, 1.0, 3.0]);
        assert!(
            found
                .iter()
                .zip([-1.0, 1.0, -1.0, 3.0])
                .all(|(a, b)| (a - b).abs() < 1e-6),
            "{found:?}"
        );
    }

    #[test]
    fn layers_that_do_not_fit_are_errors() {
        let layer_of = |layers: Vec<Layer>| match Mlp::new(2, layers, false) {
            Err(Error::BadLayers { layer, .. }) => layer,
            other => panic!("{other:?}"),
        };
        let good = || dense(&[1.0; 6], &[0.0; 3], Activation::Relu);
        assert_eq!(layer_of(vec![dense(&[1.0; 5], &[0.0; 3], Activation::Relu)]), 0);
        assert_eq!(
            layer_of(vec![good(), dense(&[1.0; 4], &[0.0; 2], Activation::Relu)]),
            1
        );
        assert_eq!(
            layer_of(vec![good(), dense(&[f32::NAN; 3], &[0.0], Activation::Relu)]),
            1
        );
        assert_eq!(layer_of(vec![dense(&[], &[], Activation::Relu)]), 0);
        let norm = Layer::Norm {
            scale: vec![1.0; 2],
            shift: vec![0.0; 3],
            epsilon: 0.1,
            activation: Activation::Identity,
        };
        assert_eq!(layer_of(vec![norm]), 0);
    }
}
