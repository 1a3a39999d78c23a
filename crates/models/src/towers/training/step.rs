//! One step: forward on both sides, a loss where they meet, and back into layers and tables.

use std::borrow::Cow;

use catchment_features::FeatureColumn;
use catchment_sampling::{Candidates, RankWindow, Shown};
use catchment_schema::{ItemIdx, UserIdx};

use super::{Items, StepReport, Training};
use crate::embedding_table::Lookup;
use crate::losses::{Correction, SoftmaxConfig};
use crate::towers::hard::Miner;
use crate::towers::head::{self, Gradients, RowRules};
use crate::towers::hidden::Tape;
use crate::towers::input::rows_of;
use crate::towers::lengths::{normalise, normalise_backward};
use crate::towers::plan::ItemSide;
use crate::towers::sampler::Drawn;
use crate::towers::tables::{Numbers, Taken, backward};
use crate::towers::{ExampleBatch, Norm};
use crate::{Error, Result};

impl Training<'_> {
    pub(super) fn temperature(&self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
        let temperature = self.log_temperature.value.exp() as f32;
        temperature
    }

    fn has_batch_norm(&self) -> bool {
        let item = match &self.plan.item {
            ItemSide::Table { .. } => None,
            ItemSide::Tower { hidden, .. } => Some(hidden),
        };
        let mut towers = std::iter::once(&self.plan.query).chain(item);
        towers.any(|hidden| hidden.norm == Norm::Batch)
    }

    pub(super) fn dim(&self) -> usize {
        self.query.hidden.n_outputs()
    }

    /// A step, on the threads that it is fastest on. On a device it is always the thread that asks: each thread has a queue of
    /// its own there, and what one changes in place the next does not wait for.
    pub(super) fn step_where_best(&mut self, batch: &ExampleBatch, rate: f64) -> Result<StepReport> {
        if self.device.is_some() {
            self.step(batch, rate)
        } else {
            // Inside the pool: a product that is asked for from outside wakes it anew each time.
            rayon::scope(|_| self.step(batch, rate))
        }
    }

    /// Waits until the device has done what it was asked for: another thread may go on then.
    pub(super) fn wait(&self) -> Result<()> {
        let Some(device) = &self.device else {
            return Ok(());
        };
        device.sync().map_err(|error| Error::Device {
            reason: error.to_string(),
        })
    }

    pub(super) fn step(&mut self, batch: &ExampleBatch, rate: f64) -> Result<StepReport> {
        let dim = self.dim();
        if batch.len() < 2 && self.has_batch_norm() {
            // The mean of one row is the row: nothing would be left of it.
            return Ok(StepReport::default());
        }
        let age = self.plan.example_age.then(|| batch.age_column());
        let query_columns = || query_columns(batch, age.as_ref());
        let inputs = self
            .tables
            .input(&self.query.input, query_columns(), batch.len())?;
        let (tape, mut users) = self.query.hidden.forward(&inputs)?;
        let user_lengths = self.plan.normalised.then(|| normalise(&mut users, dim));

        let drawn = self.sampler.draw(&batch.labels, &mut self.rng);
        let (beside, with_shown) = self.beside(&users, batch)?;
        let mut ids: Vec<ItemIdx> = match &drawn {
            Drawn::All => (0..self.data.n_items).map(ItemIdx::from_index).collect(),
            Drawn::Beside { positives, negatives } | Drawn::Own { positives, negatives } => {
                [positives.ids(), negatives.ids()].concat()
            }
            Drawn::Columns(columns) => columns.ids().to_vec(),
        };
        let n_drawn = ids.len();
        for (candidates, _) in &beside {
            ids.extend_from_slice(candidates.ids());
        }
        let mut items = self.item_pass(&ids)?;
        if self.plan.normalised {
            items.lengths = Some(normalise(&mut items.vectors, dim));
        }

        // With a bias, one more dimension: 1 of every user, the bias of the item.
        let bias = items.bias.as_deref();
        let width = dim + usize::from(bias.is_some());
        let users_wide = widened(&users, dim, bias.map(|_| &[1.0][..]));
        let items_wide = widened(&items.vectors, dim, bias);
        let (drawn_items, mut beside_items) = items_wide.split_at(n_drawn * width);
        // Nothing of it is on a device: it goes faster inside the pool, whoever asks the device.
        let (loss, gradients) = rayon::scope(|_| {
            let (mut loss, mut gradients) = self.meet(&drawn, batch, &users_wide, drawn_items, width);
            for (candidates, weight) in &beside {
                let (items, rest) = beside_items.split_at(candidates.len() * width);
                let (beside, items) = ((candidates, *weight), (drawn_items, items));
                loss += self.meet_beside(&drawn, beside, batch, &users_wide, items, width, &mut gradients);
                beside_items = rest;
            }
            (loss, gradients)
        });
        let Gradients {
            users: by_users,
            items: by_items,
        } = gradients;
        let squares = sum_of_squares(&by_users) + sum_of_squares(&by_items);
        if self.plan.temperature.learned {
            // Scores are bilinear: Σ slope · score is ⟨user, its gradient⟩, summed.
            let along: f64 = users_wide
                .iter()
                .zip(&by_users)
                .map(|(value, slope)| f64::from(value * slope))
                .sum();
            self.log_temperature.step(-along, rate);
        }
        let (mut by_users, _) = narrowed(by_users, dim, width);
        let (mut by_items, by_bias) = narrowed(by_items, dim, width);
        if let Some(lengths) = &user_lengths {
            normalise_backward(&mut by_users, &users, lengths, dim);
        }
        if let Some(lengths) = &items.lengths {
            normalise_backward(&mut by_items, &items.vectors, lengths, dim);
        }
        let query = (query_columns().collect(), inputs, tape);
        let slopes = Slopes {
            users: by_users,
            items: by_items,
            bias: by_bias,
        };
        self.down(query, (&ids, items.from_tower), slopes, rate)?;
        Ok(StepReport {
            loss,
            squares,
            with_shown,
        })
    }

    /// Goes down the gradient by the vectors of a step: through the layers of both sides into their tables. Of the query what
    /// it looked up, its input and the way back; of the items which they were, and the same of a tower.
    fn down(
        &mut self,
        (columns, inputs, tape): (Vec<&FeatureColumn>, Numbers, Tape),
        (ids, of_items): (&[ItemIdx], Option<(Numbers, Tape)>),
        slopes: Slopes,
        rate: f64,
    ) -> Result<()> {
        #[expect(clippy::cast_possible_truncation, reason = "rows are f32")]
        let row_rate = rate as f32;
        let mut by_inputs = self.query.hidden.step(tape, slopes.users, rate)?;
        backward(&self.query.input, &inputs, &mut by_inputs)?;
        // Tables last: every gradient is of the rows as they were.
        let mut taken = vec![Taken::Input {
            layer: &self.query.input,
            columns,
            gradient: &by_inputs,
        }];
        let mut by_item_inputs;
        let rows: Vec<u32> = ids.iter().map(|item| item.0).collect();
        match (&mut self.items, of_items) {
            (Items::Table(table), _) => {
                taken.push(Taken::Rows {
                    table: table.table,
                    ids: &rows,
                    gradient: &slopes.items,
                });
                if let Some(bias) = &mut table.bias {
                    bias.step(&[(Lookup::single(&rows), &slopes.bias)], row_rate)?;
                }
            }
            (Items::Tower(tower), Some((inputs, tape))) => {
                by_item_inputs = tower.hidden.step(tape, slopes.items, rate)?;
                backward(&tower.input, &inputs, &mut by_item_inputs)?;
                taken.push(Taken::Input {
                    layer: &tower.input,
                    columns: self.item_rows.columns.iter().collect(),
                    gradient: &by_item_inputs,
                });
            }
            (Items::Tower(_), None) => {}
        }
        self.tables.step(&taken, row_rate)?;
        drop(taken);
        if let Numbers::Here(by_inputs) = by_inputs {
            self.buffers.give(by_inputs);
        }
        Ok(())
    }

    /// What each row is compared with by itself, each with what that loss counts; and how many rows have something that was
    /// shown.
    fn beside(&mut self, users: &[f32], batch: &ExampleBatch) -> Result<(Vec<(Candidates, f32)>, u64)> {
        let mut beside = vec![];
        if let Some(hard) = self.mine(users)? {
            beside.push((hard, self.miner.as_ref().map_or(0.0, Miner::weight)));
        }
        let mut with_shown = 0;
        if let (Some((shown, n_rows)), Some(config)) = (self.draw_shown(batch)?, &self.plan.shown) {
            beside.push((shown, config.weight));
            with_shown = n_rows;
        }
        Ok((beside, with_shown))
    }

    /// For each row, items that rank high by vectors of a while ago; `None` where they are not asked for.
    fn mine(&mut self, users: &[f32]) -> Result<Option<Candidates>> {
        let Some(mut miner) = self.miner.take() else {
            return Ok(None);
        };
        let drawn = (|| {
            if miner.is_stale() {
                let (items, width) = self.item_vectors()?;
                miner.refresh(items, width);
            }
            let has_bias = matches!(&self.items, Items::Table(table) if table.bias.is_some());
            let users = widened(users, self.dim(), has_bias.then_some(&[1.0][..]));
            rayon::scope(|_| miner.draw(&users, &mut self.rng))
        })();
        self.miner = Some(miner);
        drawn.map(Some)
    }

    /// For each row, items that were shown with its positive, and how many rows have any; `None` where none has.
    fn draw_shown(&mut self, batch: &ExampleBatch) -> Result<Option<(Candidates, u64)>> {
        let Some(config) = &self.plan.shown else {
            return Ok(None);
        };
        let shown = Shown::new(config.n).map_err(Error::Sampling)?;
        let mut all: Option<Candidates> = None;
        let (mut list, mut n_with) = (vec![], 0);
        for (row, (&user, &label)) in batch.users.iter().zip(&batch.labels).enumerate() {
            list.clear();
            let others = batch.shown_of(row).iter().copied();
            list.extend(others.filter(|&item| item != label && !knows(&self.known, user, item)));
            n_with += u64::from(!list.is_empty());
            let of_row = shown.draw(&list, label, &mut self.rng);
            all = Some(match all {
                None => of_row,
                Some(all) => all.followed_by(&of_row),
            });
        }
        Ok(all.filter(|_| n_with > 0).map(|all| (all, n_with)))
    }

    /// The loss of each row's positive against candidates of its own, which counts so much. Its gradients are added to those
    /// that are there, those of the candidates at the end.
    #[expect(
        clippy::too_many_arguments,
        reason = "both losses of a step are over the same things"
    )]
    pub(super) fn meet_beside(
        &self,
        drawn: &Drawn,
        (beside, weight): (&Candidates, f32),
        batch: &ExampleBatch,
        users: &[f32],
        (drawn_items, beside_items): (&[f32], &[f32]),
        width: usize,
        gradients: &mut Gradients,
    ) -> f64 {
        // Where each row's positive stands among what was drawn.
        let place = |row: usize| match drawn {
            Drawn::All => batch.labels[row].index(),
            Drawn::Beside { .. } | Drawn::Own { .. } | Drawn::Columns(_) => row,
        };
        let n_rows = batch.len();
        let mut items = Vec::with_capacity(n_rows * width + beside_items.len());
        for row in 0..n_rows {
            items.extend_from_slice(&drawn_items[place(row) * width..][..width]);
        }
        items.extend_from_slice(beside_items);
        let taken = &self.known;
        let known = |row: usize, item: ItemIdx| knows(taken, batch.users[row], item);
        let rules = RowRules {
            rewards: Some(&batch.rewards),
            is_positive: Some(&known),
        };
        let config = SoftmaxConfig {
            temperature: self.temperature(),
            correction: self.plan.correction,
        };
        let positives = RankWindow::positives(&batch.labels);
        let (loss, further) = head::own(users, &items, width, (&positives, beside), config, rules);
        for (slope, further) in gradients.users.iter_mut().zip(&further.users) {
            *slope += weight * further;
        }
        let (by_positives, by_beside) = further.items.split_at(n_rows * width);
        for (row, by_positive) in by_positives.chunks_exact(width).enumerate() {
            let slopes = &mut gradients.items[place(row) * width..][..width];
            for (slope, further) in slopes.iter_mut().zip(by_positive) {
                *slope += weight * further;
            }
        }
        gradients
            .items
            .extend(by_beside.iter().map(|slope| weight * slope));
        f64::from(weight) * loss
    }

    /// The loss of users against items, and its gradient by both.
    pub(super) fn meet(
        &mut self,
        drawn: &Drawn,
        batch: &ExampleBatch,
        users: &[f32],
        items: &[f32],
        width: usize,
    ) -> (f64, Gradients) {
        let config = SoftmaxConfig {
            temperature: self.temperature(),
            correction: self.plan.correction,
        };
        let known = |row: usize, item: ItemIdx| knows(&self.known, batch.users[row], item);
        let rules = RowRules {
            rewards: Some(&batch.rewards),
            is_positive: if self.plan.spare_known { Some(&known) } else { None },
        };
        let buffers = &mut self.buffers;
        match drawn {
            Drawn::All => head::all_items(
                users,
                items,
                width,
                &batch.labels,
                config.temperature,
                rules,
                buffers,
            ),
            Drawn::Beside { positives, negatives } => head::beside(
                users,
                items,
                width,
                (positives, negatives),
                config,
                rules,
                buffers,
            ),
            Drawn::Own { positives, negatives } => {
                head::own(users, items, width, (positives, negatives), config, rules)
            }
            Drawn::Columns(columns) => match &mut self.memory {
                None => head::columns(users, items, width, columns, config, rules, buffers),
                Some((memory, vectors)) => {
                    let mut all = columns.clone().followed_by(&memory.candidates());
                    if config.correction == Correction::Refined {
                        // Each is expected as often as in a batch; together they are a sample that is so much larger. Where
                        // the positive is corrected as well, that cancels.
                        let times = all.len() as f64 / columns.len() as f64;
                        all = all.expected_times(times);
                    }
                    let all_items = [items, vectors].concat();
                    let (loss, mut gradients) =
                        head::columns(users, &all_items, width, &all, config, rules, buffers);
                    // What is remembered does not learn.
                    gradients.items.truncate(items.len());
                    vectors.extend_from_slice(items);
                    let dropped = memory.push(columns);
                    vectors.drain(..dropped * width);
                    (loss, gradients)
                }
            },
        }
    }
}

