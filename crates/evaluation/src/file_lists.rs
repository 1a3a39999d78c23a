//! Lists from a file: a channel's, another program's, yesterday's.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use catchment_schema::{CandidateRows, Histories, History, ItemIdx, ScoredItem, UserIdx, Vocabulary};

use crate::Error;
use crate::recommends::{Recommends, TopKLists};

/// The lists of one channel of a `candidates.parquet` (`user_id`, `item_id`, `channel`, `rank` from 1, `score`),
/// whoever wrote it, in any order of rows. The order of a list is that of its ranks; scores are carried along.
///
/// Lists are judged as they stand: nothing of the user's history is taken out here, so whoever wrote the file
/// must have obeyed `exclude_seen` ([`FileLists::n_seen`] tells). A user without rows has an empty list.
///
/// An item that the vocabulary does not know keeps its place, since whoever recommends it has spent that place
/// on it. It gets an index at or beyond the vocabulary's length, which [`crate::evaluate()`] never counts as a hit.
#[derive(Clone, Debug, PartialEq)]
pub struct FileLists {
    /// Ids of users that have a list but no place in the vocabulary. Their lists are left out.
    pub n_unknown_users: usize,
    /// Ids of items that are recommended to known users but have no place in the vocabulary.
    pub n_unknown_items: usize,
    channel: String,
    offsets: Vec<usize>,
    items: Vec<ScoredItem>,
}

/// A row of the file whose user is known.
struct Row {
    user: UserIdx,
    rank: u32,
    scored: ScoredItem,
}

impl FileLists {
    /// Reads a file that has one channel.
    ///
    /// # Errors
    /// [`Error::SeveralChannels`]; the others as [`FileLists::read_channel`].
    pub fn read(path: &Path, users: &Vocabulary, items: &Vocabulary) -> Result<Self, Error> {
        Self::read_some(path, None, users, items)
    }

    /// Reads one channel of a file that may have several.
    ///
    /// # Errors
    /// [`Error::NoSuchChannel`]; [`Error::ListedTwice`] and [`Error::RankGap`] when a user's rows are not a list;
    /// [`Error::Schema`] when the file cannot be read, a column is missing or of another type, a cell is null or a
    /// score is not finite.
    pub fn read_channel(
        path: &Path,
        channel: &str,
        users: &Vocabulary,
        items: &Vocabulary,
    ) -> Result<Self, Error> {
        Self::read_some(path, Some(channel), users, items)
    }

    fn read_some(
        path: &Path,
        wanted: Option<&str>,
        users: &Vocabulary,
        items: &Vocabulary,
    ) -> Result<Self, Error> {
        let listed = CandidateRows::read(path)?.rows;
        let found: BTreeSet<&str> = listed.iter().map(|row| row.channel.as_ref()).collect();
        let channel = choose(path, wanted, &found)?;
        let mut strangers = Strangers::after(items);
        let mut unknown_users = BTreeSet::new();
        let mut rows = Vec::new();
        for row in listed.iter().filter(|row| row.channel.as_ref() == channel) {
            let Some(user) = users.user(&row.user_id) else {
                unknown_users.insert(row.user_id.as_ref());
                continue;
            };
            let id = row.item_id.as_ref();
            let item = items.item(id).unwrap_or_else(|| strangers.index(id));
            rows.push(Row {
                user,
                rank: row.rank,
                scored: ScoredItem::new(item, row.score),
            });
        }
        let n_unknown_users = unknown_users.len();
        rows.sort_unstable_by_key(|row| (row.user, row.rank, row.scored.item));
        check(
            path,
            &rows,
            |user| users.id(user.index()).unwrap_or_default(),
            |item| items.id(item.index()).unwrap_or_else(|| strangers.id(item)),
        )?;
        let mut offsets = vec![0; users.len() + 1];
        for row in &rows {
            offsets[row.user.index() + 1] += 1;
        }
        for user in 0..users.len() {
            offsets[user + 1] += offsets[user];
        }
        Ok(Self {
            n_unknown_users,
            n_unknown_items: strangers.ids.len(),
            channel: channel.to_owned(),
            offsets,
            items: rows.into_iter().map(|row| row.scored).collect(),
        })
    }

