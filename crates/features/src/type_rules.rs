//! Types: many users or items that share one name, put together from buckets of their columns.
//!
//! Grbovic and Cheng (2018) learn vectors of types where single users and items have too few events: whoever books three
//! times in a lifetime has no vector of their own, but their kind of user has. What makes a kind is declared in the
//! recipe, column by column.

use std::fmt::Write as _;

use catchment_schema::{AttributeTable, ItemIdx};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3Default;

use crate::nearest::did_you_mean;
use crate::{Error, Result};

/// What of a user's or an item's is looked at for one part of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OfGoals {
    /// How many goals (bookings, purchases) the user had before. Needs `boundaries`.
    Count,
    /// The mean of `column` over the items of those goals. Needs `boundaries`.
    Mean,
    /// `column` of the last of those items.
    Last,
}

/// One part of a type: a column, and how its values become few.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeRule {
    /// A column of the users' or the items' own attributes; with `goals`, of the items'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Rising numbers: the bucket is how many of them a number reaches. Without them texts are taken as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boundaries: Vec<f64>,
    /// Of users: look at what they had a goal with before, instead of at their own attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goals: Option<OfGoals>,
}

/// The parts of a type, in order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TypeRules(pub Vec<TypeRule>);

/// What a user had goals with so far, as far as the rules look at it that were given to [`GoalsSoFar::push`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GoalsSoFar {
    n: usize,
    last: Option<ItemIdx>,
    /// For each rule of a mean, the sum of the numbers that are known and how many they are.
    means: Vec<(f64, u32)>,
}

/// A part whose value is missing.
const MISSING: &str = "?";

/// Whose types are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeOf {
    /// Of users: their attributes and their earlier goals.
    User,
    /// Of items: their attributes.
    Item,
}

impl TypeRules {
    /// Checks what can be checked without data; `key` is where the rules stand in the recipe.
    ///
    /// # Errors
    /// [`Error::BadConfig`].
    pub fn validate(&self, key: &str, of: TypeOf) -> Result<()> {
        for (place, rule) in self.0.iter().enumerate() {
            let refuse = |part: &str, reason: &str| {
                Err(Error::BadConfig {
                    key: format!("{key}[{place}].{part}"),
                    reason: reason.to_owned(),
                })
            };
            if rule.goals.is_some() && of == TypeOf::Item {
                return refuse("goals", "only users have goals; take it out");
            }
            match (rule.goals, &rule.column) {
                (Some(OfGoals::Count), Some(_)) => {
                    return refuse("column", "`goals = \"count\"` reads no column; take it out");
                }
                (None | Some(OfGoals::Mean | OfGoals::Last), None) => {
                    return refuse("column", "is missing: name the column that is looked at");
                }
                _ => {}
            }
            let numeric = matches!(rule.goals, Some(OfGoals::Count | OfGoals::Mean));
            if numeric && rule.boundaries.is_empty() {
                return refuse("boundaries", "are missing: a number becomes a bucket by them");
            }
            let rising = rule.boundaries.windows(2).all(|pair| pair[0] < pair[1]);
            if !rising || !rule.boundaries.iter().all(|boundary| boundary.is_finite()) {
                return refuse("boundaries", "must be finite and rise");
            }
        }
        Ok(())
    }

    /// Over everything that changes a kind's name.
    pub(crate) fn hash(&self, hash: &mut Xxh3Default) {
        let count = |n: usize, hash: &mut Xxh3Default| hash.update(&(n as u64).to_le_bytes());
        count(self.0.len(), hash);
        for rule in &self.0 {
            let column = rule.column.as_deref();
            count(column.map_or(usize::MAX, str::len), hash);
            hash.update(column.unwrap_or_default().as_bytes());
            count(rule.boundaries.len(), hash);
            for boundary in &rule.boundaries {
                hash.update(&boundary.to_le_bytes());
            }
            hash.update(&[match rule.goals {
                None => 0,
                Some(OfGoals::Count) => 1,
                Some(OfGoals::Mean) => 2,
                Some(OfGoals::Last) => 3,
            }]);
        }
    }

    /// Checks that the columns are there; `key` is where the rules stand in the recipe.
    ///
    /// # Errors
    /// [`Error::BadConfig`] names the column, the table and what it has.
    pub fn check_columns(
        &self,
        key: &str,
        own: &AttributeTable,
        own_name: &str,
        items: &AttributeTable,
    ) -> Result<()> {
        for (place, rule) in self.0.iter().enumerate() {
            let Some(column) = &rule.column else { continue };
            let (table, name) = match rule.goals {
                None => (own, own_name),
                Some(_) => (items, "items"),
            };
            if table.column(column).is_none() {
                let names: Vec<&str> = table.names().collect();
                return Err(Error::BadConfig {
                    key: format!("{key}[{place}].column"),
                    reason: format!(
                        "the {name} have no column `{column}`; they have: {}{}",
                        names.join(", "),
                        did_you_mean(column, &names)
                    ),
                });
            }
        }
        Ok(())
    }

