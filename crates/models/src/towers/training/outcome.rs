//! What a training hands out at its end, or after a shard: the vectors of all items, and a query tower to serve.

use catchment_features::FeatureBatch;
use catchment_schema::Matrix;
use rayon::prelude::*;

use super::step::widened;
use super::{Items, Towers, TowersReport, Training};
use crate::towers::input::rows_of;
use crate::towers::lengths::normalise;
use crate::towers::mlp::{Mlp, MlpScratch};
use crate::towers::plan::ItemSide;
use crate::towers::served::QueryTower;
use crate::{Error, Result};

/// Items whose vectors are made together.
pub(super) const BLOCK: usize = 8192;

impl Training<'_> {
    /// The vectors of all items as they are now, and their width.
    pub(super) fn item_vectors(&self) -> Result<(Vec<f32>, usize)> {
        let (n_items, dim) = (self.data.n_items, self.dim());
        let mut vectors;
        let mut bias = None;
        match &self.items {
            Items::Table(table) => {
                vectors = self.tables.all_rows(table.table)?[..n_items * dim].to_vec();
                bias = table.bias.as_ref().map(|bias| bias.rows().to_vec());
            }
            Items::Tower(tower) => {
                let width = tower.input.width();
                let mlp = Mlp::new(width, tower.hidden.layers()?, false)?;
                vectors = vec![0.0; n_items * dim];
                // Block by block: on a device all rows that a catalogue looks up may be more than it has in one piece.
                let mut rows = FeatureBatch::default();
                for (block, vectors) in vectors.chunks_mut(BLOCK * dim).enumerate() {
                    let (first, n) = (block * BLOCK, vectors.len() / dim);
                    rows_of(self.data.items, first..first + n, &mut rows);
                    let inputs = self.tables.input(&tower.input, &rows.columns, n)?.here()?;
                    vectors
                        .par_chunks_exact_mut(dim)
                        .zip(inputs.par_chunks_exact(width))
                        .for_each_init(MlpScratch::default, |scratch, (vector, input)| {
                            mlp.encode(input, scratch, vector);
                        });
                }
            }
        }
        if self.plan.normalised {
            normalise(&mut vectors, dim);
        }
        let width = dim + usize::from(bias.is_some());
        Ok((widened(&vectors, dim, bias.as_deref()).into_owned(), width))
    }

    /// Which items anything was learned about in the first `n_shards`: those that were a label, and where they stand in the
    /// table of histories, those that were in one.
    fn learned(&self, n_shards: usize) -> Vec<bool> {
        let (data, n_items) = (self.data, self.data.n_items);
        let labels = data.examples.labels(0..n_shards, n_items);
        let are_labels_known = labels.is_some();
        let mut learned: Vec<bool> = match labels {
            Some(labels) => labels.into_iter().map(|times| times > 0.0).collect(),
            None => vec![false; n_items],
        };
        let is_shared = match &self.plan.item {
            ItemSide::Table { shared, .. } | ItemSide::Tower { shared, .. } => *shared,
        };
        if is_shared || !are_labels_known {
            let until = data.examples.known_until(n_shards.saturating_sub(1));
            for (_, history) in data.histories.iter() {
                let events = history.events().iter();
                for event in events.filter(|event| until.is_none_or(|until| event.time < until)) {
                    learned[event.item.index()] = true;
                }
            }
        }
        learned
    }

    /// Whether all that is known of an item is which one it is.
    fn is_by_id_alone(&self) -> bool {
        match &self.items {
            Items::Table(_) => true,
            Items::Tower(tower) => {
                let slots = tower.input.slots();
                slots
                    .iter()
                    .all(|slot| self.data.item_id == Some(slot.name.as_str()))
            }
        }
    }

    /// The vectors of all items after the first `n_shards`, and the query tower as it is served.
    pub(super) fn towers(&self, mut report: TowersReport, n_shards: usize) -> Result<Towers> {
        report.temperature = self.temperature();
        let (mut vectors, width) = self.item_vectors()?;
        let has_bias = width > self.dim();
        if self.is_by_id_alone() {
            // A row that nothing was learned about is where chance put it: no vector at all.
            for (vector, is_learned) in vectors.chunks_exact_mut(width).zip(self.learned(n_shards)) {
                if !is_learned {
                    vector.fill(0.0);
                }
            }
        }
        let mlp = Mlp::new(
            self.query.input.width(),
            self.query.hidden.layers()?,
            self.plan.normalised,
        )?;
        let tables = self.tables.widths().into_iter().enumerate();
        let tables = tables.map(|(table, width)| -> Result<Matrix> {
            Ok(Matrix::new(width, self.tables.all_rows(table)?.into_owned())?)
        });
        let query = QueryTower::new(
            self.query.input.clone(),
            &tables.collect::<Result<Vec<_>, _>>()?,
            mlp,
            self.plan.example_age,
            has_bias,
        )?;
        if !vectors.iter().all(|value| value.is_finite()) {
            return Err(Error::Diverged {
                model: self.plan.model,
            });
        }
        Ok(Towers {
            items: vectors,
            dim: width,
            query,
            report,
        })
    }
}
