//! From a folder to a pipeline: one arm a kind.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{IndexConfig, SearchParams, VectorIndex, build_index, zero_rows};
use catchment_features::FittedFeatures;
use catchment_models::factorization::ials::{IalsEncoder, export};
use catchment_models::neighbours::item_cf::ItemCf;
use catchment_models::neighbours::swing::Swing;
use catchment_models::newest::Newest;
use catchment_models::popularity::Popularity;
use catchment_models::sgns::{self, ItemVectors};
use catchment_models::towers::{QueryTower, file};
use catchment_ranking::{LrRanker, Ranker};
use catchment_recall::{
    Against, Channel, EmbeddingChannel, ItemToItemChannel, ItemVectorsConfig, NewestChannel,
    PopularByCategoryChannel, PopularChannel, QueryForm,
};
use catchment_schema::{AttributeTable, Embeddings, ItemSet, Metric, NeighbourTable};

use crate::encoder::{AskTower, FoldIn, Pooled, TowerEncoder, UserEncoder};
use crate::{Catalogue, ChannelModel, ChannelSpec, Error, Layout, RankerModel};

/// A channel as the pipeline keeps it: ready to recall, and with what it knows about items.
pub(crate) struct OpenChannel {
    pub(crate) channel: Box<dyn Channel>,
    pub(crate) knowledge: Knowledge,
}

/// What a channel can say about items apart from recalling them.
pub(crate) enum Knowledge {
    /// Nothing that depends on a single item.
    None,
    /// Which items go with which.
    Neighbours(Arc<NeighbourTable>),
    /// A vector for each item and how a user becomes one; the directions of the item vectors say what is similar.
    Vectors {
        encoder: Arc<dyn UserEncoder>,
        directions: Box<ExactIndex>,
        /// Items without a vector: similar to nothing.
        unknown: ItemSet,
        items_file: PathBuf,
        /// What item vectors were trained against, where that is another table.
        output_file: Option<PathBuf>,
    },
}

/// The scores of a popularity channel, in its folder.
pub const POPULARITY_FILE: &str = "scores.parquet";

