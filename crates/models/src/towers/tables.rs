//! The tables of a training, on the processor or on its device, and what towers take from them.

use std::borrow::Cow;

use burn::tensor::{Device, Tensor, activation};
use catchment_features::FeatureColumn;

use super::device_table::{DeviceSource, DeviceTable, matrix, to_vec};
use super::input::{InputActivation, InputLayer, Reads, lookup};
use super::mlp::Activation;
use crate::embedding_table::{EmbeddingTable, Lookup, Source, TableView};
use crate::{Error, Result};

/// A matrix of a row an example, where the tables are.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "a step has four of them")]
pub(super) enum Numbers {
    /// On the processor.
    Here(Vec<f32>),
    /// On the device, without a tape.
    There(Tensor<2>),
}

impl Numbers {
    /// On the processor.
    pub(super) fn here(self) -> Result<Vec<f32>> {
        match self {
            Self::Here(numbers) => Ok(numbers),
            Self::There(tensor) => to_vec(tensor),
        }
    }
}

/// All tables of a training.
pub(super) enum Tables {
    /// Beside a processor that trains.
    Host(Vec<EmbeddingTable>),
    /// Where a graphics processor does.
    Device(Vec<DeviceTable>, Device),
}

/// What was taken from tables, and the gradient by it.
pub(super) enum Taken<'a> {
    /// The input of a tower, and the gradient by it before its activation.
    Input {
        layer: &'a InputLayer,
        columns: Vec<&'a FeatureColumn>,
        gradient: &'a Numbers,
    },
    /// Rows of a table, one an example, and `[examples × dim]`.
    Rows {
        table: usize,
        ids: &'a [u32],
        gradient: &'a [f32],
    },
}

impl Tables {
    /// Takes tables to a device.
    ///
    /// # Errors
    /// [`Error::Device`] where it cannot hold them.
    pub(super) fn on_device(tables: &[EmbeddingTable], device: &Device) -> Result<Self> {
        let taken = tables.iter().map(|table| DeviceTable::new(table, device));
        Ok(Self::Device(taken.collect::<Result<_>>()?, device.clone()))
    }

    /// The input of a tower for a batch.
    ///
    /// # Errors
    /// [`Error::Lookup`] where the batch is of other features than the layer.
    pub(super) fn input<'a>(
        &self,
        layer: &InputLayer,
        columns: impl IntoIterator<Item = &'a FeatureColumn>,
        rows: usize,
    ) -> Result<Numbers> {
        match self {
            Self::Host(tables) => {
                let views: Vec<TableView<'_>> = tables.iter().map(EmbeddingTable::view).collect();
                let mut numbers = vec![];
                layer.forward(columns, rows, &views, &mut numbers)?;
                Ok(Numbers::Here(numbers))
            }
            Self::Device(tables, device) => {
                let mut columns = columns.into_iter();
                let mut parts = vec![];
                for slot in layer.slots() {
                    let column = columns.next().ok_or_else(|| slot.missing())?;
                    parts.push(match (&slot.reads, column) {
                        (Reads::Numbers { width }, FeatureColumn::Dense { width: has, values })
                            if width == has && values.len() == rows * width =>
                        {
                            matrix(values.clone(), *width, device)
                        }
                        (Reads::Rows { table, .. }, FeatureColumn::Bag { .. }) => {
                            let lookup = lookup(column).filter(|lookup| lookup.n_examples() == rows);
                            tables[*table].gather(&lookup.ok_or_else(|| slot.missing())?)?
                        }
                        _ => return Err(slot.missing()),
                    });
                }
                let mut input = Tensor::cat(parts, 1);
                if let Some(InputActivation { bias, activation }) = layer.activation() {
                    input = activate(input + tables[*bias].first_row(), *activation);
                }
                Ok(Numbers::There(input))
            }
        }
    }

    /// Rows of a table, `[ids × dim]`.
    ///
    /// # Errors
    /// [`Error::Lookup`] for a row that is not there.
    pub(super) fn rows_of(&self, table: usize, ids: &[u32]) -> Result<Vec<f32>> {
        let lookup = Lookup::single(ids);
        match self {
            Self::Host(tables) => {
                let table = &tables[table];
                let mut rows = vec![0.0; ids.len() * table.dim()];
                table.gather(&lookup, &mut rows)?;
                Ok(rows)
            }
            Self::Device(tables, _) => to_vec(tables[table].gather(&lookup)?),
        }
    }

    /// All rows of a table.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub(super) fn all_rows(&self, table: usize) -> Result<Cow<'_, [f32]>> {
        Ok(match self {
            Self::Host(tables) => Cow::Borrowed(tables[table].rows()),
            Self::Device(tables, _) => Cow::Owned(tables[table].rows()?),
        })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Host(tables) => tables.len(),
            Self::Device(tables, _) => tables.len(),
        }
    }

    /// The rows of a table and what its optimizer keeps beside them, the same wherever they are.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub(super) fn parts(&self, table: usize) -> Result<[Cow<'_, [f32]>; 2]> {
        Ok(match self {
            Self::Host(tables) => tables[table].parts().map(Cow::Borrowed),
            Self::Device(tables, _) => tables[table].parts()?.map(Cow::Owned),
        })
    }

    /// Goes on from what [`Tables::parts`] gave; whether that was of a table like this one.
    ///
    /// # Errors
    /// [`Error::Device`]
    pub(super) fn set_parts(&mut self, table: usize, rows: Vec<f32>, state: Vec<f32>) -> Result<bool> {
        match self {
            Self::Host(tables) => Ok(tables[table].set_parts(rows, state)),
            Self::Device(tables, _) => tables[table].set_parts(rows, &state),
        }
    }

    /// The width of each table.
    pub(super) fn widths(&self) -> Vec<usize> {
        match self {
            Self::Host(tables) => tables.iter().map(EmbeddingTable::dim).collect(),
            Self::Device(tables, _) => tables.iter().map(DeviceTable::dim).collect(),
        }
    }

    /// Moves one number.
    #[cfg(test)]
    pub(super) fn nudge(&mut self, table: usize, cell: usize, by: f32) {
        let [rows, state] = self.parts(table).expect("its parts").map(Cow::into_owned);
        let mut rows = rows;
        rows[cell] += by;
        assert!(self.set_parts(table, rows, state).expect("taken up"));
    }

    /// Goes down all gradients of a step, each of the rows as they were.
    ///
    /// # Errors
    /// [`Error::Lookup`], [`Error::Device`].
    pub(super) fn step(&mut self, taken: &[Taken<'_>], rate: f32) -> Result<()> {
        match self {
            Self::Host(tables) => step_host(tables, taken, rate),
            Self::Device(tables, device) => step_device(tables, device, taken, rate),
        }
    }
}

