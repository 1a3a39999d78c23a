//! The query tower as it is served: plain numbers, on one thread, for one request at a time.

use catchment_features::{FeatureBatch, FeatureColumn};
use catchment_schema::Matrix;

use super::input::{InputLayer, Reads};
use super::mlp::{Mlp, MlpScratch};
use crate::embedding_table::TableView;
use crate::{Error, Result};

/// From the features of a user and a moment to a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryTower {
    input: InputLayer,
    tables: Vec<Matrix>,
    mlp: Mlp,
    has_age: bool,
    has_bias: bool,
    age: FeatureColumn,
}

/// Memory that an encoding needs, kept from one to the next.
#[derive(Clone, Debug, Default)]
pub struct QueryScratch {
    input: Vec<f32>,
    mlp: MlpScratch,
}

impl QueryTower {
    /// Of the parts of a training. Tables that the input does not read are dropped.
    ///
    /// # Errors
    /// [`Error::Lookup`] or [`Error::BadLayers`] where the parts do not fit together.
    pub fn new(
        input: InputLayer,
        tables: &[Matrix],
        mlp: Mlp,
        has_age: bool,
        has_bias: bool,
    ) -> Result<Self> {
        let mut used = vec![];
        let input = input.with_tables(|table| {
            let place = used.iter().position(|&one| one == table);
            place.unwrap_or_else(|| {
                used.push(table);
                used.len() - 1
            })
        });
        let misfit = |reason: String| Error::Lookup { reason };
        let mut kept = vec![];
        for table in used {
            let table = tables
                .get(table)
                .ok_or_else(|| misfit(format!("there is no table {table}")))?;
            kept.push(table.clone());
        }
        for slot in input.slots() {
            if let Reads::Rows {
                table,
                dim,
                cardinality,
            } = slot.reads
            {
                let rows = &kept[table];
                if rows.dim() != dim || rows.n_rows() < cardinality as usize {
                    return Err(misfit(format!(
                        "`{}` reads {cardinality} rows of {dim} in a table of {} × {}",
                        slot.name,
                        rows.n_rows(),
                        rows.dim()
                    )));
                }
            }
        }
        if let Some(activation) = input.activation() {
            let bias = kept[activation.bias].rows().len();
            if bias != input.width() {
                return Err(misfit(format!(
                    "a bias of {bias} numbers for an input of {}",
                    input.width()
                )));
            }
        }
        mlp.check()?;
        if mlp.n_inputs() != input.width() {
            return Err(misfit(format!(
                "the layers take {} numbers, the features give {}",
                mlp.n_inputs(),
                input.width()
            )));
        }
        Ok(Self {
            input,
            tables: kept,
            mlp,
            has_age,
            has_bias,
            // The moment of a request is the end of the log.
            age: FeatureColumn::Dense {
                width: 1,
                values: vec![0.0],
            },
        })
    }

    /// Width of its answers.
    pub fn dim(&self) -> usize {
        self.mlp.n_outputs() + usize::from(self.has_bias)
    }

    /// What it reads.
    pub fn input(&self) -> &InputLayer {
        &self.input
    }

    /// Its tables, as the input names them.
    pub fn tables(&self) -> &[Matrix] {
        &self.tables
    }

    /// Its layers.
    pub fn mlp(&self) -> &Mlp {
        &self.mlp
    }

    /// Whether the age of an example is among its inputs.
    pub fn has_age(&self) -> bool {
        self.has_age
    }

    /// Whether its last number is 1, for the items' biases.
    pub fn has_bias(&self) -> bool {
        self.has_bias
    }

    /// The vector of one user at one moment: of one-row batches of either side.
    ///
    /// # Errors
    /// [`Error::Lookup`] where the batches are of other features, [`Error::WrongLength`] for an `out` of another width.
    pub fn encode(
        &self,
        user: &FeatureBatch,
        context: &FeatureBatch,
        scratch: &mut QueryScratch,
        out: &mut [f32],
    ) -> Result<()> {
        if out.len() != self.dim() {
            return Err(Error::WrongLength {
                what: "the vector of a query",
                expected: self.dim(),
                found: out.len(),
            });
        }
        let mut views = smallvec::SmallVec::<[TableView<'_>; 8]>::new();
        for table in &self.tables {
            views.push(TableView::new(table.rows(), table.dim())?);
        }
        let columns = user.columns.iter().chain(&context.columns);
        let columns = columns.chain(self.has_age.then_some(&self.age));
        self.input.forward(columns, 1, &views, &mut scratch.input)?;
        let width = self.mlp.n_outputs();
        self.mlp
            .encode(&scratch.input, &mut scratch.mlp, &mut out[..width]);
        if self.has_bias {
            out[width] = 1.0;
        }
        Ok(())
    }
}