    /// The type of a row, as in `room_type=Private room|price=2`. A value that is missing is a bucket of its own (`?`).
    pub fn of_row(&self, attributes: &AttributeTable, row: usize) -> String {
        let mut name = String::new();
        for rule in &self.0 {
            rule.begin(&mut name);
            rule.write_own(attributes, row, &mut name);
        }
        name
    }

    /// The type of a user with these attributes, where they are known, who had goals with `goals` so far, oldest first.
    pub fn of_user(
        &self,
        attributes: Option<(&AttributeTable, usize)>,
        goals: &[ItemIdx],
        items: &AttributeTable,
    ) -> String {
        let mut so_far = GoalsSoFar::default();
        for &item in goals {
            so_far.push(item, self, items);
        }
        self.of_user_so_far(attributes, &so_far, items)
    }

    /// As [`TypeRules::of_user`], for who asks again after every goal: none of the earlier ones is read again.
    pub fn of_user_so_far(
        &self,
        attributes: Option<(&AttributeTable, usize)>,
        goals: &GoalsSoFar,
        items: &AttributeTable,
    ) -> String {
        let mut name = String::new();
        let mut means = goals.means.iter();
        for rule in &self.0 {
            rule.begin(&mut name);
            match (rule.goals, attributes) {
                (None, Some((attributes, row))) => rule.write_own(attributes, row, &mut name),
                (None, None) => name.push_str(MISSING),
                (Some(OfGoals::Count), _) => rule.write_number(Some(goals.n as f64), &mut name),
                (Some(OfGoals::Mean), _) => {
                    let mean = means.next().filter(|(_, n)| *n > 0);
                    rule.write_number(mean.map(|(sum, n)| sum / f64::from(*n)), &mut name);
                }
                (Some(OfGoals::Last), _) => match goals.last {
                    Some(item) => rule.write_own(items, item.index(), &mut name),
                    None => name.push_str(MISSING),
                },
            }
        }
        name
    }
}

impl GoalsSoFar {
    /// One goal more, with this item.
    pub fn push(&mut self, item: ItemIdx, rules: &TypeRules, items: &AttributeTable) {
        self.n += 1;
        self.last = Some(item);
        let means = || rules.0.iter().filter(|rule| rule.goals == Some(OfGoals::Mean));
        self.means.resize(means().count(), (0.0, 0));
        for (rule, (sum, n)) in means().zip(&mut self.means) {
            let column = rule.column.as_deref().unwrap_or_default();
            if let Some(number) = items.number(column, item.index()) {
                *sum += number;
                *n += 1;
            }
        }
    }

    /// Forgets all of them.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

impl TypeRule {
    fn begin(&self, name: &mut String) {
        if !name.is_empty() {
            name.push('|');
        }
        let column = self.column.as_deref().unwrap_or_default();
        match self.goals {
            None => name.push_str(column),
            Some(OfGoals::Count) => name.push_str("goals"),
            Some(OfGoals::Mean) => name.extend(["mean ", column]),
            Some(OfGoals::Last) => name.extend(["last ", column]),
        }
        name.push('=');
    }

    fn write_own(&self, attributes: &AttributeTable, row: usize, name: &mut String) {
        let column = self.column.as_deref().unwrap_or_default();
        if self.boundaries.is_empty() {
            name.push_str(label(attributes, column, row).as_deref().unwrap_or(MISSING));
        } else {
            self.write_number(attributes.number(column, row), name);
        }
    }

