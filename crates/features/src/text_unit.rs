//! What a text is taken apart into.

use serde::{Deserialize, Serialize};

use crate::trigrams::{trigrams, words};

/// The pieces of a text that are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TextUnit {
    Words,
    Trigrams,
}

/// Bytes of the longest trigram: three characters of four bytes.
const LONGEST: usize = 12;

impl TextUnit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Trigrams => "trigrams",
        }
    }

    /// Calls `visit` with each piece in its order, as often as it occurs.
    pub(crate) fn visit(self, text: &str, mut visit: impl FnMut(&str)) {
        for word in words(text) {
            match self {
                Self::Words => visit(&word),
                Self::Trigrams => {
                    for trigram in trigrams(&word) {
                        let mut bytes = [0; LONGEST];
                        let mut len = 0;
                        for letter in trigram {
                            len += letter.encode_utf8(&mut bytes[len..]).len();
                        }
                        visit(std::str::from_utf8(&bytes[..len]).unwrap_or_default());
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(unit: TextUnit, text: &str) -> Vec<String> {
        let mut all = vec![];
        unit.visit(text, |piece| all.push(piece.to_owned()));
        all
    }

    #[test]
    fn texts_come_apart_into_words_and_these_into_trigrams() {
        assert_eq!(pieces(TextUnit::Trigrams, "Good"), ["#go", "goo", "ood", "od#"]);
        assert_eq!(pieces(TextUnit::Trigrams, "a-B c"), ["#a#", "#b#", "#c#"]);
        assert_eq!(
            pieces(TextUnit::Words, "Good, good; 2nd"),
            ["good", "good", "2nd"]
        );
        for unit in [TextUnit::Words, TextUnit::Trigrams] {
            assert!(pieces(unit, "").is_empty() && pieces(unit, " ., \n").is_empty());
        }
    }

    #[test]
    fn characters_of_any_length_are_letters_alike() {
        assert_eq!(pieces(TextUnit::Trigrams, "Äu"), ["#äu", "äu#"]);
        assert_eq!(pieces(TextUnit::Trigrams, "多路"), ["#多路", "多路#"]);
        // Four bytes each: as long as a trigram can be.
        assert_eq!(pieces(TextUnit::Trigrams, "𠀀𠀁𠀂")[1], "𠀀𠀁𠀂");
        // A mark that is written apart is no letter: it ends the word.
        assert_eq!(
            pieces(TextUnit::Words, "e\u{301}a \u{e9}a"),
            ["e", "a", "\u{e9}a"]
        );
    }
}
