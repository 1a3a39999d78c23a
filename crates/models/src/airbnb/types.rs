//! Kinds of users and kinds of items in one space.
//!
//! A goal (a booking) is a pair of a kind of user and a kind of item. A user's goals in the order of time are one session,
//! `u₁ i₁ u₂ i₂ …`, in which the skip-gram's window reaches over both kinds; the user's kind is the one that they were of at
//! that moment. What was turned down is no part of the session, but an explicit negative wherever that kind of user or
//! that kind of item stands in it:
//!
//! ```text
//! Σ_r log σ(−⟨v_r, u_user⟩)        and, from the other side,        Σ_r log σ(−⟨v_r, u_item⟩)
//! ```
//!
//! The vector of a kind is the sum `u + v` of its input and its output vector (Levy et al. 2015). Then the cosine of a
//! user's kind and an item's kind holds `⟨u_user, v_item⟩ + ⟨v_user, u_item⟩`, which is what was trained. The paper compares
//! input vectors alone; they meet only by what stands beside both, and what was turned down stands beside neither.

use std::collections::BTreeMap;
use std::path::Path;

use catchment_features::{GoalsSoFar, TypeOf, TypeRules};
use catchment_sampling::{MemorySessions, Session};
use catchment_schema::{
    AttributeTable, Embeddings, EmbeddingsMeta, Error as FileError, EventKind, Histories, ItemIdx, Metric,
};
use serde::{Deserialize, Serialize};

use super::default_types_model;
use crate::progress::Progress;
use crate::sgns::{self, Objective, SgnsConfig};
use crate::{Error, Result};

/// Vectors of the kinds of users, in the folder of a channel.
pub const USER_TYPES_FILE: &str = "user_types.parquet";
/// Vectors of the kinds of items, in the folder of a channel.
pub const ITEM_TYPES_FILE: &str = "item_types.parquet";

/// A recipe's `types`: what makes a kind of user and a kind of item, and how their vectors are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypesConfig {
    /// The parts of a user's type.
    pub users: TypeRules,
    /// The parts of an item's type.
    pub items: TypeRules,
    /// The event by which something was turned down: `reject`, `return`. None: there are no explicit negatives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject: Option<String>,
    /// The settings of the skip-gram.
    pub model: SgnsConfig,
}

impl Default for TypesConfig {
    fn default() -> Self {
        Self {
            users: TypeRules::default(),
            items: TypeRules::default(),
            reject: None,
            model: default_types_model(),
        }
    }
}

impl TypesConfig {
    /// Checks the rules and the settings.
    ///
    /// # Errors
    /// [`Error::Features`] for a rule that is none; [`Error::Config`] where a side has no rule, and for settings of the
    /// skip-gram out of range.
    pub fn validate(&self) -> Result<()> {
        for (key, rules, of) in [
            ("types.users", &self.users, TypeOf::User),
            ("types.items", &self.items, TypeOf::Item),
        ] {
            if rules.0.is_empty() {
                return Err(Error::Config {
                    key,
                    value: "empty".to_owned(),
                    allowed: "one rule or more: without any, all are of one kind",
                });
            }
            rules.validate(key, of)?;
        }
        self.model.validate()
    }

    /// As [`TypesConfig::validate`], knowing the word of the goal.
    ///
    /// # Errors
    /// As there; [`Error::Config`] also where `reject` is that word: what is a goal cannot turn down.
    pub fn validate_with_goal(&self, goal: &str) -> Result<()> {
        self.validate()?;
        if self.reject.as_deref() == Some(goal) {
            return Err(self.rejects_the_goal());
        }
        Ok(())
    }

    fn rejects_the_goal(&self) -> Error {
        Error::Config {
            key: "types.reject",
            value: self.reject.clone().unwrap_or_default(),
            allowed: "another event than `objective.goal`",
        }
    }
}

/// The log, as far as types are made of it.
#[derive(Clone, Copy, Debug)]
pub struct TypesData<'a> {
    /// What happened, by user.
    pub histories: &'a Histories,
    /// One row a user.
    pub users: &'a AttributeTable,
    /// One row an item.
    pub items: &'a AttributeTable,
    /// The event that pairs a user with an item.
    pub goal: EventKind,
    /// The event by which one was turned down.
    pub reject: Option<EventKind>,
}

