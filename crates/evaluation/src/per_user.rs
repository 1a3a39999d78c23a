//! What each user's list scored, kept.

use crate::Error;

/// Every metric of every user, in 4 bytes each: what intervals, paired tests and segments of users are made of.
#[derive(Clone, Debug, PartialEq)]
pub struct PerUser {
    names: Vec<String>,
    values: Vec<f32>,
    truth: u128,
}

impl PerUser {
    /// # Shapes
    /// `values`: `[n_users, names]`, row-major, users in the order of the truth. `truth`:
    /// [`crate::GroundTruth::identity`].
    ///
    /// # Errors
    /// [`Error::Shape`] when the rows are ragged.
    pub fn new(names: Vec<String>, values: Vec<f32>, truth: u128) -> Result<Self, Error> {
        if names.is_empty() || !values.len().is_multiple_of(names.len()) {
            return Err(Error::Shape {
                what: "values by user",
                reason: format!("{} values are no rows of {}", values.len(), names.len()),
            });
        }
        Ok(Self { names, values, truth })
    }

    /// The metrics, `recall@10` first, in the order of a row.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How many users there are.
    pub fn n_users(&self) -> usize {
        self.values.len() / self.names.len()
    }

    /// The user at `position` of the truth.
    ///
    /// # Panics
    /// When `position` is at or beyond [`PerUser::n_users`].
    pub fn row(&self, position: usize) -> &[f32] {
        &self.values[position * self.names.len()..][..self.names.len()]
    }

    /// All rows, `[n_users, names]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// This minus `other`, user by user.
    ///
    /// # Errors
    /// [`Error::NotPaired`] when the truths or the metrics differ.
    pub fn minus(&self, other: &Self) -> Result<Vec<f32>, Error> {
        let refuse = |reason: &str| {
            Err(Error::NotPaired {
                reason: reason.to_owned(),
            })
        };
        if self.truth != other.truth || self.values.len() != other.values.len() {
            return refuse("their held-out items differ");
        }
        if self.names != other.names {
            return refuse("their metrics differ");
        }
        Ok(self
            .values
            .iter()
            .zip(&other.values)
            .map(|(ours, theirs)| ours - theirs)
            .collect())
    }
}
