//! Where the work of a recipe lies, and the recipe with its command-line overrides.

use std::cell::Cell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use catchment_pipeline::{Layout, NegativeEvents, Pipeline, PipelineSpec};
use catchment_prepare::{Prepared, Summary, already_prepared};

use crate::cli::{DEFAULT_WORK, MAX_THREADS, Output, RecipeArgs};
use crate::draft;
use crate::failure::Failure;
use crate::recipe::Recipe;
use crate::speech;
use crate::stamp::Stamp;

/// What a report shows, in a folder of work and in a bundle.
pub(crate) const REPORT: &str = "report.json";

/// A recipe, its folder, and how to talk.
pub(crate) struct Work {
    pub(crate) recipe: Recipe,
    pub(crate) output: Output,
    /// Fit everything anew, whatever there is.
    pub(crate) fresh: bool,
    folder: PathBuf,
    /// Encoded data.
    data: PathBuf,
    /// Where the folder lies, as the command line says it.
    place: PathBuf,
    /// The recipe's own seed, whatever the command line says.
    own_seed: u64,
    /// Whether it is one of many on the same data, of which only the sum is told.
    is_one_of_many: bool,
    /// Whether the encoded data are known to be those of the recipe.
    is_prepared: Cell<bool>,
    /// Held for as long as this is: two runs in one folder would write over each other.
    lock: Arc<File>,
}

impl Work {
    /// Reads the recipe and sets up as many threads as it asks for.
    pub(crate) fn open(args: &RecipeArgs, output: Output) -> Result<Self, Failure> {
        let mut recipe = Recipe::read(&args.recipe)?;
        let own_seed = recipe.seed;
        recipe.seed = output.seed.unwrap_or(recipe.seed);
        recipe.threads = output.threads.unwrap_or(recipe.threads);
        if recipe.threads > MAX_THREADS {
            return Err(Failure::usage(
                format!("threads = {} is out of range", recipe.threads),
                format!("0 (all) to {MAX_THREADS}"),
            ));
        }
        output.set_up_threads(recipe.threads);
        let folder = args.work.join(&recipe.name);
        let lock = lock(&folder)?;
        let work = Self {
            recipe,
            output,
            fresh: args.fresh,
            data: folder.join("data"),
            folder,
            place: args.work.clone(),
            own_seed,
            is_one_of_many: false,
            is_prepared: Cell::new(false),
            lock: lock.into(),
        };
        draft::recover(&work)?;
        Ok(work)
    }

    /// The work of another recipe on the same encoded data, in a folder within this one, where what is there is taken up.
    pub(crate) fn beside(&self, recipe: Recipe, folder: &str) -> Result<Self, Failure> {
        let work = Self {
            recipe,
            output: self.output,
            fresh: false,
            folder: self.folder.join(folder),
            data: self.data.clone(),
            place: self.place.clone(),
            own_seed: self.own_seed,
            is_one_of_many: true,
            is_prepared: self.is_prepared.clone(),
            lock: Arc::clone(&self.lock),
        };
        draft::recover(&work)?;
        Ok(work)
    }

    /// The recipe's own seed, whatever the command line says.
    pub(crate) fn own_seed(&self) -> u64 {
        self.own_seed
    }

    /// Encoded data.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Models fitted on train alone: they choose settings and feed the ranker.
    pub(crate) fn selection(&self) -> Layout {
        Layout::new(self.folder.join("selection"))
    }

    /// The final models, laid out as a bundle.
    pub(crate) fn model(&self) -> Layout {
        Layout::new(self.folder.join("model"))
    }

    /// Where models lie while they are made.
    pub(crate) fn draft(&self) -> PathBuf {
        self.folder.join("draft")
    }

    /// What trainings had done that did not come to their end.
    pub(crate) fn interrupted(&self) -> PathBuf {
        self.folder.join("interrupted")
    }

    /// Where fits that take long leave what they have done, until they are done.
    pub(crate) fn checkpoints(&self) -> PathBuf {
        self.folder.join("checkpoints")
    }

