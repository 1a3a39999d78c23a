//! Measures every list of a pipeline: each channel, the merge, the ranked list, and lists from files.

use catchment_evaluation::{FileLists, GroundTruth, MetricReport, Unseen, evaluate};
use catchment_pipeline::Pipeline;
use catchment_prepare::Prepared;
use catchment_schema::Interactions;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::lists::{Judged, PipelineLists};
use crate::tables;
use crate::work::Work;

/// One judged list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Judgement {
    /// The channel's name, `merge`, `ranked`, or the name of a file of lists.
    pub(crate) list: String,
    /// What was measured.
    #[serde(flatten)]
    pub(crate) report: MetricReport,
    /// What whoever compares should know beside the numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// Judges every list against `held_out`.
pub(crate) fn all(
    work: &Work,
    prepared: &Prepared,
    pipeline: &Pipeline,
    held_out: &Interactions,
    part: &str,
) -> Result<Vec<Judgement>, Failure> {
    let config = &work.recipe.evaluate;
    let truth = GroundTruth::new(held_out, prepared.users().len(), prepared.items().len());
    let mut judged: Vec<(String, Judged<'_>)> = Vec::new();
    for channel in &work.recipe.channels {
        judged.push((channel.name.clone(), Judged::Channel(&channel.name)));
    }
    if work.recipe.channels.len() > 1 {
        judged.push(("merge".to_owned(), Judged::Merged));
    }
    if pipeline.has_ranker() {
        judged.push(("ranked".to_owned(), Judged::Ranked));
    }
    let mut judgements = Vec::new();
    for (list, judged) in judged {
        let lists = PipelineLists {
            pipeline,
            judged,
            exclude_seen: config.exclude_seen,
            now: pipeline.catalogue().now(),
        };
        let report = evaluate(&lists, &truth, config, part)?;
        judgements.push(Judgement {
            list,
            report,
            notes: Vec::new(),
        });
    }
    for (name, path) in &work.recipe.lists {
        let lists = FileLists::read(path, prepared.users(), prepared.items())?;
        let notes = unknown(&lists);
        for note in &notes {
            work.note(format!("list `{name}` has {note}"));
        }
        // Our own lists obey the seen-item rule by themselves; a file's need not.
        let report = if config.exclude_seen {
            let unseen = Unseen::new(&lists, pipeline.catalogue().histories());
            evaluate(&unseen, &truth, config, part)?
        } else {
            evaluate(&lists, &truth, config, part)?
        };
        judgements.push(Judgement {
            list: name.clone(),
            report,
            notes,
        });
    }
    Ok(judgements)
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

/// The judgements as a table, protocol first.
pub(crate) fn table(judgements: &[Judgement]) -> String {
    let Some(first) = judgements.first() else {
        return String::new();
    };
    let names: Vec<&str> = first.report.metrics.keys().collect();
    let mut header = vec!["list".to_owned()];
    header.extend(names.iter().map(|&name| name.to_owned()));
    let row = |judgement: &Judgement| {
        let value = |name: &&str| {
            let value = judgement.report.metrics.get(name);
            value.map_or("-".to_owned(), |value| format!("{value:.4}"))
        };
        std::iter::once(judgement.list.clone())
            .chain(names.iter().map(value))
            .collect()
    };
    let rows: Vec<Vec<String>> = judgements.iter().map(row).collect();
    let report = &first.report;
    format!(
        "{}\n{} users ({} cold), {} held-out pairs ({} with a cold item), {} items\n\n{}",
        report.protocol,
        report.users,
        report.cold_users,
        report.pairs,
        report.cold_pairs,
        report.items,
        tables::render(&header, &rows)
    )
}
