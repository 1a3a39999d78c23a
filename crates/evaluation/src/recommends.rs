//! What an evaluation judges: lists, whoever made them.

use catchment_schema::{ScoredItem, UserIdx};

/// The top-k lists of a number of users, best first (compressed sparse rows). Reused from block to block.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopKLists {
    offsets: Vec<usize>,
    items: Vec<ScoredItem>,
}

impl TopKLists {
    /// Takes all lists out.
    pub fn clear(&mut self) {
        self.offsets.clear();
        self.items.clear();
    }

    /// Adds the next user's list.
    pub fn push(&mut self, list: impl IntoIterator<Item = ScoredItem>) {
        self.items.extend(list);
        self.offsets.push(self.items.len());
    }

    /// How many lists there are.
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// The list at `position`.
    pub fn list(&self, position: usize) -> &[ScoredItem] {
        let start = if position == 0 {
            0
        } else {
            self.offsets[position - 1]
        };
        &self.items[start..self.offsets[position]]
    }
}

/// Anything that gives top-k lists: a model, a channel, a merge, a ranked pipeline, a file.
pub trait Recommends: Sync {
    /// One list of at most `k` for each of `users`, in their order, into `lists` (cleared first). Users at or beyond
    /// the vocabulary are cold. Called with blocks of users, possibly from several threads at once.
    ///
    /// # Errors
    /// A text that says what failed.
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String>;
}