/// Users and items as sessions of their types.
#[derive(Clone, Debug, Default)]
pub struct TypeSessions {
    /// A session for each user who had a goal.
    pub sessions: MemorySessions,
    /// Names of the tokens of the sessions, and of which side each is.
    pub tokens: Vec<(TypeOf, String)>,
    /// How many rejections are in the sessions, and how many are those of users without a goal, who have none.
    pub rejects: [usize; 2],
}

/// Kinds of users or of items with their directions.
#[derive(Clone, Debug, Default, PartialEq)]
struct Side {
    rows: BTreeMap<String, usize>,
    /// `[rows, dim]`, each of length 1.
    vectors: Vec<f32>,
}

/// Directions of kinds of users and kinds of items, in one space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeVectors {
    dim: usize,
    users: Side,
    items: Side,
}

impl TypeSessions {
    /// Of all users.
    ///
    /// # Errors
    /// [`Error::Features`] where a column is not there; [`Error::Config`] where the goal is what turns down.
    pub fn new(data: &TypesData<'_>, config: &TypesConfig) -> Result<Self> {
        config
            .users
            .check_columns("types.users", data.users, "users", data.items)?;
        config
            .items
            .check_columns("types.items", data.items, "items", data.items)?;
        if data.reject == Some(data.goal) {
            return Err(config.rejects_the_goal());
        }
        let mut found = Self::default();
        let mut numbers: BTreeMap<(bool, String), u32> = BTreeMap::new();
        let mut token = |of: TypeOf, name: String, tokens: &mut Vec<(TypeOf, String)>| {
            let number = numbers
                .entry((of == TypeOf::User, name.clone()))
                .or_insert_with(|| {
                    tokens.push((of, name));
                    u32::try_from(tokens.len() - 1).unwrap_or(u32::MAX)
                });
            ItemIdx(*number)
        };
        // Items are many times in the log.
        let mut item_tokens: Vec<Option<ItemIdx>> = vec![None; data.items.n_rows()];
        let (mut session, mut goals) = (Session::default(), GoalsSoFar::default());
        for (user, history) in data.histories.iter() {
            session.clear();
            goals.clear();
            for event in history.events() {
                let is_reject = data.reject == Some(event.kind);
                if event.kind != data.goal && !is_reject {
                    continue;
                }
                let Some(known) = item_tokens.get_mut(event.item.index()) else {
                    continue;
                };
                let attributes = (user.index() < data.users.n_rows()).then_some((data.users, user.index()));
                let of_user = config.users.of_user_so_far(attributes, &goals, data.items);
                let of_user = token(TypeOf::User, of_user, &mut found.tokens);
                let of_item = *known.get_or_insert_with(|| {
                    let name = config.items.of_row(data.items, event.item.index());
                    token(TypeOf::Item, name, &mut found.tokens)
                });
                if event.kind == data.goal {
                    session.items.extend([of_user, of_item]);
                    goals.push(event.item, &config.users, data.items);
                } else {
                    session.rejects.extend([[of_user, of_item], [of_item, of_user]]);
                }
            }
            found.rejects[usize::from(session.items.is_empty())] += session.rejects.len() / 2;
            if !session.items.is_empty() {
                found.sessions.push(&session);
            }
        }
        Ok(found)
    }
}

/// Learns vectors of kinds; progress as in [`sgns::fit`]. A kind that nobody had a goal with has no vector.
///
/// # Errors
/// [`Error::NoGoals`]; those of [`TypeSessions::new`] and [`sgns::fit`].
pub fn fit(
    found: &TypeSessions,
    config: &TypesConfig,
    seed: u64,
    progress: &mut dyn Progress,
) -> Result<TypeVectors> {
    config.validate()?;
    if found.sessions.is_empty() {
        return Err(Error::NoGoals);
    }
    let objective = Objective {
        rejects: config.reject.is_some(),
        ..Objective::default()
    };
    let model = sgns::fit_objective(
        &found.sessions,
        found.tokens.len(),
        &config.model,
        &objective,
        seed,
        None,
        progress,
    )?;
    let mut vectors = TypeVectors {
        dim: model.dim,
        ..TypeVectors::default()
    };
    let rows = model
        .input
        .chunks_exact(model.dim)
        .zip(model.output.chunks_exact(model.dim));
    for ((of, name), (input, output)) in found.tokens.iter().zip(rows) {
        if input.iter().any(|&x| x != 0.0) {
            let sum: Vec<f32> = input.iter().zip(output).map(|(u, v)| u + v).collect();
            vectors.side_mut(*of).push(name.clone(), &sum);
        }
    }
    Ok(vectors)
}

