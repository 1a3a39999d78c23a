//! From a folder to a pipeline: one arm a kind.

use std::path::PathBuf;
use std::sync::Arc;

use catchment_ann_index::exact::ExactIndex;
use catchment_ann_index::{SearchParams, VectorIndex, build_index};
use catchment_models::factorization::ials::{IalsEncoder, export};
use catchment_models::neighbours::item_cf::ItemCf;
use catchment_models::popularity::Popularity;
use catchment_ranking::{LrRanker, Ranker};
use catchment_recall::{Channel, EmbeddingChannel, ItemToItemChannel, PopularChannel};
use catchment_schema::{Embeddings, Metric, NeighbourTable, Vocabulary};

use crate::encoder::FoldIn;
use crate::{ChannelModel, ChannelSpec, Error, Layout, RankerModel};

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
        encoder: Arc<IalsEncoder>,
        directions: Box<ExactIndex>,
        items_file: PathBuf,
    },
}

/// The scores of a popularity channel, in its folder.
pub const POPULARITY_FILE: &str = "scores.parquet";

/// Opens one channel.
pub(crate) fn channel(layout: &Layout, spec: &ChannelSpec, items: &Vocabulary) -> Result<OpenChannel, Error> {
    let folder = layout.channel(&spec.name);
    let name = spec.name.as_str();
    let failed = |error: &dyn std::fmt::Display| Error::Channel {
        channel: name.to_owned(),
        reason: error.to_string(),
    };
    Ok(match &spec.model {
        ChannelModel::Popular { .. } => {
            let model =
                Popularity::open(folder.join(POPULARITY_FILE), items).map_err(|error| failed(&error))?;
            let channel = PopularChannel::new(name, &model.scores).map_err(|error| failed(&error))?;
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
        ChannelModel::Ials { index, .. } => {
            let encoder = Arc::new(IalsEncoder::open(&folder, items).map_err(|error| failed(&error))?);
            let items_file = folder.join(export::ITEMS_FILE);
            let vectors = Embeddings::read(&items_file)?.vectors;
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
                items_file,
            };
            OpenChannel {
                channel: Box::new(channel),
                knowledge,
            }
        }
    })
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
