//! Tables of embeddings of which a step touches few rows.
//!
//! A tower's ids live here, outside any tape: [`EmbeddingTable::gather`] gives the rows that a batch takes, pooled; the
//! model runs on them as on any input; and [`EmbeddingTable::step`] takes the gradient of that input back to the rows. Only
//! rows that were seen are read or written, so that a table of a million rows costs a step what its batch costs.
//!
//! Several features may look up one table (the history of a user and the item itself): their gradients come in one step.
//!
//! The same input gives the same bytes on any number of threads: a row's gradients are summed in the order in which they
//! were given, and no row is anybody else's.

mod order;
mod prefetch;
mod unbiased;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use prefetch::prefetch;
use unbiased::Unbiased;

use crate::{Error, Result};

/// Which rows each example takes: `ids[offsets[i]..offsets[i + 1]]` are those of example `i`.
#[derive(Clone, Copy, Debug)]
pub struct Lookup<'a> {
    /// Rows of the table.
    pub ids: &'a [u32],
    /// `[examples + 1]`, rising, from 0 to `ids.len()`; `None` where each example takes one.
    pub offsets: Option<&'a [u32]>,
    /// `[ids.len()]`: of each row, 1 where there are none; not negative.
    pub weights: Option<&'a [f32]>,
    /// What becomes of several rows.
    pub pooling: Pooling,
}

/// How the rows of one example become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// Their sum, by weights.
    Sum,
    /// Their sum over the sum of the weights; zero where there is none.
    #[default]
    Mean,
}

impl<'a> Lookup<'a> {
    /// One row for each example.
    pub fn single(ids: &'a [u32]) -> Self {
        Self {
            ids,
            offsets: None,
            weights: None,
            pooling: Pooling::Sum,
        }
    }

    /// How many examples there are.
    pub fn n_examples(&self) -> usize {
        self.offsets
            .map_or(self.ids.len(), |offsets| offsets.len().saturating_sub(1))
    }

    /// Where the entries of an example stand.
    pub(crate) fn range(&self, example: usize) -> std::ops::Range<usize> {
        match self.offsets {
            None => example..example + 1,
            Some(offsets) => offsets[example] as usize..offsets[example + 1] as usize,
        }
    }

    /// What a row counts, by its entry.
    pub(crate) fn weight(&self, entry: usize) -> f32 {
        self.weights.map_or(1.0, |weights| weights[entry])
    }

    /// What the rows of an example are multiplied with, besides their weights.
    pub(crate) fn scale(&self, example: usize) -> f32 {
        match self.pooling {
            Pooling::Sum => 1.0,
            Pooling::Mean => {
                let sum: f32 = self.range(example).map(|entry| self.weight(entry)).sum();
                if sum > 0.0 { 1.0 / sum } else { 0.0 }
            }
        }
    }

    /// Whether it is one of a table of so many rows.
    pub(crate) fn check(&self, n_rows: usize) -> Result<()> {
        let inconsistent = |reason: String| Err(Error::Lookup { reason });
        if let Some(id) = self.ids.iter().find(|&&id| id as usize >= n_rows) {
            return inconsistent(format!("row {id} of a table of {n_rows}"));
        }
        if self
            .weights
            .is_some_and(|weights| weights.len() != self.ids.len())
        {
            return inconsistent("not every row has a weight".to_owned());
        }
        let Some(offsets) = self.offsets else {
            return Ok(());
        };
        let is_whole = offsets.first() == Some(&0)
            && offsets.is_sorted()
            && offsets
                .last()
                .is_some_and(|&last| last as usize == self.ids.len());
        if is_whole {
            Ok(())
        } else {
            inconsistent("the offsets do not rise from 0 to the number of rows".to_owned())
        }
    }
}

/// How a row goes down its gradient.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RowOptimizer {
    /// In a straight line.
    Sgd,
    /// By the root of the sum of the row's mean squared gradients: Adagrad with one number a row instead of one a cell.
    Adagrad {
        /// Added to the root.
        epsilon: f32,
    },
    /// Adam whose moments move, and decay, only when their row is seen ("lazy"); the bias of both is corrected by how often
    /// the row was seen.
    Adam {
        /// Decay of the mean.
        beta1: f32,
        /// Decay of the mean square.
        beta2: f32,
        /// Added to the root.
        epsilon: f32,
    },
}

