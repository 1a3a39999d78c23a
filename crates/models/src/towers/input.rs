//! The input layer of a tower: the columns of a feature batch, side by side as numbers.

use catchment_features::{ColumnKind, ColumnShape, FeatureBatch, FeatureColumn};
use serde::{Deserialize, Serialize};

use rayon::prelude::*;

use super::Activation;
use crate::embedding_table::{Columns, Lookup, Pooling, Source, TableView};
use crate::{Error, Result};

/// One column of a batch, and where its numbers stand in the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The feature's name.
    pub name: String,
    /// Its first number in the input.
    pub first: usize,
    /// What it is read as.
    pub reads: Reads,
}

/// How a column becomes numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reads {
    /// As they are.
    Numbers {
        /// How many.
        width: usize,
    },
    /// Rows of a table, summed by the weights of the ids: where the feature takes a mean, they are its shares.
    Rows {
        /// Which table of the model.
        table: usize,
        /// The table's width.
        dim: usize,
        /// Ids are below this.
        cardinality: u32,
    },
}

/// What is done to the numbers of an input: `activation(x + bias)`. The rows of its tables are then the weights of a first
/// layer over sparse numbers, of which only those are touched that a batch has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputActivation {
    /// Which table of the model: its row 0 is added, `[width]`.
    pub bias: usize,
    /// After that; [`Activation::slope`] says which there can be.
    pub activation: Activation,
}

/// What a tower takes in: a slot for each column of its side, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputLayer {
    slots: Vec<Slot>,
    width: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    activation: Option<InputActivation>,
}

impl InputLayer {
    /// Adds the columns of `shape`, whose ids become rows of the tables that `table_of` names with their width.
    pub fn append(
        &mut self,
        shape: &[ColumnShape],
        mut table_of: impl FnMut(&ColumnShape, u32) -> (usize, usize),
    ) {
        for column in shape {
            let (reads, width) = match column.kind {
                ColumnKind::Dense { width } => (Reads::Numbers { width }, width),
                ColumnKind::Bag { cardinality } => {
                    let (table, dim) = table_of(column, cardinality);
                    let reads = Reads::Rows {
                        table,
                        dim,
                        cardinality,
                    };
                    (reads, dim)
                }
            };
            self.slots.push(Slot {
                name: column.name.clone(),
                first: self.width,
                reads,
            });
            self.width += width;
        }
    }

    /// Adds numbers that are no feature of a side.
    pub fn append_numbers(&mut self, name: &str, width: usize) {
        self.slots.push(Slot {
            name: name.to_owned(),
            first: self.width,
            reads: Reads::Numbers { width },
        });
        self.width += width;
    }

    /// Makes it a layer of its own; no columns come after that.
    #[must_use]
    pub fn activated(mut self, activation: InputActivation) -> Self {
        self.activation = Some(activation);
        self
    }

    /// What is done to its numbers.
    pub fn activation(&self) -> Option<&InputActivation> {
        self.activation.as_ref()
    }

    /// The same over tables of other numbers.
    #[must_use]
    pub(crate) fn with_tables(mut self, mut number: impl FnMut(usize) -> usize) -> Self {
        if let Some(activation) = &mut self.activation {
            activation.bias = number(activation.bias);
        }
        for slot in &mut self.slots {
            if let Reads::Rows { table, .. } = &mut slot.reads {
                *table = number(*table);
            }
        }
        self
    }

    /// Numbers of an input.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What they are of.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// The input of every row of a batch, `[rows × width]`. `columns` are those of the slots, in order.
    ///
    /// # Errors
    /// [`Error::Lookup`] where the batch is of other features than the layer.
    pub fn forward<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a FeatureColumn>,
        rows: usize,
        tables: &[TableView<'_>],
        out: &mut Vec<f32>,
    ) -> Result<()> {
        out.clear();
        out.resize(rows * self.width, 0.0);
        let mut columns = columns.into_iter();
        for slot in &self.slots {
            let column = columns.next().ok_or_else(|| slot.missing())?;
            match (&slot.reads, column) {
                (Reads::Numbers { width }, FeatureColumn::Dense { width: has, values }) if width == has => {
                    if values.len() != rows * width {
                        return Err(slot.missing());
                    }
                    let inputs = out.chunks_exact_mut(self.width.max(1));
                    for (input, numbers) in inputs.zip(values.chunks_exact((*width).max(1))) {
                        input[slot.first..slot.first + width].copy_from_slice(numbers);
                    }
                }
                (Reads::Rows { table, .. }, FeatureColumn::Bag { .. }) => {
                    let lookup = lookup(column).ok_or_else(|| slot.missing())?;
                    if lookup.n_examples() != rows {
                        return Err(slot.missing());
                    }
                    tables[*table].gather_into(&lookup, out, self.columns(slot))?;
                }
                _ => return Err(slot.missing()),
            }
        }
        if let Some(activation) = &self.activation {
            let bias = tables[activation.bias].rows();
            let one = |input: &mut [f32]| {
                for (number, bias) in input.iter_mut().zip(bias) {
                    *number += bias;
                }
                activation.activation.apply(input);
            };
            if rows == 1 {
                // A request: nobody is woken for it.
                one(out);
            } else {
                out.par_chunks_exact_mut(self.width.max(1)).for_each(one);
            }
        }
        Ok(())
    }

