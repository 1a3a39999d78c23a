//! Who or what is in which segment.

use std::collections::BTreeMap;

use catchment_schema::{AttributeTable, ItemIdx, UserIdx};

use crate::Error;
use crate::catalogue_metrics::ItemPopularity;
use crate::seen_items::SeenItems;
use crate::segment_by::{SegmentBy, Side};

/// Most words of a column that get a segment of their own; the rest share one.
const MOST_WORDS: usize = 12;
/// History lengths at which a band begins.
const BANDS: [usize; 7] = [0, 1, 5, 10, 20, 50, 100];

/// A segment for each user or item of a vocabulary, and one for those beyond it.
#[derive(Clone, Debug, PartialEq)]
pub struct Segmentation {
    by: SegmentBy,
    labels: Vec<String>,
    /// By index, into `labels`.
    groups: Vec<u16>,
    /// Of those beyond the vocabulary.
    cold: u16,
}

/// What segments can be made from.
#[derive(Clone, Copy, Debug)]
pub struct SegmentSources<'a> {
    /// What each user had before.
    pub seen: &'a SeenItems,
    /// How many users had each item.
    pub popularity: &'a ItemPopularity,
    /// One row for each user of the vocabulary.
    pub user_attributes: &'a AttributeTable,
    /// One row for each item of the vocabulary.
    pub item_attributes: &'a AttributeTable,
    /// How many users the vocabulary has.
    pub n_users: usize,
    /// How many items the vocabulary has.
    pub n_items: usize,
}

impl Segmentation {
    /// # Errors
    /// [`Error::NoSuchSegment`] for a column that is not there, with those that are.
    pub fn new(by: &SegmentBy, sources: &SegmentSources<'_>) -> Result<Self, Error> {
        let n = match by.side() {
            Side::User => sources.n_users,
            Side::Item => sources.n_items,
        };
        let (labels, groups) = match by {
            SegmentBy::PopularityDecile => deciles(sources.popularity.counts()),
            SegmentBy::HistoryLength => histories(sources, n),
            SegmentBy::Cold(_) => (vec!["known".to_owned()], vec![0; n]),
            SegmentBy::Column(side, column) => {
                let table = match side {
                    Side::User => sources.user_attributes,
                    Side::Item => sources.item_attributes,
                };
                if table.column(column).is_none() {
                    return Err(Error::NoSuchSegment {
                        by: by.to_string(),
                        known: known(sources),
                    });
                }
                of_column(table, column, n)
            }
        };
        let mut labels = labels;
        labels.push("cold".to_owned());
        Ok(Self {
            by: by.clone(),
            cold: as_group(labels.len() - 1),
            labels,
            groups,
        })
    }

    /// By what.
    pub fn by(&self) -> &SegmentBy {
        &self.by
    }

    /// The segments, in the order in which they are shown; the last is that of the cold.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// A user's segment, into [`Segmentation::labels`].
    pub fn of_user(&self, user: UserIdx) -> usize {
        self.of(user.index())
    }

    /// An item's segment, into [`Segmentation::labels`].
    pub fn of_item(&self, item: ItemIdx) -> usize {
        self.of(item.index())
    }

    fn of(&self, index: usize) -> usize {
        usize::from(self.groups.get(index).copied().unwrap_or(self.cold))
    }
}

fn as_group(position: usize) -> u16 {
    u16::try_from(position).unwrap_or(u16::MAX)
}

fn known(sources: &SegmentSources<'_>) -> Vec<String> {
    let fixed = ["item.cold", "item.popularity_decile", "user.cold", "user.history"];
    let users = sources.user_attributes.names().map(|name| format!("user.{name}"));
    let items = sources.item_attributes.names().map(|name| format!("item.{name}"));
    let mut all: Vec<String> = users.chain(items).chain(fixed.map(str::to_owned)).collect();
    all.sort_unstable();
    all
}

fn deciles(counts: &[u32]) -> (Vec<String>, Vec<u16>) {
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&item| (std::cmp::Reverse(counts[item]), item));
    let mut groups = vec![0; counts.len()];
    for (rank, item) in order.into_iter().enumerate() {
        groups[item] = as_group(rank * 10 / counts.len());
    }
    let label = |decile: usize| match decile {
        1 => "1 (most popular)".to_owned(),
        10 => "10 (least popular)".to_owned(),
        _ => decile.to_string(),
    };
    ((1..=10).map(label).collect(), groups)
}

fn histories(sources: &SegmentSources<'_>, n_users: usize) -> (Vec<String>, Vec<u16>) {
    let band = |user: usize| {
        let length = sources.seen.of(UserIdx::from_index(user)).len();
        as_group(BANDS.partition_point(|&start| start <= length) - 1)
    };
    let label = |position: usize| match BANDS.get(position + 1) {
        Some(&next) if next - 1 == BANDS[position] => format!("{} items", BANDS[position]),
        Some(&next) => format!("{}–{} items", BANDS[position], next - 1),
        None => format!("{} items or more", BANDS[position]),
    };
    let labels = (0..BANDS.len()).map(label).collect();
    (labels, (0..n_users).map(band).collect())
}

