//! The command line.

use std::path::PathBuf;

use catchment_evaluation::SegmentBy;
use catchment_models::towers::device::TrainingDevice;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Where the work goes unless somebody says otherwise.
pub(crate) const DEFAULT_WORK: &str = "work";

/// More threads than this are a slip of the finger.
pub(crate) const MAX_THREADS: usize = 1024;

/// The most that one answer may hold.
const MAX_ANSWER: u64 = 100_000;

/// Nobody means an answer of nothing.
fn how_many() -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::new().range(1..=MAX_ANSWER)
}

/// Trains multi-channel recommenders: recipes in, bundles out.
#[derive(Parser)]
#[command(name = "catchment-train", version, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How to talk, and how hard to work.
#[derive(Args, Clone, Copy)]
pub(crate) struct Output {
    /// Print one JSON object instead of text; errors too.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Nothing but errors, and what --json prints.
    #[arg(long, global = true)]
    pub(crate) quiet: bool,
    /// Threads; 0 takes all. Overrides the recipe.
    #[arg(long, global = true, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=MAX_THREADS as u64))]
    pub(crate) threads: Option<usize>,
    /// Seed of everything random. Overrides the recipe.
    #[arg(long, global = true)]
    pub(crate) seed: Option<u64>,
    /// Where towers are trained: `cpu`, `gpu`, `gpu:1`; `catchment-train devices` lists them.
    #[arg(long, global = true, default_value = "cpu")]
    pub(crate) device: TrainingDevice,
}

impl Output {
    /// Whether nothing but the result and an error may be said: one JSON object on either stream.
    pub(crate) fn is_silent(self) -> bool {
        self.quiet || self.json
    }

    /// Sets up as many threads as are asked for here, or else by `otherwise`; 0 takes all.
    pub(crate) fn set_up_threads(self, otherwise: usize) {
        // A second call finds the pool built already: the first one's threads then stay.
        let _ = rayon::ThreadPoolBuilder::new()
            .num_threads(self.threads.unwrap_or(otherwise))
            .build_global();
    }
}

/// A recipe, and where its work goes.
#[derive(Args, Clone)]
pub(crate) struct RecipeArgs {
    /// The recipe.
    pub(crate) recipe: PathBuf,
    /// Where the work goes: `<work>/<name of the recipe>/`.
    #[arg(long, default_value = DEFAULT_WORK)]
    pub(crate) work: PathBuf,
    /// Do everything anew, whatever is done already.
    #[arg(long)]
    pub(crate) fresh: bool,
}

