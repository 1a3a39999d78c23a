//! What an evaluation judges: lists, whoever made them.

use catchment_schema::{ScoredItem, UserIdx};

/// The top-k lists of a number of users, best first (compressed sparse rows). Reused from block to block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopKLists {
    /// Where each list ends.
    ends: Vec<usize>,
    items: Vec<ScoredItem>,
}

impl TopKLists {
    /// Takes all lists out and keeps the memory.
    pub fn clear(&mut self) {
        self.ends.clear();
        self.items.clear();
    }

    /// Adds the next user's list.
    pub fn push(&mut self, list: impl IntoIterator<Item = ScoredItem>) {
        self.items.extend(list);
        self.ends.push(self.items.len());
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The list at `position`.
    ///
    /// # Panics
    /// When `position` is at or beyond [`TopKLists::len`].
    pub fn list(&self, position: usize) -> &[ScoredItem] {
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[start..self.ends[position]]
    }
}

/// Anything that gives top-k lists: a model, a channel, a merge, a ranked pipeline, a file.
///
/// # Laws
/// [`crate::testing::recommends_laws`] checks them.
/// 1. `lists` holds one list for each of `users`, in their order; what it held before is gone.
/// 2. A list has at most `k` items, best first, and none twice.
/// 3. A user's list depends on the user and `k`, never on the others of the call or on earlier calls.
///
/// It is *not* a law that the list of 10 is the beginning of the list of 100: an evaluation asks for its longest
/// cut-off and reads the shorter ones off it.
pub trait Recommends: Sync {
    /// Lists of at most `k` for `users`, into `lists`. Users at or beyond the vocabulary are cold. Called with
    /// blocks of users, possibly from several threads at once.
    ///
    /// # Errors
    /// A text that says what failed.
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String>;
}
