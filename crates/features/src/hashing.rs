//! Words to ids by hash alone, with several hash functions.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::bag_row::BagRow;
use crate::config::HashConfig;
use crate::fingerprint::StateHash;

/// Hash function number `j` is XXH3-64 with the seed `j`; the id is the hash modulo `buckets`, and with signs the
/// weight is −1 where the hash's highest bit is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HashRule {
    pub(crate) buckets: u32,
    hashes: u32,
    signed: bool,
}

impl HashRule {
    pub(crate) fn of(config: &HashConfig) -> Self {
        Self {
            buckets: config.buckets,
            hashes: config.hashes,
            signed: config.signed,
        }
    }

    #[inline]
    pub(crate) fn write(self, word: &str, row: &mut BagRow<'_>) {
        for seed in 0..self.hashes {
            let (id, weight) = self.entry(word, seed);
            row.push(id, weight);
        }
    }

    #[inline]
    fn entry(self, word: &str, seed: u32) -> (u32, f32) {
        let hash = xxh3_64_with_seed(word.as_bytes(), u64::from(seed));
        // Buckets are at least 1: the settings and the file are checked.
        let id = hash.checked_rem(u64::from(self.buckets)).unwrap_or(0);
        let negative = self.signed && hash >> 63 == 1;
        (u32::try_from(id).unwrap_or(0), if negative { -1.0 } else { 1.0 })
    }

    /// How many of these different words have the same ids and weights as another.
    pub(crate) fn collisions<'a>(self, words: impl Iterator<Item = &'a str>) -> u64 {
        let mut marks: Vec<Vec<(u32, bool)>> = words
            .map(|word| {
                let entries = (0..self.hashes).map(|seed| self.entry(word, seed));
                let mut mark: Vec<_> = entries.map(|(id, weight)| (id, weight < 0.0)).collect();
                mark.sort_unstable();
                mark
            })
            .collect();
        marks.sort_unstable();
        let together = marks.chunk_by(|a, b| a.cmp(b) == Ordering::Equal);
        together.map(<[_]>::len).filter(|&len| len > 1).sum::<usize>() as u64
    }

    pub(crate) fn hash(self, hash: &mut StateHash) {
        hash.count(u64::from(self.buckets));
        hash.count(u64::from(self.hashes));
        hash.count(u64::from(self.signed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(buckets: u32, hashes: u32, signed: bool) -> HashRule {
        HashRule {
            buckets,
            hashes,
            signed,
        }
    }

    #[test]
    fn collisions_are_those_of_the_birthday_problem_and_fall_with_each_hash() {
        let words: Vec<String> = (0..2_000).map(|word| format!("word {word}")).collect();
        let count = |rule: HashRule| rule.collisions(words.iter().map(String::as_str));
        let alone = (1.0 - 1.0 / 4096.0f64).powi(1_999);
        let expected = 2_000.0 * (1.0 - alone);
        let found = count(rule(4096, 1, false)) as f64;
        assert!((found - expected).abs() < 0.1 * expected, "{found} of {expected}");
        assert!(count(rule(4096, 1, true)) < count(rule(4096, 1, false)));
        assert!(count(rule(4096, 2, false)) < 5);
        assert_eq!(count(rule(1, 3, false)), 2_000);
    }
}
