//! Draws in proportion to weights in constant time (Walker 1977; set up as Vose 1991).

use crate::stream::Stream;

/// One table for each cell, all in two arrays.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AliasTables {
    thresholds: Vec<f64>,
    aliases: Vec<u32>,
}

impl AliasTables {
    /// `offsets` cuts `weights` (all above 0) into cells; one more than there are cells.
    pub(crate) fn new(weights: &[f64], offsets: &[usize]) -> Self {
        let mut thresholds = vec![1.0; weights.len()];
        let mut aliases: Vec<u32> = (0..).take(weights.len()).collect();
        for cell in offsets.windows(2) {
            let (from, to) = (cell[0], cell[1]);
            let total: f64 = weights[from..to].iter().sum();
            let scale = (to - from) as f64 / total;
            for place in from..to {
                thresholds[place] = weights[place] * scale;
            }
            let (mut small, mut large): (Vec<_>, Vec<_>) =
                (from..to).partition(|&place| thresholds[place] < 1.0);
            while let (Some(&low), Some(&high)) = (small.last(), large.last()) {
                small.pop();
                aliases[low] = index(high);
                thresholds[high] -= 1.0 - thresholds[low];
                if thresholds[high] < 1.0 {
                    large.pop();
                    small.push(high);
                }
            }
            for place in small.into_iter().chain(large) {
                thresholds[place] = 1.0;
            }
        }
        Self { thresholds, aliases }
    }

    /// A place in `from..to`, which must be one of the cells.
    pub(crate) fn draw(&self, from: usize, to: usize, stream: &mut Stream) -> usize {
        let scaled = stream.uniform() * (to - from) as f64;
        let whole = crate::catalogue::whole(scaled) as usize;
        let place = (from + whole).min(to - 1);
        if scaled - (whole as f64) < self.thresholds[place] {
            place
        } else {
            self.aliases[place] as usize
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.thresholds) + size_of_val(&*self.aliases)
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::Purpose;

    #[test]
    fn draws_follow_the_weights_of_their_cell() {
        let weights = [1.0, 2.0, 3.0, 4.0, 100.0, 0.5, 0.25, 0.25];
        let offsets = [0, 4, 5, 8];
        let tables = AliasTables::new(&weights, &offsets);
        let mut stream = Stream::new(1, Purpose::Walk, 0);
        for cell in offsets.windows(2) {
            let (from, to) = (cell[0], cell[1]);
            let total: f64 = weights[from..to].iter().sum();
            let mut counts = [0.0; 8];
            for _ in 0..100_000 {
                counts[tables.draw(from, to, &mut stream)] += 1.0;
            }
            for place in 0..8 {
                let inside = (from..to).contains(&place);
                let expected = if inside { weights[place] / total } else { 0.0 };
                // Four standard deviations.
                let tolerance = 4.0 * (expected * (1.0 - expected) / 100_000.0).sqrt() + 1e-12;
                assert!(
                    (counts[place] / 100_000.0 - expected).abs() < tolerance,
                    "{counts:?}"
                );
            }
        }
    }
}
