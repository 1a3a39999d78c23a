//! The columns of a file on the way to their meanings.

use std::collections::BTreeMap;

use catchment_schema::import::{Peek, Source};

use super::guess::{Certainty, Guess, Guessed};
use super::kind::Looks;
use super::synonyms::{Name, fits, plain};

/// Names that the importer reads in its own way: a column that carries one and holds something else is renamed.
const READ_AS_TIME: [&str; 3] = ["timestamp", "published_at", "expires_at"];
const READ_AS_NUMBER: [&str; 6] = ["value", "price", "latitude", "longitude", "dwell_ms", "order"];

/// The columns of a file, and which of them are taken.
pub(super) struct Columns<'a> {
    source: &'a Source,
    peeked: &'a Peek,
    looks: Vec<Option<Looks>>,
    taken: BTreeMap<&'static str, usize>,
    guesses: Vec<Guess>,
    warnings: Vec<String>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(source: &'a Source, peeked: &'a Peek) -> Self {
        Self {
            source,
            peeked,
            looks: peeked
                .columns
                .iter()
                .map(|column| Some(Looks::of(column)))
                .collect(),
            taken: BTreeMap::new(),
            guesses: vec![],
            warnings: vec![],
        }
    }

    /// Columns that mean nothing yet: their positions, names and looks.
    pub(super) fn free(&self) -> impl Iterator<Item = (usize, &'a str, &Looks)> {
        let named = self.peeked.columns.iter().zip(&self.looks).enumerate();
        named
            .filter(|(position, _)| self.is_free(*position))
            .filter_map(|(position, (column, looks))| Some((position, column.name.as_str(), looks.as_ref()?)))
    }

    /// What was taken for a meaning.
    pub(super) fn taken(&self, means: &str) -> Option<(&'a str, &Looks)> {
        let position = *self.taken.get(means)?;
        Some((
            &self.peeked.columns[position].name,
            self.looks[position].as_ref()?,
        ))
    }

    /// Something for the user to know before the recipe is used.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    fn is_free(&self, position: usize) -> bool {
        self.taken.values().all(|&taken| taken != position)
    }

    pub(super) fn take(&mut self, means: &'static str, position: usize, sure: Certainty, why: String) {
        self.taken.insert(means, position);
        self.guesses.push(Guess {
            file: self.source.path.clone(),
            means: means.to_owned(),
            found: format!("column {:?}", self.peeked.columns[position].name),
            sure,
            why,
        });
    }

    /// Exact names of all meanings first, so that one that is merely like a name takes no column from another.
    pub(super) fn by_name(
        &mut self,
        meanings: &[(&'static str, &[&str])],
        is_possible: &dyn Fn(&str, &Looks) -> bool,
    ) {
        let names: Vec<Name> = self
            .peeked
            .columns
            .iter()
            .map(|column| Name::of(&column.name))
            .collect();
        for (wanted, sure) in [(2, Certainty::Sure), (1, Certainty::Likely)] {
            for (means, synonyms) in meanings {
                if self.taken.contains_key(means) {
                    continue;
                }
                let synonyms: Vec<String> = synonyms.iter().map(|synonym| plain(synonym)).collect();
                // The earlier a name stands among the synonyms, the better; then the earlier column.
                let best = names
                    .iter()
                    .enumerate()
                    .filter_map(|(position, name)| match fits(name, &synonyms) {
                        (fit, exact) if fit == wanted => Some((exact, position)),
                        _ => None,
                    })
                    .filter(|&(_, position)| self.is_free(position))
                    .filter(|&(_, position)| {
                        self.looks[position]
                            .as_ref()
                            .is_some_and(|looks| is_possible(means, looks))
                    })
                    .min()
                    .map(|(_, position)| position);
                if let Some(position) = best {
                    let why = match sure {
                        Certainty::Sure => "by its name, and its values fit",
                        _ => "its name is like one that is used for it, and its values fit",
                    };
                    self.take(means, position, sure, why.to_owned());
                }
            }
        }
    }

    /// The first free column that looks like it.
    pub(super) fn by_content(&mut self, means: &'static str, fits: impl Fn(&str, &Looks) -> bool, why: &str) {
        if self.taken.contains_key(means) {
            return;
        }
        let found = self.free().find(|(_, name, looks)| fits(name, looks));
        if let Some((position, ..)) = found {
            self.take(means, position, Certainty::Guess, why.to_owned());
        }
    }

    pub(super) fn finish(mut self, needed: &[&'static str]) -> Result<Guessed, &'static str> {
        if let Some(missing) = needed.iter().find(|means| !self.taken.contains_key(*means)) {
            return Err(missing);
        }
        let mut source = self.source.clone();
        for (means, &position) in &self.taken {
            let name = &self.peeked.columns[position].name;
            if name != means {
                source.columns.insert((*means).to_owned(), name.clone());
            }
        }
        for position in 0..self.looks.len() {
            if self.is_free(position) {
                self.rename_impostor(position, &mut source);
            }
        }
        let written: Vec<&String> = source.columns.values().collect();
        let unmapped = (0..self.looks.len())
            .filter(|&position| self.is_free(position))
            .map(|position| &self.peeked.columns[position].name)
            .filter(|name| !written.contains(name))
            .cloned()
            .collect();
        let looks = self
            .taken
            .iter()
            .filter_map(|(means, &position)| Some((*means, self.looks[position].take()?)))
            .collect();
        Ok(Guessed {
            source,
            has: self.taken.keys().copied().collect(),
            looks,
            guesses: self.guesses,
            warnings: self.warnings,
            rows: self.peeked.rows,
            more: self.peeked.more,
            unmapped,
        })
    }

    /// A column that has a name of ours and holds something else would be refused when it is read.
    fn rename_impostor(&mut self, position: usize, source: &mut Source) {
        let name = &self.peeked.columns[position].name;
        let Some(looks) = &self.looks[position] else {
            return;
        };
        let is_impostor = (READ_AS_TIME.contains(&name.as_str()) && !looks.is_read_as_times())
            || (READ_AS_NUMBER.contains(&name.as_str()) && looks.numbers.is_none());
        if is_impostor && looks.n_values > 0 && !source.columns.contains_key(name) {
            let other = format!("{name}_as_written");
            self.guesses.push(Guess {
                file: self.source.path.clone(),
                means: other.clone(),
                found: format!("column {name:?}"),
                sure: Certainty::Sure,
                why: format!(
                    "its values are not what `{name}` has to hold, so it is kept under another name"
                ),
            });
            source.columns.insert(other, name.clone());
        }
    }
}