fn step_host(tables: &mut [EmbeddingTable], taken: &[Taken<'_>], rate: f32) -> Result<()> {
    let n_zeros = taken.iter().map(|taken| match taken {
        Taken::Input {
            layer,
            gradient: Numbers::Here(gradient),
            ..
        } if layer.activation().is_some() => gradient.len() / layer.width().max(1),
        _ => 0,
    });
    let zeros = vec![0_u32; n_zeros.max().unwrap_or(0)];
    let mut sources: Vec<Vec<Source<'_>>> = tables.iter().map(|_| vec![]).collect();
    for taken in taken {
        match taken {
            Taken::Input {
                layer,
                columns,
                gradient: Numbers::Here(gradient),
            } => {
                let rows = gradient.len() / layer.width().max(1);
                let zeros = zeros.get(..rows).unwrap_or(&[]);
                layer.sources(columns.iter().copied(), gradient, zeros, &mut sources);
            }
            Taken::Input { .. } => return Err(elsewhere()),
            Taken::Rows { table, ids, gradient } => {
                let dim = tables[*table].dim();
                sources[*table].push(Source::whole(Lookup::single(ids), gradient, dim));
            }
        }
    }
    for (table, sources) in tables.iter_mut().zip(&sources) {
        if !sources.is_empty() {
            table.step_by(sources, rate)?;
        }
    }
    Ok(())
}

fn step_device(tables: &mut [DeviceTable], device: &Device, taken: &[Taken<'_>], rate: f32) -> Result<()> {
    let mut sources: Vec<Vec<DeviceSource<'_>>> = tables.iter().map(|_| vec![]).collect();
    for taken in taken {
        match taken {
            Taken::Input {
                layer,
                columns,
                gradient: Numbers::There(gradient),
            } => {
                if let Some(InputActivation { bias, .. }) = layer.activation() {
                    // All examples have the row 0 once: it is one that has the sum.
                    sources[*bias].push(DeviceSource {
                        lookup: Lookup::single(&[0]),
                        gradient: gradient.clone().sum_dim(0),
                    });
                }
                for (slot, column) in layer.slots().iter().zip(columns) {
                    if let Reads::Rows { table, dim, .. } = slot.reads
                        && let Some(lookup) = lookup(column)
                    {
                        let gradient = gradient.clone().narrow(1, slot.first, dim);
                        sources[table].push(DeviceSource { lookup, gradient });
                    }
                }
            }
            Taken::Input { .. } => return Err(elsewhere()),
            Taken::Rows { table, ids, gradient } => sources[*table].push(DeviceSource {
                lookup: Lookup::single(ids),
                gradient: matrix(gradient.to_vec(), tables[*table].dim(), device),
            }),
        }
    }
    for (table, sources) in tables.iter_mut().zip(&sources) {
        table.step(sources, rate)?;
    }
    Ok(())
}

/// Takes the gradient by an input back to what it was before its activation.
///
/// # Errors
/// [`Error::Device`] where the two are not at the same place.
pub(super) fn backward(layer: &InputLayer, inputs: &Numbers, gradient: &mut Numbers) -> Result<()> {
    match (inputs, gradient) {
        (Numbers::Here(inputs), Numbers::Here(gradient)) => layer.backward(inputs, gradient),
        (Numbers::There(inputs), Numbers::There(gradient)) => {
            if let Some(InputActivation { activation, .. }) = layer.activation()
                && let Some(slope) = slope(*activation, inputs.clone())
            {
                *gradient = gradient.clone() * slope;
            }
        }
        _ => return Err(elsewhere()),
    }
    Ok(())
}

/// As [`Activation::apply`].
pub(super) fn activate(x: Tensor<2>, with: Activation) -> Tensor<2> {
    match with {
        Activation::Identity => x,
        Activation::Relu => activation::relu(x),
        Activation::Tanh => activation::tanh(x),
        Activation::Gelu => activation::gelu(x),
    }
}

/// As [`Activation::slope`]; `None` where it is 1.
fn slope(of: Activation, answer: Tensor<2>) -> Option<Tensor<2>> {
    match of {
        Activation::Identity | Activation::Gelu => None,
        Activation::Relu => Some(answer.greater_elem(0.0).float()),
        Activation::Tanh => Some(1.0 - answer.square()),
    }
}

fn elsewhere() -> Error {
    Error::Device {
        reason: "a gradient is not where the tables are".to_owned(),
    }
}
