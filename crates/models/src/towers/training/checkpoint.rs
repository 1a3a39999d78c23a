//! What a training leaves after each pass over a shard, and what it takes up again.
//!
//! One file, written under a temporary name and renamed: eight bytes that say what it is, the format's version, and parts,
//! each with its length before it; last the xxh3 of all of that. The first part is the position, as JSON; the others are
//! numbers, little endian, in an order that only a training by the same plan knows.

use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::Path;

use catchment_sampling::StreamingFrequency;
use catchment_schema::{AtomicFile, Error as FileError, ItemIdx};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::{Items, Scalar, TowersReport, Training};
use crate::embedding_table::EmbeddingTable;
use crate::hashed::Hashed;
use crate::towers::hidden::Hidden;
use crate::towers::sampler::{Frequency, Sampler};
use crate::{Error, Result};

const MAGIC: &[u8; 8] = b"CTM-TOWR";
const VERSION: u32 = 2;

/// How far a training is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Of the plan, the data and the seed (xxh3). A checkpoint of another run is refused.
    pub(super) run: u64,
    /// Passes over a shard that are over.
    pub(super) passes: usize,
    /// Steps.
    pub(super) done: u64,
    /// Of each epoch, as bits: JSON does not keep every last digit.
    losses: Vec<u64>,
    gradients: Vec<u64>,
    examples: u64,
    #[serde(default)]
    with_shown: u64,
    rng: Xoshiro256PlusPlus,
    rngs_of_towers: Vec<Xoshiro256PlusPlus>,
    /// Value, mean and square, as bits.
    log_temperature: [u64; 3],
    steps_of_temperature: i32,
}

/// Writes a checkpoint of `training` after `passes` passes over a shard.
pub(super) fn write(
    path: &Path,
    run: u64,
    training: &mut Training<'_>,
    report: &TowersReport,
    (passes, done): (usize, u64),
) -> Result<()> {
    let bits = |numbers: &[f64]| numbers.iter().map(|number| number.to_bits()).collect();
    let Scalar {
        value,
        mean,
        square,
        steps,
    } = training.log_temperature;
    let position = Position {
        run,
        passes,
        done,
        losses: bits(&report.losses),
        gradients: bits(&report.gradients),
        examples: report.examples,
        with_shown: report.with_shown,
        rng: training.rng.clone(),
        rngs_of_towers: training.hidden().map(|hidden| hidden.rng().clone()).collect(),
        log_temperature: [value, mean, square].map(f64::to_bits),
        steps_of_temperature: steps,
    };
    let failed = |error: std::io::Error| Error::File(FileError::io(path)(error));
    let mut file = Hashed::new(AtomicFile::create(path)?);
    let header = serde_json::to_vec(&position).map_err(|error| failed(error.into()))?;
    file.write_all(MAGIC).map_err(failed)?;
    file.write_all(&VERSION.to_le_bytes()).map_err(failed)?;
    put(&mut file, &header).map_err(failed)?;
    for table in 0..training.tables.len() {
        for part in training.tables.parts(table)? {
            put_numbers(&mut file, &part).map_err(failed)?;
        }
    }
    if let Some(bias) = training.bias() {
        for part in bias.parts() {
            put_numbers(&mut file, part).map_err(failed)?;
        }
    }
    for hidden in training.hidden() {
        let (parts, optimizer) = hidden.parts()?;
        put(&mut file, &(parts.len() as u64).to_le_bytes()).map_err(failed)?;
        for part in &parts {
            put_numbers(&mut file, part).map_err(failed)?;
        }
        put(&mut file, &optimizer).map_err(failed)?;
    }
    if let Sampler::InBatch {
        frequency: Frequency::Streaming(streaming),
        ..
    } = &training.sampler
    {
        let mut bytes = vec![];
        streaming.write(&mut bytes).map_err(failed)?;
        put(&mut file, &bytes).map_err(failed)?;
    }
    if let Some((memory, vectors)) = &training.memory {
        let candidates = memory.candidates();
        let ids: Vec<u8> = candidates
            .ids()
            .iter()
            .flat_map(|item| item.0.to_le_bytes())
            .collect();
        put(&mut file, &ids).map_err(failed)?;
        put_numbers(&mut file, candidates.log_expected_count()).map_err(failed)?;
        put_numbers(&mut file, vectors).map_err(failed)?;
    }
    let hash = file.hash.digest();
    file.inner.write_all(&hash.to_le_bytes()).map_err(failed)?;
    Ok(file.inner.commit()?)
}

