//! What a training leaves.

use catchment_schema::{Embeddings, EmbeddingsMeta, ItemIdx, Metric, Vocabulary};

use super::deterministic::record_targets;
use super::item_vectors::normalise;
use super::record::Record;
use super::rows::Rows;
use super::{Parallel, SgnsConfig};
use crate::{Error, Result};

/// What a training did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SgnsReport {
    /// Events of an epoch, before frequent items were thinned out.
    pub events: u64,
    /// Positive pairs trained, over all epochs.
    pub pairs: u64,
    /// Positives and negatives trained, over all epochs.
    pub targets: u64,
    /// For each epoch, the mean loss of a pair with its negatives and its share of what an objective adds to the centre.
    pub losses: Vec<f64>,
}

/// Vectors of items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SgnsModel {
    /// Width of a vector.
    pub dim: usize,
    /// `[n_items, dim]`: what is used afterwards. Zero for an item in no session.
    pub input: Vec<f32>,
    /// `[n_items, dim]`: what input vectors were trained against; `⟨input_i, output_j⟩` says how likely `j` is beside `i`.
    pub output: Vec<f32>,
    /// What was done.
    pub report: SgnsReport,
}

impl SgnsModel {
    pub(super) fn new(config: &SgnsConfig, [input, output]: [Rows; 2], report: SgnsReport) -> Result<Self> {
        // One after the other, so that at most one table is there twice.
        let vectors = |rows: Rows| rows.to_vectors();
        let (input, output) = (vectors(input), vectors(output));
        if !input.iter().chain(&output).all(|number| number.is_finite()) {
            return Err(Error::Diverged { model: "sgns" });
        }
        Ok(Self {
            dim: config.dim,
            input,
            output,
            report,
        })
    }

    /// How many items there are.
    pub fn n_items(&self) -> usize {
        self.input.len().checked_div(self.dim).unwrap_or(0)
    }

    /// An item's input vector.
    ///
    /// # Panics
    /// When there is no such item.
    pub fn item(&self, item: ItemIdx) -> &[f32] {
        &self.input[item.index() * self.dim..(item.index() + 1) * self.dim]
    }

    /// The input vectors, of length 1 (0 where an item was in no session), as a table of `model`'s; `run` says which
    /// run made them.
    ///
    /// # Errors
    /// [`Error::WrongLength`] when the vocabulary is not the one that the model was fitted with.
    pub fn item_embeddings(&self, items: &Vocabulary, model: &str, run: &str) -> Result<Embeddings> {
        let mut table = self.table(&self.input, items, model, run)?;
        table
            .vectors
            .chunks_exact_mut(self.dim.max(1))
            .for_each(normalise);
        table.meta.metric = Metric::Cosine;
        Ok(table)
    }

    /// The output vectors as they are.
    ///
    /// # Errors
    /// As [`SgnsModel::item_embeddings`].
    pub fn output_embeddings(&self, items: &Vocabulary, model: &str, run: &str) -> Result<Embeddings> {
        self.table(&self.output, items, model, run)
    }

    fn table(&self, vectors: &[f32], items: &Vocabulary, model: &str, run: &str) -> Result<Embeddings> {
        if items.len() != self.n_items() {
            return Err(Error::WrongLength {
                what: "vocabulary",
                expected: self.n_items(),
                found: items.len(),
            });
        }
        Ok(Embeddings {
            meta: EmbeddingsMeta {
                kind: "item".to_owned(),
                model: model.to_owned(),
                metric: Metric::InnerProduct,
                normalised: false,
                run: run.to_owned(),
            },
            dim: self.dim,
            ids: items.ids().to_vec(),
            vectors: vectors.to_vec(),
            bias: None,
        })
    }
}

/// What a training takes beside its sessions, and [`SgnsModel::save`] after it, at most, in bytes. While training both
/// tables and, at the end, one of them once more; the tables that are drawn from; in lanes, the changes of a round, of
/// which those may take more that a centre in a very long set, or an objective, adds to it. While saving both tables, a
/// copy of one, the items' ids, and what is on its way to the file.
pub fn memory_bytes(n_items: usize, config: &SgnsConfig) -> usize {
    let vectors = n_items * config.dim * size_of::<f32>();
    let tables = 2 * Rows::bytes(n_items, config.dim) + vectors;
    // Counts, what is kept, weights while the negatives' table is made, the table, and its logarithms.
    let sampling = n_items * (8 + 4 + 16 + 8 + 4);
    let records = match config.parallel {
        Parallel::LockFree => 0,
        Parallel::Deterministic => {
            let targets = record_targets(n_items, config);
            config.lanes * Record::bytes(targets, config.dim, config.negatives_form)
        }
    };
    let saving = 3 * vectors + Embeddings::writing_bytes(n_items, config.dim);
    saving.max(tables + sampling + records)
}
