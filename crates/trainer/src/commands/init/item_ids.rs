//! The ids of an items file, beside which a log is looked at.

use std::collections::{BTreeSet, HashSet};

use catchment_schema::import::{Peek, PeekColumn};

use super::guess::Guessed;
use super::synonyms::plain;

/// How many ids a warning names.
const N_EXAMPLES: usize = 3;

/// The items of a file, as far as it was looked at.
pub(super) struct ItemIds {
    file: String,
    /// The column of the ids, as the file names it.
    column: String,
    ids: HashSet<String>,
    /// Whether the whole file was looked at: else an id that is not here may still be there.
    is_whole: bool,
}

impl ItemIds {
    /// `None` where the format of the file has no such column.
    pub(super) fn of(items: &Guessed, peeked: &Peek) -> Option<Self> {
        let column = column_of(items, peeked)?;
        Some(Self {
            file: items.source.path.clone(),
            column: column.name.clone(),
            ids: column.cells.iter().flatten().cloned().collect(),
            is_whole: !items.more,
        })
    }

    /// The column of a log that is called as the ids are here, where its values are ids too: its position, and why.
    pub(super) fn named_alike(&self, log: &Peek) -> Option<(usize, String)> {
        let is_alike = |column: &PeekColumn| plain(&column.name) == plain(&self.column);
        let position = log.columns.iter().position(is_alike)?;
        let (known, strangers) = self.told_apart(&log.columns[position]);
        let share = known as f64 / (known + strangers.len()).max(1) as f64;
        let fits = if self.is_whole { share >= 0.5 } else { share > 0.0 };
        let why = format!(
            "it is called as the ids of {} are, and {:.0} % of its values are there",
            self.file,
            share * 100.0
        );
        fits.then_some((position, why))
    }

    /// How many items of a log are not here, where that can be said.
    pub(super) fn warning(&self, log: &Guessed, peeked: &Peek) -> Option<String> {
        let column = column_of(log, peeked)?;
        let (known, strangers) = self.told_apart(column);
        let n_items = known + strangers.len();
        if strangers.is_empty() || !self.is_whole {
            return None;
        }
        let examples: Vec<String> = strangers
            .iter()
            .take(N_EXAMPLES)
            .map(|id| format!("{id:?}"))
            .collect();
        let examples = examples.join(", ");
        let Self {
            file, column: ours, ..
        } = self;
        if known == 0 {
            return Some(format!(
                "none of the {n_items} values of column {:?} is an id of {file} (column {ours:?}), such as {examples}: one \
                 of the two is probably the wrong column, or the wrong file; correct item_id in columns = {{ … }}",
                column.name
            ));
        }
        Some(format!(
            "{} of {n_items} items of the log ({:.1} %) are not in {file}, such as {examples}: they have no title, no \
             category and no attributes; add them there, or check that both write ids in one way",
            strangers.len(),
            strangers.len() as f64 / n_items as f64 * 100.0
        ))
    }

    /// How many different values of a column are here, and the others, in order.
    fn told_apart<'a>(&self, column: &'a PeekColumn) -> (usize, BTreeSet<&'a str>) {
        let values: BTreeSet<&str> = column.cells.iter().flatten().map(String::as_str).collect();
        let (known, strangers): (BTreeSet<_>, _) = values.into_iter().partition(|id| self.ids.contains(*id));
        (known.len(), strangers)
    }
}

/// The column of the ids of items.
fn column_of<'a>(guessed: &Guessed, peeked: &'a Peek) -> Option<&'a PeekColumn> {
    let name = guessed
        .source
        .columns
        .get("item_id")
        .map_or("item_id", String::as_str);
    peeked.columns.iter().find(|column| column.name == name)
}
