//! Measures every list of a pipeline: each channel, the merge, the ranked list, and lists from files.

use catchment_bundle::Bundle;
use catchment_evaluation::report::{CommonUsers, Comparison};
use catchment_evaluation::{
    Attribution, Evaluator, FileLists, GroundTruth, ItemPopularity, Judged, MetricReport, MetricTable,
    NamedLists, PerUser, Recommends, Role, SeenItems, SegmentSources, Segmentation, Unseen, compare,
};
use catchment_pipeline::Pipeline;
use catchment_prepare::Prepared;
use catchment_schema::Interactions;
use serde::{Deserialize, Serialize};

use crate::common_users::Common;
use crate::failure::Failure;
use crate::lists::{JudgedList, PipelineLists, Translated};
use crate::work::Work;

/// One judged list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Judgement {
    /// The channel's name, `merge`, `ranked`, or the name of a file of lists.
    pub(crate) list: String,
    /// What was measured.
    #[serde(flatten)]
    pub(crate) report: MetricReport,
    /// What this channel adds to the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) attribution: Option<ChannelAttribution>,
    /// How it differs from others on the same users.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) compared: Vec<Comparison>,
    /// What whoever compares should know beside the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// One channel's part in an [`Attribution`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChannelAttribution {
    /// How many items of each list are looked at.
    k: usize,
    /// Jaccard index with each channel, mean over users.
    overlap: MetricTable,
    hits: u64,
    unique_hits: u64,
    recall_union: f64,
    recall_without: f64,
}

/// Everything about the lists of a run.
pub(crate) struct Whole {
    pub(crate) judgements: Vec<Judgement>,
    pub(crate) attribution: Option<Attribution>,
    pub(crate) truth: GroundTruth,
    /// What users had before the held-out part, without what they said no to.
    pub(crate) had: SeenItems,
    pub(crate) popularity: ItemPopularity,
}

/// A list to judge.
struct ToJudge<'a> {
    name: String,
    lists: Box<dyn Recommends + 'a>,
    role: Role,
    notes: Vec<String>,
}

/// Judges every list against `held_out`: means alone.
pub(crate) fn all(
    work: &Work,
    prepared: &Prepared,
    pipeline: &Pipeline,
    held_out: &Interactions,
    part: &str,
) -> Result<Vec<Judgement>, Failure> {
    let truth = GroundTruth::new(held_out, prepared.users().len(), prepared.items().len());
    let lists = gather(work, prepared, pipeline)?;
    let evaluator = Evaluator::new(&truth, &work.recipe.evaluate, part, work.recipe.seed).means_alone();
    let judged = evaluator.judge(&named(&lists))?;
    Ok(judgements(lists, judged.reports, None))
}

/// Judges every list against `held_out`: with intervals, segments, attribution, and against another bundle.
pub(crate) fn whole(
    work: &Work,
    prepared: &Prepared,
    pipeline: &Pipeline,
    held_out: &Interactions,
    part: &str,
    other: Option<&Bundle>,
) -> Result<Whole, Failure> {
    let config = &work.recipe.evaluate;
    let truth = GroundTruth::new(held_out, prepared.users().len(), prepared.items().len());
    let lists = gather(work, prepared, pipeline)?;
    let catalogue = pipeline.catalogue();
    // Nobody is the more active, and nothing the more popular, for a no.
    let liked = catalogue
        .negative_events()
        .taken_from_histories(catalogue.histories());
    let had = SeenItems::from_histories(&liked);
    let popularity = ItemPopularity::count(&had, truth.n_items());
    let sources = SegmentSources {
        seen: &had,
        popularity: &popularity,
        user_attributes: prepared.user_attributes(),
        item_attributes: prepared.item_attributes(),
        n_users: truth.n_users(),
        n_items: truth.n_items(),
    };
    let segments = config.segments.iter().map(|by| Segmentation::new(by, &sources));
    let segments: Vec<Segmentation> = segments.collect::<Result<_, _>>()?;
    let Judged {
        reports,
        per_user,
        attribution,
    } = Evaluator::new(&truth, config, part, work.recipe.seed)
        .with_seen(&had)
        .with_segments(&segments)
        .judge(&named(&lists))?;
    let mut judgements = judgements(lists, reports, attribution.as_ref());
    against_best_channel(work, &mut judgements, &per_user)?;
    if let Some(bundle) = other {
        let ours = Ours {
            work,
            prepared,
            truth: &truth,
            seen: &SeenItems::from_histories(catalogue.histories()),
            part,
        };
        against_bundle(&ours, bundle, &mut judgements, &per_user)?;
    }
    Ok(Whole {
        judgements,
        attribution,
        truth,
        had,
        popularity,
    })
}

