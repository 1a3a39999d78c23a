//! Vectors for items that were in no session, by what is written about them.
//!
//! Such an item gets the mean direction of the `k` items with a vector that are most alike in content, and the mean of
//! their output vectors, so that it can be found and asked with. Alike is the cosine of bags of words and categories,
//! each weighted by how rare it is,
//!
//! ```text
//! idf(t) = ln(1 + n / n_t)        cos(i, j) = Σ_{t in both} idf(t)² / (‖i‖ ‖j‖)        ‖i‖² = Σ_{t in i} idf(t)²
//! ```
//!
//! found by an inverted index. The vocabulary is sorted by falling count, so that among equals, and of what very many
//! share, the most frequent items are taken.

use std::collections::HashMap;

use catchment_schema::{AttributeTable, ItemIdx};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::SgnsModel;
use super::item_vectors::normalise;
use crate::{Error, Result};

/// A recipe's `cold`: which columns say what an item is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColdConfig {
    /// Columns whose texts count as they are: categories, brands, tags.
    pub categories: Vec<String>,
    /// Columns whose texts count word by word: titles.
    pub words: Vec<String>,
    /// How many items most alike make the mean, each counting the same: not more than share something that matters. From
    /// 1 to 1000.
    pub neighbours: usize,
    /// Of what more items than this share, only so many of the most frequent ones are looked at. From 1.
    pub most_sharing: usize,
}

impl Default for ColdConfig {
    fn default() -> Self {
        Self {
            categories: Vec::new(),
            words: Vec::new(),
            neighbours: 10,
            most_sharing: 4096,
        }
    }
}

impl ColdConfig {
    /// Whether no column is named: then nothing is done.
    pub fn is_empty(&self) -> bool {
        self.categories.is_empty() && self.words.is_empty()
    }

    /// The columns with the key that names them.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let categories = self
            .categories
            .iter()
            .map(|column| ("categories", column.as_str()));
        categories.chain(self.words.iter().map(|column| ("words", column.as_str())))
    }

    /// Checks the ranges.
    ///
    /// # Errors
    /// [`Error::Config`].
    pub fn validate(&self) -> Result<()> {
        let refuse = |key, value: usize, allowed| {
            Err(Error::Config {
                key,
                value: value.to_string(),
                allowed,
            })
        };
        if self.neighbours == 0 || self.neighbours > 1000 {
            return refuse("neighbours", self.neighbours, "1 to 1000");
        }
        if self.most_sharing == 0 {
            return refuse("most_sharing", self.most_sharing, "1 or more");
        }
        Ok(())
    }
}

/// What was done for items without a vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColdReport {
    /// Items that were in no session.
    pub cold: usize,
    /// Those that were given a vector: some item with a vector shares something with them.
    pub placed: usize,
}

/// Items that are looked up before their vectors are put in.
const CHUNK: usize = 4096;

impl SgnsModel {
    /// Gives items that were in no session the mean direction of those most alike in content. Row `i` of `attributes`
    /// is item `i`. An item that shares nothing with any other keeps a zero vector.
    ///
    /// # Errors
    /// [`Error::Config`]; [`Error::Column`] for a column that the items do not have, or without any text;
    /// [`Error::WrongLength`] for attributes of another vocabulary.
    pub fn place_cold(&mut self, attributes: &AttributeTable, config: &ColdConfig) -> Result<ColdReport> {
        let (n_items, dim) = (self.n_items(), self.dim);
        let is_warm: Vec<bool> = self
            .input
            .chunks_exact(dim)
            .map(|vector| vector.iter().any(|&x| x != 0.0))
            .collect();
        let content = Content::new(attributes, config, &is_warm, n_items)?;
        let cold: Vec<usize> = (0..n_items).filter(|&item| !is_warm[item]).collect();
        let mut placed = 0;
        for chunk in cold.chunks(CHUNK) {
            let found: Vec<_> = chunk
                .par_iter()
                .map_init(
                    || Scratch::new(n_items),
                    |scratch, &item| content.alike(item, config.neighbours, scratch),
                )
                .collect();
            for (&item, alike) in chunk.iter().zip(&found) {
                placed += usize::from(self.place(item, alike));
            }
        }
        Ok(ColdReport {
            cold: cold.len(),
            placed,
        })
    }

    /// Whether the means of these items make a direction.
    fn place(&mut self, item: usize, alike: &[ItemIdx]) -> bool {
        let dim = self.dim;
        let mut means = [vec![0.0_f32; dim], vec![0.0; dim]];
        for other in alike {
            let row = other.index() * dim..(other.index() + 1) * dim;
            let mut direction = self.input[row.clone()].to_vec();
            normalise(&mut direction);
            for (mean, vector) in means.iter_mut().zip([&direction[..], &self.output[row]]) {
                for (mean, x) in mean.iter_mut().zip(vector) {
                    *mean += x / alike.len() as f32;
                }
            }
        }
        let [mut input, output] = means;
        // Directions that cancel out say nothing.
        if input.iter().map(|x| x * x).sum::<f32>() < 1e-12 {
            return false;
        }
        normalise(&mut input);
        let row = item * dim..(item + 1) * dim;
        self.input[row.clone()].copy_from_slice(&input);
        self.output[row].copy_from_slice(&output);
        true
    }
}

/// What is written about all items, and which of those with a vector it leads to.
struct Content {
    /// The words and categories of each item, numbered, ascending, each once.
    terms: Vec<u32>,
    offsets: Vec<usize>,
    /// The square of each term's weight.
    weights: Vec<f32>,
    /// The length of each item's bag.
    norms: Vec<f32>,
    /// For each term the items with a vector that have it, ascending.
    postings: Vec<u32>,
    posting_offsets: Vec<usize>,
    most_sharing: usize,
}

