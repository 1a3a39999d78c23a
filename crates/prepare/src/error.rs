//! What can go wrong, and whose fault it is.

use std::path::PathBuf;

use datafusion::error::DataFusionError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can keep a log from being prepared or opened again.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that is read or written is at fault; the inner error names it.
    #[error(transparent)]
    File(#[from] catchment_schema::Error),
    /// A setting of the recipe cannot be used. Change that key.
    #[error("`{key}` = {value}: {reason}")]
    BadSetting {
        /// The key, as in the recipe.
        key: &'static str,
        /// What it is set to.
        value: String,
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// `split.kind = "given"` needs the part that was given. Set `data.test`, or choose another kind.
    #[error("`split.kind` = \"given\" needs a test log, and `data.test` is not set")]
    NoTestSource,
    /// `prepare.events` asks for a word that the log never uses. Correct it.
    #[error("`prepare.events` names {word:?}, and the log has only: {}", known.join(", "))]
    UnknownEvent {
        /// The word.
        word: String,
        /// The words that the log uses, by id.
        known: Vec<String>,
    },
    /// `data.negative` has a word that the log never uses, so that what was meant would count as liking. Correct it.
    #[error("`data.negative` names {word:?}, and the log has only: {}", known.join(", "))]
    UnknownNegative {
        /// The word.
        word: String,
        /// The words that the log uses, by id.
        known: Vec<String>,
    },
    /// `data.negative` has a word whose rows `prepare.events` leaves out: nothing would be left of what it names. Name it in
    /// both, or in neither.
    #[error("`data.negative` names {word:?}, which `prepare.events` leaves out: it keeps only: {}", kept.join(", "))]
    NegativeLeftOut {
        /// The word.
        word: String,
        /// The words that `prepare.events` keeps, as they stand there.
        kept: Vec<String>,
    },
    /// Every row was removed. Loosen the setting that is named, or check that the right log was given.
    #[error("no row is left after {stage} ({before} before it)")]
    EmptyAfter {
        /// The step that removed the last row, with its settings.
        stage: String,
        /// How many rows it was given.
        before: u64,
    },
    /// The split is by time, and some rows have none. Map the column, or choose another kind of split.
    #[error("the {split} split needs a time in every row, and `{column}` is empty in {rows} rows")]
    NoTime {
        /// The kind of split.
        split: &'static str,
        /// The column that should hold it.
        column: &'static str,
        /// How many rows lack it.
        rows: u64,
    },
    /// The split takes each user's last rows, and nothing says which they are: without a time, ids would decide. Map the
    /// column, or choose another kind of split.
    #[error(
        "the leave-last split needs a time or an order, and the log has neither in any of its {rows} rows"
    )]
    NoOrder {
        /// How many rows there are.
        rows: u64,
    },
    /// More distinct values than the encoded form can number. Leave out or join some of them.
    #[error("{found} distinct {what}, at most {most} can be numbered")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many can be.
        most: u64,
    },
    /// The folder holds nothing that was prepared to the end. Run `prepare` (again).
    #[error("{} holds no prepared log: it has no {}", path.display(), crate::layout::SUMMARY)]
    NotPrepared {
        /// The folder.
        path: PathBuf,
    },
    /// The folder to write holds something that is not ours, and would be lost. Name another folder.
    #[error("{} holds {entry:?}, which `prepare` did not write and will not replace", path.display())]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// The first entry that is not ours.
        entry: String,
    },
    /// [`crate::prepare`] blocks, and was called inside an asynchronous runtime. Await [`crate::prepare_with`] there.
    #[error("`prepare` blocks and cannot be called inside an asynchronous runtime")]
    InsideRuntime,
    /// What has to be in memory at once does not fit `prepare.memory_limit`: the ids, or the tables of items and
    /// users. Raise it.
    #[error("{stage}: `prepare.memory_limit` is too low: {reason}")]
    OverMemory {
        /// What was being done.
        stage: &'static str,
        /// What did not fit.
        reason: String,
    },
    /// The query engine failed: a full disk, or a bug of ours. The stage says where.
    #[error("{stage}: the query engine failed: {source}")]
    Engine {
        /// What was being done.
        stage: &'static str,
        /// What the engine said.
        source: Box<DataFusionError>,
    },
}

impl Error {
    /// What to do about it, in one line.
    pub fn help(&self) -> &'static str {
        match self {
            Self::File(error) => error.help(),
            Self::BadSetting { .. } => "change that key in the recipe",
            Self::NoTestSource => "set data.test, or choose another split.kind",
            Self::UnknownEvent { .. } => "correct the word in prepare.events; an empty list keeps all events",
            Self::UnknownNegative { .. } => "correct the word in data.negative, or take it out",
            Self::NegativeLeftOut { .. } => {
                "name it in prepare.events, too; where its rows are not wanted at all, take it out of data.negative"
            }
            Self::EmptyAfter { .. } => "loosen that setting, or check that the right log was named",
            Self::NoTime { .. } | Self::NoOrder { .. } => {
                "map the column in the recipe, or choose another split.kind"
            }
            Self::TooMany { .. } => "leave out or join some of them before import",
            Self::NotPrepared { .. } => "run prepare first",
            Self::NotOurs { .. } => "name a folder that is empty, new, or was written by prepare",
            Self::InsideRuntime => "await prepare_with instead",
            Self::OverMemory { .. } => "raise prepare.memory_limit, or run with fewer --threads",
            Self::Engine { .. } => {
                "check that the disk has room and give it more memory; if that does not help, report it as a bug"
            }
        }
    }

    /// For `map_err`: a failure of the engine with the stage it happened in.
    pub(crate) fn engine(stage: &'static str) -> impl Fn(DataFusionError) -> Self {
        move |source| match source.find_root() {
            DataFusionError::ResourcesExhausted(reason) => Self::OverMemory {
                stage,
                // The engine goes on with a list of its consumers.
                reason: reason.lines().next().unwrap_or_default().to_owned(),
            },
            _ => Self::Engine {
                stage,
                source: Box::new(source),
            },
        }
    }
}
