//! All steps, one after the other.

use std::path::{Path, PathBuf};

use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::{AtomicFile, AttributeTable, Finding, Metadata, Vocabulary};
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;

use crate::chronology::{Filled, in_order};
use crate::codes::{Coded, ITEM, USER, code_ids};
use crate::config::Checked;
use crate::encode::{encoded, write_part};
use crate::engine::{count, local_context, reserve, with_workshop};
use crate::filter::{keep_events, keep_positive};
use crate::inputs::import;
use crate::k_core::k_core;
use crate::layout::{self, Unfinished};
use crate::log::{Log, Part};
use crate::sessions::with_sessions;
use crate::split::{Parted, split};
use crate::steps::Steps;
use crate::summary::{FORMAT, hash_files};
use crate::targets::Targets;
use crate::vocabularies::{Counted, event_words, fingerprint, index, metadata};
use crate::{Error, Inputs, PrepareConfig, Progress, Result, SplitConfig, SplitKind, Summary, stamp};

/// Prepares a log: reads `inputs`, runs every step in this process on `threads` threads (0: one for each
/// processor), and writes the folder `out`. Blocks until that is done.
///
/// The bytes written depend on the rows, the settings and the seed; not on `threads`, nor on the order in
/// which the rows came, nor on a memory limit. `out` appears whole: an older one stays until the new one is finished,
/// and for good if that fails. What a killed run left beside `out` is cleared away. `progress` is told of each step as
/// it goes and when it is done.
///
/// Memory: the log once or twice, as Arrow columns; with [`PrepareConfig::memory_limit`] about that much, whatever the
/// size of the log, and the ids of all users and items must fit.
///
/// # Errors
/// Every variant of [`Error`] but [`Error::NotPrepared`].
pub fn prepare(
    inputs: &Inputs,
    config: &PrepareConfig,
    split: &SplitConfig,
    seed: u64,
    threads: usize,
    out: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Summary> {
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    };
    let settings = Settings::check(config, split, seed, inputs.test.is_some())?;
    let unfinished = Unfinished::begin(out)?;
    let context = local_context(threads, settings.config.memory_limit, unfinished.scratch())?;
    let stamp = stamp::stamp(inputs, config, split, seed)?;
    let work = prepare_in(&context, inputs, &settings, unfinished, stamp, progress);
    block_on(threads, Box::pin(work))
}

/// As [`prepare`], in a context of the caller's: its partitions, its memory pool and disk manager, its machines. The
/// runtime that awaits it needs a clock. `memory_limit` is the context's own matter here and is not read; what the plans
/// give from step to step is kept in memory.
///
/// # Errors
/// As [`prepare`].
pub async fn prepare_with(
    context: &SessionContext,
    inputs: &Inputs,
    config: &PrepareConfig,
    split: &SplitConfig,
    seed: u64,
    out: &Path,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Summary> {
    let settings = Settings::check(config, split, seed, inputs.test.is_some())?;
    let unfinished = Unfinished::begin(out)?;
    let stamp = stamp::stamp(inputs, config, split, seed)?;
    Box::pin(prepare_in(
        context, inputs, &settings, unfinished, stamp, progress,
    ))
    .await
}

async fn prepare_in(
    context: &SessionContext,
    inputs: &Inputs,
    settings: &Settings,
    unfinished: Unfinished,
    stamp: String,
    progress: &mut dyn FnMut(&Progress),
) -> Result<Summary> {
    let (context, workshop) = with_workshop(context);
    let work = async {
        let (inputs, place) = (inputs.clone(), workshop.clone());
        let imported = tokio::task::spawn_blocking(move || import(&inputs, place)).await;
        let imported =
            imported.map_err(|error| Error::engine("import")(DataFusionError::External(error.into())))??;
        stamp::write(&unfinished.file(layout::STAMP), &stamp)?;
        prepare_imported(&context, imported, settings, unfinished).await
    };
    workshop.meter.watch(Box::pin(work), progress).await
}

/// Runs a future to its end on a runtime of its own.
pub(crate) fn block_on<T>(threads: usize, future: impl Future<Output = Result<T>>) -> Result<T> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(Error::InsideRuntime);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_time()
        .build();
    let runtime = runtime.map_err(|error| Error::engine("start")(error.into()))?;
    runtime.block_on(future)
}

