//! The laws of [`Recommends`] as a test that every implementor calls.

use std::collections::BTreeSet;

use catchment_schema::{Score, ScoredItem, UserIdx};

use crate::recommends::{Recommends, TopKLists};

/// Checks every law for these users and some `k`s up to `longest`.
///
/// # Panics
/// When a law is broken: the message begins with its number. For tests alone.
pub fn recommends_laws(lists: &dyn Recommends, users: &[UserIdx], longest: usize) {
    let ask = |users: &[UserIdx], k: usize| {
        let mut found = TopKLists::default();
        found.push([ScoredItem::new(catchment_schema::ItemIdx(u32::MAX), Score::ZERO)]);
        lists.top_k(users, k, &mut found).expect("good users get lists");
        assert_eq!(found.len(), users.len(), "law 1: one list for each user");
        found
    };
    for k in [0, 1, longest.div_ceil(2), longest] {
        let together = ask(users, k);
        let backwards = ask(&users.iter().rev().copied().collect::<Vec<_>>(), k);
        for (position, &user) in users.iter().enumerate() {
            let list = together.list(position);
            assert!(
                list.len() <= k,
                "law 2: {} items of {k} for user {}",
                list.len(),
                user.0
            );
            let distinct: BTreeSet<_> = list.iter().map(|scored| scored.item).collect();
            assert_eq!(
                distinct.len(),
                list.len(),
                "law 2: an item twice for user {}",
                user.0
            );
            assert_eq!(ask(&[user], k).list(0), list, "law 3: user {} alone", user.0);
            assert_eq!(
                backwards.list(users.len() - 1 - position),
                list,
                "law 3: user {} in another order",
                user.0
            );
        }
    }
    assert!(ask(&[], longest).is_empty(), "law 1: nobody gets nothing");
}
