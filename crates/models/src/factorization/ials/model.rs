//! What iALS learns.

use super::{IalsConfig, IalsEncoder};
use crate::Result;

/// A vector for each user and each item; the score of a pair is their inner product.
#[derive(Clone, Debug, PartialEq)]
pub struct IalsModel {
    /// The settings that it was fitted with.
    pub config: IalsConfig,
    /// Width of the vectors.
    pub dim: usize,
    /// How many users there are.
    pub n_users: usize,
    /// How many items there are.
    pub n_items: usize,
    /// `[n_users, dim]`, row-major; zero for a user without an item.
    pub user_vectors: Vec<f32>,
    /// `[n_items, dim]`, row-major; zero for an item without a user.
    pub item_vectors: Vec<f32>,
    /// How many sweeps were done; fewer than the settings say where the training was stopped.
    pub sweeps: u32,
}

impl IalsModel {
    /// The vector of a user.
    ///
    /// # Panics
    /// When `user` is not below `n_users`.
    pub fn user(&self, user: usize) -> &[f32] {
        &self.user_vectors[user * self.dim..(user + 1) * self.dim]
    }

    /// The vector of an item.
    ///
    /// # Panics
    /// When `item` is not below `n_items`.
    pub fn item(&self, item: usize) -> &[f32] {
        &self.item_vectors[item * self.dim..(item + 1) * self.dim]
    }

    /// What serving needs of it: folds a history in.
    ///
    /// # Errors
    /// [`crate::Error::Diverged`] when the vectors are not finite.
    pub fn encoder(&self) -> Result<IalsEncoder> {
        IalsEncoder::new(&self.item_vectors, &self.config)
    }
}
