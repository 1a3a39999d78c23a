//! Asks all channels under one deadline.

mod cost;
mod job;
pub mod report;
pub mod stopwatch;

use serde::{Deserialize, Serialize};

use crate::{Channel, ChannelScratch, ConfigError, RecallQuery};
use cost::Cost;
use job::Job;
pub use report::{Cause, ChannelReport, Gathered};
pub use stopwatch::{Stopwatch, Unmeasured};

/// Where channels run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExecutorConfig {
    /// Channels that usually take at most this long, in microseconds, run one after the other in the
    /// caller's thread: to wake another thread would cost more than it saves.
    pub inline_up_to_micros: u64,
}

impl ExecutorConfig {
    /// Several times what it takes to wake a sleeping thread.
    pub const DEFAULT_INLINE_UP_TO_MICROS: u64 = 200;
}

impl Default for ExecutorConfig {
    fn default() -> Self {
        Self {
            inline_up_to_micros: Self::DEFAULT_INLINE_UP_TO_MICROS,
        }
    }
}

/// Buffers of one thread, reused from request to request: a set for each channel, because channels may
/// run side by side.
#[derive(Debug, Default)]
pub struct ExecutorScratch {
    channels: Vec<ChannelScratch>,
}

/// All channels of a recipe, asked together.
///
/// Channels that have proved cheap run one after the other, the cheapest first; where two or more are
/// dear, those run side by side on the current rayon pool. What a channel has cost so far decides only
/// where it runs. So, as long as time is not up, the answer is the same on any number of threads.
///
/// **A channel never breaks an answer.** One that fails or panics is missing, and its report says why.
/// One that is not begun at the deadline is missing; one that is at work then returns what it has. A
/// channel that does not look at its deadline cannot be stopped from outside: one that waits for
/// another machine must give its own client a time limit.
///
/// **No channel is believed.** Items that the filter forbids, or that are more than were asked for, are
/// taken out here and counted, so that even an unlawful channel cannot return a seen item.
pub struct Executor {
    slots: Vec<Slot>,
    config: ExecutorConfig,
}

/// A channel, what it is asked for, and what it usually costs.
struct Slot {
    channel: Box<dyn Channel>,
    k: usize,
    cost: Cost,
}

impl Executor {
    /// Channels in the order of the recipe, each with how many items it is asked for.
    ///
    /// # Errors
    /// [`ConfigError::DuplicateChannel`]; [`ConfigError::TooManyChannels`];
    /// [`ConfigError::OutOfRange`] for a channel that is asked for no items.
    pub fn new(
        channels: Vec<(Box<dyn Channel>, usize)>,
        config: ExecutorConfig,
    ) -> Result<Self, ConfigError> {
        if channels.len() > usize::from(u16::MAX) {
            return Err(ConfigError::TooManyChannels {
                found: channels.len(),
            });
        }
        for (number, (channel, k)) in channels.iter().enumerate() {
            let name = channel.name();
            if channels[..number].iter().any(|(other, _)| other.name() == name) {
                return Err(ConfigError::DuplicateChannel {
                    name: name.to_owned(),
                });
            }
            if *k == 0 {
                return Err(ConfigError::OutOfRange {
                    key: format!("k of channel `{name}`"),
                    value: "0".to_owned(),
                    allowed: "at least 1",
                });
            }
        }
        let slot = |(channel, k)| Slot {
            channel,
            k,
            cost: Cost::unknown(),
        };
        Ok(Self {
            slots: channels.into_iter().map(slot).collect(),
            config,
        })
    }

    /// A channel by its number, to ask it alone.
    pub fn channel(&self, number: usize) -> Option<&dyn Channel> {
        self.slots.get(number).map(|slot| slot.channel.as_ref())
    }

    /// The names of the channels, in the order of the recipe: channel number `i` is the `i`-th.
    pub fn names(&self) -> Vec<&str> {
        self.slots.iter().map(|slot| slot.channel.name()).collect()
    }

    /// Asks every channel. `stopwatch` measures them; with [`Unmeasured`] all run in the caller's thread.
    pub fn run(
        &self,
        query: &RecallQuery<'_>,
        stopwatch: &dyn Stopwatch,
        scratch: &mut ExecutorScratch,
    ) -> Gathered {
        scratch
            .channels
            .resize_with(self.slots.len(), ChannelScratch::default);
        let mut jobs: Vec<Job<'_>> = self
            .slots
            .iter()
            .zip(&mut scratch.channels)
            .map(|(slot, scratch)| Job::new(slot, scratch))
            .collect();

        let mut by_cost: Vec<&mut Job<'_>> = jobs.iter_mut().collect();
        by_cost.sort_by_key(|job| job.usual_micros);
        let n_cheap = by_cost.partition_point(|job| job.usual_micros <= self.config.inline_up_to_micros);
        let dear = by_cost.split_off(n_cheap);
        if dear.len() < 2 {
            for job in by_cost.into_iter().chain(dear) {
                job.run(query, stopwatch);
            }
        } else {
            rayon::scope(|scope| {
                // The dearest first: other threads take the oldest work first.
                for job in dear.into_iter().rev() {
                    scope.spawn(move |_| job.run(query, stopwatch));
                }
                for job in by_cost {
                    job.run(query, stopwatch);
                }
            });
        }

        let (lists, reports) = jobs.into_iter().map(Job::into_answer).unzip();
        Gathered { lists, reports }
    }
}

impl std::fmt::Debug for Executor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Executor")
            .field("channels", &self.names())
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
