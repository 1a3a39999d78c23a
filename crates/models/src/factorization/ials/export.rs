//! Hands the vectors over.

use std::fs;
use std::path::Path;

use catchment_schema::{AtomicFile, Embeddings, EmbeddingsMeta, Error as FileError, Metric, Vocabulary};
use serde::{Deserialize, Serialize};

use super::{IalsConfig, IalsModel};
use crate::Result;

/// The item vectors in a folder that [`write_encoder`] wrote.
pub const ITEMS_FILE: &str = "items.parquet";
/// The settings in a folder that [`write_encoder`] wrote.
pub const ENCODER_FILE: &str = "ials.json";
/// 2: the settings name a solver.
const FORMAT: u32 = 2;

#[derive(Serialize, Deserialize)]
struct EncoderFile {
    format: u32,
    config: IalsConfig,
}

/// The item vectors as a table; `run` says which run made them.
///
/// # Errors
/// [`crate::Error::WrongLength`] when the vocabulary is not the one that the model was fitted with.
pub fn item_embeddings(model: &IalsModel, items: &Vocabulary, run: &str) -> Result<Embeddings> {
    embeddings("item", &model.item_vectors, model.dim, items, run)
}

/// The user vectors as a table; `run` says which run made them.
///
/// # Errors
/// As [`item_embeddings`].
pub fn user_embeddings(model: &IalsModel, users: &Vocabulary, run: &str) -> Result<Embeddings> {
    embeddings("user", &model.user_vectors, model.dim, users, run)
}

fn embeddings(kind: &str, vectors: &[f32], dim: usize, ids: &Vocabulary, run: &str) -> Result<Embeddings> {
    if vectors.len() != ids.len() * dim {
        let expected = vectors.len() / dim.max(1);
        return Err(crate::Error::WrongLength {
            what: "vocabulary",
            expected,
            found: ids.len(),
        });
    }
    Ok(Embeddings {
        meta: EmbeddingsMeta {
            kind: kind.to_owned(),
            model: "ials".to_owned(),
            metric: Metric::InnerProduct,
            normalised: false,
            run: run.to_owned(),
        },
        dim,
        ids: ids.ids().to_vec(),
        vectors: vectors.to_vec(),
        bias: None,
    })
}

/// Writes what [`IalsEncoder::open`](super::IalsEncoder::open) reads: the item vectors ([`ITEMS_FILE`], which an index
/// is built from as well) and the settings ([`ENCODER_FILE`]).
///
/// # Errors
/// As [`item_embeddings`]; [`crate::Error::File`].
pub fn write_encoder(
    model: &IalsModel,
    items: &Vocabulary,
    run: &str,
    folder: impl AsRef<Path>,
) -> Result<()> {
    let folder = folder.as_ref();
    item_embeddings(model, items, run)?.write(folder.join(ITEMS_FILE))?;
    let path = folder.join(ENCODER_FILE);
    let content = EncoderFile {
        format: FORMAT,
        config: model.config.clone(),
    };
    let json = serde_json::to_vec_pretty(&content).map_err(|error| inconsistent(&path, error.to_string()))?;
    AtomicFile::write(&path, &json)?;
    Ok(())
}

pub(super) fn read_encoder(folder: &Path, items: &Vocabulary) -> Result<(Vec<f32>, IalsConfig)> {
    let path = folder.join(ENCODER_FILE);
    let json = fs::read(&path).map_err(FileError::io(&path))?;
    let content: EncoderFile =
        serde_json::from_slice(&json).map_err(|error| inconsistent(&path, error.to_string()))?;
    if content.format > FORMAT {
        let found = content.format.to_string();
        return Err(FileError::WrongVersion {
            path,
            kind: "ials",
            found,
            supported: FORMAT,
        }
        .into());
    }
    content.config.validate()?;
    let path = folder.join(ITEMS_FILE);
    let table = Embeddings::read(&path)?;
    if table.dim != content.config.dim {
        let reason = format!(
            "dimension {}, but {ENCODER_FILE} says {}",
            table.dim, content.config.dim
        );
        return Err(inconsistent(&path, reason).into());
    }
    if table.ids != items.ids() {
        return Err(inconsistent(&path, "its ids are not those of the item vocabulary".to_owned()).into());
    }
    Ok((table.vectors, content.config))
}

fn inconsistent(path: &Path, reason: String) -> FileError {
    FileError::Inconsistent {
        path: path.to_owned(),
        reason,
    }
}
