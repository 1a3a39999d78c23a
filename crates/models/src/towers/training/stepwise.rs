//! A training that is taken step by step, by whoever has the batches.

use std::borrow::Cow;

use catchment_sampling::Proposal;

use super::{Items, StepReport, Towers, TowersData, TowersReport, Training};
use crate::towers::HiddenConfig;
use crate::towers::device::TrainingDevice;
use crate::towers::hidden::Hidden;
use crate::towers::mlp::Layer;
use crate::towers::sampler::Sampler;
use crate::towers::{ExampleBatch, Plan};
use crate::{Error, Result};

/// A training between two steps, for who has a loop of their own: a stream that does not end, a comparison with something
/// else. [`super::fit`] is the loop over epochs, with its checkpoints.
pub struct Steps<'a> {
    training: Training<'a>,
}

impl<'a> Steps<'a> {
    /// Before the first step. The examples of `data` are not asked for any.
    ///
    /// # Errors
    /// As [`super::fit`].
    pub fn new(plan: &'a Plan, data: &'a TowersData<'a>, device: TrainingDevice, seed: u64) -> Result<Self> {
        plan.validate()?;
        let training = Training::new(plan, data, device, seed)?;
        Ok(Self { training })
    }

    /// The same on the processor, with hidden layers that are written out by hand where they have no norm and no `gelu`: how
    /// fast a step could be. What is trained is the same but for rounding.
    ///
    /// # Errors
    /// As [`super::fit`].
    pub fn by_hand(plan: &'a Plan, data: &'a TowersData<'a>, seed: u64) -> Result<Self> {
        plan.validate()?;
        let device = TrainingDevice::Cpu.open()?;
        let layers = |width: usize, config: &HiddenConfig, seed| {
            Hidden::by_hand(width, config, plan.optimizer, &device, seed)
        };
        let training = Training::with_layers(plan, data, seed, &layers, None)?;
        Ok(Self { training })
    }

    /// With negatives from elsewhere, where the plan has sampled ones; others stay as they are.
    #[must_use]
    pub fn with_proposal(mut self, from: Box<dyn Proposal + Send>) -> Self {
        if let Sampler::Sampled { proposal, .. } = &mut self.training.sampler {
            *proposal = from;
        }
        self
    }

    /// Learns from a batch, whose columns are those of the features, in order. Runs in the pool of threads that it is called
    /// from, or in the global one.
    ///
    /// # Errors
    /// [`Error::Lookup`] for a batch of other features, [`Error::Diverged`] when the loss is no longer finite,
    /// [`Error::Device`].
    pub fn step(&mut self, batch: &ExampleBatch, rate: f64) -> Result<StepReport> {
        let step = self.training.step_where_best(batch, rate)?;
        // The next one may be asked for by another thread.
        self.training.wait()?;
        if step.loss.is_finite() {
            Ok(step)
        } else {
            Err(Error::Diverged {
                model: self.training.plan.model,
            })
        }
    }

    /// Why the tables stay beside the processor while a device trains; `None` where they are where the layers are.
    pub fn kept_here(&self) -> Option<&str> {
        self.training.kept_here.as_deref()
    }

    /// The rows of all tables as they are, one after the other: those of the query's features first, that of the items before
    /// them where it is shared.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub fn tables(&self) -> Result<Vec<Cow<'_, [f32]>>> {
        let tables = 0..self.training.tables.widths().len();
        tables.map(|table| self.training.tables.all_rows(table)).collect()
    }

    /// The hidden layers as they are, of the query's tower and of the items' where they have one.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub fn layers(&self) -> Result<[Vec<Layer>; 2]> {
        let items = match &self.training.items {
            Items::Table(_) => vec![],
            Items::Tower(tower) => tower.hidden.layers()?,
        };
        Ok([self.training.query.hidden.layers()?, items])
    }

    /// As if the training ended here; the report is empty but for the temperature.
    ///
    /// # Errors
    /// [`Error::Diverged`], [`Error::Device`].
    pub fn towers(&self) -> Result<Towers> {
        let n_shards = self.training.data.examples.n_shards();
        self.training.towers(TowersReport::default(), n_shards)
    }
}
