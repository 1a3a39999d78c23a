//! The entries of a step in the order of their rows.

use rayon::prelude::*;

/// Bits of a row's number that one pass sorts by.
const BITS: u32 = 11;
/// Fewer keys than this are sorted as fast by comparing them.
const FEW: usize = 1 << 9;
/// From so many on, several threads that compare are faster than one that counts.
const MANY: usize = 1 << 18;

/// Sorts keys whose upper half is a row below `n_rows` and whose lower half rises from key to key: by row, and those of
/// one row as they were.
pub(super) fn by_row(keys: &mut Vec<u64>, n_rows: usize) {
    if keys.len() < FEW {
        keys.sort_unstable();
        return;
    }
    if keys.len() >= MANY {
        keys.par_sort_unstable();
        return;
    }
    let mut other = vec![0; keys.len()];
    let mut shift = u32::BITS;
    let mut rows_left = n_rows.saturating_sub(1);
    while rows_left > 0 {
        #[expect(clippy::cast_possible_truncation, reason = "the bits that are kept are few")]
        let digit = |key: u64| (key >> shift) as usize & ((1 << BITS) - 1);
        let mut next = [0_usize; 1 << BITS];
        for &key in &*keys {
            next[digit(key)] += 1;
        }
        let mut begin = 0;
        for place in &mut next {
            (*place, begin) = (begin, begin + *place);
        }
        for &key in &*keys {
            let place = &mut next[digit(key)];
            other[*place] = key;
            *place += 1;
        }
        std::mem::swap(keys, &mut other);
        shift += BITS;
        rows_left >>= BITS;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rows_are_in_order_and_entries_within_them(
            n in prop::sample::select(vec![0, 1, 7, FEW - 1, FEW, 3000]),
            n_rows in prop::sample::select(vec![1_usize, 2, 2048, 2049, 1 << 22, (1 << 22) + 1, 1 << 32]),
            seed in any::<u64>(),
        ) {
            let row = |place: u64| (place ^ seed).wrapping_mul(0x9e37_79b9_7f4a_7c15) % n_rows as u64;
            let mut keys: Vec<u64> = (0..n as u64).map(|place| row(place) << 32 | place).collect();
            let mut wanted = keys.clone();
            wanted.sort_unstable();
            by_row(&mut keys, n_rows);
            prop_assert_eq!(keys, wanted);
        }
    }

    #[test]
    fn several_threads_give_the_same() {
        let mut keys: Vec<u64> = (0..MANY as u64)
            .map(|place| (place * 7919 % 1000) << 32 | place)
            .collect();
        by_row(&mut keys, 1000);
        assert!(keys.is_sorted());
    }
}
