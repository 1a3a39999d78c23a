//! What a training begins with: which tables there are, what stands in them, what each side reads.

use std::collections::BTreeMap;

use burn::tensor::Device;
use catchment_features::{FeatureBatch, Fingerprint, Side};
use catchment_sampling::CrossBatchMemory;
use catchment_schema::{Histories, History, ItemIdx, Time};
use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{EXAMPLE_AGE, ItemTable, Items, Scalar, Tower, TowersData, Training};
use crate::embedding_table::EmbeddingTable;
use crate::towers::HiddenConfig;
use crate::towers::buffers::Buffers;
use crate::towers::device::TrainingDevice;
use crate::towers::hard::Miner;
use crate::towers::hidden::Hidden;
use crate::towers::input::{InputActivation, InputLayer};
use crate::towers::mlp::Activation;
use crate::towers::plan::{FrequencyKind, ItemSide, Negatives, Plan};
use crate::towers::sampler::Sampler;
use crate::towers::tables::Tables;
use crate::{Error, Result};

/// How often the log has each item; of a log that is learned in the order of time, what may be known before that.
pub(super) fn counts(data: &TowersData<'_>) -> Result<Vec<u64>> {
    let mut counts = vec![0_u64; data.n_items];
    let until = data.examples.counted_until();
    for (user, history) in data.histories.iter() {
        for event in history.events() {
            let Some(count) = counts.get_mut(event.item.index()) else {
                return Err(Error::UnknownItem {
                    user: user.0,
                    item: event.item.0,
                    n_items: data.n_items,
                });
            };
            if until.is_none_or(|until| event.time < until) {
                *count += 1;
            }
        }
    }
    if until.is_some() {
        // What has not been seen yet is rare, and not impossible: it will be a positive some day.
        for count in &mut counts {
            *count = (*count).max(1);
        }
    }
    Ok(counts)
}

/// How often each item is expected to be a label; of a log that is learned in the order of time, of what may be known before.
fn labels(data: &TowersData<'_>) -> Option<Vec<f64>> {
    let mut labels = data.examples.labels(0..1, data.n_items)?;
    if data.examples.counted_until().is_some() {
        for label in &mut labels {
            *label = label.max(1.0);
        }
    }
    Some(labels)
}

/// What each user took before a moment, sorted; at any time, where there is none.
pub(super) fn items_of_users(histories: &Histories, until: Option<Time>) -> Vec<Vec<ItemIdx>> {
    let sorted = |history: History<'_>| {
        let events = history.events().iter();
        let events = events.filter(|event| until.is_none_or(|until| event.time < until));
        let mut items: Vec<ItemIdx> = events.map(|event| event.item).collect();
        items.sort_unstable();
        items.dedup();
        items
    };
    histories.iter().map(|(_, history)| sorted(history)).collect()
}

/// Rows and widths of the tables; the first is that of items where it is shared.
struct TableSizes {
    is_shared: bool,
    dim: usize,
    sizes: Vec<(usize, usize)>,
    /// Those that begin as zeros, and stay small by themselves.
    biases: Vec<usize>,
    /// The tables of texts, by what their ids mean.
    texts: Vec<(Fingerprint, usize)>,
}

impl TableSizes {
    fn new(is_shared: bool, n_items: usize, dim: usize) -> Self {
        let sizes = if is_shared {
            vec![(n_items + 1, dim)]
        } else {
            vec![]
        };
        Self {
            is_shared,
            dim,
            sizes,
            biases: vec![],
            texts: vec![],
        }
    }

    /// The table of all features whose ids mean `ids`, and its width.
    fn add_text(&mut self, ids: Fingerprint, cardinality: u32) -> (usize, usize) {
        let known = self.texts.iter().find(|(other, _)| *other == ids);
        if let Some(&(_, table)) = known {
            return (table, self.dim);
        }
        let (table, dim) = self.add(false, cardinality);
        self.texts.push((ids, table));
        (table, dim)
    }