/// An opened bundle.
#[derive(Args, Clone)]
pub(crate) struct BundleArgs {
    /// A bundle, or the folder of bundles, whose current one is taken.
    #[arg(long)]
    pub(crate) bundle: PathBuf,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Look at a log, guess what its columns mean, and write a commented recipe for it.
    Init {
        /// The log: CSV, TSV, JSON lines or Parquet, also packed.
        #[arg(long)]
        interactions: PathBuf,
        /// The items with their attributes.
        #[arg(long)]
        items: Option<PathBuf>,
        /// The users with their attributes.
        #[arg(long)]
        users: Option<PathBuf>,
        /// Where the recipe goes.
        #[arg(short, long, default_value = "catchment.toml")]
        output: PathBuf,
        /// Write over a file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Count, and find what is wrong with the data of a recipe and its split; fails on errors.
    Doctor(RecipeArgs),
    /// Import, filter, split and encode the data of a recipe.
    Prepare(RecipeArgs),
    /// Train the channels, and the ranker on what they find.
    Train {
        #[command(flatten)]
        recipe: RecipeArgs,
        /// Only these channels, with commas between them; the others are taken as they were trained before.
        #[arg(long, value_name = "NAME", value_delimiter = ',')]
        only: Vec<String>,
        /// Go on with a training that was interrupted or failed; an error where there is none. Without it, what is done is found, too.
        #[arg(long, conflicts_with = "fresh")]
        resume: bool,
    },
    /// Try other settings, as `[tune]` of the recipe says, and tell which are best on the validation part.
    Tune {
        #[command(flatten)]
        recipe: RecipeArgs,
        /// How many settings are tried beside the recipe's own. Overrides the recipe.
        #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
        trials: Option<usize>,
    },
    /// Measure each channel, the merge and the ranked list on the test part.
    Evaluate {
        #[command(flatten)]
        recipe: RecipeArgs,
        /// Metrics by segment: `item.popularity_decile`, `user.history`, `user.cold`, `item.cold`, `user.COLUMN`,
        /// `item.COLUMN`. Overrides the recipe.
        #[arg(long, value_name = "BY,BY", value_delimiter = ',')]
        segments: Vec<SegmentBy>,
        /// Another bundle, or a folder of them: each list against its list of the same name, user by user.
        #[arg(long, value_name = "BUNDLE")]
        compare: Option<PathBuf>,
        /// Where the numbers go; `<work>/<name>/metrics.json` anyway.
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// The last evaluation as one HTML file.
    Report {
        /// A recipe, a bundle, or a folder of bundles, whose current one is taken.
        #[arg(value_name = "RECIPE|BUNDLE")]
        source: PathBuf,
        /// Where the work of the recipe lies.
        #[arg(long, default_value = DEFAULT_WORK)]
        work: PathBuf,
        /// Where the page goes.
        #[arg(short, long, default_value = "report.html")]
        output: PathBuf,
    },
    /// Make a bundle of what was trained.
    Publish {
        #[command(flatten)]
        recipe: RecipeArgs,
        /// The folder of bundles.
        #[arg(long, default_value = "bundles")]
        to: PathBuf,
        /// Users have what the test part holds as well, as history: for a server. Such a bundle is not to be measured.
        #[arg(long)]
        whole_log: bool,
    },
    /// All of the above.
    Run {
        #[command(flatten)]
        recipe: RecipeArgs,
        /// The folder of bundles.
        #[arg(long, default_value = "bundles")]
        to: PathBuf,
        /// Users have what the test part holds as well, as history: for a server. Such a bundle is not to be measured.
        #[arg(long)]
        whole_log: bool,
        /// Write what `--json` prints to this file, too.
        #[arg(long)]
        summary: Option<PathBuf>,
    },
    /// Recommendations for one user.
    Recommend {
        #[command(flatten)]
        bundle: BundleArgs,
        /// The user's id.
        #[arg(long)]
        user: String,
        /// How many.
        #[arg(short, default_value_t = 10, value_parser = how_many())]
        n: usize,
        /// Say which channels found what, and how long each stage took.
        #[arg(long)]
        explain: bool,
    },
    /// Recommendations for many users, as a file.
    Batch {
        #[command(flatten)]
        bundle: BundleArgs,
        /// A Parquet or CSV file with a column `user_id`.
        #[arg(long)]
        users: PathBuf,
        /// How many for each.
        #[arg(short, default_value_t = 10, value_parser = how_many())]
        n: usize,
        /// Where they go: a file that ends in .parquet, .csv or .jsonl, and is written in that form.
        #[arg(short, long, default_value = "recommendations.parquet")]
        output: PathBuf,
    },
    /// Items that are near an item.
    Similar {
        #[command(flatten)]
        bundle: BundleArgs,
        /// The item's id.
        #[arg(long)]
        item: String,
        /// How many.
        #[arg(short, default_value_t = 10, value_parser = how_many())]
        n: usize,
        /// By this channel; the first that can say, otherwise.
        #[arg(long)]
        channel: Option<String>,
    },
    /// Why an item is not among a user's recommendations: the stage that lost it, and by how much.
    WhyNot {
        #[command(flatten)]
        bundle: BundleArgs,
        /// The user's id.
        #[arg(long)]
        user: String,
        /// The item's id.
        #[arg(long)]
        item: String,
        /// How many recommendations it should be among.
        #[arg(short, default_value_t = 10, value_parser = how_many())]
        n: usize,
    },
    /// The vectors of a channel, as a file.
    Export {
        #[command(flatten)]
        bundle: BundleArgs,
        /// The channel.
        #[arg(long)]
        channel: String,
        /// Whose vectors.
        #[arg(long, value_enum)]
        what: What,
        /// In which form.
        #[arg(long, value_enum, default_value_t = Format::Parquet)]
        format: Format,
        /// Where they go.
        #[arg(short, long)]
        output: PathBuf,
    },
    /// Count the letter trigrams of a text or a list of words, and find words that have the same: what DSSM would see.
    Trigrams {
        /// Plain text, UTF-8.
        file: PathBuf,
    },
    /// List what towers can be trained on here.
    Devices,
    /// Make a world whose truth is known, with a recipe for it.
    Synth {
        /// Which world.
        #[arg(long, value_enum, default_value_t = Preset::Demo)]
        preset: Preset,
        #[command(flatten)]
        marketplace: MarketplaceArgs,
        /// The folder that it goes to.
        #[arg(short, long)]
        output: PathBuf,
        /// Write over a recipe or tables that are there and are others.
        #[arg(long)]
        force: bool,
    },
    /// Run a recipe from raw data to measured metrics, once for each seed, and write the result file.
    Reproduce {
        #[command(flatten)]
        recipe: RecipeArgs,
        /// How many seeds; the recipe's own is the first.
        #[arg(long, default_value_t = 1)]
        seeds: u32,
        /// The result file.
        #[arg(short, long)]
        output: PathBuf,
    },
}

/// Whose vectors.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Of the items.
    Items,
    /// Of the users, encoded from their histories.
    Users,
    /// The output vectors of the items, against which item vectors were trained (of channels that have them).
    Output,
}

/// Forms of an export.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Format {
    /// `embeddings.parquet`: ids and vectors.
    Parquet,
    /// A `NumPy` array; ids beside it as text, one a line.
    Npy,
    /// The text form of word2vec.
    Word2vec,
}

