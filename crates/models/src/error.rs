//! What can go wrong while a model is fitted, stored or asked.

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting lies outside its range. Whoever wrote the recipe mends it there.
    #[error("`{key}` is {value}, allowed: {allowed}")]
    Config {
        /// The key in the recipe.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What may be written there.
        allowed: &'static str,
    },
    /// A layer of a tower does not fit the one before it, or is damaged. Train and publish again.
    #[error("layer {layer} of a tower cannot be used: {reason}")]
    BadLayers {
        /// Which, from 0.
        layer: usize,
        /// What is wrong.
        reason: String,
    },
    /// The device that a tower is trained on failed: out of memory, or lost. Train with smaller batches, or on another
    /// device.
    #[error("the training device failed: {reason}")]
    Device {
        /// What it said.
        reason: String,
    },
    /// A lookup is not one of the table it is for. Whoever encodes features is to blame: features and table come from
    /// different runs, or the lists do not fit together.
    #[error("a lookup does not fit its table: {reason}")]
    Lookup {
        /// What does not fit.
        reason: String,
    },
    /// There is no interaction to learn from. Check the filters and the split that came before.
    #[error("there are no interactions to learn from")]
    NoInteractions,
    /// A training event names an item beyond the vocabulary. Training events and vocabulary come from different runs:
    /// prepare them together.
    #[error("user {user} has item {item}, but the vocabulary has {n_items} items")]
    UnknownItem {
        /// The user's index.
        user: u32,
        /// The item's index.
        item: u32,
        /// How many items there are.
        n_items: usize,
    },
    /// A session names an item beyond the vocabulary. Sessions and vocabulary come from different runs: prepare them
    /// together.
    #[error("a session has item {item}, but the vocabulary has {n_items} items")]
    UnknownSessionItem {
        /// The item's index.
        item: u32,
        /// How many items there are.
        n_items: usize,
    },
    /// There are events, maybe, but no session of two items: everybody has one item, or all events of a session are of the
    /// same. Make the sessions wider, or use a model that needs none.
    #[error("there is no session of two items or more")]
    NoSessions,
    /// No session holds two different items within reach of each other, so that nothing goes with anything. Make the
    /// session's gap or the window wider, `subsample` larger, or use a model that needs no sessions.
    #[error("no session holds two different items that are each other's context")]
    NoPairs,
    /// A setting, or a whole model, asks when things happened, and nothing says so. Map a time column, or take the
    /// setting or the model out.
    #[error("`{key}` needs times, but {reason}")]
    MissingTimes {
        /// The setting or the model.
        key: &'static str,
        /// Which time is missing.
        reason: &'static str,
    },
    /// A setting names a column that the items do not have. Whoever wrote the recipe mends the name, or brings the items'
    /// file.
    #[error("`{key}` names the column `{column}`, which the items do not have; they have: {columns}")]
    MissingColumn {
        /// The key in the recipe.
        key: &'static str,
        /// The column that it names.
        column: String,
        /// The columns that there are.
        columns: String,
    },
    /// Nobody had a goal, so that there is nothing to learn kinds of users from. Name another `goal`, or leave `types`
    /// out.
    #[error("no user had a goal, and kinds of users and items are learned from goals")]
    NoGoals,
    /// A history holds no item that the model knows, so that there is nothing to make a user of. The caller falls back
    /// to a model that needs no history.
    #[error("the history holds no item that the model knows")]
    NothingToFoldIn,
    /// A slice has another length than its documentation says. The caller is to blame.
    #[error("{what} has length {found}, expected {expected}")]
    WrongLength {
        /// Which slice.
        what: &'static str,
        /// The length that it should have.
        expected: usize,
        /// The length that it has.
        found: usize,
    },
    /// Values outgrew single precision. Of iALS: use a larger regularisation or a smaller `stddev`. Of a model that goes
    /// row by row: lower `alpha`, or scale the features. Of vectors learned from sessions: lower `learning_rate`.
    #[error("{model} diverged: values are no longer finite")]
    Diverged {
        /// Which model.
        model: &'static str,
    },
    /// A row has an index beyond the features, or a value that is not finite. Whoever made the row is to blame.
    #[error(
        "row {row}: feature {index} has the value {value}; indices are below {n_features}, values finite"
    )]
    Row {
        /// The row, from 0.
        row: usize,
        /// The feature's index.
        index: u32,
        /// Its value.
        value: f32,
        /// How many features there are.
        n_features: usize,
    },
    /// A label is not in [0, 1]. Whoever made the examples is to blame.
    #[error("row {row} has the label {value}, allowed is 0 to 1")]
    Label {
        /// The row, from 0.
        row: usize,
        /// The label.
        value: f32,
    },
    /// A sample weight is negative or not finite. Whoever made the examples is to blame.
    #[error("row {row} has the weight {value}, allowed are finite numbers from 0")]
    Weight {
        /// The row, from 0.
        row: usize,
        /// The weight.
        value: f32,
    },
    /// A row that was named does not exist. The caller is to blame.
    #[error("row {row} of {n_rows} does not exist")]
    UnknownRow {
        /// The row, from 0.
        row: usize,
        /// How many rows there are.
        n_rows: usize,
    },
    /// There is nothing to learn from: no row, or all weights are 0. Check the filters before.
    #[error("no row with a weight to {purpose}")]
    NoRows {
        /// `train on` or `validate on`.
        purpose: &'static str,
    },
    /// The training was stopped before there was a model. Nothing is lost but the time: start it again.
    #[error("stopped before there was a model")]
    Stopped,
    /// A column that a setting names is not among the attributes, or has nothing in it. Name another, or bring the
    /// attributes.
    #[error("`{key}` names the column `{column}`: {reason}")]
    Column {
        /// The key in the recipe.
        key: String,
        /// The column.
        column: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint was left by a training of other settings, another seed or other data. Take it away to begin anew, or
    /// go on with what it was made with.
    #[error("{} was left by another training: {differs}", path.display())]
    OtherRun {
        /// The checkpoint.
        path: std::path::PathBuf,
        /// What is not as here.
        differs: String,
    },
    /// A setting of the walk or of the negatives lies outside its range.
    #[error(transparent)]
    Sampling(#[from] catchment_sampling::SamplingError),
    /// Rules that make kinds of users or items are out of range, or name a column that is not there.
    #[error(transparent)]
    Features(#[from] catchment_features::Error),
    /// A file could not be written or read.
    #[error(transparent)]
    File(#[from] catchment_schema::Error),
}
