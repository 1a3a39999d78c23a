//! Hidden layers on the processor, by hand: products by blocks of rows, and everything between two products in one pass
//! over memory.
//!
//! What burn does for any device it does operation by operation, each with a tensor of its own. Layers without norms are
//! three products each, and little else; so that is what is written down here. The optimizers are those of burn, number
//! for number; tests hold one against the other.

use rayon::prelude::*;

use super::buffers::Buffers;
use super::mlp::{Activation, Layer};
use super::product::{Rows, times_then, times_transposed, transposed_times};
use crate::embedding_table::RowOptimizer;

/// Numbers that one thread moves at a time.
const NUMBERS_A_PART: usize = 1 << 12;

/// Layers without norms, of activations whose slope their value tells.
pub(super) struct PlainLayers {
    layers: Vec<PlainLayer>,
    optimizer: RowOptimizer,
    steps: u32,
    buffers: Buffers,
}

struct PlainLayer {
    activation: Activation,
    /// `[inputs × outputs]`
    weights: Weights,
    /// `[outputs]`
    bias: Weights,
}

/// Numbers, and what their optimizer keeps of each: a mean and a mean square, or a sum of squares.
struct Weights {
    values: Vec<f32>,
    means: Vec<f32>,
    squares: Vec<f32>,
}

/// What the way back needs.
pub(super) struct PlainTape {
    /// The input, and what came out of each layer.
    values: Vec<Vec<f32>>,
    /// Of each layer, what its values were multiplied with after the activation.
    masks: Vec<Option<Vec<f32>>>,
}

impl Weights {
    fn new(values: Vec<f32>, optimizer: RowOptimizer) -> Self {
        let (n_means, n_squares) = match optimizer {
            RowOptimizer::Sgd => (0, 0),
            RowOptimizer::Adagrad { .. } => (0, values.len()),
            RowOptimizer::Adam { .. } => (values.len(), values.len()),
        };
        Self {
            values,
            means: vec![0.0; n_means],
            squares: vec![0.0; n_squares],
        }
    }

    /// `steps`: with this one.
    fn step(&mut self, gradient: &[f32], optimizer: RowOptimizer, rate: f32, steps: u32) {
        match optimizer {
            RowOptimizer::Sgd => {
                for (value, slope) in self.values.iter_mut().zip(gradient) {
                    *value -= rate * slope;
                }
            }
            RowOptimizer::Adagrad { epsilon } => {
                let cells = self.values.iter_mut().zip(&mut self.squares).zip(gradient);
                for ((value, square), slope) in cells {
                    *square += slope * slope;
                    *value -= rate * slope / (square.sqrt() + epsilon);
                }
            }
            RowOptimizer::Adam {
                beta1,
                beta2,
                epsilon,
            } => {
                let unbiased = |beta: f32| {
                    let left = f64::from(beta).powf(f64::from(steps));
                    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
                    let factor = (1.0 / (1.0 - left)) as f32;
                    factor
                };
                let (first, second) = (unbiased(beta1) * rate, unbiased(beta2));
                (
                    self.values.par_chunks_mut(NUMBERS_A_PART),
                    self.means.par_chunks_mut(NUMBERS_A_PART),
                    self.squares.par_chunks_mut(NUMBERS_A_PART),
                    gradient.par_chunks(NUMBERS_A_PART),
                )
                    .into_par_iter()
                    .for_each(|(values, means, squares, gradient)| {
                        pulp::Arch::new().dispatch(
                            #[inline(always)]
                            || {
                                let cells = values.iter_mut().zip(means).zip(squares).zip(gradient);
                                for (((value, mean), square), slope) in cells {
                                    *mean = beta1 * *mean + (1.0 - beta1) * slope;
                                    *square = beta2 * *square + (1.0 - beta2) * (slope * slope);
                                    *value -= first * *mean / ((*square * second).sqrt() + epsilon);
                                }
                            },
                        );
                    });
            }
        }
    }

    fn parts(&self) -> [&Vec<f32>; 3] {
        [&self.values, &self.means, &self.squares]
    }

    fn parts_mut(&mut self) -> [&mut Vec<f32>; 3] {
        [&mut self.values, &mut self.means, &mut self.squares]
    }
}

impl PlainLayers {
    /// Whether layers of this activation can be gone back from their values alone.
    pub(super) fn knows(activation: Activation) -> bool {
        activation != Activation::Gelu
    }

    pub(super) fn new(optimizer: RowOptimizer) -> Self {
        Self {
            layers: vec![],
            optimizer,
            steps: 0,
            buffers: Buffers::default(),
        }
    }

    /// One more, behind the others. `weights`: `[inputs × outputs]`, `bias`: `[outputs]`.
    pub(super) fn push(&mut self, weights: Vec<f32>, bias: Vec<f32>, activation: Activation) {
        self.layers.push(PlainLayer {
            activation,
            weights: Weights::new(weights, self.optimizer),
            bias: Weights::new(bias, self.optimizer),
        });
    }

    /// As they are served.
    pub(super) fn layers(&self) -> Vec<Layer> {
        let served = |layer: &PlainLayer| Layer::Dense {
            weights: layer.weights.values.clone(),
            bias: layer.bias.values.clone(),
            activation: layer.activation,
        };
        self.layers.iter().map(served).collect()
    }