impl RowOptimizer {
    /// Adagrad with the usual ε.
    pub const ADAGRAD: Self = Self::Adagrad { epsilon: 1e-8 };
    /// Adam with the usual settings.
    pub const ADAM: Self = Self::Adam {
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
    };

    /// Numbers beside a row of `dim`.
    pub(crate) fn state_width(self, dim: usize) -> usize {
        match self {
            Self::Sgd => 0,
            Self::Adagrad { .. } => 1,
            Self::Adam { .. } => 2 * dim + 1,
        }
    }

    /// What its moments are divided by.
    fn unbiased(self) -> Option<Unbiased> {
        match self {
            Self::Adam { beta1, beta2, .. } => Some(Unbiased::new(beta1, beta2)),
            Self::Sgd | Self::Adagrad { .. } => None,
        }
    }

    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "vector instructions reach only what is inlined into the function that was dispatched to"
    )]
    fn update(
        self,
        row: &mut [f32],
        state: &mut [f32],
        gradient: &[f32],
        rate: f32,
        unbiased: Option<&Unbiased>,
    ) {
        match self {
            Self::Sgd => {
                for (value, slope) in row.iter_mut().zip(gradient) {
                    *value -= rate * slope;
                }
            }
            Self::Adagrad { epsilon } => {
                let square: f32 = gradient.iter().map(|slope| slope * slope).sum();
                state[0] += square / gradient.len() as f32;
                let rate = rate / (state[0].sqrt() + epsilon);
                for (value, slope) in row.iter_mut().zip(gradient) {
                    *value -= rate * slope;
                }
            }
            Self::Adam {
                beta1,
                beta2,
                epsilon,
            } => {
                let dim = row.len();
                let (count, moments) = state.split_at_mut(1);
                let (means, squares) = moments.split_at_mut(dim);
                count[0] += 1.0;
                let [first, second] = unbiased.map_or([1.0; 2], |unbiased| unbiased.of(count[0]));
                let rate = rate * first;
                let cells = row.iter_mut().zip(means).zip(squares).zip(gradient);
                for (((value, mean), square), slope) in cells {
                    *mean += (1.0 - beta1) * (slope - *mean);
                    *square += (1.0 - beta2) * (slope * slope - *square);
                    *value -= rate * *mean / ((*square * second).sqrt() + epsilon);
                }
            }
        }
    }
}

/// One gradient on its way to a row: which row, and where it stands in its source.
#[derive(Clone, Copy, Debug)]
struct Entry {
    source: u32,
    example: u32,
    scale: f32,
}

/// A table of `[n_rows, dim]` numbers and what its optimizer keeps beside each row.
#[derive(Clone, Debug, PartialEq)]
pub struct EmbeddingTable {
    dim: usize,
    seed: u64,
    range: f32,
    optimizer: RowOptimizer,
    unbiased: Option<Unbiased>,
    l2: f32,
    rows: Vec<f32>,
    state: Vec<f32>,
}

impl EmbeddingTable {
    /// With `n_rows` rows whose numbers are drawn evenly from `-range..range`. A row's depend on the seed and on its own
    /// number, not on how many there are.
    ///
    /// # Errors
    /// [`Error::Config`] for a width of 0 or a range that is not finite.
    pub fn new(n_rows: usize, dim: usize, range: f32, optimizer: RowOptimizer, seed: u64) -> Result<Self> {
        if dim == 0 {
            return Err(Error::Config {
                key: "dim",
                value: "0".to_owned(),
                allowed: "at least 1",
            });
        }
        if !(range >= 0.0 && range.is_finite()) {
            return Err(Error::Config {
                key: "range",
                value: range.to_string(),
                allowed: "at least 0, finite",
            });
        }
        let mut table = Self {
            dim,
            seed,
            range,
            optimizer,
            unbiased: optimizer.unbiased(),
            l2: 0.0,
            rows: vec![],
            state: vec![],
        };
        table.grow(n_rows);
        Ok(table)
    }

    /// Its rows and what the optimizer keeps beside them, for a checkpoint.
    pub(crate) fn parts(&self) -> [&[f32]; 2] {
        [&self.rows, &self.state]
    }

