//! Dense indices. Users and items are numbered apart, and the types never mix.

use serde::{Deserialize, Serialize};

macro_rules! dense_index {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            bytemuck::Pod, bytemuck::Zeroable,
        )]
        #[repr(transparent)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The index as a `usize`, for slices.
            #[inline]
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// The index for position `position` of a vocabulary.
            ///
            /// # Panics
            /// When `position` does not fit in `u32`; a [`crate::Vocabulary`] never grows that far.
            #[inline]
            pub fn from_index(position: usize) -> Self {
                Self(u32::try_from(position).expect("a vocabulary holds at most u32::MAX entries"))
            }
        }
    };
}

dense_index! {
    /// A user, by position in the user vocabulary.
    UserIdx
}
dense_index! {
    /// An item, by position in the item vocabulary.
    ItemIdx
}
