//! Settings of one trial, and the recipe that has them.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::recipe::Recipe;

/// The settings of one trial, by their places in the recipe.
pub(crate) type Settings = BTreeMap<String, Value>;

impl Recipe {
    /// The recipe with other settings, read and checked as if they stood in it.
    ///
    /// # Errors
    /// What is said of one that was written so.
    pub(crate) fn with_settings(&self, settings: &Settings) -> Result<Self, Unfit> {
        let unfit = |cause: String, help: &str| Unfit {
            cause,
            help: help.to_owned(),
        };
        let mut table = self.table_with(settings)?;
        // What is searched has been read.
        table.remove("tune");
        let text = toml::to_string(&table).map_err(|error| unfit(error.to_string(), "mend it"))?;
        let variable = |name: &str| std::env::var(name).ok();
        let recipe = Self::parse(&text, &self.path, &variable).map_err(|problem| {
            // Its line would be one of a text that nobody sees.
            let error = problem.in_text(&self.path, &text);
            unfit(error.message, &error.help)
        });
        Ok(Self {
            text: self.text.clone(),
            tune: self.tune.clone(),
            ..recipe?
        })
    }

    fn table_with(&self, settings: &Settings) -> Result<Table, Unfit> {
        let unfit = |cause: String, help: &str| Unfit {
            cause,
            help: help.to_owned(),
        };
        let mut table: Table =
            toml::from_str(&self.text).map_err(|error| unfit(error.to_string(), "mend it"))?;
        for (key, value) in settings {
            if !set(&mut table, key, value.clone()) {
                let cause = format!("\"{key}\" leads through something that is no table");
                return Err(unfit(cause, "name a key of a table"));
            }
        }
        Ok(table)
    }

    /// Settings as they would stand in the recipe: of each channel and table that they are in, the lines that change.
    pub(crate) fn lines_with(&self, settings: &Settings) -> Vec<String> {
        let Ok(table) = self.table_with(settings) else {
            return vec![];
        };
        // In the order in which they come up.
        let mut places: Vec<(String, Vec<String>)> = vec![];
        for key in settings.keys() {
            let steps: Vec<&str> = key.split('.').collect();
            let (head, owner, name) = match steps[..] {
                ["channel", channel, name, ..] => {
                    let channels = table.get("channel").and_then(Value::as_array);
                    let named = |of: &&Value| of.get("name").and_then(Value::as_str) == Some(channel);
                    let owner = channels.and_then(|all| all.iter().find(named));
                    (format!("in [[channel]] \"{channel}\":"), owner, Some(name))
                }
                [owner, name, ..] => (format!("in [{owner}]:"), table.get(owner), Some(name)),
                [owner] => (
                    format!("instead of all that is in [{owner}]:"),
                    table.get(owner),
                    None,
                ),
                [] => continue,
            };
            let place = places.iter().position(|(known, _)| *known == head);
            let place = place.unwrap_or_else(|| {
                places.push((head, vec![]));
                places.len() - 1
            });
            let lines = owner.and_then(Value::as_table).into_iter().flatten();
            for (key, value) in lines.filter(|(key, _)| name.is_none_or(|name| name == key.as_str())) {
                let line = format!("  {key} = {value}");
                if !places[place].1.contains(&line) {
                    places[place].1.push(line);
                }
            }
        }
        let lines = places
            .into_iter()
            .flat_map(|(head, lines)| std::iter::once(head).chain(lines));
        lines.collect()
    }
}

/// Settings that do not go with a recipe.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// Why.
    pub(crate) cause: String,
    /// What to do about it.
    pub(crate) help: String,
}

/// `channel.ials.model.dim = 64, merge.kind = "rrf"`
pub(crate) fn in_words(settings: &Settings) -> String {
    let words = settings.iter().map(|(key, value)| format!("{key} = {value}"));
    words.collect::<Vec<_>>().join(", ")
}

/// Puts a value at a place of a recipe, making tables on the way; whether there was a way.
fn set(table: &mut Table, key: &str, value: Value) -> bool {
    let mut steps: Vec<&str> = key.split('.').collect();
    let Some(last) = steps.pop() else {
        return false;
    };
    let mut steps = steps.into_iter();
    let mut at = table;
    if key.starts_with("channel.") {
        let name = steps.nth(1);
        let channels = at.get_mut("channel").and_then(Value::as_array_mut);
        let named = |channel: &Value| channel.get("name").and_then(Value::as_str) == name;
        let channel = channels.and_then(|all| all.iter_mut().find(|channel| named(channel)));
        match channel.and_then(Value::as_table_mut) {
            Some(channel) => at = channel,
            None => return false,
        }
    }
    for step in steps {
        let inner = at.entry(step).or_insert_with(|| Value::Table(Table::new()));
        match inner.as_table_mut() {
            Some(inner) => at = inner,
            None => return false,
        }
    }
    at.insert(last.to_owned(), value);
    true
}
