//! Sets of items, and the filter that a search obeys.

use roaring::RoaringBitmap;

use crate::ItemIdx;

/// A set of items, compressed (a roaring bitmap).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemSet(RoaringBitmap);

impl ItemSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Every item of a catalogue of `n_items`.
    pub fn all(n_items: usize) -> Self {
        let mut set = RoaringBitmap::new();
        match u32::try_from(n_items) {
            Ok(end) => set.insert_range(0..end),
            Err(_) => set.insert_range(..),
        };
        Self(set)
    }

    /// Adds an item; says whether it was new.
    pub fn insert(&mut self, item: ItemIdx) -> bool {
        self.0.insert(item.0)
    }

    /// Takes an item out; says whether it was there.
    pub fn remove(&mut self, item: ItemIdx) -> bool {
        self.0.remove(item.0)
    }

    /// Whether the item is in the set.
    #[inline]
    pub fn contains(&self, item: ItemIdx) -> bool {
        self.0.contains(item.0)
    }

    /// How many items are in the set.
    pub fn len(&self) -> usize {
        usize::try_from(self.0.len()).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The items, in index order.
    pub fn iter(&self) -> impl Iterator<Item = ItemIdx> + '_ {
        self.0.iter().map(ItemIdx)
    }

    /// How many items of `self` are not in `other`.
    pub fn difference_len(&self, other: &Self) -> usize {
        usize::try_from(self.0.difference_len(&other.0)).unwrap_or(usize::MAX)
    }

    /// Adds every item of `other`.
    pub fn union_with(&mut self, other: &Self) {
        self.0 |= &other.0;
    }
}

impl FromIterator<ItemIdx> for ItemSet {
    fn from_iter<I: IntoIterator<Item = ItemIdx>>(items: I) -> Self {
        Self(items.into_iter().map(|item| item.0).collect())
    }
}

impl Extend<ItemIdx> for ItemSet {
    fn extend<I: IntoIterator<Item = ItemIdx>>(&mut self, items: I) {
        self.0.extend(items.into_iter().map(|item| item.0));
    }
}

/// What may be returned: everything in `allow` (all, where `None`) that is neither in `deny` nor in `unknown`.
/// Borrowed sets instead of their difference, so that a request never copies a catalogue-sized set.
#[derive(Clone, Copy, Debug, Default)]
pub struct ItemFilter<'a> {
    /// Only these, where given.
    pub allow: Option<&'a ItemSet>,
    /// Never these: what a request leaves out.
    pub deny: Option<&'a ItemSet>,
    /// Nor these: what a channel knows nothing of, whoever asks.
    pub unknown: Option<&'a ItemSet>,
}

impl<'a> ItemFilter<'a> {
    /// Lets everything through.
    pub const NONE: ItemFilter<'static> = ItemFilter {
        allow: None,
        deny: None,
        unknown: None,
    };

    /// Everything but `deny`.
    pub fn excluding(deny: &'a ItemSet) -> Self {
        Self {
            deny: Some(deny),
            ..Self::NONE
        }
    }

    /// The same without what is not known.
    #[must_use]
    pub fn but_for(self, unknown: &'a ItemSet) -> Self {
        Self {
            unknown: Some(unknown),
            ..self
        }
    }

    /// Whether everything passes, of any catalogue.
    pub fn is_none(&self) -> bool {
        self.allow.is_none() && self.deny.is_none() && self.unknown.is_none()
    }

    /// Whether the item may be returned.
    #[inline]
    pub fn passes(&self, item: ItemIdx) -> bool {
        let is_in = |set: &ItemSet| set.contains(item);
        self.allow.is_none_or(is_in) && !self.deny.is_some_and(is_in) && !self.unknown.is_some_and(is_in)
    }

    /// How many of a catalogue of `n_items` pass, counted without looking at each.
    pub fn n_passing(&self, n_items: usize) -> usize {
        let catalogue;
        let allowed = match self.allow {
            // The usual set names items of the catalogue only, and need not be cut.
            Some(set) if set.0.max().is_none_or(|last| (last as usize) < n_items) => set,
            Some(set) => {
                catalogue = ItemSet(&set.0 & ItemSet::all(n_items).0);
                &catalogue
            }
            None => {
                catalogue = ItemSet::all(n_items);
                &catalogue
            }
        };
        match (self.deny, self.unknown) {
            (Some(deny), Some(unknown)) => allowed.difference_len(&ItemSet(&deny.0 | &unknown.0)),
            (Some(set), None) | (None, Some(set)) => allowed.difference_len(set),
            (None, None) => allowed.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(items: &[u32]) -> ItemSet {
        items.iter().copied().map(ItemIdx).collect()
    }

    #[test]
    fn counting_what_passes_equals_asking_each_item() {
        let allow = set(&[0, 2, 4, 90]);
        let deny = set(&[2, 3, 91]);
        let unknown = set(&[0, 3]);
        let (allow, deny, unknown) = (Some(&allow), Some(&deny), Some(&unknown));
        for (allow, deny, unknown) in [
            (None, None, None),
            (allow, None, None),
            (None, deny, None),
            (allow, deny, None),
            (None, None, unknown),
            (allow, None, unknown),
            (None, deny, unknown),
            (allow, deny, unknown),
        ] {
            let filter = ItemFilter { allow, deny, unknown };
            let is_none = allow.is_none() && deny.is_none() && unknown.is_none();
            assert_eq!(filter.is_none(), is_none, "{filter:?}");
            for n_items in [0, 1, 3, 5, 100] {
                let asked = ItemSet::all(n_items)
                    .iter()
                    .filter(|&item| filter.passes(item))
                    .count();
                assert_eq!(filter.n_passing(n_items), asked, "{filter:?} of {n_items}");
            }
        }
    }
}