    /// `input` as a layer of its own, where there is to be one.
    fn activated(&mut self, input: InputLayer, activation: Option<Activation>) -> InputLayer {
        let Some(activation) = activation else {
            return input;
        };
        self.sizes.push((1, input.width()));
        let bias = self.sizes.len() - 1;
        self.biases.push(bias);
        input.activated(InputActivation { bias, activation })
    }

    /// The table of a feature, and its width.
    fn add(&mut self, is_item: bool, cardinality: u32) -> (usize, usize) {
        let rows = cardinality as usize;
        if is_item && self.is_shared {
            self.sizes[0].0 = self.sizes[0].0.max(rows);
            return (0, self.dim);
        }
        self.sizes.push((rows.max(1), self.dim));
        (self.sizes.len() - 1, self.dim)
    }
}

/// The features of texts that share tables, with what their ids mean.
fn texts_of<'a>(plan: &Plan, data: &TowersData<'a>, side: Side) -> BTreeMap<&'a str, Fingerprint> {
    if plan.shared_texts {
        data.features.texts(side).into_iter().collect()
    } else {
        BTreeMap::new()
    }
}

/// The side of the items, whose vectors are `dim` wide.
fn item_side(
    plan: &Plan,
    data: &TowersData<'_>,
    tables: &mut TableSizes,
    dim: usize,
    layers: MakeLayers<'_>,
    seed: u64,
) -> Result<Items> {
    let bad =
        |key: &'static str, value: String, allowed: &'static str| Err(Error::Config { key, value, allowed });
    match &plan.item {
        ItemSide::Table { bias, shared } => {
            if *shared && dim != plan.dim {
                let allowed = "`dim` outputs where histories share the items' table";
                return bad("layers", format!("{dim} outputs"), allowed);
            }
            let table = if *shared {
                0
            } else {
                tables.sizes.push((data.n_items, dim));
                tables.sizes.len() - 1
            };
            let bias = bias
                .then(|| EmbeddingTable::new(data.n_items, 1, 0.0, plan.optimizer, 0))
                .transpose()?;
            Ok(Items::Table(ItemTable { table, bias }))
        }
        ItemSide::Tower { hidden, .. } => {
            let mut input = InputLayer::default();
            let texts = texts_of(plan, data, Side::Item);
            input.append(
                &data.features.shape(Side::Item),
                |column, cardinality| match texts.get(column.name.as_str()) {
                    Some(&ids) => tables.add_text(ids, cardinality),
                    None => tables.add(data.item_id == Some(column.name.as_str()), cardinality),
                },
            );
            if input.width() == 0 {
                let allowed = "at least one feature of the item";
                return bad("features.item", "none".to_owned(), allowed);
            }
            let input = tables.activated(input, plan.input_activation);
            let hidden = layers(input.width(), hidden, seed);
            if hidden.n_outputs() != dim {
                let value = format!("{dim} and {}", hidden.n_outputs());
                return bad("layers", value, "towers that end in the same width");
            }
            Ok(Items::Tower(Box::new(Tower { input, hidden })))
        }
    }
}

/// Makes hidden layers of a width, by a config, from a seed.
pub(super) type MakeLayers<'a> = &'a dyn Fn(usize, &HiddenConfig, u64) -> Hidden;

/// Both sides, and how large the tables are that they look things up in.
struct Sides {
    tables: TableSizes,
    query: Tower,
    items: Items,
}

