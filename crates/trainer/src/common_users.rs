//! Runs on different data, and the users over whom they can be compared all the same.

use catchment_evaluation::report::CommonUsers;
use catchment_evaluation::{GroundTruth, SeenItems};
use catchment_pipeline::Catalogue;
use catchment_prepare::Prepared;
use catchment_schema::ItemIdx;

/// Whom a bundle of other data can be compared on.
pub(crate) struct Common {
    /// By position in the truth.
    pub(crate) keep: Vec<bool>,
    pub(crate) counts: CommonUsers,
}

impl Common {
    /// Users that both know, whose held-out items both know, and of whose held-out items the bundle was trained on none
    /// that we were not.
    pub(crate) fn of(truth: &GroundTruth, seen: &SeenItems, prepared: &Prepared, theirs: &Catalogue) -> Self {
        let users = truth.users();
        let mut common = Self {
            keep: Vec::with_capacity(users.len()),
            counts: CommonUsers {
                of: users.len(),
                ..CommonUsers::default()
            },
        };
        for (position, &user) in users.iter().enumerate() {
            let id = prepared.users().id(user.index());
            let their_user = id.and_then(|id| theirs.users().user(id));
            let their_item = |item: &ItemIdx| {
                let id = prepared.items().id(item.index());
                id.and_then(|id| theirs.items().item(id))
            };
            let held_out = truth.relevant(position);
            let their_items: Option<Vec<ItemIdx>> = held_out.iter().map(their_item).collect();
            let (Some(their_user), Some(their_items)) = (their_user, their_items) else {
                common.counts.unknown += 1;
                common.keep.push(false);
                continue;
            };
            let history = theirs.history(their_user);
            let had_before = seen.of(user);
            let was_seen = held_out.iter().zip(&their_items).any(|(item, their_item)| {
                history.events().iter().any(|event| event.item == *their_item) && !had_before.contains(item)
            });
            common.counts.seen += usize::from(was_seen);
            common.counts.users += usize::from(!was_seen);
            common.keep.push(!was_seen);
        }
        common
    }

    /// In a sentence.
    pub(crate) fn note(&self, version: &str) -> String {
        let CommonUsers {
            users,
            of,
            unknown,
            seen,
        } = self.counts;
        format!(
            "bundle {version} was trained on other data: it is compared over {users} of {of} users; it does not know \
             {unknown}, or not their held-out items, and was trained on held-out items of {seen}; what others did later \
             it may have seen all the same"
        )
    }
}