    /// What was measured.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.folder.join("metrics.json")
    }

    /// What a report shows of the last evaluation.
    pub(crate) fn report(&self) -> PathBuf {
        self.folder.join(REPORT)
    }

    /// Where it lies.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was tried in search of better settings, a line each.
    pub(crate) fn trials(&self) -> PathBuf {
        self.folder.join("trials.jsonl")
    }

    /// What such a search came to.
    pub(crate) fn tuned(&self) -> PathBuf {
        self.folder.join("tune.json")
    }

    /// What was seen of a trial that is not over.
    pub(crate) fn looks(&self) -> PathBuf {
        self.folder.join("looks.json")
    }

    /// What such a search came to, for people.
    pub(crate) fn tuned_page(&self) -> PathBuf {
        self.folder.join("tune.html")
    }

    /// The report of the last run, for people.
    pub(crate) fn report_page(&self) -> PathBuf {
        self.folder.join("report.html")
    }

    /// What a doctor found in the data, where one looked: a list of findings.
    pub(crate) fn findings(&self) -> PathBuf {
        self.folder.join("findings.json")
    }

    /// How often the test part was measured on.
    pub(crate) fn test_reads(&self) -> PathBuf {
        self.folder.join("test_reads.json")
    }

    /// The encoded data, which `prepare` must have made of what the recipe names, by its settings. A seed on the command
    /// line is for training: data that were split by the recipe's own are as good.
    pub(crate) fn prepared(&self) -> Result<Prepared, Failure> {
        let again = || format!("catchment-train prepare {}", self.recipe_and_place());
        let prepared = Prepared::open(self.data()).map_err(|error| Failure::with_help(error, again()))?;
        for seed in [self.recipe.seed, self.own_seed] {
            if self.is_prepared.get() || self.prepared_already(seed)?.is_some() {
                return Ok(prepared);
            }
        }
        let what =
            "the log, or [data], [prepare] or [split] of the recipe, has changed since it was prepared";
        Err(Failure::with_help(anyhow::anyhow!(what), again()))
    }

    /// What `prepare` found, where by this seed it would only find the same again.
    pub(crate) fn prepared_already(&self, seed: u64) -> Result<Option<Summary>, Failure> {
        let recipe = &self.recipe;
        let (data, settings, split) = (&recipe.data, &recipe.prepare, &recipe.split);
        let already = already_prepared(data, settings, split, seed, self.data());
        let already = already.map_err(|error| recipe.blamed(error))?;
        self.is_prepared.set(already.is_some());
        Ok(already)
    }

    /// Notes that the data were prepared just now.
    pub(crate) fn is_prepared_now(&self) {
        self.is_prepared.set(true);
    }

    /// The final models, which `train` must have made by this recipe.
    pub(crate) fn trained(&self, prepared: &Prepared) -> Result<Pipeline, Failure> {
        let pipeline = self.trained_on(prepared)?;
        let is_same = *pipeline.spec() == self.spec(self.recipe.ranker.is_some())
            && Stamp::read(&self.model()) == Some(Stamp::new(&self.recipe, prepared)?);
        if is_same {
            return Ok(pipeline);
        }
        Err(self.trained_otherwise())
    }

    /// The final models, whatever their settings, of this very data, whose split is what they may and may not have seen, and
    /// by this seed.
    pub(crate) fn trained_on(&self, prepared: &Prepared) -> Result<Pipeline, Failure> {
        let pipeline = Pipeline::open_folder(&self.model())
            .map_err(|error| Failure::with_help(error, self.train_again()))?;
        let Some(theirs) = Stamp::read(&self.model()) else {
            return Err(self.trained_otherwise());
        };
        let ours = Stamp::new(&self.recipe, prepared)?;
        if theirs.data != ours.data {
            let what = "the models were trained on other data than what was prepared last";
            return Err(Failure::with_help(anyhow::anyhow!(what), self.train_again()));
        }
        if theirs.seed != ours.seed {
            return Err(Failure::with_help(
                anyhow::anyhow!(
                    "the models were trained with seed {}, not with {}",
                    theirs.seed,
                    ours.seed
                ),
                format!("{}; or keep them by --seed {}", self.train_again(), theirs.seed),
            ));
        }
        if theirs.refit != ours.refit {
            return Err(self.trained_otherwise());
        }
        Ok(pipeline)
    }

    fn trained_otherwise(&self) -> Failure {
        let what = "the models were trained by other settings than the recipe has now";
        Failure::with_help(anyhow::anyhow!(what), self.train_again())
    }

    /// The command for it.
    pub(crate) fn train_again(&self) -> String {
        format!("catchment-train train {}", self.recipe_and_place())
    }

    /// The arguments of a command on the same recipe in the same place, by the same seed.
    pub(crate) fn recipe_and_place(&self) -> String {
        let mut arguments = vec![self.recipe.path.display().to_string()];
        if self.place.as_path() != Path::new(DEFAULT_WORK) {
            arguments.push(format!("--work {}", self.place.display()));
        }
        if self.recipe.seed != self.own_seed {
            arguments.push(format!("--seed {}", self.recipe.seed));
        }
        arguments.join(" ")
    }

    /// What the recipe makes of a bundle.
    pub(crate) fn spec(&self, with_ranker: bool) -> PipelineSpec {
        let prepare = &self.recipe.prepare;
        PipelineSpec {
            format: PipelineSpec::version(&prepare.negative, prepare.positive.as_deref()),
            channels: self.recipe.channels.clone(),
            merge: self.recipe.merge.clone(),
            ranker: self.recipe.ranker.clone().filter(|_| with_ranker),
            exclude_seen: self.recipe.evaluate.exclude_seen,
            events: prepare.events.clone(),
            negative: prepare.negative.clone(),
            positive: prepare.positive.clone(),
        }
    }

    /// The events of these data that say no.
    pub(crate) fn negative_events(&self, prepared: &Prepared) -> NegativeEvents {
        NegativeEvents::new(&self.recipe.prepare.negative, prepared.event_words())
    }

    /// Notes what the models below `layout` were trained on, and by.
    pub(crate) fn stamp(&self, layout: &Layout, prepared: &Prepared) -> Result<(), Failure> {
        Ok(Stamp::new(&self.recipe, prepared)?.write(layout)?)
    }

    /// Says something to a person.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.output.is_silent() && !self.is_one_of_many {
            speech::say(text);
        }
    }

    /// Says something on the side, to stderr.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.output.is_silent() && !self.is_one_of_many {
            speech::aside(format!("note: {}", text.as_ref()));
        }
    }
}

/// One run to a folder; the system frees the lock when the process ends, however it ends.
fn lock(folder: &Path) -> Result<File, Failure> {
    fs::create_dir_all(folder).map_err(catchment_schema::Error::io(folder))?;
    let path = folder.join(".lock");
    let file = File::options().create(true).append(true).open(&path);
    let file = file.map_err(catchment_schema::Error::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(Failure::with_help(
            anyhow::anyhow!("another run is at work in {}", folder.display()),
            "wait for it to end, or choose another folder with --work",
        )),
        Err(fs::TryLockError::Error(error)) => Err(catchment_schema::Error::io(&path)(error).into()),
    }
}