    /// Goes on from what [`EmbeddingTable::parts`] gave; whether that was of a table like this one.
    pub(crate) fn set_parts(&mut self, rows: Vec<f32>, state: Vec<f32>) -> bool {
        let fits = rows.len() == self.rows.len() && state.len() == self.state.len();
        if fits {
            (self.rows, self.state) = (rows, state);
        }
        fits
    }

    /// Adds `l2` times a row to its gradient, whenever it is seen.
    #[must_use]
    pub fn with_l2(self, l2: f32) -> Self {
        Self { l2, ..self }
    }

    /// How its rows go down their gradients.
    #[cfg(feature = "towers-train")]
    pub(crate) fn optimizer(&self) -> RowOptimizer {
        self.optimizer
    }

    /// What is added of a row to its gradient.
    #[cfg(feature = "towers-train")]
    pub(crate) fn l2(&self) -> f32 {
        self.l2
    }

    /// At least so many rows. Old ones stay as they are, with what their optimizer knows.
    pub fn grow(&mut self, n_rows: usize) {
        let first = self.n_rows();
        if n_rows <= first {
            return;
        }
        self.rows.resize(n_rows * self.dim, 0.0);
        self.state
            .resize(n_rows * self.optimizer.state_width(self.dim), 0.0);
        let (seed, range) = (self.seed, self.range);
        let new = self.rows[first * self.dim..].par_chunks_exact_mut(self.dim);
        new.enumerate().for_each(|(row, values)| {
            let row = (first + row) as u64;
            let mut rng = Xoshiro256PlusPlus::seed_from_u64(xxh3_64_with_seed(&row.to_le_bytes(), seed));
            for value in values {
                *value = (2.0 * rng.random::<f32>() - 1.0) * range;
            }
        });
    }

    /// How many rows there are.
    pub fn n_rows(&self) -> usize {
        self.rows.len() / self.dim
    }

    /// Their width.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// One of them.
    ///
    /// # Panics
    /// Beyond the last.
    pub fn row(&self, id: u32) -> &[f32] {
        let first = id as usize * self.dim;
        &self.rows[first..first + self.dim]
    }

    /// `[n_rows × dim]`
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// Its rows, to read.
    pub fn view(&self) -> TableView<'_> {
        TableView {
            dim: self.dim,
            rows: &self.rows,
        }
    }

    /// What each example takes, pooled: `[examples × dim]`, into `out`, which is overwritten.
    ///
    /// # Errors
    /// [`Error::Lookup`] where the lookup is none of this table, or `out` has another length.
    pub fn gather(&self, lookup: &Lookup<'_>, out: &mut [f32]) -> Result<()> {
        self.view().gather_into(lookup, out, Columns::all(self.dim))
    }

    /// Goes down the gradient by what was gathered: of each source its lookup and `[examples × dim]`. All rows that occur
    /// move once, however often they occur.
    ///
    /// # Errors
    /// [`Error::Lookup`] as [`EmbeddingTable::gather`]; the table is then as it was.
    pub fn step(&mut self, sources: &[(Lookup<'_>, &[f32])], rate: f32) -> Result<()> {
        let columns = Columns::all(self.dim);
        let sources: Vec<Source<'_>> = sources
            .iter()
            .map(|&(lookup, gradient)| Source {
                lookup,
                gradient,
                columns,
            })
            .collect();
        self.step_by(&sources, rate)
    }

    /// The same where gradients stand in columns of something wider.
    ///
    /// # Errors
    /// As [`EmbeddingTable::step`].
    pub fn step_by(&mut self, sources: &[Source<'_>], rate: f32) -> Result<()> {
        let dim = self.dim;
        let n_entries = sources.iter().map(|of| of.lookup.ids.len()).sum();
        let mut entries = Vec::with_capacity(n_entries);
        let mut order = Vec::with_capacity(n_entries);
        for (source, of) in sources.iter().enumerate() {
            let lookup = &of.lookup;
            lookup.check(self.n_rows())?;
            of.columns
                .check("a gradient", of.gradient.len(), lookup.n_examples(), dim)?;
            for example in 0..lookup.n_examples() {
                let scale = lookup.scale(example);
                for entry in lookup.range(example) {
                    // By row, and in the order given.
                    order.push(u64::from(lookup.ids[entry]) << 32 | entries.len() as u64);
                    entries.push(Entry {
                        source: to_u32(source)?,
                        example: to_u32(example)?,
                        scale: scale * lookup.weight(entry),
                    });
                }
            }
        }
        to_u32(entries.len())?;
        order::by_row(&mut order, self.n_rows());
        let width = self.optimizer.state_width(dim);
        let parts = parts(&order, &mut self.rows, &mut self.state, dim, width);
        let rule = RowRule {
            optimizer: self.optimizer,
            unbiased: self.unbiased.as_ref(),
            rate,
            l2: self.l2,
        };
        parts.into_par_iter().for_each(|part| {
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || part.step(&entries, sources, &rule, dim),
            );
        });
        Ok(())
    }
}

/// The rows of a table, wherever they lie: in a training's table, in a served model, in a mapped file.
#[derive(Clone, Copy, Debug)]
pub struct TableView<'a> {
    dim: usize,
    rows: &'a [f32],
}

