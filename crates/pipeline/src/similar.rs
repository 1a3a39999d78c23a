//! Item to item.

use std::path::Path;

use catchment_ann_index::{SearchParams, VectorIndex};
use catchment_features::UserInput;
use catchment_models::Error as ModelError;
use catchment_schema::{
    Embeddings, EmbeddingsMeta, History, ItemFilter, ItemIdx, ItemSet, Metric, ScoredItem, Time,
};

use crate::encoder::UserEncoder;
use crate::open::Knowledge;
use crate::{Error, Pipeline, Scratch};

/// Vectors of those users that a channel can encode.
#[derive(Clone, Debug, PartialEq)]
pub struct UserEmbeddings {
    /// One row a user, by raw id.
    pub vectors: Embeddings,
    /// Users who liked something, and none of it says anything to the channel.
    pub left_out: usize,
}

impl Pipeline {
    /// The `n` items that are nearest to `item` of those that may be shown at the moment `now`, by the channel named (otherwise
    /// by the first that can say), and that channel's name. A neighbour table answers with its own scores, vectors with the inner
    /// product of their directions (cosine). Of an item that the channel knows nothing of, the list is empty, and it is in
    /// no list.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`]; [`Error::NotSimilar`] when the channel named does not know about items,
    /// [`Error::NothingSimilar`] when none does.
    pub fn similar(
        &self,
        item: ItemIdx,
        n: usize,
        now: Time,
        channel: Option<&str>,
        scratch: &mut Scratch,
    ) -> Result<(&str, Vec<ScoredItem>), Error> {
        let number = match channel {
            Some(name) => self.channel_number(name)?,
            None => self
                .knowledge
                .iter()
                .position(|knowledge| !matches!(knowledge, Knowledge::None))
                .ok_or(Error::NothingSimilar)?,
        };
        let n = n.min(self.catalogue.items().len());
        let itself: ItemSet = [item].into_iter().collect();
        let there = self.catalogue.available_at(now);
        let filter = ItemFilter {
            allow: there.open(),
            ..ItemFilter::excluding(&itself)
        };
        let found = match &self.knowledge[number] {
            Knowledge::None => {
                return Err(Error::NotSimilar {
                    channel: self.spec.channels[number].name.clone(),
                });
            }
            Knowledge::Neighbours(table) => table
                .of(item)
                .iter()
                .filter(|other| filter.passes(other.item))
                .take(n)
                .copied()
                .collect(),
            Knowledge::Vectors { unknown, .. } if unknown.contains(item) => Vec::new(),
            Knowledge::Vectors {
                directions, unknown, ..
            } => {
                let filter = filter.but_for(unknown);
                let mut hits = Vec::new();
                let query = directions.vector(item).ok_or(Error::NothingSimilar)?.to_vec();
                let params = SearchParams::default();
                let index = scratch.index();
                directions
                    .search(&query, n, &params, filter, index, &mut hits)
                    .map_err(|error| Error::Channel {
                        channel: self.spec.channels[number].name.clone(),
                        reason: error.to_string(),
                    })?;
                hits
            }
        };
        Ok((&self.spec.channels[number].name, found))
    }

    /// The item vectors of a channel, by raw id, as they lie in the bundle.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`]; [`Error::NoVectors`] when the channel has none; [`Error::Schema`].
    pub fn item_embeddings(&self, channel: &str) -> Result<Embeddings, Error> {
        let (_, _, file) = self.vectors_of(channel)?;
        Ok(Embeddings::read(file)?)
    }

    /// The output vectors of a channel's items, by raw id: what its item vectors were trained against.
    ///
    /// # Errors
    /// [`Error::UnknownChannel`]; [`Error::NoOutputVectors`] when the channel has none; [`Error::Schema`].
    pub fn output_embeddings(&self, channel: &str) -> Result<Embeddings, Error> {
        match &self.knowledge[self.channel_number(channel)?] {
            Knowledge::Vectors {
                output_file: Some(file),
                ..
            } => Ok(Embeddings::read(file)?),
            _ => Err(Error::NoOutputVectors {
                channel: channel.to_owned(),
            }),
        }
    }

    /// The user vectors of a channel, encoded from the histories of the bundle. Users who liked nothing have no
    /// vector and are left out, and so are those whose items all have none.
    ///
    /// # Errors
    /// As [`Pipeline::item_embeddings`].
    pub fn user_embeddings(&self, channel: &str) -> Result<UserEmbeddings, Error> {
        let (number, encoder, _) = self.vectors_of(channel)?;
        let mut ids = Vec::new();
        let mut vectors = Vec::new();
        let mut vector = vec![0.0; encoder.dim()];
        let mut left_out = 0;
        for (user, history) in self.catalogue.histories().iter() {
            let liked = self.catalogue.negative_events().taken_from(history);
            if liked.is_empty() {
                continue;
            }
            let input = UserInput {
                id: self.catalogue.users().id(user.index()),
                attributes: Some((self.catalogue.user_attributes(), user.index())),
                history: History::new(&liked),
                everything: Some(history),
                now: self.catalogue.now(),
            };
            match encoder.encode_user(&input, &mut vector) {
                Ok(()) => {}
                Err(ModelError::NothingToFoldIn) => {
                    left_out += 1;
                    continue;
                }
                Err(error) => {
                    return Err(Error::Channel {
                        channel: channel.to_owned(),
                        reason: error.to_string(),
                    });
                }
            }
            vectors.extend_from_slice(&vector);
            ids.push(self.catalogue.users().ids()[user.index()].clone());
        }
        let vectors = Embeddings {
            meta: self.meta("user", number),
            dim: encoder.dim(),
            ids,
            vectors,
            bias: None,
        };
        Ok(UserEmbeddings { vectors, left_out })
    }

    fn vectors_of(&self, channel: &str) -> Result<(usize, &dyn UserEncoder, &Path), Error> {
        let number = self.channel_number(channel)?;
        match &self.knowledge[number] {
            Knowledge::Vectors {
                encoder, items_file, ..
            } => Ok((number, encoder.as_ref(), items_file)),
            Knowledge::None | Knowledge::Neighbours(_) => Err(Error::NoVectors {
                channel: channel.to_owned(),
            }),
        }
    }

    fn meta(&self, kind: &str, channel: usize) -> EmbeddingsMeta {
        EmbeddingsMeta {
            kind: kind.to_owned(),
            model: self.spec.channels[channel].model.kind().to_owned(),
            metric: Metric::InnerProduct,
            normalised: false,
            run: self.spec.channels[channel].name.clone(),
        }
    }
}
