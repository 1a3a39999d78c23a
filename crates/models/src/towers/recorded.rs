//! Hidden layers as a module of burn, on whatever device.
//!
//! The tape begins at the numbers of the input layer and ends at the tower's answer. A gradient enters it as that of
//! `Σ answer · gradient`, whose slope by the answer is just it.

use burn::module::{Module, Param, ParamId};
use burn::optim::{AdaGradConfig, AdamConfig, GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{Bytes, Device, Tensor, TensorData};

use super::device_table::to_vec;
use super::mlp::{Activation, Layer};
use super::tables::{Numbers, activate};
use super::{HiddenConfig, Norm};
use crate::embedding_table::RowOptimizer;
use crate::{Error, Result};

/// Added to a variance, as everywhere.
const EPSILON: f32 = 1e-5;
/// Of the running mean and variance of a batch norm, what a batch changes.
const MOMENTUM: f32 = 0.1;

/// One layer.
#[derive(Module, Debug)]
struct Dense {
    /// `[inputs, outputs]`
    weights: Param<Tensor<2>>,
    /// `[outputs]`
    bias: Param<Tensor<1>>,
    /// `[outputs]` each, where the layer is normalised.
    scale: Option<Param<Tensor<1>>>,
    shift: Option<Param<Tensor<1>>>,
}

/// All of them.
#[derive(Module, Debug)]
struct Stack {
    layers: Vec<Dense>,
}

/// The mean and variance of a layer's outputs over batches seen so far.
#[derive(Clone, Debug, PartialEq)]
struct Running {
    mean: Vec<f32>,
    variance: Vec<f32>,
}

/// A forward pass that can be gone back.
pub(super) struct RecordedTape {
    input: Tensor<2>,
    output: Tensor<2>,
    /// Whether the input came from the processor.
    from_here: bool,
}

/// The layers and what trains them.
pub(super) struct RecordedLayers {
    config: HiddenConfig,
    n_inputs: usize,
    device: Device,
    stack: Stack,
    optimizer: ModuleOptimizer,
    row_optimizer: RowOptimizer,
    running: Vec<Running>,
}

impl RecordedLayers {
    /// `weights`: `[inputs × outputs]` of each layer; biases are 0.
    pub(super) fn new(
        n_inputs: usize,
        config: &HiddenConfig,
        weights: Vec<Vec<f32>>,
        optimizer: RowOptimizer,
        device: &Device,
    ) -> Self {
        let device = device.clone().autodiff();
        let mut width = n_inputs;
        let mut running = vec![];
        let mut id = 0;
        let layers = weights
            .into_iter()
            .zip(&config.layers)
            .map(|(weights, &outputs)| {
                let weights = parameter(&mut id, weights, [width, outputs], &device);
                let mut constant = |value: f32| parameter(&mut id, vec![value; outputs], [outputs], &device);
                let is_normed = config.norm != Norm::None;
                width = outputs;
                running.push(Running {
                    mean: vec![0.0; outputs],
                    variance: vec![1.0; outputs],
                });
                Dense {
                    weights,
                    bias: constant(0.0),
                    scale: is_normed.then(|| constant(1.0)),
                    shift: is_normed.then(|| constant(0.0)),
                }
            })
            .collect();
        Self {
            config: config.clone(),
            n_inputs,
            device,
            stack: Stack { layers },
            optimizer: module_optimizer(optimizer),
            row_optimizer: optimizer,
            running,
        }
    }

    /// `mask`: what the outputs of a layer, so many in all rows, are multiplied with, where they are.
    pub(super) fn forward(
        &mut self,
        input: &Numbers,
        mut mask: impl FnMut(usize, usize) -> Option<Vec<f32>>,
    ) -> Result<(RecordedTape, Vec<f32>)> {
        let (input, from_here) = match input {
            Numbers::Here(numbers) => {
                let rows = numbers.len() / self.n_inputs;
                let data = TensorData::new(numbers.clone(), [rows, self.n_inputs]);
                (Tensor::<2>::from_data(data, &self.device), true)
            }
            Numbers::There(tensor) => (Tensor::from_inner(tensor.clone()), false),
        };
        let [rows, _] = input.dims();
        let input = input.require_grad();
        let mut x = input.clone();
        for place in 0..self.stack.layers.len() {
            let layer = &self.stack.layers[place];
            x = x.matmul(layer.weights.val());
            // The mean of a batch would take it away again, and an optimizer that looks at signs would walk it about.
            if self.config.norm != Norm::Batch {
                x = x + layer.bias.val().unsqueeze();
            }
            if let (Some(scale), Some(shift)) = (&layer.scale, &layer.shift) {
                let (scale, shift) = (scale.val().unsqueeze(), shift.val().unsqueeze());
                let over = usize::from(self.config.norm == Norm::Layer);
                let mean = x.clone().mean_dim(over);
                let centred = x - mean.clone();
                let variance = centred.clone().square().mean_dim(over);
                if self.config.norm == Norm::Batch {
                    let running = &mut self.running[place];
                    follow(&mut running.mean, &to_vec(mean.inner())?);
                    follow(&mut running.variance, &to_vec(variance.clone().inner())?);
                }
                x = centred / (variance + EPSILON).sqrt() * scale + shift;
            }
            x = activate(x, self.config.activation_of(place));
            let width = self.config.layers[place];
            if let Some(mask) = mask(place, rows * width) {
                x = x * Tensor::<2>::from_data(TensorData::new(mask, [rows, width]), &self.device);
            }
        }
        let answer = to_vec(x.clone().inner())?;
        let tape = RecordedTape {
            input,
            output: x,
            from_here,
        };
        Ok((tape, answer))
    }

    /// Goes down the gradient by the answer, `[rows × n_outputs]`, and says what it is by the input, `[rows × n_inputs]`, where
    /// that came from.
    pub(super) fn step(&mut self, tape: RecordedTape, gradient: Vec<f32>, rate: f64) -> Result<Numbers> {
        let shape = tape.output.dims();
        let gradient = Tensor::<2>::from_data(TensorData::new(gradient, shape), &self.device);
        let mut found = (tape.output * gradient).sum().backward();
        let Some(by_input) = tape.input.grad_remove(&mut found) else {
            return Err(Error::Device {
                reason: "the tape has no gradient of the input".to_owned(),
            });
        };
        let by_input = if tape.from_here {
            Numbers::Here(to_vec(by_input)?)
        } else {
            Numbers::There(by_input)
        };
        let by_weights = GradientsParams::from_module(&mut found, &self.stack);
        self.stack = self.optimizer.step(rate, self.stack.clone(), by_weights);
        Ok(by_input)
    }

    /// All numbers that a checkpoint needs: weights, biases, norms and their running means; and the optimizer's own bytes.
    pub(super) fn parts(&self) -> Result<(Vec<Vec<f32>>, Vec<u8>)> {
        let mut parts = vec![];
        for (layer, running) in self.stack.layers.iter().zip(&self.running) {
            parts.push(to_vec(layer.weights.val().inner())?);
            let rows = [Some(&layer.bias), layer.scale.as_ref(), layer.shift.as_ref()];
            for numbers in rows.into_iter().flatten() {
                parts.push(to_vec(numbers.val().inner())?);
            }
            parts.push(running.mean.clone());
            parts.push(running.variance.clone());
        }
        let bytes = self.optimizer.into_bytes().map_err(|error| Error::Device {
            reason: error.to_string(),
        })?;
        Ok((parts, bytes.to_vec()))
    }

    /// Goes on from what [`RecordedLayers::parts`] gave; whether that was of layers like these.
    pub(super) fn set_parts(&mut self, parts: Vec<Vec<f32>>, optimizer: Vec<u8>) -> Result<bool> {
        let mut parts = parts.into_iter();
        let mut id = 0;
        let mut width = self.n_inputs;
        let mut layers = vec![];
        for (old, running) in self.stack.layers.iter().zip(&mut self.running) {
            let outputs = running.mean.len();
            let mut next = |len: usize| parts.next().filter(|part| part.len() == len);
            let Some(weights) = next(width * outputs) else {
                return Ok(false);
            };
            let weights = parameter(&mut id, weights, [width, outputs], &self.device);
            let mut row = |is_there: bool| match next(outputs) {
                Some(numbers) if is_there => Some(numbers),
                _ => None,
            };
            let bias = row(true);
            let (scale, shift) = match &old.scale {
                Some(_) => (row(true), row(true)),
                None => (None, None),
            };
            let (Some(bias), Some(mean), Some(variance)) = (bias, row(true), row(true)) else {
                return Ok(false);
            };
            if old.scale.is_some() && (scale.is_none() || shift.is_none()) {
                return Ok(false);
            }
            let mut of = |numbers: Vec<f32>| parameter(&mut id, numbers, [outputs], &self.device);
            layers.push(Dense {
                weights,
                bias: of(bias),
                scale: scale.map(&mut of),
                shift: shift.map(&mut of),
            });
            *running = Running { mean, variance };
            width = outputs;
        }
        self.stack = Stack { layers };
        let fresh = module_optimizer(self.row_optimizer);
        self.optimizer = fresh
            .from_bytes(Bytes::from_bytes_vec(optimizer))
            .map_err(|error| Error::Device {
                reason: error.to_string(),
            })?;
        Ok(true)
    }

    /// As it is served.
    pub(super) fn layers(&self) -> Result<Vec<Layer>> {
        let mut served = vec![];
        for (place, layer) in self.stack.layers.iter().enumerate() {
            let mut weights = to_vec(layer.weights.val().inner())?;
            let mut bias = to_vec(layer.bias.val().inner())?;
            let activation = self.config.activation_of(place);
            let (Some(scale), Some(shift)) = (&layer.scale, &layer.shift) else {
                served.push(Layer::Dense {
                    weights,
                    bias,
                    activation,
                });
                continue;
            };
            let (scale, shift) = (to_vec(scale.val().inner())?, to_vec(shift.val().inner())?);
            if self.config.norm == Norm::Layer {
                served.push(Layer::Dense {
                    weights,
                    bias,
                    activation: Activation::Identity,
                });
                served.push(Layer::Norm {
                    scale,
                    shift,
                    epsilon: EPSILON,
                    activation,
                });
                continue;
            }
            // With the mean and variance held still, a batch norm is a scale and a shift of the layer before it.
            let running = &self.running[place];
            let factors: Vec<f32> = scale
                .iter()
                .zip(&running.variance)
                .map(|(scale, variance)| scale / (variance + EPSILON).sqrt())
                .collect();
            for weights in weights.chunks_exact_mut(factors.len()) {
                for (weight, factor) in weights.iter_mut().zip(&factors) {
                    *weight *= factor;
                }
            }
            let cells = bias.iter_mut().zip(&running.mean).zip(&factors).zip(&shift);
            for (((bias, mean), factor), shift) in cells {
                *bias = (*bias - mean) * factor + shift;
            }
            served.push(Layer::Dense {
                weights,
                bias,
                activation,
            });
        }
        Ok(served)
    }
}

/// A parameter by its place among the others, so that an optimizer that was written down finds it again.
fn parameter<const D: usize>(
    id: &mut u64,
    numbers: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    *id += 1;
    let tensor = Tensor::from_data(TensorData::new(numbers, shape), device).require_grad();
    Param::initialized(ParamId::from(*id), tensor)
}

fn follow(running: &mut [f32], batch: &[f32]) {
    for (running, value) in running.iter_mut().zip(batch) {
        *running += MOMENTUM * (value - *running);
    }
}

fn module_optimizer(optimizer: RowOptimizer) -> ModuleOptimizer {
    match optimizer {
        RowOptimizer::Sgd => SgdConfig::new().init(),
        RowOptimizer::Adagrad { epsilon } => AdaGradConfig::new().with_epsilon(epsilon).init(),
        RowOptimizer::Adam {
            beta1,
            beta2,
            epsilon,
        } => AdamConfig::new()
            .with_beta_1(beta1)
            .with_beta_2(beta2)
            .with_epsilon(epsilon)
            .init(),
    }
}