impl<'a> TableView<'a> {
    /// `rows`: `[n_rows × dim]`
    ///
    /// # Errors
    /// [`Error::Lookup`] where that is no number of whole rows.
    pub fn new(rows: &'a [f32], dim: usize) -> Result<Self> {
        if dim == 0 || !rows.len().is_multiple_of(dim) {
            return Err(Error::Lookup {
                reason: format!("{} numbers are no whole rows of {dim}", rows.len()),
            });
        }
        Ok(Self { dim, rows })
    }

    /// How many rows there are.
    pub fn n_rows(self) -> usize {
        self.rows.len() / self.dim
    }

    /// Their width.
    pub fn dim(self) -> usize {
        self.dim
    }

    /// `[n_rows × dim]`
    pub fn rows(self) -> &'a [f32] {
        self.rows
    }

    /// What each example takes, pooled, into `columns` of a wider `[examples × columns.stride]`; the others stay as they
    /// are. Few examples are gathered where one stands, without waking anybody.
    ///
    /// # Errors
    /// [`Error::Lookup`] where the lookup is none of this table, or `out` has another length.
    pub fn gather_into(self, lookup: &Lookup<'_>, out: &mut [f32], columns: Columns) -> Result<()> {
        lookup.check(self.n_rows())?;
        columns.check("the output", out.len(), lookup.n_examples(), self.dim)?;
        let part_len = columns.stride * EXAMPLES_A_PART;
        if out.len() <= part_len {
            self.gather_part(lookup, 0, out, columns);
        } else {
            out.par_chunks_mut(part_len)
                .enumerate()
                .for_each(|(part, out)| self.gather_part(lookup, part * EXAMPLES_A_PART, out, columns));
        }
        Ok(())
    }

    fn gather_part(self, lookup: &Lookup<'_>, first_example: usize, out: &mut [f32], columns: Columns) {
        let Columns { first, stride } = columns;
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (position, out) in out.chunks_exact_mut(stride).enumerate() {
                    let example = first_example + position;
                    let out = &mut out[first..first + self.dim];
                    out.fill(0.0);
                    let scale = lookup.scale(example);
                    for entry in lookup.range(example) {
                        if let Some(&ahead) = lookup.ids.get(entry + ENTRIES_AHEAD) {
                            let row = ahead as usize * self.dim;
                            prefetch(&self.rows[row..row + self.dim]);
                        }
                        let weight = scale * lookup.weight(entry);
                        let row = lookup.ids[entry] as usize * self.dim;
                        for (sum, value) in out.iter_mut().zip(&self.rows[row..row + self.dim]) {
                            *sum += weight * value;
                        }
                    }
                }
            },
        );
    }
}

/// How the rows of a step move.
#[derive(Clone, Copy, Debug)]
struct RowRule<'a> {
    optimizer: RowOptimizer,
    unbiased: Option<&'a Unbiased>,
    rate: f32,
    l2: f32,
}

/// Where in a wider row a table's numbers stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The first of them.
    pub first: usize,
    /// The width of the whole row.
    pub stride: usize,
}

impl Columns {
    /// The whole row.
    pub fn all(dim: usize) -> Self {
        Self {
            first: 0,
            stride: dim,
        }
    }