/// Numbers in quarters of equally many rows, cut between different values; anything else by its (first) word.
fn of_column(table: &AttributeTable, column: &str, n: usize) -> (Vec<String>, Vec<u16>) {
    let words: Vec<Option<String>> = (0..n)
        .map(|row| match table.flag(column, row) {
            Some(flag) => Some(if flag { "yes" } else { "no" }.to_owned()),
            None => table.texts(column, row).into_iter().next(),
        })
        .collect();
    if words.iter().any(Option::is_some) {
        return by_word(&words);
    }
    let numbers: Vec<Option<f64>> = (0..n)
        .map(|row| table.number(column, row).filter(|number| number.is_finite()))
        .collect();
    in_quarters(&numbers)
}

fn by_word(words: &[Option<String>]) -> (Vec<String>, Vec<u16>) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for word in words.iter().flatten() {
        *counts.entry(word).or_default() += 1;
    }
    let mut labels: Vec<&str> = counts.keys().copied().collect();
    // Stable: equally frequent words stay in their order.
    labels.sort_by_key(|word| std::cmp::Reverse(counts[word]));
    labels.truncate(MOST_WORDS);
    let rest = labels.len();
    let group = |word: &Option<String>| match word {
        None => rest + 1,
        Some(word) => labels.iter().position(|label| label == word).unwrap_or(rest),
    };
    let groups = words.iter().map(|word| as_group(group(word))).collect();
    let labels = labels.into_iter().chain(["other", "no value"]);
    (labels.map(str::to_owned).collect(), groups)
}

fn in_quarters(numbers: &[Option<f64>]) -> (Vec<String>, Vec<u16>) {
    let mut sorted: Vec<f64> = numbers.iter().flatten().copied().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut starts: Vec<f64> = (0..4)
        .filter_map(|quarter| sorted.get(quarter * sorted.len() / 4).copied())
        .collect();
    starts.dedup();
    let group = |number: &Option<f64>| match number {
        None => starts.len(),
        Some(number) => starts.partition_point(|start| start <= number).saturating_sub(1),
    };
    let groups = numbers.iter().map(|number| as_group(group(number))).collect();
    let label = |position: usize| match starts.get(position + 1) {
        Some(next) => format!("{} to below {next}", starts[position]),
        None => format!("{} or more", starts[position]),
    };
    let labels = (0..starts.len()).map(label).chain(["no value".to_owned()]);
    (labels.collect(), groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_hold_equally_many_items_the_popular_ones_first() {
        let counts: Vec<u32> = (0..20).map(|item| item % 7).collect();
        let (labels, groups) = deciles(&counts);
        assert_eq!(labels.len(), 10);
        for decile in 0..10u16 {
            assert_eq!(groups.iter().filter(|&&group| group == decile).count(), 2);
        }
        assert_eq!((groups[6], groups[13], groups[0]), (0, 0, 8));
    }

    #[test]
    fn words_go_by_frequency_and_the_rare_share_a_segment() {
        let mut words: Vec<Option<String>> = (0..14).map(|word| Some(format!("w{word:02}"))).collect();
        words.extend([Some("w13".to_owned()), None]);
        let (labels, groups) = by_word(&words);
        assert_eq!((labels[0].as_str(), labels[1].as_str()), ("w13", "w00"));
        assert_eq!(labels[12..], ["other", "no value"]);
        assert_eq!(
            (groups[13], groups[14], groups[0], groups[12], groups[15]),
            (0, 0, 1, 12, 13)
        );
    }

    #[test]
    fn numbers_are_cut_in_quarters_between_different_values() {
        let numbers: Vec<Option<f64>> = [1.0, 1.0, 1.0, 2.0, 3.0, 3.5, 4.0, 9.0].map(Some).to_vec();
        let (labels, groups) = in_quarters(&numbers);
        assert_eq!(labels, ["1 to below 3", "3 to below 4", "4 or more", "no value"]);
        assert_eq!(groups, [0, 0, 0, 0, 1, 1, 2, 2]);
        let (labels, groups) = in_quarters(&[None, Some(5.0)]);
        assert_eq!((labels.len(), groups), (2, vec![1, 0]));
    }

    #[test]
    fn columns_that_are_not_there_are_named_with_those_that_are() {
        let seen = SeenItems::from_csr(&[0, 1, 7], &[0, 0, 1, 2, 3, 4, 5]).expect("rows");
        let sources = SegmentSources {
            popularity: &ItemPopularity::count(&seen, 6),
            seen: &seen,
            user_attributes: &AttributeTable::empty(2),
            item_attributes: &AttributeTable::empty(6),
            n_users: 2,
            n_items: 6,
        };
        let error =
            Segmentation::new(&"item.genre".parse().expect("a word"), &sources).expect_err("no column");
        assert_eq!(
            error.to_string(),
            "evaluate.segments: there is no column `item.genre`; there are: item.cold, item.popularity_decile, user.cold, \
             user.history"
        );
        let bands = Segmentation::new(&SegmentBy::HistoryLength, &sources).expect("bands");
        let label = |user| bands.labels()[bands.of_user(UserIdx(user))].as_str();
        assert_eq!([label(0), label(1), label(2)], ["1–4 items", "5–9 items", "cold"]);
    }
}