/// Scores while one item is looked up; all zero between two.
struct Scratch {
    scores: Vec<f32>,
    touched: Vec<u32>,
    ranked: Vec<(f32, u32)>,
}

impl Scratch {
    fn new(n_items: usize) -> Self {
        Self {
            scores: vec![0.0; n_items],
            touched: Vec::new(),
            ranked: Vec::new(),
        }
    }
}

impl Content {
    fn new(
        attributes: &AttributeTable,
        config: &ColdConfig,
        is_warm: &[bool],
        n_items: usize,
    ) -> Result<Self> {
        config.validate()?;
        if attributes.n_rows() != n_items {
            return Err(Error::WrongLength {
                what: "attributes",
                expected: n_items,
                found: attributes.n_rows(),
            });
        }
        let (terms, offsets, n_terms) = terms(attributes, config)?;
        let mut counts = vec![0_u32; n_terms];
        for &term in &terms {
            counts[term as usize] += 1;
        }
        let idf = |&count: &u32| (1.0 + n_items as f32 / count.max(1) as f32).ln();
        let weights: Vec<f32> = counts.iter().map(|count| idf(count).powi(2)).collect();
        let of = |item: usize| &terms[offsets[item]..offsets[item + 1]];
        let norm = |item| {
            of(item)
                .iter()
                .map(|&term| weights[term as usize])
                .sum::<f32>()
                .sqrt()
        };
        let norms = (0..n_items).map(norm).collect();
        let mut posting_offsets = vec![0_usize; n_terms + 1];
        let warm = || (0..n_items).filter(|&item| is_warm[item]);
        for item in warm() {
            for &term in of(item) {
                posting_offsets[term as usize + 1] += 1;
            }
        }
        for term in 0..n_terms {
            posting_offsets[term + 1] += posting_offsets[term];
        }
        let mut next = posting_offsets.clone();
        let mut postings = vec![0; posting_offsets[n_terms]];
        for (number, item) in (0..).zip(0..n_items).filter(|(_, item)| is_warm[*item]) {
            for &term in of(item) {
                let place = &mut next[term as usize];
                postings[*place] = number;
                *place += 1;
            }
        }
        Ok(Self {
            terms,
            offsets,
            weights,
            norms,
            postings,
            posting_offsets,
            most_sharing: config.most_sharing,
        })
    }

    /// The `k` items with a vector that are most alike; equal ones by index.
    fn alike(&self, item: usize, k: usize, scratch: &mut Scratch) -> Vec<ItemIdx> {
        for &term in &self.terms[self.offsets[item]..self.offsets[item + 1]] {
            let term = term as usize;
            let postings = &self.postings[self.posting_offsets[term]..self.posting_offsets[term + 1]];
            for &other in &postings[..postings.len().min(self.most_sharing)] {
                let score = &mut scratch.scores[other as usize];
                if *score == 0.0 {
                    scratch.touched.push(other);
                }
                *score += self.weights[term];
            }
        }
        scratch.ranked.clear();
        for other in scratch.touched.drain(..) {
            let score = std::mem::take(&mut scratch.scores[other as usize]);
            // The item's own length is the same for all.
            scratch.ranked.push((score / self.norms[other as usize], other));
        }
        let better = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if scratch.ranked.len() > k {
            scratch.ranked.select_nth_unstable_by(k - 1, better);
            scratch.ranked.truncate(k);
        }
        scratch.ranked.sort_unstable_by(better);
        scratch.ranked.iter().map(|&(_, other)| ItemIdx(other)).collect()
    }
}

/// The terms of all items, one after the other, where each item's begin, and how many terms there are.
fn terms(attributes: &AttributeTable, config: &ColdConfig) -> Result<(Vec<u32>, Vec<usize>, usize)> {
    let n_items = attributes.n_rows();
    // The same word in two columns is two terms.
    let mut numbers: Vec<HashMap<String, u32>> = Vec::new();
    for (key, column) in config.columns() {
        if attributes.column(column).is_none() {
            let names: Vec<&str> = attributes.names().collect();
            let names = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            return Err(column_error(
                key,
                column,
                &format!("the items have no such column; columns: {names}"),
            ));
        }
        numbers.push(HashMap::new());
    }
    let (mut terms, mut offsets) = (Vec::new(), vec![0]);
    let mut n_terms = 0;
    for row in 0..n_items {
        let begin = terms.len();
        for ((key, column), numbers) in config.columns().zip(&mut numbers) {
            let mut term = |text: &str| {
                let number = numbers.get(text).copied().unwrap_or_else(|| {
                    n_terms += 1;
                    numbers.insert(text.to_owned(), n_terms - 1);
                    n_terms - 1
                });
                terms.push(number);
            };
            for text in attributes.texts(column, row) {
                if key == "words" {
                    let text = text.to_lowercase();
                    let words = text.split(|c: char| !c.is_alphanumeric());
                    words.filter(|word| !word.is_empty()).for_each(&mut term);
                } else {
                    term(&text);
                }
            }
        }
        terms[begin..].sort_unstable();
        let mut kept = begin;
        for at in begin..terms.len() {
            if at == begin || terms[at] != terms[at - 1] {
                terms[kept] = terms[at];
                kept += 1;
            }
        }
        terms.truncate(kept);
        offsets.push(terms.len());
    }
    if let Some(((key, column), _)) = config
        .columns()
        .zip(&numbers)
        .find(|(_, numbers)| numbers.is_empty())
    {
        return Err(column_error(key, column, "no item has a text in it"));
    }
    Ok((terms, offsets, n_terms as usize))
}

fn column_error(key: &str, column: &str, reason: &str) -> Error {
    Error::Column {
        key: format!("cold.{key}"),
        column: column.to_owned(),
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
