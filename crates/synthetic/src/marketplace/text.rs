//! Titles, queries, and which items answer which query.
//!
//! Every topic has senses, which stand in a ring. A sense has six invented words; it shares three with the sense before
//! it and three with the one after it. A title has a noun of its topic and two words of its sense, a query two words of
//! its sense and, half the time, a noun of its topic: so words that differ can mean the same, and equal words do not prove
//! it. An item answers a query fully (grade 2) where topic and sense are the same, and partly (grade 1) where the senses
//! are neighbours.

use super::Marketplace;
use super::config::Part;
use crate::stream::{Purpose, Stream};
use crate::words::{ADJECTIVES, CATEGORIES};

/// Items of one sense, about.
const ITEMS_PER_SENSE: usize = 20;
const WORDS_PER_SENSE: usize = 6;
const SYLLABLES: usize = 100;

/// What somebody looks for in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Raw id.
    pub id: String,
    /// The words.
    pub text: String,
    /// Truth: the topic meant.
    pub topic: usize,
    /// Truth: the sense meant, within the topic.
    pub sense: usize,
}

impl Marketplace {
    /// Senses of each topic.
    pub fn n_senses(&self) -> usize {
        (self.listings.len() / (self.n_topics() * ITEMS_PER_SENSE)).clamp(3, 5000)
    }

    /// The title of an item: with [`Part::Text`] it has two words of the item's sense.
    ///
    /// # Panics
    /// When there is no such item; so does [`Marketplace::sense_of`].
    pub fn title(&self, item: usize) -> String {
        let topic = self.topic_of(item);
        let mut stream = Stream::new(self.config.seed, Purpose::Title, item);
        let adjective = ADJECTIVES[stream.below(ADJECTIVES.len())];
        let mut title = format!("{adjective} {}", noun(topic, &mut stream));
        if self.config.has(Part::Text) {
            for word in self.two_words(topic, self.sense_of(item), &mut stream) {
                title.push(' ');
                title.push_str(&word);
            }
        }
        title
    }

    /// Truth: the sense of an item, within its topic.
    pub fn sense_of(&self, item: usize) -> usize {
        Stream::new(self.config.seed, Purpose::Sense, item).below(self.n_senses())
    }

    /// What people look for in words; nothing without [`Part::Text`].
    pub fn queries(&self) -> Vec<Query> {
        if !self.config.has(Part::Text) {
            return Vec::new();
        }
        (0..self.config.n_queries as usize)
            .map(|query| {
                let mut stream = Stream::new(self.config.seed, Purpose::Query, query);
                let topic = stream.long_tail(self.n_topics());
                let sense = stream.below(self.n_senses());
                let mut text = self.two_words(topic, sense, &mut stream).join(" ");
                if stream.uniform() < 0.5 {
                    text = format!("{} {text}", noun(topic, &mut stream).to_lowercase());
                }
                Query {
                    id: format!("q{query}"),
                    text,
                    topic,
                    sense,
                }
            })
            .collect()
    }

    /// Truth: for each query the items that answer it with their grades, the full answers (2) before the partial ones
    /// (1), each by number. In this order they are the ideal list.
    pub fn judgements(&self, queries: &[Query]) -> Vec<Vec<(u32, u8)>> {
        let n_senses = self.n_senses();
        let mut by_sense = vec![Vec::new(); self.n_topics() * n_senses];
        for (number, item) in (0u32..).zip(0..self.listings.len()) {
            by_sense[self.topic_of(item) * n_senses + self.sense_of(item)].push(number);
        }
        let items = |topic: usize, sense: usize| by_sense[topic * n_senses + sense].iter().copied();
        queries
            .iter()
            .map(|query| {
                let (topic, sense) = (query.topic, query.sense);
                let mut neighbours: Vec<u32> = items(topic, (sense + 1) % n_senses)
                    .chain(items(topic, (sense + n_senses - 1) % n_senses))
                    .collect();
                neighbours.sort_unstable();
                let full = items(topic, sense).map(|item| (item, 2));
                full.chain(neighbours.into_iter().map(|item| (item, 1))).collect()
            })
            .collect()
    }

    /// Two different words of a sense.
    fn two_words(&self, topic: usize, sense: usize, stream: &mut Stream) -> [String; 2] {
        let ring = self.n_senses() * WORDS_PER_SENSE / 2;
        let first = stream.below(WORDS_PER_SENSE);
        let second = (first + 1 + stream.below(WORDS_PER_SENSE - 1)) % WORDS_PER_SENSE;
        [first, second].map(|word| {
            let place = (sense * WORDS_PER_SENSE / 2 + word) % ring;
            invented(topic * ring + place)
        })
    }
}

fn noun(topic: usize, stream: &mut Stream) -> &'static str {
    let nouns = CATEGORIES[topic].nouns;
    nouns[stream.below(nouns.len())]
}

/// A word of three syllables; another for every number below a million.
fn invented(number: usize) -> String {
    // 387,411 has no factor in common with a million: neighbours in number are unlike.
    let mut left = number * 387_411 % SYLLABLES.pow(3);
    let mut word = String::with_capacity(6);
    for _ in 0..3 {
        let syllable = left % SYLLABLES;
        left /= SYLLABLES;
        word.push(char::from(b"bcdfghjklmnprstvwxyz"[syllable / 5]));
        word.push(char::from(b"aeiou"[syllable % 5]));
    }
    word
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_number_has_a_word_of_its_own() {
        let words: BTreeSet<String> = (0..100_000).map(invented).collect();
        assert_eq!(words.len(), 100_000);
    }
}
