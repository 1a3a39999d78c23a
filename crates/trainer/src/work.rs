//! Where the work of a recipe lies, and the recipe with its command-line overrides.

use std::path::PathBuf;

use catchment_pipeline::{Layout, Pipeline};
use catchment_prepare::Prepared;

use crate::cli::{Output, RecipeArgs};
use crate::failure::Failure;
use crate::recipe::Recipe;

/// A recipe, its folder, and how to talk.
pub(crate) struct Work {
    pub(crate) recipe: Recipe,
    pub(crate) output: Output,
    folder: PathBuf,
}

impl Work {
    /// Reads the recipe and sets up as many threads as it asks for.
    pub(crate) fn open(args: &RecipeArgs, output: Output) -> Result<Self, Failure> {
        let mut recipe = Recipe::read(&args.recipe)?;
        recipe.seed = output.seed.unwrap_or(recipe.seed);
        recipe.threads = output.threads.unwrap_or(recipe.threads);
        output.set_up_threads(recipe.threads);
        let folder = args.work.join(&recipe.name);
        Ok(Self {
            recipe,
            output,
            folder,
        })
    }

    /// Encoded data.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
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

    /// What was measured.
    pub(crate) fn metrics(&self) -> PathBuf {
        self.folder.join("metrics.json")
    }

    /// The encoded data, which `prepare` must have made.
    pub(crate) fn prepared(&self) -> Result<Prepared, Failure> {
        Prepared::open(self.data()).map_err(|error| {
            Failure::with_help(
                error,
                format!("catchment-train prepare {}", self.recipe.path.display()),
            )
        })
    }

    /// The final models, which `train` must have made, and of this data: indices of one run mean nothing in another.
    pub(crate) fn trained(&self, prepared: &Prepared) -> Result<Pipeline, Failure> {
        let help = format!("catchment-train train {}", self.recipe.path.display());
        let pipeline =
            Pipeline::open_folder(&self.model()).map_err(|error| Failure::with_help(error, help.clone()))?;
        let catalogue = pipeline.catalogue();
        let is_of_this_data = catalogue.users().ids() == prepared.users().ids()
            && catalogue.items().ids() == prepared.items().ids();
        if is_of_this_data {
            Ok(pipeline)
        } else {
            let what = "the models were trained on other data than what was prepared last";
            Err(Failure::with_help(anyhow::anyhow!(what), help))
        }
    }

    /// Says something to a person.
    pub(crate) fn say(&self, text: impl AsRef<str>) {
        if !self.output.is_silent() {
            println!("{}", text.as_ref());
        }
    }

    /// Says something on the side, to stderr.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        if !self.output.is_silent() {
            eprintln!("note: {}", text.as_ref());
        }
    }

    /// The list that stands for the whole recipe: the ranked one, else the merge, else the only channel.
    pub(crate) fn headline(&self) -> String {
        match (&self.recipe.ranker, self.recipe.channels.as_slice()) {
            (Some(_), _) => "ranked".to_owned(),
            (None, [only]) => only.name.clone(),
            (None, _) => "merge".to_owned(),
        }
    }
}