impl Sides {
    fn new(
        plan: &Plan,
        data: &TowersData<'_>,
        layers: MakeLayers<'_>,
        next_seed: &mut dyn FnMut() -> u64,
    ) -> Result<Self> {
        let is_shared = match &plan.item {
            ItemSide::Table { shared, .. } | ItemSide::Tower { shared, .. } => *shared,
        };
        let mut tables = TableSizes::new(is_shared, data.n_items, plan.dim);
        let mut input = InputLayer::default();
        for side in [Side::User, Side::Context] {
            let texts = texts_of(plan, data, side);
            input.append(&data.features.shape(side), |column, cardinality| {
                if let Some(&ids) = texts.get(column.name.as_str()) {
                    return tables.add_text(ids, cardinality);
                }
                let is_item = side == Side::User && data.histories_of.contains(&column.name);
                tables.add(is_item, cardinality)
            });
        }
        if plan.example_age {
            input.append_numbers(EXAMPLE_AGE, 1);
        }
        if input.width() == 0 {
            return Err(Error::Config {
                key: "features.user",
                value: "none".to_owned(),
                allowed: "at least one feature of the user or the context",
            });
        }
        let input = tables.activated(input, plan.input_activation);
        let hidden = layers(input.width(), &plan.query, next_seed());
        let dim = hidden.n_outputs();
        let query = Tower { input, hidden };
        let items = item_side(plan, data, &mut tables, dim, layers, next_seed())?;
        Ok(Self { tables, query, items })
    }
}

/// What a training takes at most beside its data, in bytes: tables with what their optimizer keeps, a step, and the vectors
/// of all items, with which it ends.
///
/// # Errors
/// As [`super::fit`] before it begins.
pub fn memory_bytes(plan: &Plan, data: &TowersData<'_>) -> Result<usize> {
    plan.validate()?;
    let device = TrainingDevice::Cpu.open()?;
    let layers =
        |width: usize, config: &HiddenConfig, seed| Hidden::new(width, config, plan.optimizer, &device, seed);
    let Sides { tables, query, items } = Sides::new(plan, data, &layers, &mut || 0)?;
    let dim = query.hidden.n_outputs();
    let (n_items, batch, width) = (data.n_items, plan.batch, dim + 1);
    let table = |&(rows, dim): &(usize, usize)| rows * (dim + plan.optimizer.state_width(dim));
    let of_tables: usize = tables.sizes.iter().map(table).sum();
    let towers = match &items {
        Items::Table(_) => vec![&query],
        Items::Tower(tower) => vec![&query, &**tower],
    };
    // Weights, two means of their gradient, and it.
    let of_layers: usize = towers.iter().map(|tower| 4 * tower.hidden.n_weights()).sum();
    let (shared, own) = match plan.negatives {
        Negatives::Full => (n_items, 0),
        Negatives::Sampled { n, .. } => (n, 0),
        Negatives::Own { n, .. } => (0, n),
        Negatives::InBatch { uniform, memory, .. } => (batch + uniform + memory, 0),
    };
    let own = own + plan.hard.map_or(0, |hard| hard.n) + plan.shown.as_ref().map_or(0, |shown| shown.n);
    let n_vectors = shared + batch * (1 + own);
    // Of each tower what goes in, what is between, and the way back.
    let inside = |tower: &Tower, rows: usize| 4 * rows * (tower.input.width() + tower.hidden.n_between());
    // Scores and their gradient are kept from step to step.
    let scores = 2 * batch * (shared + own);
    let of_step = 4 * (n_vectors + batch) * width
        + towers
            .iter()
            .zip([batch, n_vectors])
            .map(|(tower, rows)| inside(tower, rows))
            .sum::<usize>();
    let of_mining = plan.hard.map_or(0, |_| n_items * (width + batch));
    let of_memory = match plan.negatives {
        Negatives::InBatch { memory, .. } => (memory + batch) * (width + 2),
        _ => 0,
    };
    let of_estimate = match plan.negatives {
        Negatives::InBatch {
            frequency: FrequencyKind::Streaming(config),
            ..
        } => config.bytes(),
        _ => 0,
    };
    let at_end = 2 * n_items * width
        + match &items {
            Items::Table(_) => 0,
            Items::Tower(tower) => n_items.min(super::outcome::BLOCK) * 2 * tower.input.width(),
        };
    let known = if needs_known(plan) {
        data.histories.n_events() + 6 * data.histories.n_users()
    } else {
        0
    };
    // How often each item is there, in eight bytes, twice; and what a proposal makes of it.
    let counts = 8 * n_items;
    // A query tower to serve has its tables once more.
    let served: usize = tables.sizes.iter().map(|&(rows, dim)| rows * dim).sum();
    let at_most = scores
        + of_step.max(at_end + served)
        + of_tables
        + of_layers
        + of_mining
        + of_memory
        + known
        + counts;
    Ok(size_of::<f32>() * at_most + of_estimate)
}