/// The gradient by what both sides answered.
struct Slopes {
    /// `[rows × dim]`
    users: Vec<f32>,
    /// `[items × dim]`
    items: Vec<f32>,
    /// `[items]`; empty without a bias.
    bias: Vec<f32>,
}

/// The vectors of some items, and the way back.
pub(super) struct ItemPass {
    /// `[items × dim]`
    pub(super) vectors: Vec<f32>,
    /// `[items]`
    bias: Option<Vec<f32>>,
    lengths: Option<Vec<f32>>,
    /// What a tower was given, and its way back.
    from_tower: Option<(Numbers, Tape)>,
}

impl Training<'_> {
    pub(super) fn item_pass(&mut self, ids: &[ItemIdx]) -> Result<ItemPass> {
        let (vectors, bias, from_tower) = match &mut self.items {
            Items::Table(table) => {
                let rows: Vec<u32> = ids.iter().map(|item| item.0).collect();
                let vectors = self.tables.rows_of(table.table, &rows)?;
                let bias = table.bias.as_ref().map(|bias| {
                    let mut numbers = vec![0.0; ids.len()];
                    bias.gather(&Lookup::single(&rows), &mut numbers)
                        .map(|()| numbers)
                });
                (vectors, bias.transpose()?, None)
            }
            Items::Tower(tower) => {
                rows_of(
                    self.data.items,
                    ids.iter().map(|item| item.index()),
                    &mut self.item_rows,
                );
                let columns = &self.item_rows.columns;
                let inputs = self.tables.input(&tower.input, columns, ids.len())?;
                let (tape, vectors) = tower.hidden.forward(&inputs)?;
                (vectors, None, Some((inputs, tape)))
            }
        };
        Ok(ItemPass {
            vectors,
            bias,
            lengths: None,
            from_tower,
        })
    }
}

