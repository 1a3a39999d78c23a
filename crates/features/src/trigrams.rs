//! Letter trigrams of words: how DSSM sees text (Huang et al. 2013, section 3.2).
//!
//! A word becomes `#word#`, and that its runs of three letters: `good` is `#go goo ood od#`. There are tens of thousands of
//! them where there are millions of words, a word that was never seen still has some, and a misspelt one most of its own.
//! Two words may come out the same; [`TrigramReport`] says which.

use std::collections::HashMap;

use serde::Serialize;

/// What begins and ends a word.
const EDGE: char = '#';

/// The words of a text: runs of letters and digits, in lower case.
pub fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// The trigrams of `#word#`, in their order, each as often as it occurs. A word of one letter has one.
pub fn trigrams(word: &str) -> impl Iterator<Item = [char; 3]> + '_ {
    let mut letters = word.chars().chain([EDGE]);
    let mut last = [EDGE, letters.next().unwrap_or(EDGE)];
    letters.map(move |letter| {
        let trigram = [last[0], last[1], letter];
        last = [last[1], letter];
        trigram
    })
}

/// How well trigrams tell the words of a vocabulary apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TrigramReport {
    /// Different words.
    pub words: usize,
    /// Different trigrams in them.
    pub trigrams: usize,
    /// Words that have the trigrams of one that comes before them in the alphabet, as often each: what the paper counts.
    pub collisions: usize,
    /// The words of each group that came out the same, some groups at most.
    pub examples: Vec<Vec<String>>,
}

/// Groups in [`TrigramReport::examples`] at most.
const EXAMPLES: usize = 20;

impl TrigramReport {
    /// Of any words; a word that comes again is the same word.
    pub fn of(words: impl IntoIterator<Item = String>) -> Self {
        let mut words: Vec<String> = words.into_iter().collect();
        words.sort_unstable();
        words.dedup();
        let mut numbers: HashMap<[char; 3], u32> = HashMap::new();
        let mut by_trigrams: HashMap<Vec<u32>, Vec<usize>> = HashMap::with_capacity(words.len());
        for (place, word) in words.iter().enumerate() {
            let mut own: Vec<u32> = trigrams(word)
                .map(|trigram| {
                    let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
                    *numbers.entry(trigram).or_insert(next)
                })
                .collect();
            own.sort_unstable();
            by_trigrams.entry(own).or_default().push(place);
        }
        let mut same: Vec<Vec<usize>> = by_trigrams
            .into_values()
            .filter(|group| group.len() > 1)
            .collect();
        same.sort_unstable();
        let collisions = same.iter().map(|group| group.len() - 1).sum();
        let examples = same.iter().take(EXAMPLES);
        let examples = examples.map(|group| group.iter().map(|&place| words[place].clone()).collect());
        Self {
            words: words.len(),
            trigrams: numbers.len(),
            collisions,
            examples: examples.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(word: &str) -> Vec<String> {
        trigrams(word).map(String::from_iter).collect()
    }

    #[test]
    fn words_become_their_trigrams() {
        assert_eq!(texts("good"), ["#go", "goo", "ood", "od#"]);
        assert_eq!(texts("a"), ["#a#"]);
        assert_eq!(texts("äu"), ["#äu", "äu#"], "letters, not bytes");
        assert_eq!(texts("多路"), ["#多路", "多路#"]);
        assert!(texts("").is_empty());
    }

    #[test]
    fn texts_become_lower_case_words() {
        let found: Vec<String> = words("Don't  STOP—the 2nd Éclair!").collect();
        assert_eq!(found, ["don", "t", "stop", "the", "2nd", "éclair"]);
        assert_eq!(words(" ,. ").count(), 0);
    }

    #[test]
    fn words_with_the_same_trigrams_collide_and_others_do_not() {
        // Round the same circle, begun and ended alike: as many of each trigram.
        let report =
            TrigramReport::of(["abababxabab", "ababxababab", "abab", "abab", "ababab"].map(str::to_owned));
        assert_eq!((report.words, report.collisions), (4, 1));
        assert_eq!(report.examples, [["abababxabab", "ababxababab"]]);
        // #ab aba bab ab# bax … each once.
        assert_eq!(report.trigrams, 7);
        assert_eq!(TrigramReport::of([]), TrigramReport::default());
    }
}
