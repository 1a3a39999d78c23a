//! Judges several lists together, in one pass over the users.

use catchment_schema::{ItemIdx, UserIdx};
use rayon::prelude::*;

use crate::attribution::{Attribution, AttributionSums};
use crate::calibration::calibration;
use crate::catalogue_metrics::{self, Exposure, ItemPopularity, ListPopularity};
use crate::config::EvaluateConfig;
use crate::gauc::gauc;
use crate::metric_report::{ListCalibration, MetricReport, NamedInterval};
use crate::named_lists::{NamedLists, Role};
use crate::per_user::PerUser;
use crate::ranking_metrics::ListMetrics;
use crate::recommends::TopKLists;
use crate::resample::intervals;
use crate::seen_items::SeenItems;
use crate::segment_sums::SegmentSums;
use crate::segmentation::Segmentation;
use crate::truth::GroundTruth;
use crate::{Error, MetricTable};

/// Users are asked for in blocks, so that memory does not grow with users × items. A multiple of what an exact index
/// takes at once, so many that it need not cut the items up as well, and so few that every thread has some. It
/// depends on nothing but the number of users: sums are the same on any machine.
fn block_size(n_users: usize) -> usize {
    const UNIT: usize = 120;
    (n_users / 64).next_multiple_of(UNIT).clamp(UNIT, 4 * UNIT)
}

/// Bins of a calibration error.
const BINS: usize = 15;

/// What was found, in the order of the lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// One for each list.
    pub reports: Vec<MetricReport>,
    /// What each user's list scored, for each list.
    pub per_user: Vec<PerUser>,
    /// What each channel adds, where there are at least two of [`Role::Channel`].
    pub attribution: Option<Attribution>,
}

/// Judges lists against one truth: means with intervals, segments, what the lists do to the catalogue, and what each
/// channel adds to the others. [`crate::evaluate()`] is the short form: one list, means alone.
///
/// Every list is asked once for each user, in blocks of users; memory is a block of lists for each thread, and 4 bytes
/// for each user and metric. The same bits for any number of threads.
pub struct Evaluator<'a> {
    truth: &'a GroundTruth,
    config: &'a EvaluateConfig,
    split: &'a str,
    seed: u64,
    seen: Option<(&'a SeenItems, ItemPopularity)>,
    segmentations: &'a [Segmentation],
    means_alone: bool,
}

/// What a block of users adds.
struct Block {
    lists: Vec<ListBlock>,
    attribution: AttributionSums,
}

struct ListBlock {
    sums: Vec<f64>,
    rows: Vec<f32>,
    short_lists: usize,
    popularity: ListPopularity,
    segments: Vec<SegmentSums>,
    listed: Listed,
}

/// Listed items as impressions.
#[derive(Default)]
struct Listed {
    users: Vec<u32>,
    labels: Vec<f32>,
    scores: Vec<f32>,
}

impl<'a> Evaluator<'a> {
    /// `split`: the name of the held-out part, for the protocol. `seed`: of intervals.
    pub fn new(truth: &'a GroundTruth, config: &'a EvaluateConfig, split: &'a str, seed: u64) -> Self {
        Self {
            truth,
            config,
            split,
            seed,
            seen: None,
            segmentations: &[],
            means_alone: false,
        }
    }

    /// With what users had before: coverage, Gini, novelty and popularity are measured, too.
    #[must_use]
    pub fn with_seen(mut self, seen: &'a SeenItems) -> Self {
        let popularity = ItemPopularity::count(seen, self.truth.n_items());
        self.seen = Some((seen, popularity));
        self
    }

    /// With the same metrics by segment.
    #[must_use]
    pub fn with_segments(mut self, segmentations: &'a [Segmentation]) -> Self {
        self.segmentations = segmentations;
        self
    }

    /// Without intervals, and without anything kept by user.
    #[must_use]
    pub fn means_alone(mut self) -> Self {
        self.means_alone = true;
        self
    }