/// Opens one channel.
pub(crate) fn channel(
    layout: &Layout,
    spec: &ChannelSpec,
    catalogue: &Catalogue,
) -> Result<OpenChannel, Error> {
    let items = catalogue.items();
    let folder = layout.channel(&spec.name);
    let name = spec.name.as_str();
    let failed = |error: &dyn std::fmt::Display| Error::Channel {
        channel: name.to_owned(),
        reason: error.to_string(),
    };
    Ok(match &spec.model {
        ChannelModel::Popular { query, .. } => {
            let scores = Popularity::open(folder.join(POPULARITY_FILE), items)
                .map_err(|error| failed(&error))?
                .scores;
            let channel: Box<dyn Channel> = match &query.category {
                None => Box::new(PopularChannel::new(name, &scores).map_err(|error| failed(&error))?),
                Some(column) => {
                    let categories =
                        categories(catalogue.item_attributes(), column).map_err(|reason| failed(&reason))?;
                    let channel =
                        PopularByCategoryChannel::new(name, &scores, categories, query.recent_items);
                    Box::new(channel.map_err(|error| failed(&error))?)
                }
            };
            OpenChannel {
                channel,
                knowledge: Knowledge::None,
            }
        }
        ChannelModel::Newest { query, .. } => {
            let model = Newest::open(layout.newest_times(name), items).map_err(|error| failed(&error))?;
            let channel = NewestChannel::new(name, model.times, *query).map_err(|error| failed(&error))?;
            OpenChannel {
                channel: Box::new(channel),
                knowledge: Knowledge::None,
            }
        }
        ChannelModel::ItemCf { query, .. } => {
            let model = ItemCf::open(&folder, items).map_err(|error| failed(&error))?;
            let table = Arc::new(model.table);
            let bias = Some(model.item_bias);
            let channel =
                ItemToItemChannel::new(name, table.clone(), bias, *query).map_err(|error| failed(&error))?;
            OpenChannel {
                channel: Box::new(channel),
                knowledge: Knowledge::Neighbours(table),
            }
        }
        ChannelModel::Swing { query, .. } => {
            let table = Arc::new(Swing::open_table(&folder, items).map_err(|error| failed(&error))?);
            let channel =
                ItemToItemChannel::new(name, table.clone(), None, *query).map_err(|error| failed(&error))?;
            OpenChannel {
                channel: Box::new(channel),
                knowledge: Knowledge::Neighbours(table),
            }
        }
        ChannelModel::Ials { index, .. } => {
            let encoder = Arc::new(IalsEncoder::open(&folder, items).map_err(|error| failed(&error))?);
            let items_file = folder.join(export::ITEMS_FILE);
            let vectors = Embeddings::read(&items_file)?.vectors;
            let unknown = zero_rows(&vectors, encoder.dim());
            let directions = ExactIndex::build(vectors.clone(), encoder.dim(), Metric::Cosine)
                .map_err(|error| failed(&error))?;
            let built = build_index(vectors, encoder.dim(), Metric::InnerProduct, index)
                .map_err(|error| failed(&error))?;
            let index: Arc<dyn VectorIndex> = Arc::from(built.index);
            let fold_in = Box::new(FoldIn::new(encoder.clone()));
            let channel = EmbeddingChannel::new(name, fold_in, index, SearchParams::default())
                .map_err(|error| failed(&error))?;
            let knowledge = Knowledge::Vectors {
                encoder,
                directions: Box::new(directions),
                unknown,
                items_file,
                output_file: None,
            };
            OpenChannel {
                channel: Box::new(channel),
                knowledge,
            }
        }
        ChannelModel::Item2vec { query, index, .. } | ChannelModel::Airbnb { query, index, .. } => {
            item_vectors(layout, name, query, index, catalogue)?
        }
        ChannelModel::YoutubeDnn { index, .. }
        | ChannelModel::Dssm { index, .. }
        | ChannelModel::TwoTower { index, .. } => towers(layout, name, index, catalogue)?,
    })
}

/// Opens a channel of item vectors.
fn item_vectors(
    layout: &Layout,
    name: &str,
    query: &ItemVectorsConfig,
    index: &IndexConfig,
    catalogue: &Catalogue,
) -> Result<OpenChannel, Error> {
    let (items, folder) = (catalogue.items(), layout.channel(name));
    let failed = |error: &dyn std::fmt::Display| Error::Channel {
        channel: name.to_owned(),
        reason: error.to_string(),
    };
    let vectors = Arc::new(ItemVectors::open(&folder, items).map_err(|error| failed(&error))?);
    let unknown = zero_rows(vectors.vectors(), vectors.dim());
    let directions = ExactIndex::build(vectors.vectors().to_vec(), vectors.dim(), Metric::Cosine)
        .map_err(|error| failed(&error))?;
    let channel: Box<dyn Channel> = match query.form {
        QueryForm::Pooled => {
            let output = match query.against {
                Against::Input => None,
                Against::Output => Some(
                    vectors
                        .open_output(&folder, items)
                        .map_err(|error| failed(&error))?,
                ),
            };
            let (table, metric) = match &output {
                None => (vectors.vectors().to_vec(), Metric::Cosine),
                Some(output) => (output.clone(), Metric::InnerProduct),
            };
            let mut not_found = zero_rows(&table, vectors.dim());
            not_found.union_with(&unknown);
            let built = build_index(table, vectors.dim(), metric, index).map_err(|error| failed(&error))?;
            let asks = Box::new(Pooled::new(vectors.clone(), output, query.seeds()));
            let channel = EmbeddingChannel::new(name, asks, Arc::from(built.index), SearchParams::default())
                .map_err(|error| failed(&error))?;
            Box::new(channel.without(not_found))
        }
        QueryForm::Seeds => {
            let table = NeighbourTable::read(layout.neighbours(name), items)?;
            let channel = ItemToItemChannel::new(name, table, None, query.seeds());
            Box::new(channel.map_err(|error| failed(&error))?)
        }
    };
    Ok(OpenChannel {
        channel,
        knowledge: Knowledge::Vectors {
            encoder: Arc::new(Pooled::new(vectors, None, query.seeds())),
            directions: Box::new(directions),
            unknown,
            items_file: folder.join(sgns::ITEMS_FILE),
            output_file: Some(folder.join(sgns::OUTPUT_FILE)),
        },
    })
}