    fn check(self, what: &str, found: usize, examples: usize, dim: usize) -> Result<()> {
        if self.first + dim > self.stride {
            return Err(Error::Lookup {
                reason: format!(
                    "columns {} to {} of {}",
                    self.first,
                    self.first + dim,
                    self.stride
                ),
            });
        }
        check_length(what, found, examples * self.stride)
    }
}

/// Who took rows, and the gradient by what they got.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// What was gathered.
    pub lookup: Lookup<'a>,
    /// `[examples × columns.stride]`
    pub gradient: &'a [f32],
    /// Where in it this table's numbers stand.
    pub columns: Columns,
}

impl<'a> Source<'a> {
    /// Of a gradient that is nobody else's, `[examples × dim]`.
    pub fn whole(lookup: Lookup<'a>, gradient: &'a [f32], dim: usize) -> Self {
        Self {
            lookup,
            gradient,
            columns: Columns::all(dim),
        }
    }
}

/// How many entries before its turn a row is asked for.
const ENTRIES_AHEAD: usize = 8;

/// Examples that one thread gathers at a time.
const EXAMPLES_A_PART: usize = 32;

/// What one thread works on: rows of nobody else's, and the entries of these.
struct PartOfTable<'a> {
    order: &'a [u64],
    first_row: usize,
    rows: &'a mut [f32],
    state: &'a mut [f32],
}

impl PartOfTable<'_> {
    #[inline(always)]
    #[allow(
        clippy::inline_always,
        reason = "vector instructions reach only what is inlined into the function that was dispatched to"
    )]
    fn step(self, entries: &[Entry], sources: &[Source<'_>], rule: &RowRule<'_>, dim: usize) {
        let width = rule.optimizer.state_width(dim);
        let mut gradient = vec![0.0; dim];
        let row_of = |key: u64| (key >> 32) as usize - self.first_row;
        let mut ahead = self.order.iter().skip(ENTRIES_AHEAD);
        for same_row in self.order.chunk_by(|a, b| a >> 32 == b >> 32) {
            gradient.fill(0.0);
            for key in same_row {
                if let Some(&key) = ahead.next() {
                    let row = row_of(key);
                    prefetch(&self.rows[row * dim..(row + 1) * dim]);
                    prefetch(&self.state[row * width..(row + 1) * width]);
                }
                let entry = entries[place_of(*key)];
                let source = &sources[entry.source as usize];
                let first = entry.example as usize * source.columns.stride + source.columns.first;
                let slopes = &source.gradient[first..first + dim];
                for (sum, slope) in gradient.iter_mut().zip(slopes) {
                    *sum += entry.scale * slope;
                }
            }
            let row = row_of(same_row[0]);
            let state = &mut self.state[row * width..(row + 1) * width];
            let row = &mut self.rows[row * dim..(row + 1) * dim];
            if rule.l2 > 0.0 {
                for (slope, value) in gradient.iter_mut().zip(&*row) {
                    *slope += rule.l2 * value;
                }
            }
            rule.optimizer
                .update(row, state, &gradient, rule.rate, rule.unbiased);
        }
    }
}

/// Entries of a part, about: enough that a thread has something to do.
const ENTRIES_A_PART: usize = 1 << 10;

/// Cuts sorted entries between rows, and the table with them.
fn parts<'a>(
    mut order: &'a [u64],
    mut rows: &'a mut [f32],
    mut state: &'a mut [f32],
    dim: usize,
    width: usize,
) -> Vec<PartOfTable<'a>> {
    let row_of = |key: u64| (key >> 32) as usize;
    let mut parts = vec![];
    let mut first_row = 0;
    while let Some(&last) = order.get(ENTRIES_A_PART.min(order.len()).wrapping_sub(1)) {
        let end_row = row_of(last) + 1;
        let n_entries = order.partition_point(|&key| row_of(key) < end_row);
        let own;
        (own, order) = order.split_at(n_entries);
        let n_rows = end_row - first_row;
        let (own_rows, other_rows) = std::mem::take(&mut rows).split_at_mut(n_rows * dim);
        let (own_state, other_state) = std::mem::take(&mut state).split_at_mut(n_rows * width);
        (rows, state) = (other_rows, other_state);
        parts.push(PartOfTable {
            order: own,
            first_row,
            rows: own_rows,
            state: own_state,
        });
        first_row = end_row;
    }
    parts
}