/// The lists of a run, in the order in which they are shown.
fn gather<'a>(
    work: &'a Work,
    prepared: &Prepared,
    pipeline: &'a Pipeline,
) -> Result<Vec<ToJudge<'a>>, Failure> {
    let mut lists = of_pipeline(work, pipeline);
    for (name, path) in &work.recipe.lists {
        let file = FileLists::read(path, prepared.users(), prepared.items())?;
        let notes = unknown(&file);
        for note in &notes {
            work.note(format!("list `{name}` has {note}"));
        }
        // Our own lists obey the seen-item rule by themselves; a file's need not.
        let lists_of_file: Box<dyn Recommends + 'a> = if work.recipe.evaluate.exclude_seen {
            Box::new(Unseen::new(file, pipeline.catalogue().histories()))
        } else {
            Box::new(file)
        };
        lists.push(ToJudge {
            name: name.clone(),
            lists: lists_of_file,
            role: Role::Other,
            notes,
        });
    }
    Ok(lists)
}

/// Each channel of a pipeline, its merge and its ranked list.
fn of_pipeline<'a>(work: &Work, pipeline: &'a Pipeline) -> Vec<ToJudge<'a>> {
    let channels = &pipeline.spec().channels;
    let mut judged: Vec<(&str, JudgedList<'a>, Role)> = channels
        .iter()
        .map(|channel| {
            (
                channel.name.as_str(),
                JudgedList::Channel(&channel.name),
                Role::Channel,
            )
        })
        .collect();
    if channels.len() > 1 {
        judged.push(("merge", JudgedList::Merged, Role::Other));
    }
    if pipeline.has_ranker() {
        judged.push(("ranked", JudgedList::Ranked, Role::Probabilities));
    }
    let to_judge = |(name, judged, role): (&str, JudgedList<'a>, Role)| ToJudge {
        name: name.to_owned(),
        lists: Box::new(PipelineLists {
            pipeline,
            judged,
            exclude_seen: work.recipe.evaluate.exclude_seen,
            now: pipeline.catalogue().now(),
        }),
        role,
        notes: Vec::new(),
    };
    judged.into_iter().map(to_judge).collect()
}

fn named<'a>(lists: &'a [ToJudge<'_>]) -> Vec<NamedLists<'a>> {
    let named = |list: &'a ToJudge<'_>| NamedLists {
        name: &list.name,
        lists: list.lists.as_ref(),
        role: list.role,
    };
    lists.iter().map(named).collect()
}

fn judgements(
    lists: Vec<ToJudge<'_>>,
    reports: Vec<MetricReport>,
    attribution: Option<&Attribution>,
) -> Vec<Judgement> {
    let judgement = |(list, report): (ToJudge<'_>, MetricReport)| Judgement {
        attribution: attribution.and_then(|found| ChannelAttribution::of(&list.name, found)),
        list: list.name,
        report,
        compared: Vec::new(),
        notes: list.notes,
    };
    lists.into_iter().zip(reports).map(judgement).collect()
}

impl ChannelAttribution {
    fn of(channel: &str, found: &Attribution) -> Option<Self> {
        let position = found.channels.iter().position(|name| name == channel)?;
        let overlap = found.channels.iter().cloned();
        Some(Self {
            k: found.k,
            overlap: overlap.zip(found.overlap[position].iter().copied()).collect(),
            hits: found.hits[position],
            unique_hits: found.unique_hits[position],
            recall_union: found.recall_union,
            recall_without: found.recall_without[position],
        })
    }
}

/// The list that stands for the run against the channel that is best in the first metric.
fn against_best_channel(
    work: &Work,
    judgements: &mut [Judgement],
    per_user: &[PerUser],
) -> Result<(), Failure> {
    let headline = work.recipe.headline();
    let first = |judgement: &Judgement| judgement.report.metrics.values().next().unwrap_or(0.0);
    let n_channels = work.recipe.channels.len();
    // The first of equally good ones.
    let best = (0..n_channels)
        .rev()
        .max_by(|&a, &b| first(&judgements[a]).total_cmp(&first(&judgements[b])));
    let ours = judgements.iter().position(|judgement| judgement.list == headline);
    let (Some(best), Some(ours)) = (best, ours) else {
        return Ok(());
    };
    if best == ours {
        return Ok(());
    }
    let metrics = compare(
        &per_user[ours],
        &per_user[best],
        &work.recipe.evaluate,
        work.recipe.seed,
    )?;
    let against = judgements[best].list.clone();
    judgements[ours].compared.push(Comparison {
        against,
        metrics,
        common: None,
    });
    Ok(())
}

/// What a bundle is compared on.
struct Ours<'a> {
    work: &'a Work,
    prepared: &'a Prepared,
    truth: &'a GroundTruth,
    /// Whatever was said to it.
    seen: &'a SeenItems,
    part: &'a str,
}

