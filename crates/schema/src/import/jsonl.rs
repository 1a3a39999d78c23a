//! One JSON object a line.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::chunk::{RowReader, TextRows, Typing};
use super::faults::WHOLE_LINE;
use super::lines::Lines;
use crate::Result;

/// Reads objects. Strings are taken as their text and everything else as it is written, so that an integer of
/// any width keeps all its digits; null, absent and empty are null.
pub(super) struct JsonLines {
    lines: Lines,
    names: Vec<String>,
    positions: HashMap<String, usize>,
}

impl JsonLines {
    pub(super) fn open(path: &Path) -> Result<Self> {
        Ok(Self {
            lines: Lines::open(path)?,
            names: Vec::new(),
            positions: HashMap::new(),
        })
    }

    /// The column called `name`, a new one where it was never seen.
    fn position(&mut self, name: String) -> usize {
        if let Some(&position) = self.positions.get(&name) {
            return position;
        }
        let position = self.names.len();
        self.names.push(name.clone());
        self.positions.insert(name, position);
        position
    }
}

impl RowReader for JsonLines {
    fn typing(&self) -> Typing {
        Typing::Loose
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn read_row(&mut self, rows: &mut TextRows) -> Result<bool> {
        if !self.lines.advance(&rows.origin.path)? {
            return Ok(false);
        }
        let number = self.lines.number();
        let Some(line) = self.lines.text(&mut rows.origin) else {
            return Ok(true);
        };
        let pairs = match parse_object(line) {
            Ok(pairs) => pairs,
            Err(reason) => {
                rows.origin.unreadable(number, WHOLE_LINE, line, reason);
                return Ok(true);
            }
        };
        let mut cells = vec![None; self.names.len()];
        for (name, cell) in pairs {
            let position = self.position(name);
            if position >= cells.len() {
                cells.resize(position + 1, None);
            }
            cells[position] = cell;
        }
        rows.push(number, &cells);
        Ok(true)
    }
}

type Pairs = Vec<(String, Option<String>)>;

fn parse_object(line: &str) -> Result<Pairs, String> {
    let reason = |error: serde_json::Error| {
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        format!("is no JSON object: {message}, at character {}", error.column())
    };
    let object: Object<'_> = serde_json::from_str(line).map_err(reason)?;
    let mut pairs: Pairs = Vec::with_capacity(object.0.len());
    for (name, value) in object.0 {
        let cell = match value.get() {
            "null" | "\"\"" => None,
            text if text.starts_with('"') => Some(serde_json::from_str::<String>(text).map_err(reason)?),
            text => Some(text.to_owned()),
        };
        pairs.push((name, cell));
    }
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.array_windows().find(|[name, next]| name == next) {
        return Err(format!("names {twice:?} twice"));
    }
    Ok(pairs)
}

/// The pairs of an object, in the order in which they are written.
struct Object<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}