impl Side {
    fn push(&mut self, name: String, vector: &[f32]) {
        self.rows.insert(name, self.rows.len());
        let begin = self.vectors.len();
        self.vectors.extend_from_slice(vector);
        sgns::normalise(&mut self.vectors[begin..]);
    }

    fn of(&self, name: &str, dim: usize) -> Option<&[f32]> {
        let row = *self.rows.get(name)?;
        self.vectors.get(row * dim..(row + 1) * dim)
    }
}

impl TypeVectors {
    fn side(&self, of: TypeOf) -> &Side {
        match of {
            TypeOf::User => &self.users,
            TypeOf::Item => &self.items,
        }
    }

    fn side_mut(&mut self, of: TypeOf) -> &mut Side {
        match of {
            TypeOf::User => &mut self.users,
            TypeOf::Item => &mut self.items,
        }
    }

    /// Width of a vector.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many kinds of a side have a vector.
    pub fn len(&self, of: TypeOf) -> usize {
        self.side(of).rows.len()
    }

    /// Whether no kind has one.
    pub fn is_empty(&self) -> bool {
        self.users.rows.is_empty() && self.items.rows.is_empty()
    }

    /// The direction of a kind, where it has one.
    pub fn of(&self, of: TypeOf, name: &str) -> Option<&[f32]> {
        self.side(of).of(name, self.dim)
    }

    /// All kinds of a side with their directions, by name.
    pub fn iter(&self, of: TypeOf) -> impl Iterator<Item = (&str, &[f32])> {
        let side = self.side(of);
        let names = side.rows.keys();
        names.filter_map(|name| Some((name.as_str(), side.of(name, self.dim)?)))
    }

    /// The cosine of a kind of user and a kind of item; none where either has no vector.
    pub fn similarity(&self, user: &str, item: &str) -> Option<f32> {
        let (user, item) = (self.of(TypeOf::User, user)?, self.of(TypeOf::Item, item)?);
        Some(user.iter().zip(item).map(|(a, b)| a * b).sum())
    }

    /// Writes both sides; `model` is the kind of the channel, and `run` says which run made them.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn save(&self, folder: impl AsRef<Path>, model: &str, run: &str) -> Result<()> {
        for (file, kind, of) in FILES {
            let side = self.side(of);
            let mut names: Vec<_> = side.rows.iter().collect();
            names.sort_unstable_by_key(|(_, row)| **row);
            let table = Embeddings {
                meta: EmbeddingsMeta {
                    kind: kind.to_owned(),
                    model: model.to_owned(),
                    metric: Metric::Cosine,
                    normalised: true,
                    run: run.to_owned(),
                },
                dim: self.dim,
                ids: names.into_iter().map(|(name, _)| name.as_str().into()).collect(),
                vectors: side.vectors.clone(),
                bias: None,
            };
            table.write(folder.as_ref().join(file))?;
        }
        Ok(())
    }

    /// Reads what [`TypeVectors::save`] wrote.
    ///
    /// # Errors
    /// [`Error::File`] for a file that is missing or damaged, or where the two sides are not of one space.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self> {
        let mut read = Self::default();
        for (file, kind, of) in FILES {
            let path = folder.as_ref().join(file);
            let table = Embeddings::read(&path)?;
            let wrong = table.meta.kind != kind || (read.dim != 0 && read.dim != table.dim);
            if wrong || table.meta.metric != Metric::Cosine {
                return Err(FileError::Inconsistent {
                    path,
                    reason: format!(
                        "it holds no directions of kind {kind}, or of another width than the other side"
                    ),
                }
                .into());
            }
            read.dim = table.dim;
            for (name, vector) in table.ids.iter().zip(table.vectors.chunks_exact(table.dim)) {
                read.side_mut(of).push(name.to_string(), vector);
            }
        }
        Ok(read)
    }
}

