//! What can be wrong with features, and whose fault it is.

use std::path::PathBuf;

use crate::nearest::did_you_mean;
use crate::{Fingerprint, Side};

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong while features are fitted, transformed, saved or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting of the recipe is out of range. Change it there.
    #[error("{key}: {reason}")]
    BadConfig {
        /// The key, as in `features.user.age.transform`.
        key: String,
        /// What it is and what it may be.
        reason: String,
    },
    /// A kind of feature stands on a side that it cannot describe. Move it in the recipe.
    #[error(
        "features.{side}.{feature}: kind `{kind}` cannot stand here; {side} features are of kind {}",
        .side.kinds().join(", ")
    )]
    WrongSide {
        /// Where it stands.
        side: Side,
        /// Its name.
        feature: String,
        /// Its kind.
        kind: &'static str,
    },
    /// The attributes do not have the column that a feature reads. Name another column, or bring the attributes.
    #[error("feature `{feature}` reads the column `{column}`, which the {table} do not have; they have: {}{}", .available.join(", "), did_you_mean(.column, .available))]
    MissingColumn {
        /// The feature.
        feature: String,
        /// `user attributes` or `item attributes`.
        table: &'static str,
        /// The column.
        column: String,
        /// The columns that there are.
        available: Vec<String>,
    },
    /// The column holds another type than the kind of feature needs. Cast it, or take another kind.
    #[error("feature `{feature}`: column `{column}` is {found}, expected {expected}")]
    WrongType {
        /// The feature.
        feature: String,
        /// The column.
        column: String,
        /// What the kind of feature needs.
        expected: &'static str,
        /// What the column holds.
        found: String,
    },
    /// A table does not have one row for each entry of its vocabulary. The caller mixed two runs.
    #[error("the {table} have {rows} rows for a vocabulary of {expected}")]
    RowCount {
        /// Which table.
        table: &'static str,
        /// Rows that it has.
        rows: usize,
        /// Entries of the vocabulary.
        expected: usize,
    },
    /// A feature asks for a channel that the recipe does not have. Correct its name there.
    #[error("features.candidate.{feature}.channel: there is no channel `{channel}`; there are: {}{}", .known.join(", "), did_you_mean(.channel, .known))]
    UnknownChannel {
        /// The feature.
        feature: String,
        /// The channel that it asks for.
        channel: String,
        /// The channels that there are.
        known: Vec<String>,
    },
    /// A feature looks into the vectors of a channel that has none, or other ones than it was fitted with. Name a channel
    /// with vectors in the recipe (with `types` for kind `type_similarity`), or train and publish again.
    #[error("feature `{feature}` looks into the vectors of channel `{channel}`: {reason}")]
    BadSpace {
        /// The feature.
        feature: String,
        /// The channel.
        channel: String,
        /// What is wrong.
        reason: String,
    },
    /// A candidate came from a channel beyond those of the fit. The caller mixed two bundles.
    #[error("channel {channel} is beyond the {n_channels} channels that the features were fitted for")]
    ChannelOutOfRange {
        /// The channel of the hit.
        channel: u16,
        /// How many channels there were at fit.
        n_channels: usize,
    },
    /// A candidate is not in the transformed catalogue. The caller mixed two bundles.
    #[error("item {item} is beyond the catalogue of {n_items}")]
    UnknownItem {
        /// The candidate.
        item: u32,
        /// Rows of the catalogue.
        n_items: usize,
    },
    /// `item_count` on the candidate side needs to know when events happened, and no event of the log
    /// has a time. Take `item_count` on the item side instead.
    #[error("features.candidate.{feature}: no event of the log has a time; use item_count on the item side")]
    NoTimes {
        /// The feature.
        feature: String,
    },
    /// The item vocabulary does not begin with the items of the fit. The caller mixed two runs.
    #[error("the item vocabulary is not the one that the features were fitted on, nor grown from it")]
    OtherVocabulary,
    /// A batch has rows of another side or of another fit. Clear it, or take one batch for each side.
    #[error("the batch holds rows that are not {side} features of this fit")]
    WrongShape {
        /// The side that was to be added.
        side: Side,
    },
    /// A profile was made by other features. Make it with the ones that read it.
    #[error("the user profile was made by other features")]
    OtherProfile,
    /// A fitted file is of a newer format. Read it with a newer program, or fit again.
    #[error("{} is features format {found}, this program reads up to {supported}", path.display())]
    WrongVersion {
        /// The file.
        path: PathBuf,
        /// The format found.
        found: u32,
        /// The newest that can be read.
        supported: u32,
    },
    /// A fitted file was damaged or edited. Fit again.
    #[error("{}: {reason}", path.display())]
    BadFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// What was read is not what was written: files of two fits were mixed. Fit again.
    #[error("the features in {} have the fingerprint {found}, their file says {expected}", path.display())]
    FingerprintMismatch {
        /// The folder.
        path: PathBuf,
        /// What the file says.
        expected: Fingerprint,
        /// What was computed.
        found: Fingerprint,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] catchment_schema::Error),
}
