//! What each user's list scored, kept.

use xxhash_rust::xxh3::xxh3_128;

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

    /// Only those users for whom `keep` holds, by their position. What is left can be paired with what the same `keep`
    /// left of another.
    ///
    /// # Errors
    /// [`Error::Shape`] when `keep` is not of one value a user.
    pub fn only(&self, keep: &[bool]) -> Result<Self, Error> {
        if keep.len() != self.n_users() {
            return Err(Error::Shape {
                what: "users to keep",
                reason: format!("{} for {} users", keep.len(), self.n_users()),
            });
        }
        let rows = self.values.chunks_exact(self.names.len()).zip(keep);
        let kept = rows.filter(|(_, kept)| **kept).flat_map(|(row, _)| row);
        let bytes: Vec<u8> = keep.iter().map(|&kept| u8::from(kept)).collect();
        Ok(Self {
            names: self.names.clone(),
            values: kept.copied().collect(),
            truth: self.truth ^ xxh3_128(&bytes),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_that_kept_the_same_users_are_paired() {
        let of = |values: [f32; 3]| {
            PerUser::new(vec!["recall@1".to_owned()], values.to_vec(), 7).expect("one column")
        };
        let (ours, theirs) = (of([1.0, 0.0, 0.5]), of([0.0, 0.0, 0.25]));
        let keep = [true, false, true];
        let ours = ours.only(&keep).expect("one value a user");
        let differences = ours.minus(&theirs.only(&keep).expect("one value a user"));
        assert_eq!(differences.expect("paired"), [1.0, 0.25]);
        let others = theirs.only(&[true, true, false]).expect("one value a user");
        assert!(matches!(ours.minus(&others), Err(Error::NotPaired { .. })));
        assert!(theirs.only(&keep[..2]).is_err());
    }
}