/// Opens a channel of towers.
fn towers(
    layout: &Layout,
    name: &str,
    index: &IndexConfig,
    catalogue: &Catalogue,
) -> Result<OpenChannel, Error> {
    let (items, folder) = (catalogue.items(), layout.channel(name));
    let failed = |error: &dyn std::fmt::Display| Error::Channel {
        channel: name.to_owned(),
        reason: error.to_string(),
    };
    let features = FittedFeatures::open(&layout.tower_features(name)).map_err(|error| failed(&error))?;
    let fingerprint = features.fingerprint().to_string();
    let tower = QueryTower::open(&folder, &fingerprint).map_err(|error| failed(&error))?;
    let table = file::open_items(&folder, items).map_err(|error| failed(&error))?;
    let dim = table.dim;
    let unknown = zero_rows(&table.vectors, dim);
    // Of rows of one length the inner product sorts as the cosine does, which every index knows.
    let metric = if table.meta.normalised {
        Metric::Cosine
    } else {
        Metric::InnerProduct
    };
    let directions =
        ExactIndex::build(table.vectors.clone(), dim, Metric::Cosine).map_err(|error| failed(&error))?;
    let built = build_index(table.vectors, dim, metric, index).map_err(|error| failed(&error))?;
    let encoder = Arc::new(TowerEncoder::new(features, tower));
    let asks = Box::new(AskTower(encoder.clone()));
    let channel = EmbeddingChannel::new(name, asks, Arc::from(built.index), SearchParams::default())
        .map_err(|error| failed(&error))?;
    Ok(OpenChannel {
        channel: Box::new(channel.without(unknown.clone())),
        knowledge: Knowledge::Vectors {
            encoder,
            directions: Box::new(directions),
            unknown,
            items_file: folder.join(file::ITEMS_FILE),
            output_file: None,
        },
    })
}

/// The categories of each item in a column of texts, numbered in the order in which the items name them.
fn categories(attributes: &AttributeTable, column: &str) -> Result<Vec<Vec<u32>>, String> {
    if attributes.column(column).is_none() {
        let names: Vec<&str> = attributes.names().collect();
        return Err(format!(
            "the items have no column `{column}`; columns: {}",
            names.join(", ")
        ));
    }
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut of_items = Vec::with_capacity(attributes.n_rows());
    for row in 0..attributes.n_rows() {
        let mut of_item: Vec<u32> = Vec::new();
        for text in attributes.texts(column, row) {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            let number = *numbers.entry(text).or_insert(next);
            if !of_item.contains(&number) {
                of_item.push(number);
            }
        }
        of_items.push(of_item);
    }
    if numbers.is_empty() {
        return Err(format!("no item has a text in the column `{column}`"));
    }
    Ok(of_items)
}

/// Opens the ranker, together with the fingerprint of the features it was trained on.
pub(crate) fn ranker(layout: &Layout, model: &RankerModel) -> Result<(Box<dyn Ranker>, String), Error> {
    match model {
        RankerModel::Lr { .. } => {
            let ranker = LrRanker::open(layout.ranker()).map_err(|error| Error::Part {
                part: "ranker",
                reason: error.to_string(),
            })?;
            let fingerprint = ranker.feature_fingerprint().to_owned();
            Ok((Box::new(ranker), fingerprint))
        }
    }
}

