//! What an ingredient is for, as a number for each case, and differences of two models over the same cases.

use catchment_models::airbnb::TypeVectors;
use catchment_models::sgns::{ItemVectors, SgnsModel};
use catchment_schema::ItemIdx;
use rayon::prelude::*;

use crate::world::{Search, World};

/// How two items are compared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    /// Input vectors, by cosine.
    Cosine,
    /// The input vector of the first against the output vector of the second.
    Likelihood,
}

/// Vectors of a model in both forms.
pub(crate) struct Vectors {
    dim: usize,
    directions: Vec<f32>,
    output: Vec<f32>,
}

impl Vectors {
    pub(crate) fn new(model: &SgnsModel) -> Result<Self, catchment_models::Error> {
        Ok(Self {
            dim: model.dim,
            directions: ItemVectors::new(model.input.clone(), model.dim)?
                .vectors()
                .to_vec(),
            output: model.output.clone(),
        })
    }

    fn row(table: &[f32], item: ItemIdx, dim: usize) -> &[f32] {
        &table[item.index() * dim..][..dim]
    }

    pub(crate) fn is_known(&self, item: ItemIdx) -> bool {
        Self::row(&self.directions, item, self.dim)
            .iter()
            .any(|&x| x != 0.0)
    }

    pub(crate) fn score(&self, from: ItemIdx, to: ItemIdx, by: By) -> f32 {
        let to_table = match by {
            By::Cosine => &self.directions,
            By::Likelihood => &self.output,
        };
        let (from, to) = (
            Self::row(&self.directions, from, self.dim),
            Self::row(to_table, to, self.dim),
        );
        from.iter().zip(to).map(|(a, b)| a * b).sum()
    }

    /// The part of `others` that scores below `to`, ties by half: 1 is best, ½ is chance.
    pub(crate) fn above(&self, from: ItemIdx, to: ItemIdx, others: &[ItemIdx], by: By) -> Option<f64> {
        let score = self.score(from, to, by);
        let (mut below, mut n) = (0.0, 0.0);
        for &other in others
            .iter()
            .filter(|&&other| other != to && other != from && self.is_known(other))
        {
            let found = self.score(from, other, by);
            below += if found < score {
                1.0
            } else if found > score {
                0.0
            } else {
                0.5
            };
            n += 1.0;
        }
        (n > 0.0).then(|| below / n)
    }
}

/// A mean over cases with its 95 % interval.
pub(crate) fn interval(cases: &[f64]) -> (f64, f64) {
    let n = cases.len().max(2) as f64;
    let mean = cases.iter().sum::<f64>() / n;
    let variance = cases.iter().map(|case| (case - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, 1.96 * (variance / n).sqrt())
}

fn searches(world: &World, is_test: impl Fn(usize) -> bool) -> Vec<&Search> {
    let users = world.searches.iter().enumerate();
    users
        .filter(|(user, _)| is_test(*user))
        .flat_map(|(_, searches)| searches)
        .collect()
}

/// For each held-out search: how well a look is told from the rest of its market by the look before it.
pub(crate) fn within_market(
    world: &World,
    vectors: &Vectors,
    is_test: impl Fn(usize) -> bool,
    by: By,
) -> Vec<f64> {
    let one = |search: &&Search| {
        let cases: Vec<f64> = search
            .looks
            .windows(2)
            .filter(|pair| pair[0] != pair[1] && pair.iter().all(|&item| !world.is_cold[item.index()]))
            .filter_map(|pair| {
                let market = &world.of_market[world.markets[pair[1].index()] as usize];
                vectors.above(pair[0], pair[1], market, by)
            })
            .collect();
        cases.iter().sum::<f64>() / (cases.len().max(1)) as f64
    };
    searches(world, is_test).par_iter().map(one).collect()
}

/// For each held-out search that ended in a booking: how well the booked listing is told from the rest of its market by a
/// look. `early`: by the first looks, out of reach of any window; else by the last one.
pub(crate) fn booked(
    world: &World,
    vectors: &Vectors,
    is_test: impl Fn(usize) -> bool,
    early: bool,
    by: By,
) -> Vec<f64> {
    let one = |search: &&Search| {
        let booked = search.booked.filter(|item| !world.is_cold[item.index()])?;
        if early && search.looks.len() < 8 {
            return None;
        }
        let looks = if early {
            &search.looks[..search.looks.len() - 6]
        } else {
            &search.looks[search.looks.len() - 1..]
        };
        let market = &world.of_market[world.markets[booked.index()] as usize];
        let cases: Vec<f64> = looks
            .iter()
            .filter(|&&look| look != booked && vectors.is_known(look))
            .filter_map(|&look| vectors.above(look, booked, market, by))
            .collect();
        Some(if cases.is_empty() {
            0.5
        } else {
            cases.iter().sum::<f64>() / cases.len() as f64
        })
    };
    searches(world, is_test).par_iter().filter_map(one).collect()
}

/// For each held-out look at a cold listing: whether it is among the `k` best of the whole city, as the look before or
/// after it asks.
pub(crate) fn cold(world: &World, vectors: &Vectors, is_test: impl Fn(usize) -> bool, k: usize) -> Vec<f64> {
    let pairs: Vec<[ItemIdx; 2]> = searches(world, is_test)
        .iter()
        .flat_map(|search| search.looks.windows(2))
        .flat_map(|pair| [[pair[0], pair[1]], [pair[1], pair[0]]])
        .filter(|[from, to]| !world.is_cold[from.index()] && world.is_cold[to.index()])
        .collect();
    let one = |&[from, to]: &[ItemIdx; 2]| {
        if !vectors.is_known(to) {
            return 0.0;
        }
        let score = vectors.score(from, to, By::Cosine);
        let better = (0..world.listings.len())
            .map(ItemIdx::from_index)
            .filter(|&other| other != from && vectors.score(from, other, By::Cosine) > score)
            .take(k)
            .count();
        f64::from(u8::from(better < k))
    };
    // One case in so many is enough for an interval.
    let step = pairs.len().div_ceil(4000).max(1);
    pairs.par_iter().step_by(step).map(one).collect()
}

/// For each held-out booking: how well the kind of listing that was booked is told from all others by the kind of guest.
pub(crate) fn booked_type(
    bookings: &[[String; 2]],
    kinds: &[String],
    score: impl Fn(&str, &str) -> f32 + Sync,
) -> Vec<f64> {
    let one = |[guest, listing]: &[String; 2]| {
        let mine = score(guest, listing);
        let found = kinds.iter().filter(|kind| *kind != listing).map(|kind| {
            let other = score(guest, kind);
            if other < mine {
                1.0
            } else if other > mine {
                0.0
            } else {
                0.5
            }
        });
        found.sum::<f64>() / (kinds.len().max(2) - 1) as f64
    };
    bookings.par_iter().map(one).collect()
}

/// The cosine of each pair of kinds; 0 where one is unknown.
pub(crate) fn cosines(pairs: &[[String; 2]], vectors: &TypeVectors) -> Vec<f64> {
    pairs
        .iter()
        .map(|[guest, listing]| f64::from(vectors.similarity(guest, listing).unwrap_or(0.0)))
        .collect()
}