const FILES: [(&str, &str, TypeOf); 2] = [
    (USER_TYPES_FILE, "user_type", TypeOf::User),
    (ITEM_TYPES_FILE, "item_type", TypeOf::Item),
];

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use catchment_features::{OfGoals, TypeRule};
    use catchment_sampling::{Session, SessionSource};
    use catchment_schema::arrow::array::{ArrayRef, RecordBatch, StringArray};
    use catchment_schema::{Event, Time, UserIdx, Vocabulary};

    use super::*;
    use crate::progress::Silent;

    const GOAL: EventKind = EventKind(1);
    const REJECT: EventKind = EventKind(2);

    fn table(column: &str, values: &[String]) -> AttributeTable {
        let names: Vec<String> = (0..values.len()).map(|row| format!("{row:05}")).collect();
        let ids: ArrayRef = Arc::new(StringArray::from(names.clone()));
        let texts: ArrayRef = Arc::new(StringArray::from(values.to_vec()));
        let batch = RecordBatch::try_from_iter([("id", ids), (column, texts)]).expect("a table");
        let vocabulary = Vocabulary::from_counts(names.iter().map(|name| (name, 1)));
        AttributeTable::align(Path::new("table"), &batch, "id", &vocabulary).expect("lines up")
    }

    fn rules(column: &str) -> TypeRules {
        TypeRules(vec![TypeRule {
            column: Some(column.to_owned()),
            ..TypeRule::default()
        }])
    }

    fn config(reject: bool) -> TypesConfig {
        TypesConfig {
            users: rules("taste"),
            items: rules("room"),
            reject: reject.then(|| "reject".to_owned()),
            model: SgnsConfig {
                dim: 8,
                epochs: 20,
                learning_rate: 0.1,
                ..default_types_model()
            },
        }
    }

    /// Three tastes, six kinds of items. Of the first two kinds taste 0 books both alike; the second turns it down.
    fn world() -> (Histories, AttributeTable, AttributeTable) {
        let (n_users, n_items) = (300_u32, 60_u32);
        let (mut users, mut events) = (Vec::new(), Vec::new());
        let mut at = |user, item, kind| {
            users.push(UserIdx(user));
            events.push(Event {
                kind,
                ..Event::new(ItemIdx(item), Time::UNKNOWN)
            });
        };
        for user in 0..n_users {
            for step in 0..4 {
                let room = (user % 3) * 2 + (user / 3 + step) % 2;
                at(user, room + 6 * ((user * 7 + step) % 10), GOAL);
                // Looking is no goal.
                at(user, (user + step) % n_items, EventKind(0));
                if user % 3 == 0 {
                    at(user, 1 + 6 * (step % 10), REJECT);
                }
            }
        }
        let names = |n: u32, word: &str, of: u32| -> Vec<String> {
            (0..n).map(|row| format!("{word}{}", row % of)).collect()
        };
        (
            Histories::group(n_users as usize, &users, &events),
            table("taste", &names(n_users, "t", 3)),
            table("room", &names(n_items, "r", 6)),
        )
    }

    fn learned(reject: bool) -> (TypeSessions, TypeVectors) {
        let (histories, users, items) = world();
        let data = TypesData {
            histories: &histories,
            users: &users,
            items: &items,
            goal: GOAL,
            reject: reject.then_some(REJECT),
        };
        let config = config(reject);
        let sessions = TypeSessions::new(&data, &config).expect("columns");
        let vectors = fit(&sessions, &config, 3, &mut Silent).expect("fitted");
        (sessions, vectors)
    }

    fn near(vectors: &TypeVectors, user: u32, item: u32) -> f32 {
        let similarity = vectors.similarity(&format!("taste=t{user}"), &format!("room=r{item}"));
        similarity.expect("both have vectors")
    }

    #[test]
    fn kinds_of_users_come_near_the_kinds_that_they_book() {
        let (sessions, vectors) = learned(false);
        assert_eq!((sessions.sessions.len(), sessions.tokens.len()), (300, 9));
        assert_eq!([vectors.len(TypeOf::User), vectors.len(TypeOf::Item)], [3, 6]);
        for user in 0..3 {
            for item in 0..6 {
                let (mine, other) = (near(&vectors, user, user * 2), near(&vectors, user, item));
                assert!(
                    item / 2 == user || mine > other + 0.3,
                    "{user} {item}: {mine} {other}"
                );
            }
        }
        assert_eq!(vectors.similarity("taste=t9", "room=r0"), None);
    }

    #[test]
    fn what_was_turned_down_moves_away() {
        let ((_, without), (sessions, with)) = (learned(false), learned(true));
        assert_eq!(sessions.rejects, [400, 0]);
        let gap = |vectors: &TypeVectors| near(vectors, 0, 0) - near(vectors, 0, 1);
        assert!(
            gap(&with) > gap(&without) + 0.02,
            "{} {}",
            gap(&without),
            gap(&with)
        );
    }

    #[test]
    fn a_session_is_the_goals_in_order_with_the_kind_that_the_user_was_of_then() {
        let (_, _, items) = world();
        let user = |kinds: &[(u32, EventKind)]| -> Vec<Event> {
            let event = |&(item, kind): &(u32, EventKind)| Event {
                kind,
                ..Event::new(ItemIdx(item), Time::UNKNOWN)
            };
            kinds.iter().map(event).collect()
        };
        let mut events = user(&[(5, GOAL), (2, REJECT), (5, EventKind(0)), (4, GOAL)]);
        events.extend(user(&[(1, REJECT)]));
        let users = [0, 0, 0, 0, 1].map(UserIdx);
        let histories = Histories::group(2, &users, &events);
        let config = TypesConfig {
            users: TypeRules(vec![TypeRule {
                goals: Some(OfGoals::Count),
                boundaries: vec![1.0],
                column: None,
            }]),
            ..config(true)
        };
        let data = TypesData {
            histories: &histories,
            users: &AttributeTable::empty(2),
            items: &items,
            goal: GOAL,
            reject: Some(REJECT),
        };
        let found = TypeSessions::new(&data, &config).expect("columns");
        let names: Vec<&str> = found.tokens.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(
            names,
            ["goals=0", "room=r5", "goals=1", "room=r2", "room=r4", "room=r1"]
        );
        let mut session = Session::default();
        let mut stream = found.sessions.shard(0).expect("in memory");
        assert!(stream.next_session(&mut session).expect("in memory"));
        assert_eq!(session.items, [0, 1, 2, 4].map(ItemIdx));
        assert_eq!(session.rejects, [[2, 3], [3, 2]].map(|pair| pair.map(ItemIdx)));
        assert!(!stream.next_session(&mut session).expect("in memory"));
        assert_eq!(found.rejects, [1, 1]);
    }

    #[test]
    fn vectors_are_read_back_and_damage_is_noticed() {
        let (_, vectors) = learned(false);
        let folder = tempfile::tempdir().expect("temporary folder");
        vectors.save(folder.path(), "airbnb", "run").expect("written");
        let read = TypeVectors::open(folder.path()).expect("read");
        assert_eq!(read.dim(), 8);
        for (user, item) in [(0, 0), (2, 1)] {
            assert!((near(&read, user, item) - near(&vectors, user, item)).abs() < 1e-6);
        }
        std::fs::copy(
            folder.path().join(USER_TYPES_FILE),
            folder.path().join(ITEM_TYPES_FILE),
        )
        .expect("copied");
        assert!(matches!(TypeVectors::open(folder.path()), Err(Error::File(_))));
    }

    #[test]
    fn nobody_with_a_goal_and_no_rules_are_errors() {
        let (_, users, items) = world();
        let histories = Histories::empty(300);
        let data = TypesData {
            histories: &histories,
            users: &users,
            items: &items,
            goal: GOAL,
            reject: None,
        };
        let found = TypeSessions::new(&data, &config(false)).expect("columns");
        assert!(matches!(
            fit(&found, &config(false), 1, &mut Silent),
            Err(Error::NoGoals)
        ));
        let none = TypesConfig {
            items: TypeRules::default(),
            ..config(false)
        };
        let message = none.validate().expect_err("refused").to_string();
        assert!(message.contains("`types.items` is empty"), "{message}");
        let both = TypesData {
            reject: Some(GOAL),
            ..data
        };
        let refused = [
            TypeSessions::new(&both, &config(true)).map(|_| ()),
            config(true).validate_with_goal("reject"),
        ];
        for refused in refused {
            let message = refused.expect_err("refused").to_string();
            assert!(message.contains("`types.reject` is reject"), "{message}");
        }
        assert!(config(true).validate_with_goal("booking").is_ok());
        let missing = TypesConfig {
            users: rules("age"),
            ..config(false)
        };
        assert!(matches!(
            TypeSessions::new(&data, &missing),
            Err(Error::Features(_))
        ));
    }
}