/// Settings that were found good.
pub(crate) struct Settings {
    config: Checked,
    /// `positive` as it stands in the recipe.
    positive: String,
    split: SplitConfig,
    seed: u64,
}

impl Settings {
    pub(crate) fn check(
        config: &PrepareConfig,
        split: &SplitConfig,
        seed: u64,
        has_test: bool,
    ) -> Result<Self> {
        split.validate()?;
        match (split.kind, has_test) {
            (SplitKind::Given, false) => return Err(Error::NoTestSource),
            (SplitKind::Given, true) | (_, false) => {}
            (_, true) => {
                return Err(Error::BadSetting {
                    key: "data.test",
                    value: "set".to_owned(),
                    reason: "only split.kind = \"given\" reads it".to_owned(),
                });
            }
        }
        Ok(Self {
            config: config.check()?,
            positive: config.positive.clone().unwrap_or_default(),
            split: split.clone(),
            seed,
        })
    }
}

/// What the importers gave.
#[derive(Default)]
pub(crate) struct Imported {
    pub(crate) log: Log,
    pub(crate) items: Option<(PathBuf, RecordBatch)>,
    pub(crate) users: Option<(PathBuf, RecordBatch)>,
    /// The name of the log's file.
    pub(crate) dataset: String,
    pub(crate) findings: Vec<Finding>,
}

/// Everything after the import.
pub(crate) async fn prepare_imported(
    context: &SessionContext,
    imported: Imported,
    settings: &Settings,
    unfinished: Unfinished,
) -> Result<Summary> {
    let (ref context, workshop) = with_workshop(context);
    let Imported {
        log,
        items: item_rows,
        users: user_rows,
        dataset,
        mut findings,
    } = imported;
    let Settings {
        config,
        split: split_config,
        ..
    } = settings;
    let mut steps = Steps::new(workshop);
    let tables = [&item_rows, &user_rows].into_iter().flatten();
    let _counted = reserve(
        context,
        "import",
        tables.map(|(_, rows)| rows.get_array_memory_size()).sum(),
    )?;
    let extra = log.extra();
    steps.done("import", log.n_rows());
    not_empty(log.n_rows(), "import", 0)?;

    steps.begin("filter");
    let coded = filtered(context, log, settings).await?;
    steps.done("filter", count("filter", &coded.log).await?);

    steps.begin("k-core");
    let log = k_core(coded.log, config).await?;
    steps.done("k-core", count("k-core", &log).await?);

    steps.begin("deduplicate");
    let filled = Filled::of(&log).await?;
    let (log, n_rows) = in_order(log, &filled, config.deduplicate, &config.negative).await?;
    steps.done("deduplicate", n_rows);

    steps.begin("sessions");
    let filled = Filled::of(&log).await?;
    let (log, n_rows) = with_sessions(log, config.session_gap_ms).await?;
    steps.done("sessions", n_rows);

    steps.begin("split");
    filled.check_order(split_config)?;
    let coded = Coded { log, ..coded };
    let split = split(coded, split_config, &config.negative, settings.seed);
    let Parted { coded, window } = split.await?;
    steps.done("split", count("split", &coded.log).await?);

    steps.begin("vocabularies");
    let counted = Counted {
        log: &coded.log,
        negative: &config.negative,
        refit: split_config.refit,
    };
    let users = index(context, &counted, USER, &coded.users).await?;
    let items = index(context, &counted, ITEM, &coded.items).await?;
    let words = event_words(&coded.log, split_config.refit).await?;
    let n_users = users.vocabulary.len() as u64;
    not_empty(n_users, "the test part is cut off (split)", n_rows)?;
    let encoded = encoded(context, coded.log, &users, &items, &words).await?;
    steps.done("vocabularies", count("vocabularies", &encoded).await?);

    steps.begin("write");
    let hash = fingerprint(&[&users.vocabulary, &items.vocabulary, &words]);
    let mut n_rows_of = [0; 3];
    for (part, file) in PARTS {
        let metadata = part_metadata(part, &dataset, &hash);
        let path = unfinished.file(file);
        n_rows_of[usize::from(part.code())] = write_part(&encoded, part, &extra, &path, &metadata).await?;
    }
    write_vocabularies(&unfinished, [&users.vocabulary, &items.vocabulary, &words])?;
    let tables = [
        (user_rows, &users.vocabulary, layout::USER_ATTRIBUTES, "user_id"),
        (item_rows, &items.vocabulary, layout::ITEM_ATTRIBUTES, "item_id"),
    ];
    for (rows, vocabulary, file, id) in tables {
        attributes(rows, id, vocabulary)?.write(unfinished.file(file))?;
    }

    let [train, validation, test] = n_rows_of;
    steps.done("write", train + validation + test);
    let targets = Targets::of(&encoded, &words, &config.negative)?;
    findings.extend(targets.empty_parts(split_config, validation, test).await?);
    let summary = Summary {
        format: FORMAT,
        users: n_users,
        items: items.vocabulary.len() as u64,
        stages: steps.stages,
        train,
        validation,
        test,
        cold_users: targets.cold(USER, &users).await?,
        cold_items: targets.cold(ITEM, &items).await?,
        first_time: filled.first,
        last_time: filled.last,
        names_sessions: filled.has_sessions(),
        window,
        findings,
        hash: hash_files(|name| unfinished.file(name))?,
    };
    write_summary(&unfinished.file(layout::SUMMARY), &summary)?;
    unfinished.publish()?;
    Ok(summary)
}

