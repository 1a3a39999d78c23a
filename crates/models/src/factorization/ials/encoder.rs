//! What serving needs of iALS: a history goes in, a user's vector comes out.

#![allow(
    clippy::inline_always,
    reason = "vector instructions reach only what is inlined into the function that was dispatched to"
)]

use std::path::Path;

use catchment_schema::{ItemIdx, Vocabulary};
use pulp::{Arch, Simd, WithSimd};

use super::eigenbasis::Eigenbasis;
use super::factors::Factors;
use super::row_solver::{FixedSide, Row, RowSolver};
use super::{IalsConfig, export};
use crate::dense::{dots_with, padded};
use crate::{Error, Result};

/// Folds a history in: solves one user's row against the items, which stay as they are.
///
/// It holds the items in the eigenbasis of their Gramian and turns the result back, so that the vectors belong to the
/// space of [`IalsModel::item_vectors`](super::IalsModel::item_vectors).
#[derive(Clone, Debug)]
pub struct IalsEncoder {
    config: IalsConfig,
    n_items: usize,
    items: Factors,
    eigenvalues: Vec<f32>,
    /// `Q`, `[dim padded to a multiple of 4, stride]`, row-major.
    rotation: Vec<f32>,
}

/// Buffers of one thread, reused from history to history.
#[derive(Debug, Default)]
pub struct FoldInScratch {
    distinct: Vec<u32>,
    solver: RowSolver,
    vector: Vec<f32>,
}

impl IalsEncoder {
    /// Of item vectors, `[n_items, config.dim]`.
    ///
    /// # Errors
    /// [`Error::Config`]; [`Error::WrongLength`]; [`Error::Diverged`] when a value is not finite.
    pub fn new(item_vectors: &[f32], config: &IalsConfig) -> Result<Self> {
        config.validate()?;
        let dim = config.dim;
        if !item_vectors.len().is_multiple_of(dim) {
            let expected = item_vectors.len().next_multiple_of(dim);
            return Err(Error::WrongLength {
                what: "item_vectors",
                expected,
                found: item_vectors.len(),
            });
        }
        let mut items = Factors::from_rows(item_vectors, dim);
        let gramian = items.gramian();
        let basis = Eigenbasis::turn(&mut items, &gramian)?;
        let stride = items.stride;
        let mut rotation = vec![0.0; padded(dim) * stride];
        for i in 0..dim {
            for j in 0..dim {
                rotation[i * stride + j] = basis.rotation[(i, j)];
            }
        }
        Ok(Self {
            config: config.clone(),
            n_items: item_vectors.len() / dim,
            items,
            eigenvalues: basis.eigenvalues,
            rotation,
        })
    }

    /// Reads what [`export::write_encoder`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] for files that are missing, damaged, or belong to another vocabulary; [`Error::Config`].
    pub fn open(folder: impl AsRef<Path>, items: &Vocabulary) -> Result<Self> {
        let (vectors, config) = export::read_encoder(folder.as_ref(), items)?;
        Self::new(&vectors, &config)
    }

    /// Width of the vectors.
    pub fn dim(&self) -> usize {
        self.config.dim
    }

    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// The settings of the model.
    pub fn config(&self) -> &IalsConfig {
        &self.config
    }

    /// The cosine of two items' vectors; 0 where one is not known or has no length.
    pub fn cosine(&self, one: ItemIdx, other: ItemIdx) -> f64 {
        let stride = self.items.stride;
        let row = |item: ItemIdx| {
            let known = item.index() < self.n_items;
            known.then(|| &self.items.values[item.index() * stride..(item.index() + 1) * stride])
        };
        let (Some(one), Some(other)) = (row(one), row(other)) else {
            return 0.0;
        };
        let dot = |a: &[f32], b: &[f32]| -> f64 { a.iter().zip(b).map(|(a, b)| f64::from(a * b)).sum() };
        let lengths = (dot(one, one) * dot(other, other)).sqrt();
        if lengths > 0.0 {
            dot(one, other) / lengths
        } else {
            0.0
        }
    }

    /// The vector of a user with this history: as if the model had been fitted with them, the items held still.
    /// An item counts once, the order does not matter, and items that the model does not know are passed over.
    ///
    /// # Shapes
    /// `out`: `[dim]`, overwritten.
    ///
    /// # Errors
    /// [`Error::NothingToFoldIn`] when no item is known, [`Error::WrongLength`].
    pub fn fold_in(&self, history: impl IntoIterator<Item = ItemIdx>, out: &mut [f32]) -> Result<()> {
        self.fold_in_with(history, &mut FoldInScratch::default(), out)
    }

    /// As [`IalsEncoder::fold_in`], without allocating where the scratch is large enough already.
    ///
    /// # Errors
    /// As [`IalsEncoder::fold_in`].
    pub fn fold_in_with(
        &self,
        history: impl IntoIterator<Item = ItemIdx>,
        scratch: &mut FoldInScratch,
        out: &mut [f32],
    ) -> Result<()> {
        let mut distinct = std::mem::take(&mut scratch.distinct);
        distinct.clear();
        distinct.extend(
            history
                .into_iter()
                .filter(|item| item.index() < self.n_items)
                .map(|item| item.0),
        );
        distinct.sort_unstable();
        distinct.dedup();
        let result = self.fold_in_sorted(&distinct, scratch, out);
        scratch.distinct = distinct;
        result
    }

    /// `items`: rising, known.
    pub(super) fn fold_in_sorted(
        &self,
        items: &[u32],
        scratch: &mut FoldInScratch,
        out: &mut [f32],
    ) -> Result<()> {
        let dim = self.dim();
        if out.len() != dim {
            return Err(Error::WrongLength {
                what: "out",
                expected: dim,
                found: out.len(),
            });
        }
        if items.is_empty() {
            return Err(Error::NothingToFoldIn);
        }
        let FoldInScratch { solver, vector, .. } = scratch;
        vector.clear();
        vector.resize(self.items.stride, 0.0);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "rounding to single precision is meant"
        )]
        let alpha0 = self.config.alpha0 as f32;
        let fixed = FixedSide {
            factors: &self.items,
            eigenvalues: &self.eigenvalues,
            alpha0,
        };
        let ridge = self.config.ridge(items.len(), self.n_items);
        let row = Row {
            fixed,
            columns: items,
            ridge,
        };
        if !solver.solve(row, vector) {
            return Err(Error::Diverged { model: "iALS" });
        }
        Arch::new().dispatch(TurnBack {
            rotation: &self.rotation,
            vector,
            out,
        });
        Ok(())
    }
}

/// `out = Q · vector`.
struct TurnBack<'a> {
    rotation: &'a [f32],
    vector: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for TurnBack<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        dots_with(simd, self.vector, self.rotation, self.out);
    }
}