/// Sizes of a made world.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Preset {
    /// For tests: trained in a second.
    Tiny,
    /// For the demo.
    Demo,
    /// Places, prices, sessions, bookings, text and drift: a hundred thousand views.
    Marketplace,
}

/// A marketplace of another size, or with less in it.
#[derive(Args, Clone)]
pub(crate) struct MarketplaceArgs {
    /// A marketplace with so many views, 1,000 to 200,000,000; bookings and rejections come on top.
    #[arg(long, value_name = "N", conflicts_with = "preset")]
    pub(crate) events: Option<u64>,
    /// How many users; one for fifty views otherwise.
    #[arg(long, value_name = "N", requires = "events")]
    pub(crate) users: Option<u32>,
    /// How many items; eight times the root of the views otherwise.
    #[arg(long, value_name = "N", requires = "events")]
    pub(crate) items: Option<u32>,
    /// How many days it lasts.
    #[arg(long, value_name = "N", requires = "events")]
    pub(crate) days: Option<u16>,
    /// What it has; everything otherwise.
    #[arg(long, value_enum, value_delimiter = ',', requires = "events")]
    pub(crate) with: Option<Vec<MarketplacePart>>,
    /// On this day popularity is dealt out anew.
    #[arg(long, value_name = "DAY", requires = "events")]
    pub(crate) switch_day: Option<u16>,
    /// For how many users the truth is written.
    #[arg(long, value_name = "N", requires = "events")]
    pub(crate) truth_users: Option<u32>,
    /// In which form the tables are written.
    #[arg(long, value_enum, default_value_t = TableFormat::Parquet, requires = "events")]
    pub(crate) format: TableFormat,
}

/// What a marketplace can have or lack.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum MarketplacePart {
    /// Titles with words, queries and judgements.
    Text,
    /// Markets, coordinates, and prices that fit a user or not.
    Places,
    /// Several views a sitting, by a daily and weekly rhythm, with dwell times.
    Sessions,
    /// Bookings and rejections.
    Bookings,
    /// Tastes and popularity that move.
    Drift,
}

impl From<MarketplacePart> for catchment_synthetic::marketplace::Part {
    fn from(part: MarketplacePart) -> Self {
        match part {
            MarketplacePart::Text => Self::Text,
            MarketplacePart::Places => Self::Places,
            MarketplacePart::Sessions => Self::Sessions,
            MarketplacePart::Bookings => Self::Bookings,
            MarketplacePart::Drift => Self::Drift,
        }
    }
}

/// Forms of a table.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum TableFormat {
    /// Parquet.
    Parquet,
    /// Comma-separated text.
    Csv,
}
