//! What serving needs: directions of items, and one for a history.

use std::path::Path;

use catchment_schema::{Embeddings, Error as FileError, ItemIdx, Metric, Vocabulary};

use super::SgnsModel;
use crate::{Error, Result};

/// The input vectors in a folder that [`SgnsModel::save`] wrote; what an index is built from.
pub const ITEMS_FILE: &str = "items.parquet";
/// The output vectors in a folder that [`SgnsModel::save`] wrote.
pub const OUTPUT_FILE: &str = "output.parquet";

impl SgnsModel {
    /// Writes both tables; `model` is the kind of the channel, and `run` says which run made them.
    ///
    /// # Errors
    /// [`Error::WrongLength`] when the vocabulary is not the one that the model was fitted with; [`Error::File`].
    pub fn save(&self, folder: impl AsRef<Path>, items: &Vocabulary, model: &str, run: &str) -> Result<()> {
        let folder = folder.as_ref();
        self.item_embeddings(items, model, run)?
            .write(folder.join(ITEMS_FILE))?;
        self.output_embeddings(items, model, run)?
            .write(folder.join(OUTPUT_FILE))?;
        Ok(())
    }
}

/// Directions of items: vectors of length 1, or 0 for an item that was in no session.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemVectors {
    dim: usize,
    vectors: Vec<f32>,
}

impl ItemVectors {
    /// Of vectors of any length, `[n_items, dim]`.
    ///
    /// # Errors
    /// [`Error::WrongLength`]; [`Error::Diverged`] when a value is not finite.
    pub fn new(mut vectors: Vec<f32>, dim: usize) -> Result<Self> {
        if dim == 0 || !vectors.len().is_multiple_of(dim) {
            return Err(Error::WrongLength {
                what: "vectors",
                expected: vectors.len().next_multiple_of(dim.max(1)),
                found: vectors.len(),
            });
        }
        if !vectors.iter().all(|x| x.is_finite()) {
            return Err(Error::Diverged { model: "sgns" });
        }
        vectors.chunks_exact_mut(dim).for_each(normalise);
        Ok(Self { dim, vectors })
    }

    /// Reads the input vectors that [`SgnsModel::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] for a file that is missing, damaged, or of another vocabulary.
    pub fn open(folder: impl AsRef<Path>, items: &Vocabulary) -> Result<Self> {
        let path = folder.as_ref().join(ITEMS_FILE);
        let table = Embeddings::read(&path)?;
        if table.ids != items.ids() || table.meta.metric != Metric::Cosine {
            return Err(FileError::Inconsistent {
                path,
                reason: "its ids are not those of the item vocabulary, or it has no directions".to_owned(),
            }
            .into());
        }
        Self::new(table.vectors, table.dim)
    }