    /// The channel that was read; empty for a file without rows.
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// A user's whole list, best first; empty for a user without one.
    pub fn of(&self, user: UserIdx) -> &[ScoredItem] {
        match self.offsets.get(user.index() + 1) {
            Some(&end) => &self.items[self.offsets[user.index()]..end],
            None => &[],
        }
    }

    /// How many listed items are in the histories of the users that they are listed for: 0, if whoever wrote the
    /// file obeyed `exclude_seen`.
    pub fn n_seen(&self, histories: &Histories) -> usize {
        let of_user = |(user, history): (UserIdx, History<'_>)| {
            let seen: BTreeSet<ItemIdx> = history.events().iter().map(|event| event.item).collect();
            let listed = self.of(user).iter();
            listed.filter(|scored| seen.contains(&scored.item)).count()
        };
        histories.iter().map(of_user).sum()
    }
}

impl Recommends for FileLists {
    fn top_k(&self, users: &[UserIdx], k: usize, lists: &mut TopKLists) -> Result<(), String> {
        lists.clear();
        for &user in users {
            lists.push(self.of(user).iter().take(k).copied());
        }
        Ok(())
    }
}

/// Items beyond the vocabulary, numbered in the order in which the file names them: distinct ids stay distinct.
struct Strangers<'a> {
    first: usize,
    ids: Vec<&'a str>,
    indices: HashMap<&'a str, ItemIdx>,
}

impl<'a> Strangers<'a> {
    fn after(items: &Vocabulary) -> Self {
        Self {
            first: items.len(),
            ids: Vec::new(),
            indices: HashMap::new(),
        }
    }

    fn index(&mut self, id: &'a str) -> ItemIdx {
        let next = ItemIdx::from_index(self.first + self.ids.len());
        *self.indices.entry(id).or_insert_with(|| {
            self.ids.push(id);
            next
        })
    }

    fn id(&self, item: ItemIdx) -> &'a str {
        self.ids
            .get(item.index() - self.first)
            .copied()
            .unwrap_or_default()
    }
}

fn choose<'a>(path: &Path, wanted: Option<&'a str>, found: &BTreeSet<&'a str>) -> Result<&'a str, Error> {
    let names = || found.iter().map(|&name| name.to_owned()).collect();
    match wanted {
        Some(channel) if found.contains(channel) => Ok(channel),
        Some(channel) => Err(Error::NoSuchChannel {
            path: path.to_owned(),
            channel: channel.to_owned(),
            channels: names(),
        }),
        None if found.len() > 1 => Err(Error::SeveralChannels {
            path: path.to_owned(),
            channels: names(),
        }),
        None => Ok(found.first().copied().unwrap_or_default()),
    }
}

/// Each user's ranks are 1, 2, 3, … and no item comes twice. Rows are sorted by user and rank.
fn check<'a>(
    path: &Path,
    rows: &[Row],
    user_id: impl Fn(UserIdx) -> &'a str,
    item_id: impl Fn(ItemIdx) -> &'a str,
) -> Result<(), Error> {
    let mut ranks = BTreeMap::new();
    for list in rows.chunk_by(|a, b| a.user == b.user) {
        ranks.clear();
        for (expected, row) in (1u32..).zip(list) {
            if let Some(&first) = ranks.get(&row.scored.item) {
                return Err(Error::ListedTwice {
                    path: path.to_owned(),
                    user: user_id(row.user).to_owned(),
                    item: item_id(row.scored.item).to_owned(),
                    ranks: [first, row.rank],
                });
            }
            if row.rank != expected {
                return Err(Error::RankGap {
                    path: path.to_owned(),
                    user: user_id(row.user).to_owned(),
                    expected,
                    found: row.rank,
                });
            }
            ranks.insert(row.scored.item, row.rank);
        }
    }
    Ok(())
}
