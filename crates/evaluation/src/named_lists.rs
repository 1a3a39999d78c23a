//! Lists with their names.

use crate::recommends::Recommends;

/// What is known of a list before it is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// One channel among others: its part in what all of them find is measured.
    Channel,
    /// Its scores are probabilities that the item comes true: they are held against whether it did.
    Probabilities,
    /// Anything else.
    Other,
}

/// A list with its name.
#[derive(Clone, Copy)]
pub struct NamedLists<'a> {
    /// How it is called in reports.
    pub name: &'a str,
    /// Who makes it.
    pub lists: &'a dyn Recommends,
    /// What is known of it.
    pub role: Role,
}