/// The columns of a query, in the order of its input layer.
pub(super) fn query_columns<'a>(
    batch: &'a ExampleBatch,
    age: Option<&'a FeatureColumn>,
) -> impl Iterator<Item = &'a FeatureColumn> {
    let sides = batch.user.columns.iter().chain(&batch.context.columns);
    sides.chain(age)
}

pub(super) fn knows(known: &[Vec<ItemIdx>], user: UserIdx, item: ItemIdx) -> bool {
    known
        .get(user.index())
        .is_some_and(|items| items.binary_search(&item).is_ok())
}

/// Side by side, so that one sum does not wait for another.
fn sum_of_squares(numbers: &[f32]) -> f64 {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut sums = [0.0_f64; 16];
            let (chunks, rest) = numbers.as_chunks::<16>();
            for chunk in chunks {
                for (sum, number) in sums.iter_mut().zip(chunk) {
                    *sum += f64::from(number * number);
                }
            }
            sums.iter()
                .copied()
                .chain(rest.iter().map(|number| f64::from(number * number)))
                .sum()
        },
    )
}

/// Rows with one number more, where there is one: `last`, repeated.
pub(super) fn widened<'a>(rows: &'a [f32], dim: usize, last: Option<&[f32]>) -> Cow<'a, [f32]> {
    let Some(last) = last else {
        return Cow::Borrowed(rows);
    };
    let mut wide = Vec::with_capacity(rows.len() / dim * (dim + 1));
    for (row, last) in rows.chunks_exact(dim).zip(last.iter().cycle()) {
        wide.extend_from_slice(row);
        wide.push(*last);
    }
    Cow::Owned(wide)
}

/// Rows without that number, and the numbers.
fn narrowed(rows: Vec<f32>, dim: usize, width: usize) -> (Vec<f32>, Vec<f32>) {
    if width == dim {
        return (rows, vec![]);
    }
    let last = rows.chunks_exact(width).map(|row| row[dim]).collect();
    let rows = rows.chunks_exact(width).flat_map(|row| &row[..dim]).copied();
    (rows.collect(), last)
}