/// Whether it has to be known what each user took.
pub(super) fn needs_known(plan: &Plan) -> bool {
    plan.spare_known || plan.hard.is_some() || plan.shown.is_some()
}

impl<'a> Training<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        data: &'a TowersData<'a>,
        device: TrainingDevice,
        seed: u64,
    ) -> Result<Self> {
        let open = device.open()?;
        let layers = |width: usize, config: &HiddenConfig, seed| {
            Hidden::new(width, config, plan.optimizer, &open, seed)
        };
        let on_device = matches!(device, TrainingDevice::Gpu(_)).then_some(&open);
        Self::with_layers(plan, data, seed, &layers, on_device)
    }

    /// Of hidden layers that are made so, of a width, by a config, from a seed. Where a device trains, the tables go there as
    /// well, or stay where it has no room for them.
    pub(super) fn with_layers(
        plan: &'a Plan,
        data: &'a TowersData<'a>,
        seed: u64,
        layers: MakeLayers<'_>,
        on_device: Option<&Device>,
    ) -> Result<Self> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut seeds = (1_u64..).map(|part| seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(part));
        let mut next_seed = || seeds.next().unwrap_or(seed);
        let counts = counts(data)?;
        let Sides { tables, query, items } = Sides::new(plan, data, layers, &mut next_seed)?;
        let tables: Vec<EmbeddingTable> = tables
            .sizes
            .iter()
            .enumerate()
            .map(|(place, &(rows, dim))| {
                let (range, l2) = if tables.biases.contains(&place) {
                    (0.0, 0.0)
                } else {
                    (plan.init.range(rows, dim), plan.l2)
                };
                let table = EmbeddingTable::new(rows, dim, range, plan.optimizer, next_seed());
                table.map(|table| table.with_l2(l2))
            })
            .collect::<Result<_>>()?;
        let mut kept_here = None;
        let tables = match on_device.map(|device| Tables::on_device(&tables, device)) {
            None => Tables::Host(tables),
            Some(Ok(on_device)) => on_device,
            Some(Err(error)) => {
                kept_here = Some(error.to_string());
                Tables::Host(tables)
            }
        };
        let memory = match plan.negatives {
            Negatives::InBatch { memory, .. } if memory > 0 => {
                Some((CrossBatchMemory::new(memory).map_err(Error::Sampling)?, vec![]))
            }
            _ => None,
        };
        let known = if needs_known(plan) {
            items_of_users(data.histories, data.examples.known_until(0))
        } else {
            vec![]
        };
        let sampler = Sampler::new(plan, &counts, labels(data).as_deref())?;
        if let Some(hard) = plan.hard
            && hard.ranks[0] >= data.n_items
        {
            return Err(Error::Config {
                key: "hard.ranks",
                value: format!("{:?}", hard.ranks),
                allowed: "a first rank below the number of items: there is none so far down",
            });
        }
        // So that drawing does not begin where the weights did.
        rng.jump();
        Ok(Self {
            plan,
            data,
            tables,
            device: on_device.cloned(),
            kept_here,
            query,
            items,
            sampler,
            miner: plan.hard.map(Miner::new).transpose()?,
            memory,
            log_temperature: Scalar::new(f64::from(plan.temperature.value).ln()),
            rng,
            item_rows: FeatureBatch::default(),
            known,
            buffers: Buffers::default(),
        })
    }
}