    /// # Errors
    /// [`Error::Config`], [`Error::NoTruth`], [`Error::Lists`] when lists cannot be had, [`Error::NotARanking`] for a
    /// list with an item twice or with more items than were asked for.
    pub fn judge(&self, lists: &[NamedLists<'_>]) -> Result<Judged, Error> {
        self.config.validate()?;
        if self.truth.users().is_empty() {
            return Err(Error::NoTruth);
        }
        let mean_relevant = self.truth.n_pairs() as f64 / self.truth.users().len() as f64;
        let metrics = ListMetrics::new(self.config, mean_relevant);
        let n_catalogue = self.seen.as_ref().map_or(0, |_| self.truth.n_items());
        let exposures: Vec<Exposure> = lists
            .iter()
            .map(|_| Exposure::new(&self.config.ks, n_catalogue))
            .collect();
        let blocks: Vec<Block> = (0..self.truth.users().len())
            .into_par_iter()
            .step_by(block_size(self.truth.users().len()))
            .map(|start| self.block(lists, &metrics, &exposures, start))
            .collect::<Result<_, Error>>()?;
        // Blocks are the same and are added in the same order, whichever thread judged them.
        let mut whole = self.empty(lists, &metrics);
        for block in &blocks {
            whole.attribution.merge(&block.attribution);
            for (list, more) in whole.lists.iter_mut().zip(&block.lists) {
                list.merge(more);
            }
        }
        drop(blocks);
        let Block {
            lists: found,
            attribution,
        } = whole;
        let names = metrics.names();
        let (mut reports, mut per_user) = (Vec::new(), Vec::new());
        for ((mut list, exposure), judged) in found.into_iter().zip(&exposures).zip(lists) {
            if !self.means_alone {
                let rows = std::mem::take(&mut list.rows);
                per_user.push(PerUser::new(names.clone(), rows, self.truth.identity())?);
            }
            let mut report = self.report(list, &metrics, exposure, judged.role);
            if let Some(values) = per_user.last() {
                let found = intervals(values.values(), names.len(), self.config, self.seed);
                let of_metric = |(metric, interval): (&String, _)| NamedInterval {
                    metric: metric.clone(),
                    interval,
                };
                report.intervals = names.iter().zip(found).map(of_metric).collect();
            }
            reports.push(report);
        }
        let channels = channels(lists);
        let k = self.config.longest();
        let names = channels.iter().map(|&list| lists[list].name.to_owned()).collect();
        Ok(Judged {
            reports,
            per_user,
            attribution: (channels.len() > 1).then(|| attribution.finish(k, names)),
        })
    }

    fn empty(&self, lists: &[NamedLists<'_>], metrics: &ListMetrics) -> Block {
        let list = |_: &NamedLists<'_>| ListBlock {
            sums: vec![0.0; metrics.n_values()],
            rows: Vec::new(),
            short_lists: 0,
            popularity: ListPopularity::new(self.config.ks.len()),
            segments: self
                .segmentations
                .iter()
                .map(|segmentation| SegmentSums::new(segmentation, metrics.n_values()))
                .collect(),
            listed: Listed::default(),
        };
        Block {
            lists: lists.iter().map(list).collect(),
            attribution: AttributionSums::new(channels(lists).len()),
        }
    }

    fn block(
        &self,
        lists: &[NamedLists<'_>],
        metrics: &ListMetrics,
        exposures: &[Exposure],
        start: usize,
    ) -> Result<Block, Error> {
        let n_users = self.truth.users().len();
        let users = &self.truth.users()[start..n_users.min(start + block_size(n_users))];
        let longest = self.config.longest();
        let mut block = self.empty(lists, metrics);
        let mut top = TopKLists::default();
        let channels = channels(lists);
        // Of each channel, each user's items, sorted.
        let mut sets: Vec<Vec<Vec<ItemIdx>>> = Vec::new();
        for ((named, exposure), found) in lists.iter().zip(exposures).zip(&mut block.lists) {
            named
                .lists
                .top_k(users, longest, &mut top)
                .map_err(Error::Lists)?;
            if top.len() != users.len() {
                let reason = format!("{} lists for {} users", top.len(), users.len());
                return Err(Error::Lists(reason));
            }
            let keep_sets = channels.len() > 1 && named.role == Role::Channel;
            let mut of_channel = Vec::new();
            let (mut list, mut sorted) = (Vec::new(), Vec::new());
            for (position, &user) in users.iter().enumerate() {
                list.clear();
                list.extend(top.list(position).iter().map(|scored| scored.item));
                check_ranking(user, &list, longest, &mut sorted)?;
                found.short_lists += usize::from(list.len() < longest);
                let position_in_truth = start + position;
                self.add(found, metrics, user, &list, position_in_truth);
                if self.seen.is_some() {
                    exposure.add(&list);
                }
                if named.role == Role::Probabilities && !self.means_alone {
                    let reachable = self.truth.reachable(position_in_truth);
                    for scored in top.list(position) {
                        let hit = reachable.binary_search(&scored.item).is_ok();
                        found.listed.users.push(user.0);
                        found.listed.labels.push(f32::from(u8::from(hit)));
                        found.listed.scores.push(scored.score.get());
                    }
                }
                if keep_sets {
                    of_channel.push(sorted.clone());
                }
            }
            if keep_sets {
                sets.push(of_channel);
            }
        }
        if !sets.is_empty() {
            for position in 0..users.len() {
                let lists: Vec<&[ItemIdx]> = sets.iter().map(|sets| sets[position].as_slice()).collect();
                let position = start + position;
                let n_relevant = self.truth.relevant(position).len();
                block
                    .attribution
                    .add(&lists, self.truth.reachable(position), n_relevant);
            }
        }
        Ok(block)
    }

    /// Adds one user's list.
    fn add(
        &self,
        found: &mut ListBlock,
        metrics: &ListMetrics,
        user: UserIdx,
        list: &[ItemIdx],
        position: usize,
    ) {
        let relevant = self.truth.relevant(position);
        let reachable = self.truth.reachable(position);
        let mut row = vec![0.0; metrics.n_values()];
        metrics.add(list, reachable, relevant.len(), &mut row);
        for (sum, value) in found.sums.iter_mut().zip(&row) {
            *sum += value;
        }
        if !self.means_alone {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "kept in 4 bytes; means are summed in 8"
            )]
            found.rows.extend(row.iter().map(|&value| value as f32));
        }
        if let Some((seen, popularity)) = &self.seen {
            let history = seen.of(user);
            found
                .popularity
                .add(&self.config.ks, popularity, list, history, reachable);
        }
        for (segmentation, sums) in self.segmentations.iter().zip(&mut found.segments) {
            sums.add(segmentation, metrics, user, list, relevant, reachable.len(), &row);
        }
    }

