//! Which vocabulary was it?

use catchment_schema::Vocabulary;
use serde::{Deserialize, Serialize};

use crate::Fingerprint;
use crate::fingerprint::StateHash;

/// Length and hash of a vocabulary: enough to recognise it, and what was grown from it by appending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VocabularyMark {
    pub(crate) len: u32,
    pub(crate) ids: Fingerprint,
}

impl VocabularyMark {
    pub(crate) fn of(vocabulary: &Vocabulary) -> Self {
        Self::of_first(vocabulary, vocabulary.len())
    }

    fn of_first(vocabulary: &Vocabulary, len: usize) -> Self {
        let mut hash = StateHash::new();
        vocabulary.ids().iter().take(len).for_each(|id| hash.text(id));
        Self {
            len: u32::try_from(len).unwrap_or(u32::MAX),
            ids: Fingerprint(hash.finish()),
        }
    }

    /// Whether `vocabulary` is the same one, or the same one with further ids behind.
    pub(crate) fn begins(self, vocabulary: &Vocabulary) -> bool {
        self.len as usize <= vocabulary.len() && Self::of_first(vocabulary, self.len as usize) == self
    }

    pub(crate) fn hash(self, hash: &mut StateHash) {
        hash.count(u64::from(self.len));
        hash.hash(self.ids.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vocabulary_is_recognised_with_more_behind_but_not_with_another_beginning() {
        let of = |counts: &[(&str, u64)]| Vocabulary::from_counts(counts.iter().copied());
        let mark = VocabularyMark::of(&of(&[("a", 3), ("b", 2)]));
        assert!(mark.begins(&of(&[("a", 9), ("b", 8)])));
        assert!(mark.begins(&of(&[("a", 3), ("b", 2), ("c", 1)])));
        assert!(!mark.begins(&of(&[("b", 3), ("a", 2)])));
        assert!(!mark.begins(&of(&[("a", 3)])));
    }
}
