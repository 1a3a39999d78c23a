//! One thread's way through sessions: what is drawn, and against what each centre is trained.

use catchment_sampling::{Session, Unigram, Walk};
use catchment_schema::ItemIdx;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::kernel::{Kernel, Update};
use super::objective::Drawn;
use super::plan::Plan;
use super::record::Record;
use super::rows::Rows;
use super::sigmoid::softplus;
use super::window::{MOST_INPUTS, Window};
use super::{NegativesForm, SgnsConfig};

/// What every worker reads.
pub(super) struct Task<'a> {
    pub(super) config: &'a SgnsConfig,
    pub(super) walk: &'a Walk,
    pub(super) negatives: &'a Unigram,
    pub(super) objective: &'a Drawn,
    pub(super) kernel: Kernel,
    /// Input and output vectors.
    pub(super) tables: [&'a Rows; 2],
    pub(super) seed: u64,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Done {
    /// Events read, those that were thinned out among them.
    pub(super) events: u64,
    /// Positive pairs trained.
    pub(super) pairs: u64,
    /// Positives and negatives trained.
    pub(super) targets: u64,
    /// Sum of the losses of some centres with a positive, taken just before their steps and over all of their terms.
    #[serde(with = "bits")]
    pub(super) loss: f64,
    /// Positive pairs of those centres.
    pub(super) loss_pairs: u64,
}

impl Done {
    pub(super) fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.pairs += other.pairs;
        self.targets += other.targets;
        self.loss += other.loss;
        self.loss_pairs += other.loss_pairs;
    }
}

/// A number as its bits: JSON would round it.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        number.to_bits().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// A worker's place in the session that was just read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct SessionPosition {
    rng: Xoshiro256PlusPlus,
    kept: Vec<ItemIdx>,
    next: usize,
    centres: u64,
}

/// Of so many centres with a positive one adds its loss.
const CENTRES_A_LOSS: u64 = 64;
/// So many of what a session turned down beside a centre are its negatives at most.
pub(super) const MOST_REJECTS: usize = 100;
/// How often a negative is drawn anew because it was the positive.
const REDRAWS: u32 = 16;

/// Buffers, and the place in a session.
pub(super) struct Worker {
    rng: Xoshiro256PlusPlus,
    pub(super) session: Session,
    kept: Vec<ItemIdx>,
    contexts: Vec<ItemIdx>,
    /// The centre's targets: each context, followed by its negatives.
    targets: Vec<ItemIdx>,
    /// How many positives the centre has, and of how many its plan holds.
    positives: u64,
    planned: u64,
    /// Whether the centre adds its loss.
    has_loss: bool,
    plan: Plan,
    window: Window,
    next: usize,
    centres: u64,
    pub(super) done: Done,
}

impl Worker {
    /// For vectors of this width.
    pub(super) fn new(dim: usize) -> Self {
        Self {
            rng: Xoshiro256PlusPlus::seed_from_u64(0),
            session: Session::default(),
            kept: Vec::new(),
            contexts: Vec::new(),
            targets: Vec::new(),
            positives: 0,
            planned: 0,
            has_loss: false,
            plan: Plan::new(dim),
            window: Window::new(dim),
            next: 0,
            centres: 0,
            done: Done::default(),
        }
    }

    /// Random numbers of a shard's own, whoever reads it.
    pub(super) fn begin_shard(&mut self, task: &Task<'_>, epoch: u32, shard: usize) {
        let mix = |value: u64| value.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        self.rng = Xoshiro256PlusPlus::seed_from_u64(
            task.seed ^ mix(u64::from(epoch) + 1) ^ mix(mix(shard as u64 + 1)),
        );
        self.centres = 0;
    }

    /// Goes on with `self.session`, which was just read.
    pub(super) fn begin_session(&mut self, task: &Task<'_>) {
        self.done.events += self.session.items.len() as u64;
        self.sort_rejects();
        task.walk.thin(&self.session.items, &mut self.rng, &mut self.kept);
        self.next = 0;
    }

    /// What [`Worker::go_on`] needs.
    pub(super) fn position(&self) -> SessionPosition {
        SessionPosition {
            rng: self.rng.clone(),
            kept: self.kept.clone(),
            next: self.next,
            centres: self.centres,
        }
    }

    /// Goes on within `self.session`, or behind it.
    pub(super) fn go_on(&mut self, at: &SessionPosition) {
        self.rng = at.rng.clone();
        self.kept.clone_from(&at.kept);
        self.next = at.next;
        self.centres = at.centres;
        self.sort_rejects();
    }