    fn report(
        &self,
        list: ListBlock,
        metrics: &ListMetrics,
        exposure: &Exposure,
        role: Role,
    ) -> MetricReport {
        let names = metrics.names();
        let n = self.truth.users().len();
        let means = list.sums.into_iter().map(|sum| sum / n as f64);
        let segments = self.segmentations.iter().zip(list.segments);
        let Listed {
            users,
            labels,
            scores,
        } = list.listed;
        let calibration = match role {
            // Scores that are no probabilities after all have no calibration.
            Role::Probabilities => calibration(&labels, &scores, BINS).ok(),
            Role::Channel | Role::Other => None,
        };
        MetricReport {
            protocol: self.config.protocol(self.split),
            users: n,
            cold_users: self.truth.n_cold_users(),
            pairs: self.truth.n_pairs(),
            cold_pairs: self.truth.n_cold_pairs(),
            items: self.truth.n_items(),
            short_lists: list.short_lists,
            metrics: names.iter().cloned().zip(means).collect(),
            catalogue: match self.seen {
                Some(_) => catalogue_metrics::table(&self.config.ks, exposure, Some(&list.popularity)),
                None => MetricTable::default(),
            },
            intervals: Vec::new(),
            segments: segments
                .map(|(segmentation, sums)| sums.report(segmentation, metrics, &names))
                .collect(),
            calibration: calibration.map(|found| ListCalibration {
                rows: labels.len(),
                ece: found.ece,
                bins: found.bins,
                gauc: gauc(&users, &labels, &scores).ok(),
            }),
        }
    }
}

impl ListBlock {
    fn merge(&mut self, more: &Self) {
        for (sum, value) in self.sums.iter_mut().zip(&more.sums) {
            *sum += value;
        }
        self.rows.extend_from_slice(&more.rows);
        self.short_lists += more.short_lists;
        self.popularity.merge(&more.popularity);
        for (sums, more) in self.segments.iter_mut().zip(&more.segments) {
            sums.merge(more);
        }
        self.listed.users.extend_from_slice(&more.listed.users);
        self.listed.labels.extend_from_slice(&more.listed.labels);
        self.listed.scores.extend_from_slice(&more.listed.scores);
    }
}

fn channels(lists: &[NamedLists<'_>]) -> Vec<usize> {
    let is_channel = |&position: &usize| lists[position].role == Role::Channel;
    (0..lists.len()).filter(is_channel).collect()
}

/// Leaves the list's items in `sorted`.
fn check_ranking(
    user: UserIdx,
    list: &[ItemIdx],
    longest: usize,
    sorted: &mut Vec<ItemIdx>,
) -> Result<(), Error> {
    let wrong = |reason: String| Err(Error::NotARanking { user: user.0, reason });
    if list.len() > longest {
        return wrong(format!("{} items where {longest} were asked for", list.len()));
    }
    sorted.clear();
    sorted.extend_from_slice(list);
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => wrong(format!("item {} comes twice", pair[0].0)),
        None => Ok(()),
    }
}
