//! Combinations of the ids of other features.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::bag_row::BagRow;
use crate::config::{CrossConfig, MAX_BUCKETS, MAX_COMBINATIONS, MAX_CROSSED};
use crate::fingerprint::StateHash;
use crate::number::weight;
use crate::{ColumnKind, Error, FeatureColumn, Result, Side};

/// One of the crossed features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CrossPart {
    pub(crate) side: Side,
    pub(crate) column: usize,
    pub(crate) cardinality: u32,
}

/// A fitted `cross`. With buckets a combination's id is XXH3-64 of its ids (4 bytes each, little-endian) modulo
/// `buckets`, which stays when a vocabulary grows; without, ids count through all combinations, the last part fastest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CrossRule {
    pub(crate) parts: Vec<CrossPart>,
    buckets: u32,
}

impl CrossRule {
    /// `find` gives the side, place and layout of a feature that the settings name.
    pub(crate) fn fit(
        config: &CrossConfig,
        side: Side,
        find: impl Fn(&str) -> Option<(Side, usize, ColumnKind)>,
        previous: Option<&Self>,
    ) -> Result<Self> {
        let bad = |key: &str, reason: String| Error::BadConfig {
            key: format!("features.{side}.{}.{key}", config.name),
            reason,
        };
        let mut parts = Vec::with_capacity(config.features.len());
        for name in &config.features {
            match find(name) {
                Some((side, column, ColumnKind::Bag { cardinality })) => parts.push(CrossPart {
                    side,
                    column,
                    cardinality,
                }),
                _ => return Err(bad("features", format!("`{name}` is no feature of ids"))),
            }
        }
        let rule = Self {
            parts,
            buckets: config.buckets,
        };
        if rule.buckets == 0 && rule.combinations() > u64::from(MAX_BUCKETS) {
            let reason = format!(
                "0 gives each of {} combinations an id, at most {MAX_BUCKETS} are allowed; choose 1..={MAX_BUCKETS}",
                rule.combinations()
            );
            return Err(bad("buckets", reason));
        }
        match previous {
            Some(previous) if rule.buckets == 0 && *previous != rule => Err(bad(
                "buckets",
                format!(
                    "without buckets the combinations are numbered anew when a part grows; choose 1..={MAX_BUCKETS}"
                ),
            )),
            _ => Ok(rule),
        }
    }

    /// Saturating.
    fn combinations(&self) -> u64 {
        let cardinalities = self.parts.iter().map(|part| u64::from(part.cardinality));
        cardinalities.fold(1, u64::saturating_mul)
    }

    /// Whether it can have come out of a fit.
    pub(crate) fn is_sound(&self) -> bool {
        (2..=MAX_CROSSED).contains(&self.parts.len())
            && (self.buckets > 0 || self.combinations() <= u64::from(MAX_BUCKETS))
    }

    pub(crate) fn kind(&self) -> ColumnKind {
        let ids = if self.buckets > 0 {
            u64::from(self.buckets)
        } else {
            self.combinations()
        };
        ColumnKind::Bag {
            cardinality: u32::try_from(ids).unwrap_or(u32::MAX),
        }
    }

    /// Adds row `row`, which the columns of the crossed features have.
    #[inline]
    pub(crate) fn write_row(&self, row: usize, columns: &[FeatureColumn], column: &mut FeatureColumn) {
        let part = |part: &CrossPart| {
            columns
                .get(part.column)
                .map_or((&[][..], &[][..]), |column| column.bag(row))
        };
        self.write(part, column.bag_row());
    }

    /// Adds one row: each combination of one id of each part, the last part running fastest, with the product of their
    /// weights; none where a part has none.
    #[inline]
    pub(crate) fn write<'a>(&self, part: impl Fn(&CrossPart) -> (&'a [u32], &'a [f32]), mut row: BagRow<'_>) {
        let mut bags: [(&[u32], &[f32]); MAX_CROSSED] = [(&[], &[]); MAX_CROSSED];
        for (bag, crossed) in bags.iter_mut().zip(&self.parts) {
            *bag = part(crossed);
        }
        let bags = &bags[..self.parts.len().min(MAX_CROSSED)];
        let n_combinations = bags.iter().fold(1, |n: usize, bag| n.saturating_mul(bag.0.len()));
        for combination in 0..n_combinations.min(MAX_COMBINATIONS) {
            let mut rest = combination;
            let mut ids = [0; MAX_CROSSED];
            let mut product = 1.0;
            for (id, bag) in ids.iter_mut().zip(bags).rev() {
                let place = rest % bag.0.len();
                rest /= bag.0.len();
                *id = bag.0[place];
                product *= f64::from(bag.1[place]);
            }
            row.push(self.id(&ids), weight(product));
        }
        row.finish(false);
    }

    fn id(&self, ids: &[u32; MAX_CROSSED]) -> u32 {
        if self.buckets == 0 {
            let parts = self.parts.iter().zip(ids);
            return parts.fold(0, |id, (part, &next)| id * part.cardinality + next);
        }
        let mut bytes = [0; 4 * MAX_CROSSED];
        for (bytes, id) in bytes.chunks_exact_mut(4).zip(ids) {
            bytes.copy_from_slice(&id.to_le_bytes());
        }
        let bucket = xxh3_64(&bytes[..4 * self.parts.len()]) % u64::from(self.buckets);
        u32::try_from(bucket).unwrap_or(0)
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        hash.text("cross");
        hash.count(u64::from(self.buckets));
        hash.count(self.parts.len() as u64);
        for part in &self.parts {
            hash.text(part.side.name());
            hash.count(part.column as u64);
            hash.count(u64::from(part.cardinality));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crossed(buckets: u32, bags: &[(&[u32], &[f32])], cardinalities: &[u32]) -> (Vec<u32>, Vec<f32>) {
        let part = |(column, &cardinality)| CrossPart {
            side: Side::User,
            column,
            cardinality,
        };
        let rule = CrossRule {
            parts: cardinalities.iter().enumerate().map(part).collect(),
            buckets,
        };
        let mut column = FeatureColumn::new(rule.kind());
        rule.write(|part| bags[part.column], column.bag_row());
        let (ids, weights) = column.bag(0);
        (ids.to_vec(), weights.to_vec())
    }

    #[test]
    fn each_combination_has_its_id_and_the_product_of_the_weights() {
        let bags: [(&[u32], &[f32]); 2] = [(&[2, 0], &[0.5, 2.0]), (&[1, 3], &[1.0, -1.0])];
        let (ids, weights) = crossed(0, &bags, &[3, 4]);
        assert_eq!((ids, weights), (vec![9, 11, 1, 3], vec![0.5, -0.5, 2.0, -2.0]));
        let (ids, _) = crossed(7, &bags, &[3, 4]);
        let expected = [[2u32, 1], [2, 3], [0, 1], [0, 3]].map(|pair| {
            let bytes: Vec<u8> = pair.iter().flat_map(|id| id.to_le_bytes()).collect();
            u32::try_from(xxh3_64(&bytes) % 7).expect("small")
        });
        assert_eq!(ids, expected);
        assert!(crossed(7, &[(&[1], &[1.0]), (&[], &[])], &[3, 4]).0.is_empty());
    }

    #[test]
    fn the_combinations_of_a_row_are_bounded() {
        let many: Vec<u32> = (0..100).collect();
        let weights = vec![1.0; 100];
        let bag = (&many[..], &weights[..]);
        assert_eq!(crossed(50, &[bag, bag, bag], &[100; 3]).0.len(), MAX_COMBINATIONS);
    }
}
