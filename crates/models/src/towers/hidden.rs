//! The hidden layers of a tower while they are trained.
//!
//! What comes before (tables) and after (lengths, scores, losses) has no tape: its gradients are cheaper by hand than by any.
//! Scores and losses are on this side of the device, and the same for every device. The layers themselves are recorded by
//! burn, on whatever device. Written out by hand, where they have no norm, they are what that is compared with.

use std::borrow::Cow;

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::device_table::{matrix, to_vec};
use super::mlp::Layer;
use super::plain::{PlainLayers, PlainTape};
use super::recorded::{RecordedLayers, RecordedTape};
use super::tables::Numbers;
use super::{HiddenConfig, Norm};
use crate::Result;
use crate::embedding_table::RowOptimizer;

/// The layers and what trains them.
pub(crate) struct Hidden {
    config: HiddenConfig,
    n_inputs: usize,
    layers: Layers,
    rng: Xoshiro256PlusPlus,
}

enum Layers {
    Plain(PlainLayers),
    Recorded(Box<RecordedLayers>),
}

/// A forward pass that can be gone back.
pub(crate) struct Tape(Recording);

enum Recording {
    /// And where its input came from, if not from the processor.
    Plain(PlainTape, Option<Device>),
    Recorded(Box<RecordedTape>),
}

impl Hidden {
    /// Weights even in ±√(6 / (inputs + outputs)) (Glorot and Bengio 2010), biases 0.
    pub(crate) fn new(
        n_inputs: usize,
        config: &HiddenConfig,
        optimizer: RowOptimizer,
        device: &Device,
        seed: u64,
    ) -> Self {
        // Nothing to record.
        let by_hand = config.layers.is_empty();
        Self::with_layers(n_inputs, config, optimizer, device, seed, by_hand)
    }

    /// The same without burn, where the layers are of a kind that is written out by hand: the bound that recorded ones are
    /// compared with.
    pub(crate) fn by_hand(
        n_inputs: usize,
        config: &HiddenConfig,
        optimizer: RowOptimizer,
        device: &Device,
        seed: u64,
    ) -> Self {
        let mut activations = (0..config.layers.len()).map(|place| config.activation_of(place));
        let is_plain = config.norm == Norm::None && activations.all(PlainLayers::knows);
        Self::with_layers(n_inputs, config, optimizer, device, seed, is_plain)
    }

    /// The same numbers either way, but for their rounding.
    fn with_layers(
        n_inputs: usize,
        config: &HiddenConfig,
        optimizer: RowOptimizer,
        device: &Device,
        seed: u64,
        by_hand: bool,
    ) -> Self {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut width = n_inputs;
        let mut weights = |outputs: usize| -> Vec<f32> {
            let range = (6.0 / (width + outputs) as f32).sqrt();
            let n = std::mem::replace(&mut width, outputs) * outputs;
            (0..n)
                .map(|_| (2.0 * rng.random::<f32>() - 1.0) * range)
                .collect()
        };
        let weights: Vec<Vec<f32>> = config.layers.iter().map(|&outputs| weights(outputs)).collect();
        let layers = if by_hand {
            let mut layers = PlainLayers::new(optimizer);
            for (place, weights) in weights.into_iter().enumerate() {
                let bias = vec![0.0; config.layers[place]];
                layers.push(weights, bias, config.activation_of(place));
            }
            Layers::Plain(layers)
        } else {
            let layers = RecordedLayers::new(n_inputs, config, weights, optimizer, device);
            Layers::Recorded(Box::new(layers))
        };
        Self {
            config: config.clone(),
            n_inputs,
            layers,
            rng,
        }
    }

    /// Of all layers, with their biases.
    pub(crate) fn n_weights(&self) -> usize {
        let mut width = self.n_inputs;
        let of_layer = |&outputs: &usize| (1 + std::mem::replace(&mut width, outputs)) * outputs;
        self.config.layers.iter().map(of_layer).sum()
    }

    /// Numbers of a row between its input and its answer, the latter among them.
    pub(crate) fn n_between(&self) -> usize {
        self.config.layers.iter().sum()
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.config.layers.last().copied().unwrap_or(self.n_inputs)
    }

    /// `[rows × n_outputs]` of `[rows × n_inputs]`, as in training: with dropout, and norms of the batch. Without layers the
    /// answer is the input itself.
    pub(crate) fn forward(&mut self, input: &Numbers) -> Result<(Tape, Vec<f32>)> {
        let (dropout, n_layers, rng) = (self.config.dropout, self.config.layers.len(), &mut self.rng);
        let mask = |place: usize, n: usize| {
            let is_last = place + 1 == n_layers;
            (dropout > 0.0 && !is_last).then(|| mask(dropout, n, rng))
        };
        Ok(match &mut self.layers {
            Layers::Plain(layers) => {
                let (numbers, device) = match input {
                    Numbers::Here(numbers) => (Cow::Borrowed(&numbers[..]), None),
                    Numbers::There(tensor) => (Cow::Owned(to_vec(tensor.clone())?), Some(tensor.device())),
                };
                let (tape, answer) = layers.forward(&numbers, mask);
                (Tape(Recording::Plain(tape, device)), answer)
            }
            Layers::Recorded(layers) => {
                let (tape, answer) = layers.forward(input, mask)?;
                (Tape(Recording::Recorded(Box::new(tape))), answer)
            }
        })
    }