/// The ids of users, items and events, in this order.
fn write_vocabularies(unfinished: &Unfinished, [users, items, words]: [&Vocabulary; 3]) -> Result<()> {
    let files = [
        (users, layout::USERS, "user"),
        (items, layout::ITEMS, "item"),
        (words, layout::EVENTS, "event"),
    ];
    for (vocabulary, file, kind) in files {
        vocabulary.write(unfinished.file(file), &metadata(kind, vocabulary))?;
    }
    Ok(())
}

/// The rows that are meant, by codes.
async fn filtered(context: &SessionContext, log: Log, settings: &Settings) -> Result<Coded> {
    let Settings { config, positive, .. } = settings;
    let extra = log.extra();
    let n_partitions = context.copied_config().target_partitions();
    let log = log.into_table(context, n_partitions)?;
    let log = keep_events(log, &config.events, &config.negative).await?;
    let log = keep_positive(log, config.positive.as_ref(), &extra, positive, &config.negative).await?;
    code_ids(log).await
}

fn not_empty(rows: u64, stage: &str, before: u64) -> Result<()> {
    match rows {
        0 => Err(Error::EmptyAfter {
            stage: stage.to_owned(),
            before,
        }),
        _ => Ok(()),
    }
}

const PARTS: [(Part, &str); 3] = [
    (Part::Train, layout::TRAIN),
    (Part::Validation, layout::VALIDATION),
    (Part::Test, layout::TEST),
];

/// The file's own facts: which log, which part, and the vocabularies that its indices point into.
fn part_metadata(part: Part, dataset: &str, hash: &str) -> Metadata {
    let split = match part {
        Part::Train => "train",
        Part::Validation => "validation",
        Part::Test => "test",
    };
    [("dataset", dataset), ("split", split), ("hash", hash)]
        .map(|(key, value)| (format!("catchment.{key}"), value.to_owned()))
        .into()
}

fn attributes(
    rows: Option<(PathBuf, RecordBatch)>,
    id_column: &str,
    vocabulary: &Vocabulary,
) -> Result<AttributeTable> {
    match rows {
        Some((path, batch)) => Ok(AttributeTable::align(&path, &batch, id_column, vocabulary)?),
        None => Ok(AttributeTable::empty(vocabulary.len())),
    }
}

fn write_summary(path: &Path, summary: &Summary) -> Result<()> {
    let json = serde_json::to_vec_pretty(summary).map_err(|error| {
        Error::File(catchment_schema::Error::Inconsistent {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    })?;
    Ok(AtomicFile::write(path, &json)?)
}
