//! Words to ids, with buckets for the unknown.

use serde::{Deserialize, Serialize};

use crate::fingerprint::StateHash;
use crate::word_table::{WordTable, hash_of};

/// The words of the first fit have the ids from 0; an unknown word falls by its hash (XXH3-64 of its UTF-8 bytes)
/// into one of the `oov_buckets` ids that follow; words that a later fit added stand behind those, so that no id
/// ever moves. Without buckets an unknown word has no id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SavedLookup", into = "SavedLookup")]
pub(crate) struct Lookup {
    words: WordTable,
    oov_buckets: u32,
    /// How many of the words stand before the buckets.
    before_buckets: u32,
}

impl Lookup {
    /// In the order given.
    pub(crate) fn in_order(words: impl IntoIterator<Item = impl AsRef<str>>, oov_buckets: u32) -> Self {
        let mut table = WordTable::default();
        for word in words {
            table.insert(word.as_ref());
        }
        Self {
            before_buckets: u32::try_from(table.len()).unwrap_or(u32::MAX),
            words: table,
            oov_buckets,
        }
    }

    /// This one with further words behind; those that it has keep their ids.
    pub(crate) fn grown(&self, words: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut grown = self.clone();
        for word in words {
            grown.words.insert(word.as_ref());
        }
        grown
    }

    pub(crate) fn oov_buckets(&self) -> u32 {
        self.oov_buckets
    }

    pub(crate) fn n_words(&self) -> u32 {
        u32::try_from(self.words.len()).unwrap_or(u32::MAX)
    }

    pub(crate) fn cardinality(&self) -> u32 {
        self.n_words().saturating_add(self.oov_buckets)
    }

    pub(crate) fn knows(&self, word: &str) -> bool {
        self.words.find(word, hash_of(word)).is_some()
    }

    #[inline]
    pub(crate) fn id(&self, word: &str) -> Option<u32> {
        let hash = hash_of(word);
        if let Some(position) = self.words.find(word, hash) {
            let behind = position >= self.before_buckets;
            return Some(if behind {
                position + self.oov_buckets
            } else {
                position
            });
        }
        let bucket = hash.checked_rem(u64::from(self.oov_buckets))?;
        u32::try_from(bucket)
            .ok()
            .map(|bucket| self.before_buckets + bucket)
    }

    pub(crate) fn hash(&self, hash: &mut StateHash) {
        hash.count(u64::from(self.oov_buckets));
        hash.count(self.words.len() as u64);
        self.words.iter().for_each(|word| hash.text(word));
        if self.before_buckets < self.n_words() {
            hash.extension("grown from");
            hash.count(u64::from(self.before_buckets));
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedLookup {
    oov_buckets: u32,
    words: Vec<String>,
    /// All of them where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before_buckets: Option<u32>,
}

impl From<Lookup> for SavedLookup {
    fn from(lookup: Lookup) -> Self {
        Self {
            oov_buckets: lookup.oov_buckets,
            words: lookup.words.iter().map(str::to_owned).collect(),
            before_buckets: (lookup.before_buckets < lookup.n_words()).then_some(lookup.before_buckets),
        }
    }
}

impl TryFrom<SavedLookup> for Lookup {
    type Error = String;

    fn try_from(saved: SavedLookup) -> Result<Self, Self::Error> {
        let n_words = saved.words.len();
        if u64::from(saved.oov_buckets) + n_words as u64 > u64::from(u32::MAX) {
            return Err("more ids than u32::MAX".to_owned());
        }
        let mut lookup = Self::in_order(&saved.words, saved.oov_buckets);
        if lookup.words.len() != n_words {
            return Err("a word occurs twice".to_owned());
        }
        if let Some(before_buckets) = saved.before_buckets {
            if before_buckets >= lookup.before_buckets {
                return Err(format!("{before_buckets} of {n_words} words before the buckets"));
            }
            lookup.before_buckets = before_buckets;
        }
        Ok(lookup)
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn unknown_words_keep_their_bucket_behind_the_known_ones() {
        let lookup = Lookup::in_order(["often", "a", "b"], 4);
        assert_eq!(
            ["often", "a", "b"].map(|word| lookup.id(word)),
            [Some(0), Some(1), Some(2)]
        );
        assert_eq!(lookup.cardinality(), 7);
        for word in ["rare", "", "ü", "never seen"] {
            let id = lookup.id(word).expect("a bucket");
            assert!((3..7).contains(&id));
            assert_eq!(u64::from(id) - 3, xxh3_64(word.as_bytes()) % 4);
        }
        assert_eq!(Lookup::in_order(["often"], 0).id("rare"), None);
    }

    #[test]
    fn growing_moves_no_word_and_no_bucket() {
        let first = Lookup::in_order(["a", "b"], 3);
        let grown = first.grown(["c", "a", "d"]);
        let again = grown.grown(["e"]);
        for word in ["a", "b", "never", "seen", "ü", ""] {
            assert_eq!(first.id(word), grown.id(word), "{word}");
            assert_eq!(first.id(word), again.id(word), "{word}");
        }
        assert_eq!(["c", "d"].map(|word| grown.id(word)), [Some(5), Some(6)]);
        assert_eq!(again.id("d"), Some(6));
        assert_eq!((grown.cardinality(), again.id("e")), (7, Some(7)));
        assert_eq!(first.grown(["b"]), first);
        let json = serde_json::to_string(&again).expect("written");
        assert_eq!(serde_json::from_str::<Lookup>(&json).expect("read"), again);
    }
}
