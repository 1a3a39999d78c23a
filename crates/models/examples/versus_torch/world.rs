//! A catalogue and its users, as far as a training wants to know of them.

use catchment_features::{FeatureBatch, FeatureColumn, FeatureSpec, FitTables, FittedFeatures, Side};
use catchment_models::towers::training::TowersData;
use catchment_models::towers::{ExampleBatch, ExampleSource, ExampleStream};
use catchment_sampling::{BatchFrequency, CountedFrequency, LogUniform, Proposal};
use catchment_schema::{AttributeTable, Event, Histories, ItemIdx, Time, UserIdx, Vocabulary};

use super::batches::Batches;
use super::{Failure, Model, Settings};

/// Features over so many users and items, and how often each item is a label.
pub(crate) struct World {
    features: FittedFeatures,
    items: FeatureBatch,
    n_items: usize,
    histories: Histories,
    histories_of: [String; 1],
}

/// Batches are handed over one by one: nobody asks for an epoch.
struct NoExamples;

impl ExampleSource for NoExamples {
    fn n_examples(&self, _: usize) -> usize {
        0
    }

    fn pass(&self, _: u64, _: usize, _: u64) -> Box<dyn ExampleStream + '_> {
        unreachable!("steps are taken one by one")
    }
}

impl World {
    pub(crate) fn new(settings: &Settings, batches: &Batches) -> Result<Self, Failure> {
        let vocabulary = |n: u32| Vocabulary::from_counts((0..n).map(|place| (format!("{place:08}"), 1_u64)));
        let (users, items) = (vocabulary(settings.users), vocabulary(settings.items));
        let user = if settings.users > 0 {
            r#"{ name = "user", kind = "id" },"#
        } else {
            ""
        };
        let spec: FeatureSpec = toml::from_str(&format!(
            r#"
            user = [{user} {{ name = "recent", kind = "history", last = {}, pooling = "mean" }}]
            item = [{{ name = "item", kind = "id" }}]
            "#,
            settings.history
        ))?;
        // One reader of everything stands for the log that items are counted in.
        let events: Vec<Event> = batches
            .labels
            .iter()
            .map(|&item| Event::new(ItemIdx(item), Time::UNKNOWN))
            .collect();
        let histories = Histories::group(1, &vec![UserIdx(0); events.len()], &events);
        let item_attributes = AttributeTable::empty(items.len());
        let features = spec.fit(&FitTables {
            users: &users,
            items: &items,
            user_attributes: &AttributeTable::empty(users.len()),
            item_attributes: &item_attributes,
            histories: &Histories::empty(users.len()),
            channels: &[],
        })?;
        let mut of_items = FeatureBatch::default();
        features.transform_items(&items, &item_attributes, &mut of_items)?;
        let Some(FeatureColumn::Bag { ids, .. }) = of_items.columns.first() else {
            return Err("an item has no id".into());
        };
        if !ids.iter().copied().eq(0..settings.items) {
            return Err("an item's id is not its number, which the peer takes for it".into());
        }
        Ok(Self {
            features,
            items: of_items,
            n_items: items.len(),
            histories,
            histories_of: ["recent".to_owned()],
        })
    }

    pub(crate) fn data(&self) -> TowersData<'_> {
        TowersData {
            features: &self.features,
            items: &self.items,
            n_items: self.n_items,
            histories: &self.histories,
            histories_of: &self.histories_of,
            item_id: Some("item"),
            examples: &NoExamples,
        }
    }

    /// What a loss subtracts, of each of these.
    pub(crate) fn log_expected_counts(
        &self,
        settings: &Settings,
        items: &[ItemIdx],
    ) -> Result<Vec<f32>, Failure> {
        Ok(match settings.model {
            Model::YoutubeDnn => {
                let law = LogUniform::new(settings.items)?;
                law.expected(items, settings.negatives)
                    .log_expected_count()
                    .to_vec()
            }
            Model::TwoTower => {
                let mut counts = vec![0; self.n_items];
                for (_, history) in self.histories.iter() {
                    for event in history.events() {
                        counts[event.item.index()] += 1;
                    }
                }
                let frequency = CountedFrequency::new(&counts, settings.batch)?;
                let logs = items.iter().map(|&item| frequency.log_expected_count(item));
                logs.collect()
            }
        })
    }

    /// The batches as the features would have made them.
    pub(crate) fn examples(&self, settings: &Settings, batches: &Batches) -> Vec<ExampleBatch> {
        let shape = self.features.shape(Side::User);
        let mut history = &batches.history[..];
        let rows = batches.lengths.chunks(settings.batch);
        let rows = rows.zip(batches.labels.chunks(settings.batch));
        rows.zip(batches.users.chunks(settings.batch))
            .map(|((lengths, labels), users)| {
                let mut columns: Vec<FeatureColumn> = shape
                    .iter()
                    .map(|column| FeatureColumn::new(column.kind))
                    .collect();
                if columns.len() > 1 {
                    push(&mut columns[0], users.iter().map(std::slice::from_ref));
                }
                let own = lengths.iter().map(|&length| {
                    let own;
                    (own, history) = history.split_at(length as usize);
                    own
                });
                if let Some(column) = columns.last_mut() {
                    push(column, own);
                }
                ExampleBatch {
                    user: FeatureBatch {
                        rows: labels.len(),
                        columns,
                    },
                    context: FeatureBatch {
                        rows: labels.len(),
                        columns: vec![],
                    },
                    age: vec![0.0; labels.len()],
                    labels: labels.iter().copied().map(ItemIdx).collect(),
                    rewards: vec![1.0; labels.len()],
                    users: vec![UserIdx(0); labels.len()],
                    ..ExampleBatch::default()
                }
            })
            .collect()
    }
}

/// Rows of ids, each with its share of one.
fn push<'a>(column: &mut FeatureColumn, rows: impl Iterator<Item = &'a [u32]>) {
    if let FeatureColumn::Bag {
        offsets,
        ids,
        weights,
        ..
    } = column
    {
        for row in rows {
            ids.extend_from_slice(row);
            weights.extend(row.iter().map(|_| 1.0 / row.len() as f32));
            offsets.push(u32::try_from(ids.len()).unwrap_or(u32::MAX));
        }
    }
}