/// Each list against the list of the same name of another bundle, over the same held-out items; over the users whom
/// both can be judged on where the bundle was trained on other data.
fn against_bundle(
    ours: &Ours<'_>,
    bundle: &Bundle,
    judgements: &mut [Judgement],
    per_user: &[PerUser],
) -> Result<(), Failure> {
    let Ours { work, prepared, .. } = *ours;
    let pipeline = Pipeline::open(bundle)?;
    let version = bundle.version();
    let is_same_data = bundle.manifest().trained_on.hash == prepared.summary().hash;
    let common = (!is_same_data).then(|| Common::of(ours.truth, ours.seen, prepared, pipeline.catalogue()));
    if let Some(common) = &common
        && common.counts.users == 0
    {
        let CommonUsers {
            of, unknown, seen, ..
        } = common.counts;
        let reason = format!(
            "bundle {version} was trained on other data, and of {of} users with held-out items it does not know {unknown}, \
             or not their held-out items, and was trained on held-out items of {seen}"
        );
        return Err(catchment_evaluation::Error::NotPaired { reason }.into());
    }
    let theirs = of_pipeline(work, &pipeline);
    let theirs: Vec<ToJudge<'_>> = theirs
        .into_iter()
        .filter(|list| judgements.iter().any(|judgement| judgement.list == list.name))
        .map(|list| ToJudge {
            lists: Box::new(Translated::new(list.lists, pipeline.catalogue(), prepared)),
            ..list
        })
        .collect();
    // Only what each user got is asked for.
    let mut config = work.recipe.evaluate.clone();
    config.resamples = 0;
    let judged = Evaluator::new(ours.truth, &config, ours.part, work.recipe.seed).judge(&named(&theirs))?;
    let note = common.as_ref().map(|common| common.note(&version.to_string()));
    for (list, values) in theirs.iter().zip(&judged.per_user) {
        let same_name = |judgement: &Judgement| judgement.list == list.name;
        let Some(position) = judgements.iter().position(same_name) else {
            continue;
        };
        let (config, seed) = (&work.recipe.evaluate, work.recipe.seed);
        let metrics = match &common {
            None => compare(&per_user[position], values, config, seed)?,
            Some(Common { keep, .. }) => {
                compare(&per_user[position].only(keep)?, &values.only(keep)?, config, seed)?
            }
        };
        judgements[position].compared.push(Comparison {
            against: format!("bundle {version}"),
            metrics,
            common: common.as_ref().map(|common| common.counts),
        });
        judgements[position].notes.extend(note.clone());
    }
    if let Some(note) = note {
        work.say(format!("\n{note}"));
    }
    Ok(())
}

/// A file of lists may know others than we do. Its unknown users are not judged and its unknown items cannot be
/// hits: whoever compares should know.
fn unknown(lists: &FileLists) -> Vec<String> {
    [(lists.n_unknown_users, "users"), (lists.n_unknown_items, "items")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what} that the log does not know"))
        .collect()
}