#[cfg(test)]
mod tests {
    use catchment_models::neighbours::swing::{Swing, SwingConfig};
    use catchment_models::newest::{Newest, NewestConfig};
    use catchment_models::popularity::PopularityConfig;
    use catchment_models::progress::Silent;
    use catchment_models::sgns::{SessionsConfig, SgnsConfig};
    use catchment_recall::{ItemToItemConfig, NewestQueryConfig, PopularQueryConfig};
    use catchment_sampling::{MemorySessions, SessionRules};
    use catchment_schema::{ItemIdx, Score, ScoredItem, Time};

    use super::*;
    use crate::testing::TinyBundle;
    use crate::{Pipeline, PipelineSpec, Request, Scratch, UserState};

    /// The item that has no vector.
    const COLD: ItemIdx = ItemIdx(9);

    fn asked(form: QueryForm, against: Against) -> ChannelModel {
        ChannelModel::Item2vec {
            sessions: SessionsConfig::default(),
            model: SgnsConfig::default(),
            query: ItemVectorsConfig {
                form,
                against,
                ..ItemVectorsConfig::default()
            },
            index: IndexConfig::default(),
            cold: sgns::ColdConfig::default(),
        }
    }

    /// For each item the others with a positive cosine, as a training writes them.
    fn nearest(vectors: &[f32], dim: usize) -> NeighbourTable {
        let vectors = ItemVectors::new(vectors.to_vec(), dim).expect("vectors");
        let all = || (0..vectors.n_items()).map(ItemIdx::from_index);
        let of = |item| {
            let others = all().filter(|&other| other != item);
            #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
            let score = |other| Score::clamped(vectors.cosine(item, other) as f32);
            let mut list: Vec<ScoredItem> = others
                .map(|other| ScoredItem::new(other, score(other)))
                .filter(|near| near.score > Score::ZERO)
                .collect();
            list.sort_unstable();
            list
        };
        NeighbourTable::from_lists(all().map(of).collect::<Vec<_>>())
    }