    /// What one item was offered and turned down lies side by side from now on.
    fn sort_rejects(&mut self) {
        self.session.rejects.sort_by_key(|[at, _]| *at);
    }

    /// Trains the next centre of the session; whether there was one.
    #[allow(unsafe_code, reason = "the addresses are of whole rows of the tables")]
    pub(super) fn train(&mut self, task: &Task<'_>, rate: f32) -> bool {
        let Some(&centre) = self.kept.get(self.next) else {
            return false;
        };
        let is_shared = task.config.negatives_form == NegativesForm::Shared;
        if is_shared {
            self.share(task, |worker, _, _| {
                // SAFETY: all rows are of tables of the window's width.
                unsafe { worker.window.train(task.kernel, rate) };
            });
            self.draw_objective_alone(task, centre);
        } else {
            self.draw(task);
        }
        if !self.plan.is_empty() {
            let row = task.tables[0].row(centre.index());
            // SAFETY: the centre and all targets are rows of tables of the plan's width.
            unsafe { task.kernel.train(row, &mut self.plan, rate) };
            self.count_plan();
        }
        self.centres += u64::from(self.positives > 0);
        true
    }

    /// Records what training the next centre of the session would change; whether there was one.
    #[allow(
        unsafe_code,
        reason = "the addresses are of whole rows of the tables and of the record"
    )]
    pub(super) fn record(&mut self, task: &Task<'_>, rate: f32, record: &mut Record) -> bool {
        let Some(&centre) = self.kept.get(self.next) else {
            return false;
        };
        let is_shared = task.config.negatives_form == NegativesForm::Shared;
        if is_shared {
            self.share(task, |worker, inputs, outputs| {
                let n_rows = worker.window.n_rows();
                record.reserve(inputs.len(), outputs.len());
                let first = record.room(n_rows);
                let vectors = record.vectors(first, n_rows);
                // SAFETY: as in `train`; the record has just made room for the vectors.
                unsafe { worker.window.look(task.kernel, rate, vectors) };
                let update = |(vector, item): (u32, &ItemIdx)| Update {
                    row: item.0,
                    vector,
                    step: 1.0,
                };
                record.inputs.extend((first..).zip(inputs).map(update));
                let behind = first + u32::try_from(inputs.len()).unwrap_or(u32::MAX);
                record.outputs.extend((behind..).zip(outputs).map(update));
            });
            self.draw_objective_alone(task, centre);
        } else {
            self.draw(task);
        }
        self.centres += u64::from(self.positives > 0);
        if self.plan.is_empty() {
            return true;
        }
        record.reserve(1, self.targets.len());
        let n_vectors = self.plan.ends.len() + 1;
        let mut vector = record.room(n_vectors);
        let vectors = record.vectors(vector, n_vectors);
        let row = task.tables[0].row(centre.index());
        // SAFETY: as in `train`; the record has just made room for the vectors.
        unsafe { task.kernel.look(row, &mut self.plan, rate, vectors) };
        let mut begin = 0;
        for &end in &self.plan.ends {
            let group = self.targets[begin..end].iter().zip(&self.plan.steps[begin..end]);
            record.outputs.extend(group.map(|(target, &step)| Update {
                row: target.0,
                vector,
                step,
            }));
            begin = end;
            vector += 1;
        }
        // The last is what the centre gains.
        record.inputs.push(Update {
            row: centre.0,
            vector,
            step: 1.0,
        });
        self.count_plan();
        true
    }

    /// Puts the next centre's targets into the plan.
    fn draw(&mut self, task: &Task<'_>) {
        let Some(&centre) = self.kept.get(self.next) else {
            return;
        };
        task.walk
            .contexts(&self.kept, self.next, &mut self.rng, &mut self.contexts);
        self.next += 1;
        self.begin_plan();
        for &context in &self.contexts {
            self.targets.push(context);
            self.plan.push(task.tables[1].row(context.index()), 1.0);
            for _ in 0..task.config.negatives {
                if let Some(negative) = negative(task.negatives, context, &mut self.rng) {
                    self.targets.push(negative);
                    self.plan.push(task.tables[1].row(negative.index()), 0.0);
                }
            }
            self.plan.end_group();
        }
        self.planned = self.contexts.len() as u64;
        self.draw_objective(task, centre);
    }

    /// An empty plan for the next centre.
    fn begin_plan(&mut self) {
        self.targets.clear();
        self.plan.clear();
        self.planned = 0;
        self.positives = self.contexts.len() as u64;
        self.has_loss = self.centres.is_multiple_of(CENTRES_A_LOSS);
    }

    /// Puts into the plan, as one group more, what the objective adds.
    fn draw_objective(&mut self, task: &Task<'_>, centre: ItemIdx) {
        let Drawn {
            global_goal,
            rejects,
            groups,
        } = task.objective;
        let output = task.tables[1];
        if *global_goal && let Some(goal) = self.session.goal.filter(|&goal| goal != centre) {
            self.targets.push(goal);
            self.plan.push(output.row(goal.index()), 1.0);
            self.positives += 1;
            self.planned += 1;
        }
        if *rejects {
            let all = &self.session.rejects;
            let begin = all.partition_point(|[at, _]| *at < centre);
            let end = begin + all[begin..].partition_point(|[at, _]| *at == centre);
            for place in 0..(end - begin).min(MOST_REJECTS) {
                // All of them, or as many drawn evenly.
                let place = if end - begin > MOST_REJECTS {
                    self.rng.random_range(begin..end)
                } else {
                    begin + place
                };
                let [_, rejected] = all[place];
                self.targets.push(rejected);
                self.plan.push(output.row(rejected.index()), 0.0);
            }
        }
        if let Some((grouped, n)) = groups
            && self.positives > 0
        {
            let goal = self.session.goal;
            let is_positive = |item, contexts: &[ItemIdx]| {
                item == centre || (*global_goal && goal == Some(item)) || contexts.contains(&item)
            };
            for _ in 0..*n {
                let drawn = (0..REDRAWS)
                    .map_while(|_| grouped.draw_beside(centre, &mut self.rng))
                    .find(|&item| !is_positive(item, &self.contexts));
                // Where a whole group is in the window, another try would be as vain.
                let Some(item) = drawn else { break };
                self.targets.push(item);
                self.plan.push(output.row(item.index()), 0.0);
            }
        }
        self.plan.end_group();
    }

    /// Puts into the plan what the objective adds for the centre whose contexts were just met in another form.
    fn draw_objective_alone(&mut self, task: &Task<'_>, centre: ItemIdx) {
        self.begin_plan();
        self.draw_objective(task, centre);
    }

    /// Meets the next centre of the session with all its contexts, some at a time, which share their negatives. `step`
    /// is told the contexts and what they are trained against, and takes the step.
    fn share(&mut self, task: &Task<'_>, mut step: impl FnMut(&mut Self, &[ItemIdx], &[ItemIdx])) {
        let Some(&centre) = self.kept.get(self.next) else {
            return;
        };
        let mut contexts = std::mem::take(&mut self.contexts);
        let mut targets = std::mem::take(&mut self.targets);
        task.walk
            .contexts(&self.kept, self.next, &mut self.rng, &mut contexts);
        self.next += 1;
        let has_loss = self.centres.is_multiple_of(CENTRES_A_LOSS);
        for inputs in contexts.chunks(MOST_INPUTS) {
            targets.clear();
            targets.push(centre);
            let negatives =
                (0..task.config.negatives).filter_map(|_| negative(task.negatives, centre, &mut self.rng));
            targets.extend(negatives);
            self.window.clear();
            for input in inputs {
                self.window.push_input(task.tables[0].row(input.index()));
            }
            for target in &targets {
                self.window.push_output(task.tables[1].row(target.index()));
            }
            step(self, inputs, &targets);
            self.done.pairs += inputs.len() as u64;
            self.done.targets += (inputs.len() * targets.len()) as u64;
            if has_loss {
                self.done.loss += self.window.loss();
                self.done.loss_pairs += inputs.len() as u64;
            }
        }
        (self.contexts, self.targets) = (contexts, targets);
    }

    /// Counts the plan that was just trained, or looked at.
    fn count_plan(&mut self) {
        self.done.pairs += self.planned;
        self.done.targets += self.targets.len() as u64;
        if self.has_loss && self.positives > 0 {
            let losses = self.plan.logits.iter().zip(&self.plan.labels);
            let loss = |(&logit, &label): (&f32, &f32)| softplus(if label > 0.5 { -logit } else { logit });
            self.done.loss += losses.map(loss).sum::<f64>();
            self.done.loss_pairs += self.planned;
        }
    }
}

/// An item that is not the positive, where there is one.
#[inline]
fn negative(negatives: &Unigram, positive: ItemIdx, rng: &mut Xoshiro256PlusPlus) -> Option<ItemIdx> {
    (0..REDRAWS)
        .map(|_| negatives.draw_one(rng))
        .find(|&item| item != positive)
}
