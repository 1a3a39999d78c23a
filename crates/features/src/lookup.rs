//! Words to ids, with buckets for the unknown.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::fingerprint::StateHash;

/// Known words have ids `0..words`; an unknown word falls by its hash (XXH3-64 of its UTF-8 bytes) into
/// one of the `oov_buckets` ids that follow. Without buckets it has no id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedLookup", into = "SavedLookup")]
pub(crate) struct Lookup {
    words: Vec<Arc<str>>,
    oov_buckets: u32,
    positions: HashMap<Arc<str>, u32>,
}

impl Lookup {
    /// In the order given, which a vocabulary keeps when it grows.
    pub(crate) fn in_order(words: Vec<Arc<str>>, oov_buckets: u32) -> Self {
        let positions = words.iter().cloned().zip(0u32..).collect();
        Self {
            words,
            oov_buckets,
            positions,
        }
    }

    /// By falling count, ties by word; words that are rarer than `min_count` are left to the buckets.
    pub(crate) fn by_count(counts: BTreeMap<String, u64>, min_count: u64, oov_buckets: u32) -> Self {
        let mut rows: Vec<_> = counts
            .into_iter()
            .filter(|&(_, count)| count >= min_count)
            .collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self::in_order(
            rows.into_iter().map(|(word, _)| Arc::from(word)).collect(),
            oov_buckets,
        )
    }

    pub(crate) fn cardinality(&self) -> u32 {
        self.n_words().saturating_add(self.oov_buckets)
    }

    fn n_words(&self) -> u32 {
        u32::try_from(self.words.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn id(&self, word: &str) -> Option<u32> {
        if let Some(&position) = self.positions.get(word) {
            return Some(position);
        }
        let bucket = xxh3_64(word.as_bytes()).checked_rem(u64::from(self.oov_buckets))?;
        u32::try_from(bucket).ok().map(|bucket| self.n_words() + bucket)
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        hash.count(u64::from(self.oov_buckets));
        hash.count(self.words.len() as u64);
        self.words.iter().for_each(|word| hash.text(word));
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedLookup {
    oov_buckets: u32,
    words: Vec<String>,
}

impl From<Lookup> for SavedLookup {
    fn from(lookup: Lookup) -> Self {
        Self {
            oov_buckets: lookup.oov_buckets,
            words: lookup.words.iter().map(|word| String::from(&**word)).collect(),
        }
    }
}

impl TryFrom<SavedLookup> for Lookup {
    type Error = String;

    fn try_from(saved: SavedLookup) -> Result<Self, Self::Error> {
        let n_words = saved.words.len();
        let lookup = Self::in_order(
            saved.words.into_iter().map(Arc::from).collect(),
            saved.oov_buckets,
        );
        if lookup.positions.len() != n_words {
            return Err("a word occurs twice".to_owned());
        }
        if u64::from(lookup.oov_buckets) + n_words as u64 > u64::from(u32::MAX) {
            return Err("more ids than u32::MAX".to_owned());
        }
        Ok(lookup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(oov_buckets: u32) -> Lookup {
        let counts = [("rare", 1), ("b", 2), ("a", 2), ("often", 9)];
        let counts = counts.map(|(word, count)| (word.to_owned(), count));
        Lookup::by_count(BTreeMap::from(counts), 2, oov_buckets)
    }

    #[test]
    fn words_stand_by_falling_count_then_alphabet() {
        let lookup = lookup(0);
        assert_eq!(
            ["often", "a", "b"].map(|word| lookup.id(word)),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(lookup.id("rare"), None);
        assert_eq!(lookup.cardinality(), 3);
    }

    #[test]
    fn unknown_words_keep_their_bucket_behind_the_known_ones() {
        let lookup = lookup(4);
        assert_eq!(lookup.cardinality(), 7);
        for word in ["rare", "", "ü", "never seen"] {
            let id = lookup.id(word).expect("a bucket");
            assert!((3..7).contains(&id));
            assert_eq!(u64::from(id) - 3, xxh3_64(word.as_bytes()) % 4);
        }
    }
}