    /// `mask`: what the outputs of a layer that are `[rows × outputs]` are multiplied with, where they are.
    pub(super) fn forward(
        &mut self,
        input: &[f32],
        mut mask: impl FnMut(usize, usize) -> Option<Vec<f32>>,
    ) -> (PlainTape, Vec<f32>) {
        let mut tape = PlainTape {
            values: vec![],
            masks: vec![],
        };
        if self.layers.is_empty() {
            return (tape, input.to_vec());
        }
        let mut x = self.buffers.take(input.len());
        x.copy_from_slice(input);
        for (place, layer) in self.layers.iter().enumerate() {
            let n_outputs = layer.bias.values.len();
            let weights = Rows::new(&layer.weights.values, n_outputs);
            let inputs = Rows::new(&x, weights.n_rows());
            let mut out = self.buffers.take(inputs.n_rows() * n_outputs);
            times_then(inputs, weights, &mut out, |rows| layer.finish(rows));
            let mask = mask(place, out.len());
            if let Some(mask) = &mask {
                multiply(&mut out, mask);
            }
            tape.masks.push(mask);
            tape.values.push(std::mem::replace(&mut x, out));
        }
        tape.values.push(x.clone());
        (tape, x)
    }

    /// Goes down `gradient`, that by the answer, and gives that by the input.
    pub(super) fn step(&mut self, mut tape: PlainTape, mut gradient: Vec<f32>, rate: f32) -> Vec<f32> {
        self.steps = self.steps.saturating_add(1);
        for layer in self.layers.iter_mut().rev() {
            let value = tape.values.pop().unwrap_or_default();
            let mask = tape.masks.pop().flatten();
            layer.slope(&mut gradient, &value, mask.as_deref());
            let n_outputs = layer.bias.values.len();
            let slopes = Rows::new(&gradient, n_outputs);
            let weights = Rows::new(&layer.weights.values, n_outputs);
            let n_inputs = weights.n_rows();
            let input = tape.values.last().map_or(&[][..], Vec::as_slice);
            let mut by_weights = self.buffers.take(layer.weights.values.len());
            transposed_times(Rows::new(input, n_inputs), slopes, &mut by_weights);
            let by_bias = sum_of_rows(&gradient, n_outputs);
            let mut by_input = self.buffers.take(slopes.n_rows() * n_inputs);
            times_transposed(slopes, weights, &mut by_input);
            let (optimizer, steps) = (self.optimizer, self.steps);
            layer.weights.step(&by_weights, optimizer, rate, steps);
            layer.bias.step(&by_bias, optimizer, rate, steps);
            self.buffers.give(by_weights);
            self.buffers.give(value);
            self.buffers.give(std::mem::replace(&mut gradient, by_input));
        }
        for value in tape.values {
            self.buffers.give(value);
        }
        gradient
    }

    /// All numbers, those of the optimizer among them, for a checkpoint.
    pub(super) fn parts(&self) -> (Vec<Vec<f32>>, u32) {
        let weights = self.layers.iter().flat_map(|layer| [&layer.weights, &layer.bias]);
        let parts = weights.flat_map(Weights::parts).cloned();
        (parts.collect(), self.steps)
    }

    /// Goes on from what [`PlainLayers::parts`] gave; whether that was of layers like these.
    pub(super) fn set_parts(&mut self, parts: Vec<Vec<f32>>, steps: u32) -> bool {
        let layers = self.layers.iter_mut();
        let own = layers.flat_map(|layer| [&mut layer.weights, &mut layer.bias]);
        let own: Vec<&mut Vec<f32>> = own.flat_map(Weights::parts_mut).collect();
        let fits =
            own.len() == parts.len() && own.iter().zip(&parts).all(|(own, part)| own.len() == part.len());
        if fits {
            for (own, part) in own.into_iter().zip(parts) {
                *own = part;
            }
            self.steps = steps;
        }
        fits
    }
}

impl PlainLayer {
    /// From products to values.
    fn finish(&self, rows: &mut [f32]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for row in rows.chunks_exact_mut(self.bias.values.len()) {
                    let cells = row.iter_mut().zip(&self.bias.values);
                    match self.activation {
                        Activation::Relu => cells.for_each(|(value, bias)| *value = (*value + bias).max(0.0)),
                        Activation::Tanh => cells.for_each(|(value, bias)| *value = (*value + bias).tanh()),
                        Activation::Identity | Activation::Gelu => {
                            cells.for_each(|(value, bias)| *value += bias);
                        }
                    }
                }
            },
        );
    }

    /// From the gradient by values, after the mask, to that by products.
    fn slope(&self, gradient: &mut [f32], values: &[f32], mask: Option<&[f32]>) {
        if let Some(mask) = mask {
            multiply(gradient, mask);
        }
        let through = |slope: &mut f32, value: f32| match self.activation {
            Activation::Relu => *slope = if value > 0.0 { *slope } else { 0.0 },
            Activation::Tanh => *slope *= 1.0 - value * value,
            Activation::Identity | Activation::Gelu => {}
        };
        match (self.activation, mask) {
            (Activation::Identity, _) => {}
            // What the mask made of a value is undone: where it is 0, so is the slope already.
            (Activation::Tanh, Some(mask)) => {
                for ((slope, value), mask) in gradient.iter_mut().zip(values).zip(mask) {
                    through(slope, if *mask > 0.0 { value / mask } else { 0.0 });
                }
            }
            _ => gradient
                .par_chunks_mut(NUMBERS_A_PART)
                .zip(values.par_chunks(NUMBERS_A_PART))
                .for_each(|(gradient, values)| {
                    for (slope, value) in gradient.iter_mut().zip(values) {
                        through(slope, *value);
                    }
                }),
        }
    }
}

fn multiply(numbers: &mut [f32], by: &[f32]) {
    for (number, by) in numbers.iter_mut().zip(by) {
        *number *= by;
    }
}

fn sum_of_rows(rows: &[f32], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            for row in rows.chunks_exact(width) {
                for (sum, number) in sums.iter_mut().zip(row) {
                    *sum += number;
                }
            }
        },
    );
    sums
}