    /// Takes the gradient by an input, `[rows × width]`, back to what it was before its activation; `inputs` is the input.
    pub(crate) fn backward(&self, inputs: &[f32], gradient: &mut [f32]) {
        if let Some(activation) = &self.activation {
            let rows = gradient.par_chunks_mut(self.width.max(1));
            rows.zip(inputs.par_chunks(self.width.max(1)))
                .for_each(|(gradient, input)| {
                    for (slope, answer) in gradient.iter_mut().zip(input) {
                        *slope *= activation.activation.slope(*answer).unwrap_or(1.0);
                    }
                });
        }
    }

    /// Which rows of which tables were looked up for `gradient`, `[rows × width]` and before the activation, for the tables to
    /// step by. `zeros` are as many of them as there are rows.
    pub fn sources<'a>(
        &self,
        columns: impl IntoIterator<Item = &'a FeatureColumn>,
        gradient: &'a [f32],
        zeros: &'a [u32],
        sources: &mut [Vec<Source<'a>>],
    ) {
        if let Some(activation) = &self.activation {
            sources[activation.bias].push(Source::whole(Lookup::single(zeros), gradient, self.width));
        }
        for (slot, column) in self.slots.iter().zip(columns) {
            if let Reads::Rows { table, .. } = slot.reads
                && let Some(lookup) = lookup(column)
            {
                sources[table].push(Source {
                    lookup,
                    gradient,
                    columns: self.columns(slot),
                });
            }
        }
    }

    fn columns(&self, slot: &Slot) -> Columns {
        Columns {
            first: slot.first,
            stride: self.width,
        }
    }
}

impl Slot {
    /// Where a batch has not its column.
    pub(super) fn missing(&self) -> Error {
        Error::Lookup {
            reason: format!(
                "the batch has not the column `{}` that the tower reads",
                self.name
            ),
        }
    }
}

/// The rows that a column takes, each with its weight; `None` of one that has numbers of its own.
pub(super) fn lookup(column: &FeatureColumn) -> Option<Lookup<'_>> {
    match column {
        FeatureColumn::Dense { .. } => None,
        FeatureColumn::Bag {
            offsets,
            ids,
            weights,
            ..
        } => Some(Lookup {
            ids,
            offsets: Some(offsets),
            weights: Some(weights),
            pooling: Pooling::Sum,
        }),
    }
}

/// The rows `which` of a batch, as a batch.
pub(crate) fn rows_of(
    batch: &FeatureBatch,
    which: impl Iterator<Item = usize> + Clone,
    out: &mut FeatureBatch,
) {
    if out.columns.len() != batch.columns.len() {
        out.columns = batch
            .columns
            .iter()
            .map(|column| FeatureColumn::new(column.kind()))
            .collect();
    }
    out.clear();
    for (from, to) in batch.columns.iter().zip(&mut out.columns) {
        match (from, to) {
            (FeatureColumn::Dense { width, values }, FeatureColumn::Dense { values: to, .. }) => {
                for row in which.clone() {
                    to.extend_from_slice(&values[row * width..(row + 1) * width]);
                }
            }
            (
                FeatureColumn::Bag {
                    offsets,
                    ids,
                    weights,
                    ..
                },
                FeatureColumn::Bag {
                    offsets: to_offsets,
                    ids: to_ids,
                    weights: to_weights,
                    ..
                },
            ) => {
                for row in which.clone() {
                    let range = offsets[row] as usize..offsets[row + 1] as usize;
                    to_ids.extend_from_slice(&ids[range.clone()]);
                    to_weights.extend_from_slice(&weights[range]);
                    #[expect(clippy::cast_possible_truncation, reason = "offsets are u32 in a batch")]
                    to_offsets.push(to_ids.len() as u32);
                }
            }
            _ => {}
        }
    }
    out.rows = which.count();
}