    /// Goes down the gradient by the answer, `[rows × n_outputs]`, and says what it is by the input, `[rows × n_inputs]`, where
    /// that came from.
    pub(crate) fn step(&mut self, tape: Tape, gradient: Vec<f32>, rate: f64) -> Result<Numbers> {
        match (&mut self.layers, tape.0) {
            (Layers::Plain(layers), Recording::Plain(tape, device)) => {
                #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
                let rate = rate as f32;
                let by_input = layers.step(tape, gradient, rate);
                Ok(match device {
                    None => Numbers::Here(by_input),
                    Some(device) => Numbers::There(matrix(by_input, self.n_inputs, &device)),
                })
            }
            (Layers::Recorded(layers), Recording::Recorded(tape)) => layers.step(*tape, gradient, rate),
            _ => unreachable!("a tape is gone back by the layers that recorded it"),
        }
    }

    /// All numbers that a checkpoint needs: weights, biases, norms and their running means; and the optimizer's own bytes.
    pub(crate) fn parts(&self) -> Result<(Vec<Vec<f32>>, Vec<u8>)> {
        match &self.layers {
            Layers::Plain(layers) => {
                let (parts, steps) = layers.parts();
                Ok((parts, steps.to_le_bytes().to_vec()))
            }
            Layers::Recorded(layers) => layers.parts(),
        }
    }

    /// Goes on from what [`Hidden::parts`] gave; whether that was of layers like these.
    pub(crate) fn set_parts(&mut self, parts: Vec<Vec<f32>>, optimizer: Vec<u8>) -> Result<bool> {
        match &mut self.layers {
            Layers::Plain(layers) => {
                let steps = <[u8; 4]>::try_from(optimizer);
                Ok(steps.is_ok_and(|steps| layers.set_parts(parts, u32::from_le_bytes(steps))))
            }
            Layers::Recorded(layers) => layers.set_parts(parts, optimizer),
        }
    }

    /// Where its dropout is.
    pub(crate) fn rng(&mut self) -> &mut Xoshiro256PlusPlus {
        &mut self.rng
    }

    /// As it is served.
    pub(crate) fn layers(&self) -> Result<Vec<Layer>> {
        match &self.layers {
            Layers::Plain(layers) => Ok(layers.layers()),
            Layers::Recorded(layers) => layers.layers(),
        }
    }
}

/// Which of `n` numbers stay, and how much larger they become for it.
fn mask(dropout: f32, n: usize, rng: &mut Xoshiro256PlusPlus) -> Vec<f32> {
    let kept = 1.0 / (1.0 - dropout);
    let mut one = || if rng.random::<f32>() < dropout { 0.0 } else { kept };
    (0..n).map(|_| one()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::towers::mlp::Activation;

    /// Three steps of either kind of layers, from the same numbers to the same numbers.
    #[test]
    fn layers_by_hand_are_the_recorded_ones() {
        let optimizers = [RowOptimizer::Sgd, RowOptimizer::ADAGRAD, RowOptimizer::ADAM];
        for (activation, optimizer) in [Activation::Relu, Activation::Tanh, Activation::Identity]
            .into_iter()
            .flat_map(|activation| optimizers.map(|optimizer| (activation, optimizer)))
        {
            let config = HiddenConfig {
                layers: vec![70, 9, 5],
                activation,
                last: Some(Activation::Tanh),
                dropout: 0.3,
                ..HiddenConfig::default()
            };
            let device = Device::flex();
            let run = |by_hand: bool| {
                let mut hidden = Hidden::with_layers(7, &config, optimizer, &device, 3, by_hand);
                let mut found = vec![];
                for step in 0..3 {
                    let input = (0..150 * 7).map(|cell| ((cell * 37 + step) as f32 * 0.11).sin());
                    let (tape, answer) = hidden
                        .forward(&Numbers::Here(input.collect()))
                        .expect("a forward pass");
                    let slopes = answer.iter().map(|value| (value - 0.5) / 150.0);
                    let by_input = hidden.step(tape, slopes.collect(), 0.01).expect("a step");
                    found.push(by_input.here().expect("on the processor"));
                    found.push(answer);
                }
                let layers = hidden.layers().expect("layers");
                assert_eq!(layers.len(), 3);
                found
            };
            for (place, (by_hand, recorded)) in run(true).iter().zip(&run(false)).enumerate() {
                assert_eq!(by_hand.len(), recorded.len());
                for (a, b) in by_hand.iter().zip(recorded) {
                    // Adam makes much of the rounding of a slope that is nearly none.
                    let near = 2e-3 * (a.abs() + 1e-2);
                    assert!(
                        (a - b).abs() < near,
                        "{activation:?} {optimizer:?} {place}: {a} {b}"
                    );
                }
            }
        }
    }

    #[test]
    fn layers_that_a_checkpoint_has_are_taken_up_and_others_refused() {
        let config = |layers: &[usize]| HiddenConfig {
            layers: layers.to_vec(),
            ..HiddenConfig::default()
        };
        let device = Device::flex();
        let new = |layers: &[usize]| Hidden::by_hand(3, &config(layers), RowOptimizer::ADAM, &device, 1);
        let run = |hidden: &mut Hidden| {
            let input = Numbers::Here(vec![0.5, -1.0, 2.0, 1.0, 0.0, -0.5]);
            let (tape, answer) = hidden.forward(&input).expect("a forward pass");
            hidden.step(tape, answer.clone(), 0.1).expect("a step");
            answer
        };
        let mut one = new(&[4, 2]);
        run(&mut one);
        let (parts, optimizer) = one.parts().expect("parts");
        let mut two = new(&[4, 2]);
        assert!(two.set_parts(parts.clone(), optimizer.clone()).expect("taken up"));
        for _ in 0..3 {
            assert_eq!(run(&mut one), run(&mut two));
        }
        assert!(!new(&[4, 3]).set_parts(parts.clone(), optimizer).expect("refused"));
        assert!(!new(&[4, 2]).set_parts(parts, vec![1; 5]).expect("refused"));
    }
}