/// Where the entry of a key stands.
fn place_of(key: u64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    let place = key as u32;
    place as usize
}

fn to_u32(n: usize) -> Result<u32> {
    u32::try_from(n).map_err(|_| Error::Lookup {
        reason: format!("{n} entries are more than one step can have"),
    })
}

fn check_length(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::Lookup {
        reason: format!("{what} has {found} numbers instead of {expected}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIM: usize = 3;

    fn table(optimizer: RowOptimizer) -> EmbeddingTable {
        EmbeddingTable::new(9, DIM, 0.5, optimizer, 7).expect("settings")
    }

    fn bag(pooling: Pooling) -> Lookup<'static> {
        Lookup {
            ids: &[4, 1, 4, 8],
            offsets: Some(&[0, 2, 2, 4]),
            weights: Some(&[1.0, 3.0, 2.0, 0.5]),
            pooling,
        }
    }

    #[test]
    fn bags_are_pooled_by_weight_and_an_empty_one_is_zero() {
        let table = table(RowOptimizer::Sgd);
        let mut out = [f32::NAN; 3 * DIM];
        table.gather(&bag(Pooling::Mean), &mut out).expect("fits");
        for cell in 0..DIM {
            let row = |id| table.row(id)[cell];
            let wanted = [
                (row(4) + 3.0 * row(1)) / 4.0,
                0.0,
                (2.0 * row(4) + 0.5 * row(8)) / 2.5,
            ];
            for (example, wanted) in wanted.into_iter().enumerate() {
                assert!((out[example * DIM + cell] - wanted).abs() < 1e-6);
            }
        }
        table.gather(&bag(Pooling::Sum), &mut out).expect("fits");
        assert!((out[0] - (table.row(4)[0] + 3.0 * table.row(1)[0])).abs() < 1e-6);
    }

    /// The gradient of each row, from differences of a function of what is gathered.
    #[test]
    fn a_step_goes_down_the_gradient_that_differences_say() {
        let upstream: Vec<f32> = (0..3 * DIM).map(|cell| (cell as f32 - 4.0) / 3.0).collect();
        let single = [8_u32, 0];
        let upstream_of_single: Vec<f32> = (0..2 * DIM).map(|cell| cell as f32 / 5.0).collect();
        for pooling in [Pooling::Sum, Pooling::Mean] {
            let before = table(RowOptimizer::Sgd);
            let value = |table: &EmbeddingTable| {
                let mut sum = 0.0;
                for (lookup, upstream) in [
                    (bag(pooling), &upstream),
                    (Lookup::single(&single), &upstream_of_single),
                ] {
                    let mut out = vec![0.0; upstream.len()];
                    table.gather(&lookup, &mut out).expect("fits");
                    sum += out
                        .iter()
                        .zip(upstream)
                        .map(|(a, b)| f64::from(a * b))
                        .sum::<f64>();
                }
                sum
            };
            let mut after = before.clone();
            let sources = [
                (bag(pooling), upstream.as_slice()),
                (Lookup::single(&single), upstream_of_single.as_slice()),
            ];
            after.step(&sources, 1.0).expect("fits");
            for cell in 0..before.rows.len() {
                let at = |by: f32| {
                    let mut moved = before.clone();
                    moved.rows[cell] += by;
                    value(&moved)
                };
                let slope = at(0.5) - at(-0.5);
                let gone = f64::from(before.rows[cell] - after.rows[cell]);
                assert!((slope - gone).abs() < 1e-5, "{pooling:?} {cell}: {slope} {gone}");
            }
        }
    }

    #[test]
    fn optimizers_move_the_rows_that_were_seen_as_defined_and_no_other() {
        let gradient = [3.0, 0.0, -4.0, 1.0, 1.0, 1.0];
        let ids = [2_u32, 2];
        // Row 2 gets the sum of both: 4, 1, -3.
        let sum = [4.0_f32, 1.0, -3.0];
        for optimizer in [RowOptimizer::Sgd, RowOptimizer::ADAGRAD, RowOptimizer::ADAM] {
            let before = table(optimizer);
            let mut after = before.clone();
            for _ in 0..2 {
                after
                    .step(&[(Lookup::single(&ids), &gradient)], 0.1)
                    .expect("fits");
            }
            let root = (26.0_f32 / 3.0).sqrt();
            for (cell, sum) in sum.into_iter().enumerate() {
                let gone = before.row(2)[cell] - after.row(2)[cell];
                let wanted = match optimizer {
                    RowOptimizer::Sgd => 0.2 * sum,
                    // Once over the root of the square, then over the root of twice as much.
                    RowOptimizer::Adagrad { .. } => 0.1 * sum / root * (1.0 + 0.5_f32.sqrt()),
                    // An even gradient is its own mean and root: two whole steps.
                    RowOptimizer::Adam { .. } => 0.2 * sum.signum(),
                };
                assert!((gone - wanted).abs() < 1e-4, "{optimizer:?}: {gone} for {wanted}");
            }
            for id in (0..9).filter(|&id| id != 2) {
                assert_eq!(
                    before.row(id),
                    after.row(id),
                    "{optimizer:?}: row {id} was not seen"
                );
            }
        }
    }

    #[test]
    fn a_table_that_grows_keeps_its_rows_and_is_the_one_that_was_made_so() {
        let mut grown = table(RowOptimizer::ADAM);
        grown
            .step(&[(Lookup::single(&[3]), &[1.0, 2.0, 3.0])], 0.1)
            .expect("fits");
        let before = grown.clone();
        grown.grow(20);
        assert_eq!(grown.rows[..9 * DIM], before.rows);
        assert_eq!(grown.state[..before.state.len()], before.state);
        let whole = EmbeddingTable::new(20, DIM, 0.5, RowOptimizer::ADAM, 7).expect("settings");
        assert_eq!(grown.rows[9 * DIM..], whole.rows[9 * DIM..]);
        grown.grow(5);
        assert_eq!(grown.n_rows(), 20, "never smaller");
    }

    proptest! {
        /// Many entries, cut into parts for any number of threads, are the entries one after the other.
        #[test]
        fn parts_change_nothing(
            ids in prop::collection::vec(0_u32..700, 0..3000),
            threads in 1_usize..4,
        ) {
            let mut table = EmbeddingTable::new(700, 1, 0.0, RowOptimizer::Sgd, 1).expect("settings");
            let gradient: Vec<f32> = (0..ids.len()).map(|entry| (entry % 7) as f32).collect();
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| table.step(&[(Lookup::single(&ids), &gradient)], 1.0)).expect("fits");
            let mut wanted = vec![0.0; 700];
            for (id, slope) in ids.iter().zip(&gradient) {
                wanted[*id as usize] -= slope;
            }
            prop_assert_eq!(table.rows(), &wanted);
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error_and_changes_nothing() {
        let mut table = table(RowOptimizer::ADAGRAD);
        let before = table.clone();
        let bad = [
            (Lookup::single(&[9]), vec![0.0; DIM]),
            (Lookup::single(&[1]), vec![0.0; 2]),
            (
                Lookup {
                    offsets: Some(&[0, 3, 4]),
                    weights: Some(&[1.0]),
                    ..bag(Pooling::Sum)
                },
                vec![0.0; 2 * DIM],
            ),
            (
                Lookup {
                    offsets: Some(&[0, 3, 2, 4]),
                    ..bag(Pooling::Sum)
                },
                vec![0.0; 3 * DIM],
            ),
            (
                Lookup {
                    offsets: Some(&[]),
                    ..bag(Pooling::Sum)
                },
                vec![],
            ),
        ];
        for (lookup, gradient) in bad {
            let good = (Lookup::single(&[0][..]), &[1.0; DIM][..]);
            let error = table
                .step(&[good, (lookup, &gradient)], 0.1)
                .expect_err("it does not fit");
            assert!(matches!(error, Error::Lookup { .. }), "{error}");
            assert!(table == before);
        }
        assert!(EmbeddingTable::new(1, 0, 0.1, RowOptimizer::Sgd, 0).is_err());
        assert!(EmbeddingTable::new(1, 1, f32::NAN, RowOptimizer::Sgd, 0).is_err());
    }
}
