//! Sums of runs of rows on a device, by gathers alone.
//!
//! A device adds rows that go to the same place one after the other, or in whatever order they come. Here each sum has a
//! place of its own: eight rows are gathered side by side and added, then eight of those sums, until each run has one. The
//! order is that of the run, whatever the device.

use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::{Error, Result};

/// Rows that are added in one go.
const FAN: usize = 8;

/// What is gathered for one round of sums.
#[derive(Clone, Debug, PartialEq)]
struct Round {
    /// `[sums × fan]`, rows of what the round before gave.
    ids: Vec<i32>,
    /// `[sums × fan]`: of each row; 0 where there is none.
    weights: Vec<f32>,
    fan: usize,
}

/// Sums of weighted rows, run by run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Runs {
    rounds: Vec<Round>,
}

impl Runs {
    /// The sums of `rows`, row and weight, of as many after the other as `lengths` says. An empty run is a sum of nothing: 0.
    ///
    /// # Errors
    /// [`Error::Lookup`] for a row beyond what a device counts to.
    pub(super) fn new(rows: &[(u32, f32)], lengths: &[usize]) -> Result<Self> {
        let mut rows: Vec<(i32, f32)> = rows
            .iter()
            .map(|&(row, weight)| Ok((to_i32(row as usize)?, weight)))
            .collect::<Result<_>>()?;
        let mut lengths = lengths.to_vec();
        let mut rounds = vec![];
        loop {
            let longest = lengths.iter().copied().max().unwrap_or(0);
            let is_last = longest <= FAN;
            let fan = longest.clamp(1, FAN);
            let mut round = Round {
                ids: vec![],
                weights: vec![],
                fan,
            };
            let mut rest = &rows[..];
            for length in &mut lengths {
                let run;
                (run, rest) = rest.split_at(*length);
                let n_sums = if is_last { 1 } else { run.len().div_ceil(fan) };
                round.ids.extend(run.iter().map(|(row, _)| row));
                round.weights.extend(run.iter().map(|(_, weight)| weight));
                let n_missing = n_sums * fan - run.len();
                round.ids.extend(std::iter::repeat_n(0, n_missing));
                round.weights.extend(std::iter::repeat_n(0.0, n_missing));
                *length = n_sums;
            }
            let n_sums = round.ids.len() / fan;
            rounds.push(round);
            if is_last {
                return Ok(Self { rounds });
            }
            rows = (0..n_sums)
                .map(|sum| Ok((to_i32(sum)?, 1.0)))
                .collect::<Result<_>>()?;
        }
    }

    /// `[runs × dim]` of `[rows × dim]`
    pub(super) fn sums(&self, rows: Tensor<2>, device: &Device) -> Tensor<2> {
        let [_, dim] = rows.dims();
        let mut sums = rows;
        for Round { ids, weights, fan } in &self.rounds {
            let (n, fan) = (ids.len(), *fan);
            let is_plain = weights.iter().all(|weight| weight.to_bits() == 1.0_f32.to_bits());
            sums = sums.select(0, ids_on(ids.clone(), device));
            if !is_plain {
                let weights = TensorData::new(weights.clone(), [n, 1]);
                sums = sums * Tensor::<2>::from_data(weights, device);
            }
            if fan > 1 {
                sums = sums
                    .reshape([n / fan, fan, dim])
                    .sum_dim(1)
                    .reshape([n / fan, dim]);
            }
        }
        sums
    }
}

/// Numbers of rows, as a device reads them.
pub(super) fn ids_on(ids: Vec<i32>, device: &Device) -> Tensor<1, Int> {
    let n = ids.len();
    Tensor::from_data(TensorData::new(ids, [n]), device)
}

pub(super) fn to_i32(row: usize) -> Result<i32> {
    i32::try_from(row).map_err(|_| Error::Lookup {
        reason: format!("row {row} is beyond what a device counts to"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        /// Of any lengths, none among them, the sums are those one after the other.
        #[test]
        fn sums_are_those_of_the_runs(
            lengths in prop::collection::vec(prop_oneof![0_usize..4, 0_usize..30, 60_usize..700], 1..6),
            seed in 0_u32..1000,
        ) {
            const ROWS: u32 = 37;
            let device = Device::flex();
            let numbers: Vec<f32> = (0..ROWS * 2).map(|cell| (cell % 11) as f32 - 5.0).collect();
            let n: usize = lengths.iter().sum();
            let rows: Vec<(u32, f32)> = (0..n)
                .zip(0_u32..)
                .map(|(place, count)| ((count * 31 + seed) % ROWS, (place % 3) as f32))
                .collect();
            let runs = Runs::new(&rows, &lengths).expect("few rows");
            let tensor = Tensor::<2>::from_data(TensorData::new(numbers.clone(), [ROWS as usize, 2]), &device);
            let found: Vec<f32> = runs.sums(tensor, &device).try_into_vec_as().expect("numbers");
            let mut wanted = vec![];
            let mut rest = &rows[..];
            for length in lengths {
                let run;
                (run, rest) = rest.split_at(length);
                for cell in 0..2 {
                    // Whole numbers: no order of the sum rounds them.
                    wanted.push(run.iter().map(|&(row, weight)| weight * numbers[row as usize * 2 + cell]).sum::<f32>());
                }
            }
            prop_assert_eq!(found, wanted);
        }
    }
}
