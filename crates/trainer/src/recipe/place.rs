//! Where in a recipe's text a mistake stands.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// Something to find in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// These bytes.
    Span(Range<usize>),
    /// The first key or text of this name at or after this byte: what serde does not know, it names, but of a
    /// nested table it tells only where the outermost one begins.
    Word { name: String, from: usize },
    /// The key at the end of this path, or as far as the path goes; elements of arrays as numbers:
    /// `channel.0.model.dim`.
    Path(String),
}

impl Place {
    /// The line, from 1; `None` where the text has no such place.
    pub(super) fn line(&self, text: &str) -> Option<usize> {
        let start = match self {
            Self::Span(span) => span.start,
            Self::Word { name, from } => {
                let document = DeTable::parse(text).ok()?;
                let mut found = None;
                first_word(document.get_ref(), name, *from, &mut found);
                // Serde knows it, this reader of the text does not: the outermost table is the next best.
                found.unwrap_or(*from)
            }
            Self::Path(path) => walk(DeTable::parse(text).ok()?.get_ref(), path)?,
        };
        Some(
            text.as_bytes()
                .iter()
                .take(start)
                .filter(|&&byte| byte == b'\n')
                .count()
                + 1,
        )
    }

    /// Where the path leads, as far as it goes.
    pub(super) fn start(&self, text: &str) -> Option<usize> {
        match self {
            Self::Span(span) => Some(span.start),
            Self::Word { from, .. } => Some(*from),
            Self::Path(path) => walk(DeTable::parse(text).ok()?.get_ref(), path),
        }
    }
}

fn first_word(table: &DeTable<'_>, name: &str, from: usize, found: &mut Option<usize>) {
    for (key, value) in table {
        if key.get_ref() == name {
            meet(key.span().start, from, found);
        }
        first_word_in(value.get_ref(), value.span().start, name, from, found);
    }
}

fn first_word_in(value: &DeValue<'_>, start: usize, name: &str, from: usize, found: &mut Option<usize>) {
    match value {
        DeValue::String(text) if text == name => meet(start, from, found),
        DeValue::Table(table) => first_word(table, name, from, found),
        DeValue::Array(elements) => {
            for element in elements {
                first_word_in(element.get_ref(), element.span().start, name, from, found);
            }
        }
        _ => {}
    }
}

fn meet(start: usize, from: usize, found: &mut Option<usize>) {
    if start >= from && found.is_none_or(|earlier| start < earlier) {
        *found = Some(start);
    }
}

/// Where the deepest key or element of the path begins that is there.
fn walk(document: &DeTable<'_>, path: &str) -> Option<usize> {
    let mut steps = path.split('.');
    let (key, mut value) = document.get_key_value(steps.next()?)?;
    let mut start = key.span().start;
    for step in steps {
        match value.get_ref() {
            DeValue::Table(table) => {
                let Some((key, inner)) = table.get_key_value(step) else {
                    break;
                };
                start = key.span().start;
                value = inner;
            }
            DeValue::Array(elements) => {
                let Some(element) = step.parse().ok().and_then(|place: usize| elements.get(place)) else {
                    break;
                };
                start = element.span().start;
                value = element;
            }
            _ => break,
        }
    }
    Some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"name = "shop"
[split]
kind = "random"
fraction = 2

[[channel]]
name = "a"
[[channel]]
name = "b"
[channel.model]
dim = 0
"#;

    #[test]
    fn a_path_leads_to_its_line_or_as_near_as_there_is_one() {
        let line = |path: &str| Place::Path(path.to_owned()).line(TEXT);
        assert_eq!(line("split.fraction"), Some(4));
        assert_eq!(line("channel.1.model.dim"), Some(11));
        assert_eq!(line("channel.1.model.alpha0"), Some(10));
        assert_eq!(line("channel.0.k"), Some(6));
        assert_eq!(line("ranker.kind"), None);
    }

    #[test]
    fn a_word_is_looked_for_from_where_it_can_stand() {
        let line = |name: &str, from| {
            Place::Word {
                name: name.to_owned(),
                from,
            }
            .line(TEXT)
        };
        assert_eq!(line("name", 0), Some(1));
        assert_eq!(line("name", 5), Some(7));
        assert_eq!(line("random", 0), Some(3));
        assert_eq!(line("nowhere", 15), Some(2));
    }
}
