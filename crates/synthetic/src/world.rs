//! The world: items, users and what happened between them.

use catchment_schema::Time;

use crate::catalogue::{self, Item};
use crate::choice::Choice;
use crate::population::{self, User};
use crate::{Result, WorldConfig, log};

/// A world whose truth is known.
///
/// # Laws
/// 1. The same configuration gives the same world, bit by bit, on every machine.
/// 2. Nobody chooses an item twice, or before it is published.
/// 3. Each choice was drawn by the law of [`crate::choice`].
/// 4. No event of a cold user, and none with a cold item, comes before [`World::split_time`]; everybody
///    else has an event before it.
/// 5. There are exactly as many events as were asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    config: WorldConfig,
    items: Vec<Item>,
    users: Vec<User>,
    /// By user, then by time.
    choices: Vec<Choice>,
    offsets: Vec<usize>,
}

impl World {
    /// Makes the world. Time and memory grow with `n_users × n_items` and `n_events × n_items`.
    ///
    /// # Errors
    /// [`crate::Error::BadConfig`].
    pub fn generate(config: &WorldConfig) -> Result<Self> {
        config.validate()?;
        let categories = catalogue::categories(config);
        let items = catalogue::items(config, &categories);
        let users = population::users(config, &categories);
        let mut choices = Vec::with_capacity(config.n_events);
        let mut offsets = vec![0];
        for (position, n_events) in population::activity(config, &users).into_iter().enumerate() {
            choices.extend(log::choices(config, &items, position, &users[position], n_events));
            offsets.push(choices.len());
        }
        Ok(Self {
            config: config.clone(),
            items,
            users,
            choices,
            offsets,
        })
    }

    /// What was asked for.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The items. Positions here are the world's own, not those of a vocabulary.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The users. Positions here are the world's own, not those of a vocabulary.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// What the user at this position did, oldest first; nothing beyond the last.
    pub fn choices_of(&self, user: usize) -> &[Choice] {
        match self.offsets.get(user + 1) {
            Some(&end) => &self.choices[self.offsets[user]..end],
            None => &[],
        }
    }

    /// Everything that happened, by time, then user.
    pub fn log(&self) -> Vec<Choice> {
        let mut log = self.choices.clone();
        log.sort_unstable_by_key(|choice| (choice.time, choice.user));
        log
    }

    /// Cold users and cold items turn up from here on: where a temporal split should cut.
    pub fn split_time(&self) -> Time {
        Time::from_millis(self.config.split() * 1000)
    }

    /// The first moment after the log.
    pub fn end_time(&self) -> Time {
        Time::from_millis(self.config.end() * 1000)
    }

    /// Whether an item is published after the split.
    pub fn is_cold_item(&self, item: usize) -> bool {
        self.items[item].published_at >= self.split_time()
    }
}