/// Puts a training where the checkpoint left it, and says where that is; `None` where there is no checkpoint.
pub(super) fn read(
    path: &Path,
    run: u64,
    training: &mut Training<'_>,
    report: &mut TowersReport,
) -> Result<Option<Position>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(FileError::io(path)(error).into()),
    };
    let damaged = |reason: &str| {
        Error::File(FileError::Inconsistent {
            path: path.to_owned(),
            reason: reason.to_owned(),
        })
    };
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => damaged("it ends too early"),
        _ => FileError::io(path)(error).into(),
    };
    // All of it before anything is believed: the framework below panics on records that are not its own.
    if !is_whole(&file).map_err(FileError::io(path))? {
        return Err(damaged("its checksum is not that of its bytes"));
    }
    let mut file = Hashed::new(BufReader::with_capacity(1 << 16, file));
    if file.number::<8>().map_err(failed)? != *MAGIC {
        return Err(damaged("it is no checkpoint of a training of towers"));
    }
    let version = u32::from_le_bytes(file.number().map_err(failed)?);
    if version != VERSION {
        return Err(Error::File(FileError::WrongVersion {
            path: path.to_owned(),
            kind: "towers checkpoint",
            found: version.to_string(),
            supported: VERSION,
        }));
    }
    let header = take(&mut file).map_err(failed)?;
    let position: Position =
        serde_json::from_slice(&header).map_err(|error| damaged(&format!("its header: {error}")))?;
    if position.run != run {
        return Err(Error::OtherRun {
            path: path.to_owned(),
            differs: "other settings, data or seed".to_owned(),
        });
    }
    let misfit = || damaged("its parts are not those of this training");
    for table in 0..training.tables.len() {
        let rows = take_numbers(&mut file).map_err(failed)?;
        let state = take_numbers(&mut file).map_err(failed)?;
        if !training.tables.set_parts(table, rows, state)? {
            return Err(misfit());
        }
    }
    if let Some(bias) = training.bias() {
        let rows = take_numbers(&mut file).map_err(failed)?;
        let state = take_numbers(&mut file).map_err(failed)?;
        if !bias.set_parts(rows, state) {
            return Err(misfit());
        }
    }
    for (hidden, rng) in training.hidden().zip(&position.rngs_of_towers) {
        let n = take(&mut file).map_err(failed)?;
        let n = <[u8; 8]>::try_from(n).map_err(|_| misfit())?;
        let parts = (0..u64::from_le_bytes(n)).map(|_| take_numbers(&mut file));
        let parts = parts.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
        let optimizer = take(&mut file).map_err(failed)?;
        if !hidden.set_parts(parts, optimizer)? {
            return Err(misfit());
        }
        *hidden.rng() = rng.clone();
    }
    if let Sampler::InBatch {
        frequency: Frequency::Streaming(streaming),
        ..
    } = &mut training.sampler
    {
        let bytes = take(&mut file).map_err(failed)?;
        **streaming = StreamingFrequency::read(&mut &bytes[..]).map_err(Error::Sampling)?;
    }
    if let Some((memory, vectors)) = &mut training.memory {
        let ids = take(&mut file).map_err(failed)?;
        let (ids, _) = ids.as_chunks::<4>();
        let ids: Vec<ItemIdx> = ids
            .iter()
            .map(|bytes| ItemIdx(u32::from_le_bytes(*bytes)))
            .collect();
        let logs = take_numbers(&mut file).map_err(failed)?;
        memory.restore(&ids, &logs);
        *vectors = take_numbers(&mut file).map_err(failed)?;
    }
    let numbers = |bits: &[u64]| bits.iter().map(|&bits| f64::from_bits(bits)).collect();
    report.losses = numbers(&position.losses);
    report.gradients = numbers(&position.gradients);
    report.examples = position.examples;
    report.with_shown = position.with_shown;
    training.rng = position.rng.clone();
    let [value, mean, square] = position.log_temperature.map(f64::from_bits);
    training.log_temperature = Scalar {
        value,
        mean,
        square,
        steps: position.steps_of_temperature,
    };
    Ok(Some(position))
}

/// Whether the file ends with the hash of all that comes before; it is then at its beginning again.
fn is_whole(mut file: &File) -> std::io::Result<bool> {
    const HASH: u64 = 8;
    let length = file.metadata()?.len();
    let mut hashed = Hashed::new(BufReader::with_capacity(
        1 << 16,
        file.take(length.saturating_sub(HASH)),
    ));
    std::io::copy(&mut hashed, &mut std::io::sink())?;
    let hash = hashed.hash.digest();
    let mut written = vec![];
    file.read_to_end(&mut written)?;
    file.rewind()?;
    Ok(written == hash.to_le_bytes())
}

impl Training<'_> {
    fn bias(&mut self) -> Option<&mut EmbeddingTable> {
        match &mut self.items {
            Items::Table(table) => table.bias.as_mut(),
            Items::Tower(_) => None,
        }
    }

    fn hidden(&mut self) -> impl Iterator<Item = &mut Hidden> {
        let other = match &mut self.items {
            Items::Table(_) => None,
            Items::Tower(tower) => Some(&mut tower.hidden),
        };
        std::iter::once(&mut self.query.hidden).chain(other)
    }
}

fn put(out: &mut impl Write, bytes: &[u8]) -> std::io::Result<()> {
    out.write_all(&(bytes.len() as u64).to_le_bytes())?;
    out.write_all(bytes)
}

fn put_numbers(out: &mut impl Write, numbers: &[f32]) -> std::io::Result<()> {
    out.write_all(&(4 * numbers.len() as u64).to_le_bytes())?;
    let mut bytes = Vec::with_capacity(1 << 16);
    for numbers in numbers.chunks(1 << 14) {
        bytes.clear();
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// A part. A damaged length finds the end of the file, and takes no memory for what is not there.
fn take(from: &mut Hashed<impl Read>) -> std::io::Result<Vec<u8>> {
    let length = u64::from_le_bytes(from.number()?);
    let mut bytes = vec![];
    from.by_ref().take(length).read_to_end(&mut bytes)?;
    if (bytes.len() as u64) < length {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn take_numbers(from: &mut Hashed<impl Read>) -> std::io::Result<Vec<f32>> {
    let bytes = take(from)?;
    let (numbers, _) = bytes.as_chunks::<4>();
    Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