    fn write_number(&self, number: Option<f64>, name: &mut String) {
        match number.filter(|number| !number.is_nan()) {
            Some(number) => {
                let bucket = self.boundaries.partition_point(|&boundary| boundary <= number);
                let _ = write!(name, "{bucket}");
            }
            None => name.push_str(MISSING),
        }
    }
}

/// What a row says in a column of texts, lists of texts (joined by commas), numbers or flags; none where it says nothing.
pub fn label(attributes: &AttributeTable, column: &str, row: usize) -> Option<String> {
    let texts = attributes.texts(column, row);
    if !texts.is_empty() {
        return Some(texts.join(","));
    }
    if let Some(flag) = attributes.flag(column, row) {
        return Some(flag.to_string());
    }
    attributes.number(column, row).map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use catchment_schema::Vocabulary;
    use catchment_schema::arrow::array::{ArrayRef, Float32Array, RecordBatch, StringArray};

    use super::*;

    fn table() -> AttributeTable {
        let ids: ArrayRef = Arc::new(StringArray::from(vec!["a", "b", "c"]));
        let rooms: ArrayRef = Arc::new(StringArray::from(vec![
            Some("Private room"),
            Some("Entire home"),
            None,
        ]));
        let prices: ArrayRef = Arc::new(Float32Array::from(vec![Some(80.0), Some(0.0), None]));
        let batch = RecordBatch::try_from_iter([("item_id", ids), ("room", rooms), ("price", prices)]);
        let vocabulary = Vocabulary::from_counts([("a", 3), ("b", 2), ("c", 1)]);
        AttributeTable::align(
            Path::new("items"),
            &batch.expect("a table"),
            "item_id",
            &vocabulary,
        )
        .expect("lines up")
    }

    fn rule(column: &str, boundaries: &[f64], goals: Option<OfGoals>) -> TypeRule {
        TypeRule {
            column: (!column.is_empty()).then(|| column.to_owned()),
            boundaries: boundaries.to_vec(),
            goals,
        }
    }

    #[test]
    fn an_item_is_named_by_its_buckets_and_what_is_missing_is_one() {
        let rules = TypeRules(vec![rule("room", &[], None), rule("price", &[50.0, 80.0], None)]);
        let names: Vec<String> = (0..3).map(|row| rules.of_row(&table(), row)).collect();
        assert_eq!(
            names,
            [
                "room=Private room|price=2",
                "room=Entire home|price=0",
                "room=?|price=?"
            ]
        );
        assert_eq!(TypeRules::default().of_row(&table(), 0), "");
    }

    #[test]
    fn a_user_is_named_by_attributes_and_by_what_they_had_before() {
        let rules = TypeRules(vec![
            rule("room", &[], None),
            rule("", &[1.0, 2.0], Some(OfGoals::Count)),
            rule("price", &[30.0], Some(OfGoals::Mean)),
            rule("room", &[], Some(OfGoals::Last)),
        ]);
        let table = table();
        let name = |attributes, goals: &[u32]| {
            let goals: Vec<_> = goals.iter().copied().map(ItemIdx).collect();
            let name = rules.of_user(attributes, &goals, &table);
            // Asked after every goal it says the same as asked once.
            let mut so_far = GoalsSoFar::default();
            for before in 0..=goals.len() {
                let asked = rules.of_user_so_far(attributes, &so_far, &table);
                assert_eq!(asked, rules.of_user(attributes, &goals[..before], &table));
                if let Some(&next) = goals.get(before) {
                    so_far.push(next, &rules, &table);
                }
            }
            name
        };
        assert_eq!(
            name(Some((&table, 1)), &[0, 1]),
            "room=Entire home|goals=2|mean price=1|last room=Entire home"
        );
        assert_eq!(name(None, &[]), "room=?|goals=0|mean price=?|last room=?");
        // A price that is not known counts for nothing.
        assert_eq!(name(None, &[1, 2]), "room=?|goals=2|mean price=0|last room=?");
    }

    #[test]
    fn rules_that_are_none_are_named() {
        let failed = |rule: TypeRule, of| {
            let rules = TypeRules(vec![
                TypeRule {
                    column: Some("a".to_owned()),
                    ..TypeRule::default()
                },
                rule,
            ]);
            rules
                .validate("types.users", of)
                .expect_err("refused")
                .to_string()
        };
        let column = |rule| failed(rule, TypeOf::User);
        assert!(column(rule("", &[], None)).starts_with("types.users[1].column: is missing"));
        assert!(column(rule("a", &[1.0], Some(OfGoals::Count))).contains("reads no column"));
        assert!(column(rule("", &[], Some(OfGoals::Count))).contains("types.users[1].boundaries"));
        for boundaries in [[2.0, 1.0], [1.0, 1.0], [0.0, f64::INFINITY]] {
            assert!(column(rule("a", &boundaries, None)).contains("must be finite and rise"));
        }
        assert!(failed(rule("a", &[], Some(OfGoals::Last)), TypeOf::Item).contains("only users"));
        let missing = TypeRules(vec![rule("rom", &[], None)])
            .check_columns("types.items", &table(), "items", &table())
            .expect_err("not there")
            .to_string();
        assert!(
            missing.contains("types.items[0].column") && missing.contains("room, price"),
            "{missing}"
        );
        assert!(missing.contains("room`?"), "{missing}");
    }
}
