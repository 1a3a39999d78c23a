//! How many rows have each word.

use crate::text_column::TextColumn;
use crate::text_unit::TextUnit;
use crate::word_table::WordTable;

/// The different words of a column, each with the number of rows that have it.
#[derive(Default)]
pub(crate) struct WordCounts {
    words: WordTable,
    /// The count, and the last row that was counted: a word that a row repeats counts once.
    counts: Vec<(u64, usize)>,
}

impl WordCounts {
    pub(crate) fn of(texts: TextColumn<'_>, n_rows: usize) -> Self {
        let mut all = Self::default();
        for row in 0..n_rows {
            texts.visit(row, |_, word| all.add(row, word));
        }
        all
    }

    /// Of the pieces of texts, of all the columns together; each with its number of rows.
    pub(crate) fn of_pieces(unit: TextUnit, columns: &[(TextColumn<'_>, usize)]) -> Self {
        let mut all = Self::default();
        let mut first = 0;
        for &(texts, n_rows) in columns {
            for row in 0..n_rows {
                texts.visit(row, |_, text| {
                    unit.visit(text, |piece| all.add(first + row, piece));
                });
            }
            first += n_rows;
        }
        all
    }

    fn add(&mut self, row: usize, word: &str) {
        let position = self.words.insert(word) as usize;
        match self.counts.get_mut(position) {
            Some((_, last_row)) if *last_row == row => {}
            Some((count, last_row)) => (*count, *last_row) = (*count + 1, row),
            None => self.counts.push((1, row)),
        }
    }

    pub(crate) fn n_words(&self) -> u64 {
        self.counts.len() as u64
    }

    /// In the order in which they came.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter()
    }

    /// Words that at least `min_count` rows have, by falling count, ties by word.
    pub(crate) fn by_count(&self, min_count: u64) -> Vec<&str> {
        let counted = self.words().zip(&self.counts);
        let mut rows: Vec<(&str, u64)> = counted
            .map(|(word, &(count, _))| (word, count))
            .filter(|&(_, count)| count >= min_count)
            .collect();
        rows.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        rows.into_iter().map(|(word, _)| word).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catchment_schema::arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn words_stand_by_falling_count_then_alphabet() {
        let column: ArrayRef = Arc::new(StringArray::from(vec![
            Some("b"),
            Some("often"),
            None,
            Some("a"),
            Some("often"),
            Some("b"),
            Some("a"),
            Some("often"),
            Some("rare"),
        ]));
        let counts = WordCounts::of(TextColumn::new(&column).expect("words"), 9);
        assert_eq!(counts.n_words(), 4);
        assert_eq!(counts.by_count(2), ["often", "a", "b"]);
        assert_eq!(counts.by_count(1), ["often", "a", "b", "rare"]);
    }
}
