//! What both sides learn from.

use std::path::Path;

use catchment_sampling::{LogUniform, Proposal};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{Failure, Settings, numbers};

/// All batches, one after the other.
pub(crate) struct Batches {
    /// `[batches × batch]`
    pub(crate) users: Vec<u32>,
    /// `[batches × batch]`
    pub(crate) labels: Vec<u32>,
    /// `[batches × batch]`: of the histories.
    pub(crate) lengths: Vec<u32>,
    /// The histories, one after the other.
    pub(crate) history: Vec<u32>,
    /// `[batches × negatives]`
    pub(crate) negatives: Vec<u32>,
}

const FILES: [&str; 5] = ["users", "labels", "lengths", "history", "negatives"];

impl Batches {
    /// Items as popular as Zipf's law has it, by their number; users all alike.
    pub(crate) fn draw(settings: &Settings) -> Result<Self, Failure> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut zipf = LogUniform::new(settings.items)?;
        let n = settings.batches * settings.batch;
        let longest = u32::try_from(settings.history)?;
        let lengths: Vec<u32> = (0..n).map(|_| rng.random_range(1..=longest)).collect();
        let users = (0..n).map(|_| rng.random_range(0..settings.users.max(1)));
        let users = users.collect();
        let mut items =
            |n: usize| -> Vec<u32> { zipf.draw(n, &mut rng).ids().iter().map(|item| item.0).collect() };
        Ok(Self {
            users,
            labels: items(n),
            history: items(lengths.iter().sum::<u32>() as usize),
            negatives: items(settings.batches * settings.negatives),
            lengths,
        })
    }

    /// Into files that both sides read.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let parts = [
            &self.users,
            &self.labels,
            &self.lengths,
            &self.history,
            &self.negatives,
        ];
        for (name, part) in FILES.into_iter().zip(parts) {
            numbers::write(&folder.join(format!("{name}.u32")), part, u32::to_le_bytes)?;
        }
        Ok(())
    }

    /// Out of them.
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        let [users, labels, lengths, history, negatives] =
            FILES.map(|name| numbers::read(&folder.join(format!("{name}.u32"))));
        Ok(Self {
            users: users?,
            labels: labels?,
            lengths: lengths?,
            history: history?,
            negatives: negatives?,
        })
    }
}