    /// The tiny bundle with a channel of each kind that it does not have by itself.
    fn with_more_channels(column: &str) -> (tempfile::TempDir, Result<Pipeline, Error>) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let layout = Layout::new(folder.path());
        TinyBundle::default().write(&layout).expect("written");
        let tiny = Pipeline::open_folder(&layout).expect("opens");
        let (items, histories) = (tiny.catalogue().items(), tiny.catalogue().histories());
        let more = [
            (
                "mine",
                ChannelModel::Popular {
                    model: PopularityConfig::default(),
                    query: PopularQueryConfig {
                        category: Some(column.to_owned()),
                        recent_items: 3,
                    },
                },
            ),
            (
                "newest",
                ChannelModel::Newest {
                    model: NewestConfig::default(),
                    query: NewestQueryConfig::default(),
                },
            ),
            (
                "swing",
                ChannelModel::Swing {
                    model: SwingConfig::default(),
                    query: ItemToItemConfig::default(),
                },
            ),
            ("pooled", asked(QueryForm::Pooled, Against::Input)),
            ("likely", asked(QueryForm::Pooled, Against::Output)),
            ("by_seeds", asked(QueryForm::Seeds, Against::Input)),
        ];
        let mut spec = PipelineSpec::read(&layout.spec()).expect("a spec");
        spec.ranker = None;
        for (name, model) in more {
            std::fs::create_dir_all(layout.channel(name)).expect("made");
            spec.channels.push(ChannelSpec {
                name: name.to_owned(),
                k: 20,
                model,
            });
        }
        let popular = layout.channel("popular").join(POPULARITY_FILE);
        std::fs::copy(popular, layout.channel("mine").join(POPULARITY_FILE)).expect("copied");
        let unpublished = vec![Time::UNKNOWN; items.len()];
        let newest = Newest::fit(histories, &unpublished, &NewestConfig::default()).expect("fitted");
        newest
            .save(layout.newest_times("newest"), items)
            .expect("written");
        let config = SwingConfig::default();
        let swing = Swing::fit(histories, items.len(), &config, 1, &mut Silent).expect("fitted");
        swing.save(layout.channel("swing"), items).expect("written");
        let config = SgnsConfig {
            dim: 8,
            epochs: 5,
            ..SgnsConfig::default()
        };
        let sessions = MemorySessions::new(histories, &SessionRules::default());
        let mut vectors = sgns::fit(&sessions, items.len(), &config, 1, &mut Silent).expect("fitted");
        // As an item that is in no session.
        for table in [&mut vectors.input, &mut vectors.output] {
            table[COLD.index() * 8..][..8].fill(0.0);
        }
        for name in ["pooled", "likely", "by_seeds"] {
            vectors
                .save(layout.channel(name), items, "item2vec", "tiny")
                .expect("written");
        }
        nearest(&vectors.input, 8)
            .write(layout.neighbours("by_seeds"), items, "item2vec")
            .expect("written");
        spec.write(&layout.spec()).expect("written");
        (folder, Pipeline::open_folder(&layout))
    }

    #[test]
    fn every_kind_opens_from_its_folder_and_answers_with_its_name() {
        let (_folder, pipeline) = with_more_channels("category");
        let pipeline = pipeline.expect("opens");
        let catalogue = pipeline.catalogue();
        let user = catalogue.users().user("u0");
        let history = user.map(|user| catalogue.history(user)).expect("known");
        let state = UserState { user, history };
        let request = Request::new(30, catalogue.now());
        let answer = pipeline
            .recommend(&request, &state, &mut Scratch::default())
            .expect("answered");
        for (number, name) in (3u16..).zip(["mine", "newest", "swing", "pooled", "likely", "by_seeds"]) {
            let report = &answer.trace.channels[usize::from(number)];
            assert_eq!(report.name, name);
            assert!(report.kept > 0 && report.missing.is_none(), "{report:?}");
            let found = |candidate: &catchment_recall::Candidate| {
                candidate.sources.iter().any(|source| source.channel == number)
            };
            assert!(answer.items.iter().any(found), "{name}");
        }
        // Nothing that began after the moment of the request is new.
        let first = history.events()[0].time;
        let earlier = Request {
            exclude_seen: Some(false),
            ..Request::new(40, first)
        };
        let there = pipeline
            .recall_channel("newest", &earlier, &state, &mut Scratch::default())
            .expect("answered");
        let all = pipeline
            .recall_channel(
                "newest",
                &Request {
                    now: catalogue.now(),
                    ..earlier
                },
                &state,
                &mut Scratch::default(),
            )
            .expect("answered");
        assert!(there.len() < all.len(), "{} {}", there.len(), all.len());
    }

    #[test]
    fn vectors_of_item2vec_say_what_is_similar_and_what_a_user_is() {
        let (_folder, pipeline) = with_more_channels("category");
        let pipeline = pipeline.expect("opens");
        for channel in ["pooled", "by_seeds"] {
            let (name, near) = pipeline
                .similar(
                    ItemIdx(0),
                    5,
                    pipeline.catalogue().now(),
                    Some(channel),
                    &mut Scratch::default(),
                )
                .expect("answered");
            assert!(name == channel && near.len() == 5);
            assert!(
                near.iter()
                    .all(|scored| scored.item != ItemIdx(0) && scored.score.get() <= 1.0 + 1e-6)
            );
            let users = pipeline.user_embeddings(channel).expect("vectors").vectors;
            let lengths = users
                .vectors
                .chunks(users.dim)
                .map(|vector| vector.iter().map(|x| x * x).sum::<f32>());
            assert!(users.dim == 8 && lengths.into_iter().all(|length| (length - 1.0).abs() < 1e-4));
        }
    }

    #[test]
    fn a_channel_asked_by_seeds_sums_what_lies_near_each() {
        let (_folder, pipeline) = with_more_channels("category");
        let pipeline = pipeline.expect("opens");
        let catalogue = pipeline.catalogue();
        let user = catalogue.users().user("u0").expect("known");
        let history = catalogue.history(user);
        let state = UserState {
            user: Some(user),
            history,
        };
        let table = pipeline.item_embeddings("by_seeds").expect("vectors");
        let vectors = ItemVectors::new(table.vectors, table.dim).expect("vectors");
        let request = Request::new(20, catalogue.now());
        let found = pipeline
            .recall_channel("by_seeds", &request, &state, &mut Scratch::default())
            .expect("answered");
        assert!(!found.is_empty());
        let mut seeds: Vec<ItemIdx> = history.events().iter().map(|event| event.item).collect();
        seeds.sort_unstable();
        seeds.dedup();
        for scored in found {
            let sum: f64 = seeds
                .iter()
                .map(|&seed| vectors.cosine(seed, scored.item).max(0.0))
                .sum();
            assert!(
                (f64::from(scored.score.get()) - sum).abs() < 1e-4,
                "{scored:?} is {sum}"
            );
        }
    }

    #[test]
    fn an_item_without_a_vector_is_found_by_no_search_and_near_nothing() {
        let (_folder, pipeline) = with_more_channels("category");
        let pipeline = pipeline.expect("opens");
        let catalogue = pipeline.catalogue();
        let n_items = catalogue.items().len();
        assert!(catalogue.available().is_none_or(|open| open.contains(COLD)));
        let mut scratch = Scratch::default();
        for channel in ["pooled", "likely"] {
            let mut similar = |item| {
                let answer = pipeline.similar(item, n_items, catalogue.now(), Some(channel), &mut scratch);
                answer.expect("answered").1
            };
            assert_eq!(similar(COLD), []);
            let near = similar(ItemIdx(0));
            // Less the item itself, the one without a vector, and the one that cannot be had.
            assert_eq!(near.len(), n_items - 3);
            assert!(near.iter().all(|scored| scored.item != COLD));
            assert!(
                near.iter().any(|scored| scored.score.get() < 0.0),
                "0 would be above these"
            );
            let user = catalogue.users().user("u0").expect("known");
            let state = UserState {
                user: Some(user),
                history: catalogue.history(user),
            };
            let request = Request {
                exclude_seen: Some(false),
                ..Request::new(n_items, catalogue.now())
            };
            let found = pipeline
                .recall_channel(channel, &request, &state, &mut scratch)
                .expect("answered");
            assert!(!found.is_empty() && found.iter().all(|scored| scored.item != COLD));
            let only = [catchment_schema::Event::new(COLD, catalogue.now())];
            let state = UserState {
                user: None,
                history: catchment_schema::History::new(&only),
            };
            let found = pipeline.recall_channel(channel, &request, &state, &mut scratch);
            assert_eq!(found.expect("answered"), []);
        }
    }

    #[test]
    fn a_neighbour_table_of_swing_says_what_is_similar() {
        let (_folder, pipeline) = with_more_channels("category");
        let pipeline = pipeline.expect("opens");
        let now = pipeline.catalogue().now();
        let (name, near) = pipeline
            .similar(ItemIdx(0), 5, now, Some("swing"), &mut Scratch::default())
            .expect("answered");
        assert!(name == "swing" && near.iter().all(|scored| scored.item != ItemIdx(0)) && !near.is_empty());
    }

    #[test]
    fn a_column_that_is_not_there_or_holds_no_text_is_named() {
        for (column, expected) in [
            (
                "genre",
                "the items have no column `genre`; columns: title, category, price, available",
            ),
            ("price", "no item has a text in the column `price`"),
        ] {
            match with_more_channels(column).1 {
                Err(Error::Channel { channel, reason }) => {
                    assert_eq!((channel.as_str(), reason.as_str()), ("mine", expected));
                }
                other => panic!("{:?}", other.map(|_| ())),
            }
        }
    }
}
