//! What a batch is compared with.

use catchment_sampling::{
    BatchFrequency, Candidates, CountedFrequency, LogUniform, Mixed, Proposal, StreamingFrequency, Uniform,
    Unigram, in_batch,
};
use catchment_schema::ItemIdx;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::plan::{FrequencyKind, Negatives, Plan, ProposalKind};
use super::training::SeenFrequency;
use crate::{Error, Result};

/// The negatives of a training, and what they have seen so far.
pub(crate) enum Sampler {
    Full,
    Sampled {
        proposal: Box<dyn Proposal + Send>,
        n: usize,
    },
    Own {
        proposal: Box<dyn Proposal + Send>,
        n: usize,
    },
    InBatch {
        frequency: Frequency,
        mixed: Option<Mixed>,
    },
}

pub(crate) enum Frequency {
    /// For batches of so many rows.
    Counted(CountedFrequency, usize),
    Streaming(Box<StreamingFrequency>),
}

impl Frequency {
    /// For a batch of `n_rows`. What is estimated is estimated of batches as they come.
    fn of_batch(&self, n_rows: usize) -> OfBatch<'_> {
        match self {
            Self::Counted(counted, rows) => OfBatch {
                frequency: counted,
                log_rows: if n_rows == *rows {
                    0.0
                } else {
                    (n_rows as f32 / *rows as f32).ln()
                },
            },
            Self::Streaming(streaming) => OfBatch {
                frequency: &**streaming,
                log_rows: 0.0,
            },
        }
    }
}

/// A frequency in a batch that has more or fewer rows than it is meant for.
struct OfBatch<'a> {
    frequency: &'a dyn BatchFrequency,
    log_rows: f32,
}

impl BatchFrequency for OfBatch<'_> {
    fn log_expected_count(&self, item: ItemIdx) -> f32 {
        self.frequency.log_expected_count(item) + self.log_rows
    }
}

/// What a batch of positives is compared with.
pub(crate) enum Drawn {
    /// All items.
    All,
    /// Shared negatives, and the positives as if they had been drawn with them.
    Beside {
        positives: Candidates,
        negatives: Candidates,
    },
    /// Negatives of each row, as many one after the other, and the positives as if they had been drawn with a row's.
    Own {
        positives: Candidates,
        negatives: Candidates,
    },
    /// Columns, of which the first are the rows' own positives.
    Columns(Candidates),
}

impl Sampler {
    /// `counts`: how often the log has each item. `labels`: how often a pass is expected to have it as a label, where that is
    /// known.
    pub(crate) fn new(plan: &Plan, counts: &[u64], labels: Option<&[f64]>) -> Result<Self> {
        let failed = |error: catchment_sampling::SamplingError| Error::Sampling(error);
        let n_items = u32::try_from(counts.len()).unwrap_or(u32::MAX);
        Ok(match plan.negatives {
            Negatives::Full => Self::Full,
            Negatives::Sampled { n, proposal } => Self::Sampled {
                proposal: proposal_of(proposal, n_items, counts)?,
                n,
            },
            Negatives::Own { n, proposal } => Self::Own {
                proposal: proposal_of(proposal, n_items, counts)?,
                n,
            },
            Negatives::InBatch {
                uniform, frequency, ..
            } => Self::InBatch {
                frequency: match frequency {
                    FrequencyKind::Counted => {
                        let counted = match labels {
                            Some(labels) => CountedFrequency::of_weights(labels, plan.batch),
                            None => CountedFrequency::new(counts, plan.batch),
                        };
                        Frequency::Counted(counted.map_err(failed)?, plan.batch)
                    }
                    FrequencyKind::Streaming(config) => {
                        let streaming = StreamingFrequency::new(config).map_err(failed)?;
                        Frequency::Streaming(Box::new(streaming))
                    }
                },
                mixed: match uniform {
                    0 => None,
                    n => Some(Mixed::new(n_items, n).map_err(failed)?),
                },
            },
        })
    }

    /// What an estimate says of items beside how often they were seen in so many steps: of a hundred items at most, the most
    /// frequent, the least, and in equal ratios of rank between them.
    pub(crate) fn frequencies(&self, seen: &[u64], steps: usize) -> Vec<SeenFrequency> {
        const POINTS: u32 = 100;
        let Self::InBatch {
            frequency: Frequency::Streaming(streaming),
            ..
        } = self
        else {
            return vec![];
        };
        let mut items: Vec<usize> = (0..seen.len()).filter(|&item| seen[item] > 0).collect();
        items.sort_unstable_by_key(|&item| (std::cmp::Reverse(seen[item]), item));
        let Some(last) = items.len().checked_sub(1) else {
            return vec![];
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank, from 0 to the last"
        )]
        let rank =
            |point: u32| ((last as f64 + 1.0).powf(f64::from(point) / f64::from(POINTS - 1)) - 1.0) as usize;
        let mut ranks: Vec<usize> = (0..POINTS).map(|point| rank(point).min(last)).collect();
        ranks.dedup();
        let points = ranks.into_iter().map(|rank| {
            let item = items[rank];
            let estimated = streaming.log_expected_count(ItemIdx::from_index(item));
            SeenFrequency {
                counted: seen[item] as f64 / steps.max(1) as f64,
                estimated: f64::from(estimated).exp(),
            }
        });
        points.collect()
    }

    /// For a batch with these positives. An estimate learns of the batch first.
    pub(crate) fn draw(&mut self, labels: &[ItemIdx], rng: &mut Xoshiro256PlusPlus) -> Drawn {
        match self {
            Self::Full => Drawn::All,
            Self::Sampled { proposal, n } => Drawn::Beside {
                positives: proposal.expected(labels, *n),
                negatives: proposal.draw(*n, rng),
            },
            Self::Own { proposal, n } => Drawn::Own {
                positives: proposal.expected(labels, *n),
                // Drawn at once, and expected as often as in a row's own.
                negatives: {
                    let all = proposal.draw(*n * labels.len(), rng);
                    proposal.expected(all.ids(), *n)
                },
            },
            Self::InBatch { frequency, mixed } => {
                if let Frequency::Streaming(streaming) = frequency {
                    streaming.observe(labels);
                }
                let frequency = frequency.of_batch(labels.len());
                Drawn::Columns(match mixed {
                    None => in_batch(labels, &frequency),
                    Some(mixed) => mixed.draw(labels, &frequency, rng),
                })
            }
        }
    }
}

fn proposal_of(kind: ProposalKind, n_items: u32, counts: &[u64]) -> Result<Box<dyn Proposal + Send>> {
    Ok(match kind {
        ProposalKind::LogUniform => Box::new(LogUniform::of_counts(counts).map_err(Error::Sampling)?),
        ProposalKind::Uniform => Box::new(Uniform::new(n_items).map_err(Error::Sampling)?),
        ProposalKind::Unigram(exponent) => Box::new(Unigram::new(counts, exponent).map_err(Error::Sampling)?),
    })
}