    /// The output vectors that [`SgnsModel::save`] wrote beside these, `[n_items, dim]`, as they are.
    ///
    /// # Errors
    /// As [`ItemVectors::open`]; [`Error::File`] also where they are of another width.
    pub fn open_output(&self, folder: impl AsRef<Path>, items: &Vocabulary) -> Result<Vec<f32>> {
        let path = folder.as_ref().join(OUTPUT_FILE);
        let table = Embeddings::read(&path)?;
        if table.ids != items.ids() || table.dim != self.dim {
            return Err(FileError::Inconsistent {
                path,
                reason: format!(
                    "its ids are not those of the item vocabulary, or its vectors are not {} wide, as the input vectors \
                     are",
                    self.dim
                ),
            }
            .into());
        }
        Ok(table.vectors)
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many items there are.
    pub fn n_items(&self) -> usize {
        self.vectors.len() / self.dim
    }

    /// `[n_items, dim]`.
    pub fn vectors(&self) -> &[f32] {
        &self.vectors
    }

    /// The cosine of two items; 0 where one is not known or was in no session.
    pub fn cosine(&self, one: ItemIdx, other: ItemIdx) -> f64 {
        let row = |item: ItemIdx| {
            self.vectors
                .get(item.index() * self.dim..(item.index() + 1) * self.dim)
        };
        match (row(one), row(other)) {
            (Some(one), Some(other)) => one.iter().zip(other).map(|(a, b)| f64::from(a * b)).sum(),
            _ => 0.0,
        }
    }

    /// The direction of the weighted mean of some items; items that are not known, or were in no session, are passed
    /// over.
    ///
    /// # Shapes
    /// `out`: `[dim]`, overwritten; of length 1.
    ///
    /// # Errors
    /// [`Error::NothingToFoldIn`] where nothing is left, or all of it cancels out; [`Error::WrongLength`].
    pub fn pool(&self, items: impl IntoIterator<Item = (ItemIdx, f64)>, out: &mut [f32]) -> Result<()> {
        if out.len() != self.dim {
            return Err(Error::WrongLength {
                what: "out",
                expected: self.dim,
                found: out.len(),
            });
        }
        let mut sum = vec![0.0_f64; self.dim];
        for (item, weight) in items
            .into_iter()
            .filter(|(item, _)| item.index() < self.n_items())
        {
            let vector = &self.vectors[item.index() * self.dim..(item.index() + 1) * self.dim];
            for (sum, x) in sum.iter_mut().zip(vector) {
                *sum += weight * f64::from(*x);
            }
        }
        let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
        if norm < 1e-12 {
            return Err(Error::NothingToFoldIn);
        }
        for (out, x) in out.iter_mut().zip(sum) {
            #[expect(clippy::cast_possible_truncation, reason = "vectors are f32")]
            {
                *out = (x / norm) as f32;
            }
        }
        Ok(())
    }
}

/// To length 1; zero stays zero.
pub(crate) fn normalise(vector: &mut [f32]) {
    let norm = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "vectors are f32")]
        for x in vector {
            *x = (f64::from(*x) / norm) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_is_the_weighted_mean_of_directions() {
        let vectors = ItemVectors::new(vec![3.0, 0.0, 0.0, 0.5, 0.0, 0.0], 2).expect("vectors");
        let pool = |items: &[(u32, f64)]| {
            let mut out = [9.0; 2];
            let items = items.iter().map(|&(item, weight)| (ItemIdx(item), weight));
            vectors.pool(items, &mut out).map(|()| out)
        };
        let [x, y] = pool(&[(0, 1.0), (1, 1.0), (2, 5.0), (77, 1.0)]).expect("known items");
        assert!((x - y).abs() < 1e-6 && (x * x + y * y - 1.0).abs() < 1e-6);
        let [x, y] = pool(&[(0, 4.0), (1, 3.0)]).expect("known items");
        assert!((x - 0.8).abs() < 1e-6 && (y - 0.6).abs() < 1e-6);
        assert!(matches!(
            pool(&[(2, 1.0), (77, 1.0)]),
            Err(Error::NothingToFoldIn)
        ));
        assert!(matches!(pool(&[]), Err(Error::NothingToFoldIn)));
        assert!((vectors.cosine(ItemIdx(0), ItemIdx(0)) - 1.0).abs() < 1e-6);
        assert!(vectors.cosine(ItemIdx(0), ItemIdx(1)).abs() < 1e-6);
        assert!(vectors.cosine(ItemIdx(0), ItemIdx(77)).abs() < 1e-12);
    }

    #[test]
    fn output_vectors_are_as_wide_as_the_input_vectors() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let items = Vocabulary::from_counts([("a", 2), ("b", 1)]);
        let model = SgnsModel {
            dim: 2,
            input: vec![1.0; 4],
            output: vec![2.0; 4],
            ..SgnsModel::default()
        };
        model
            .save(folder.path(), &items, "item2vec", "run")
            .expect("written");
        let vectors = ItemVectors::open(folder.path(), &items).expect("read");
        assert_eq!(
            vectors.open_output(folder.path(), &items).expect("read"),
            [2.0; 4]
        );
        let narrow = ItemVectors::new(vec![1.0; 2], 1).expect("vectors");
        let refused = narrow.open_output(folder.path(), &items).expect_err("refused");
        assert!(refused.to_string().contains("not 1 wide"), "{refused}");
    }

    #[test]
    fn vectors_that_are_none_are_refused() {
        assert!(matches!(
            ItemVectors::new(vec![1.0; 3], 2),
            Err(Error::WrongLength { .. })
        ));
        assert!(matches!(
            ItemVectors::new(vec![], 0),
            Err(Error::WrongLength { .. })
        ));
        assert!(matches!(
            ItemVectors::new(vec![f32::NAN], 1),
            Err(Error::Diverged { .. })
        ));
    }
}
