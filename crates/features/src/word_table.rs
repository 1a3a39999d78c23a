//! Words by position and positions by word.

use xxhash_rust::xxh3::xxh3_64;

/// Different words, numbered in the order in which they came. One arena holds all text, and open addressing by
/// XXH3-64 finds a word with two looks into memory, one into the slots and one into the arena.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WordTable {
    /// For each word its length (4 bytes, little-endian), then the word.
    arena: Vec<u8>,
    starts: Vec<u64>,
    /// A power of two, at most half of them full.
    slots: Vec<Slot>,
}

/// `start` is [`EMPTY`] where nobody lives.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Slot {
    start: u64,
    /// The upper half of the hash: nearly every other word is turned away without a look at its text.
    tag: u32,
    position: u32,
}

const EMPTY: u64 = u64::MAX;
const LENGTH_BYTES: usize = size_of::<u32>();

/// The hash by which words are found, and by which unknown ones fall into buckets.
#[inline]
pub(crate) fn hash_of(word: &str) -> u64 {
    xxh3_64(word.as_bytes())
}

impl Default for WordTable {
    fn default() -> Self {
        Self {
            arena: Vec::new(),
            starts: Vec::new(),
            slots: vec![Slot::EMPTY; 4],
        }
    }
}

impl Slot {
    const EMPTY: Self = Self {
        start: EMPTY,
        tag: 0,
        position: 0,
    };
}

impl WordTable {
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The words, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        // What was pushed was text; nothing else ever comes in.
        self.starts
            .iter()
            .map(|&start| std::str::from_utf8(self.text_at(start)).unwrap_or_default())
    }

    fn text_at(&self, start: u64) -> &[u8] {
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let (length, rest) = self.arena[start..].split_at(LENGTH_BYTES);
        let length = length.try_into().map_or(0, u32::from_le_bytes);
        &rest[..length as usize]
    }

    /// The position of a word whose [`hash_of`] is known.
    #[inline]
    pub(crate) fn find(&self, word: &str, hash: u64) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut place = slot_of(hash, mask);
        loop {
            let slot = self.slots[place];
            if slot.start == EMPTY {
                return None;
            }
            if slot.tag == tag_of(hash) && self.text_at(slot.start) == word.as_bytes() {
                return Some(slot.position);
            }
            place = (place + 1) & mask;
        }
    }

    /// The position of a word, which is the next free one where it is new.
    ///
    /// # Panics
    /// When the word is longer than `u32::MAX` bytes or is the `u32::MAX`th one.
    pub(crate) fn insert(&mut self, word: &str) -> u32 {
        let hash = hash_of(word);
        if let Some(position) = self.find(word, hash) {
            return position;
        }
        let position = u32::try_from(self.starts.len()).expect("at most u32::MAX words");
        let length = u32::try_from(word.len()).expect("words are shorter than 4 GiB");
        let start = self.arena.len() as u64;
        self.arena.extend_from_slice(&length.to_le_bytes());
        self.arena.extend_from_slice(word.as_bytes());
        self.starts.push(start);
        if self.starts.len() * 2 > self.slots.len() {
            self.rehash();
        } else {
            self.settle(hash, start, position);
        }
        position
    }

    fn rehash(&mut self) {
        let n_slots = self.slots.len() * 2;
        self.slots.clear();
        self.slots.resize(n_slots, Slot::EMPTY);
        for position in 0..self.starts.len() {
            let start = self.starts[position];
            let hash = xxh3_64(self.text_at(start));
            self.settle(hash, start, u32::try_from(position).unwrap_or(u32::MAX));
        }
    }

    fn settle(&mut self, hash: u64, start: u64, position: u32) {
        let mask = self.slots.len() - 1;
        let mut place = slot_of(hash, mask);
        while self.slots[place].start != EMPTY {
            place = (place + 1) & mask;
        }
        self.slots[place] = Slot {
            start,
            tag: tag_of(hash),
            position,
        };
    }
}

fn tag_of(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the mask keeps the low bits anyway"
)]
fn slot_of(hash: u64, mask: usize) -> usize {
    hash as usize & mask
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_finds_what_a_map_finds(
            words in proptest::collection::vec(".{0,3}", 0..60),
            asked in proptest::collection::vec(".{0,3}", 0..20),
        ) {
            let mut table = WordTable::default();
            let mut map = BTreeMap::new();
            for word in &words {
                let next = u32::try_from(map.len()).expect("few");
                let expected = *map.entry(word.clone()).or_insert(next);
                prop_assert_eq!(table.insert(word), expected);
            }
            prop_assert_eq!(table.len(), map.len());
            for word in words.iter().chain(&asked) {
                prop_assert_eq!(table.find(word, hash_of(word)), map.get(word).copied());
            }
            let listed: Vec<&str> = table.iter().collect();
            for (word, position) in map {
                prop_assert_eq!(listed[position as usize], word);
            }
        }
    }
}
