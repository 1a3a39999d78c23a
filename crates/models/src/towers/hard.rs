//! Negatives that the model itself ranks high.

use catchment_sampling::{Candidates, RankWindow};
use catchment_schema::ItemIdx;
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;

use super::plan::HardNegatives;
use super::product::{Rows, times_transposed};
use crate::{Error, Result};

/// Ranks all items by the vectors that they had a while ago, and draws from a stretch of the ranks.
pub(crate) struct Miner {
    config: HardNegatives,
    window: RankWindow,
    /// `[n_items × width]`: as they were when they were last looked up.
    items: Vec<f32>,
    width: usize,
    steps_left: usize,
    /// `[rows × n_items]`, to be written over.
    scores: Vec<f32>,
}

impl Miner {
    pub(crate) fn new(config: HardNegatives) -> Result<Self> {
        let [from, to] = config.ranks;
        Ok(Self {
            config,
            window: RankWindow::new(from, to, config.n).map_err(Error::Sampling)?,
            items: vec![],
            width: 0,
            steps_left: 0,
            scores: vec![],
        })
    }

    pub(crate) fn weight(&self) -> f32 {
        self.config.weight
    }

    /// Whether the vectors are too old for another step.
    pub(crate) fn is_stale(&self) -> bool {
        self.steps_left == 0
    }

    /// So that the next step looks the vectors up: a training that goes on has no old ones.
    pub(crate) fn forget(&mut self) {
        self.steps_left = 0;
    }

    /// Takes the vectors as they are now.
    pub(crate) fn refresh(&mut self, items: Vec<f32>, width: usize) {
        (self.items, self.width) = (items, width);
        self.steps_left = self.config.refresh;
    }

    /// Of each row, one after the other. `users`: `[rows × width]`.
    pub(crate) fn draw(&mut self, users: &[f32], rng: &mut Xoshiro256PlusPlus) -> Result<Candidates> {
        let width = self.width;
        self.steps_left = self.steps_left.saturating_sub(1);
        let (users, items) = (Rows::new(users, width), Rows::new(&self.items, width));
        self.scores.resize(users.n_rows() * items.n_rows(), 0.0);
        times_transposed(users, items, &mut self.scores);
        let ranked: Vec<Vec<ItemIdx>> = self
            .scores
            .par_chunks_exact(items.n_rows())
            .map_init(Vec::new, |order, scores| best(scores, self.window.depth(), order))
            .collect();
        let mut all: Option<Candidates> = None;
        for ranked in &ranked {
            let of_row = self.window.draw(ranked, rng).map_err(Error::Sampling)?;
            all = Some(match all {
                None => of_row,
                Some(all) => all.followed_by(&of_row),
            });
        }
        all.ok_or(Error::NoInteractions)
    }
}

/// The best `k`, the best first, of equal ones the first.
fn best(scores: &[f32], k: usize, order: &mut Vec<u32>) -> Vec<ItemIdx> {
    let by_score = |a: &u32, b: &u32| {
        let (x, y) = (scores[*a as usize], scores[*b as usize]);
        y.total_cmp(&x).then(a.cmp(b))
    };
    order.clear();
    order.extend((0..).take(scores.len()));
    let k = k.min(order.len());
    if k < order.len() {
        order.select_nth_unstable_by(k, by_score);
    }
    order[..k].sort_unstable_by(by_score);
    order[..k].iter().map(|&item| ItemIdx(item)).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    #[test]
    fn ranks_fall_and_ties_go_by_item() {
        let mut order = vec![];
        let ids = |k, order: &mut Vec<u32>| -> Vec<u32> {
            best(&[0.5, 2.0, 0.5, -1.0, 2.0], k, order)
                .iter()
                .map(|item| item.0)
                .collect()
        };
        assert_eq!(ids(3, &mut order), [1, 4, 0]);
        assert_eq!(ids(9, &mut order), [1, 4, 0, 2, 3]);
    }

    /// A user in the direction of rising items gets those of the ranks that were asked for, by vectors that stay as they were.
    #[test]
    fn what_is_drawn_lies_in_the_ranks() {
        let config = HardNegatives {
            n: 3,
            ranks: [2, 4],
            refresh: 2,
            weight: 1.0,
        };
        let mut miner = Miner::new(config).expect("a miner");
        assert!(miner.is_stale());
        // Item i is i in the first dimension and -i in the second.
        let items: Vec<f32> = (0..10_i16).flat_map(|i| [f32::from(i), -f32::from(i)]).collect();
        miner.refresh(items, 2);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let drawn = miner.draw(&[1.0, 0.0, 0.0, 1.0], &mut rng).expect("drawn");
        let ids: Vec<u32> = drawn.ids().iter().map(|item| item.0).collect();
        assert!(ids[..3].iter().all(|id| [7, 6].contains(id)), "{ids:?}");
        assert!(ids[3..].iter().all(|id| [2, 3].contains(id)), "{ids:?}");
        assert!((drawn.log_expected_count()[0].exp() - 1.5).abs() < 1e-6);
        assert!(!miner.is_stale());
        miner.draw(&[1.0, 0.0], &mut rng).expect("drawn");
        assert!(miner.is_stale(), "after two steps");
    }
}
