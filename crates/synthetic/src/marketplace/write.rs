//! A marketplace as files, as a user would bring them, piece by piece.

use std::io::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::parquet::arrow::arrow_writer::ArrowColumnChunk;
use catchment_schema::{AtomicFile, Error, Metadata};
use rayon::prelude::*;

use super::Marketplace;
use super::config::Part;
use super::row_groups::{RowGroupEncoder, RowGroupFile};
use super::walk::{Happening, HappeningKind};
use crate::tables::raw;
use crate::{Result, WriteFormat};

/// Shards that are made before any is written, for each thread.
const SHARDS_PER_THREAD: usize = 2;
/// Items or users that are written as one piece.
const PIECE: u32 = 1 << 15;

/// Where [`Marketplace::write`] put things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketplaceFiles {
    /// The log, by user, then by time.
    pub interactions: PathBuf,
    /// The catalogue.
    pub items: PathBuf,
    /// The users.
    pub users: PathBuf,
    /// The ideal lists for the next view, in the form of a candidates file. Always Parquet.
    pub truth: PathBuf,
    /// The ideal lists for the next booking, with [`Part::Bookings`]. Always Parquet.
    pub booking_truth: Option<PathBuf>,
    /// Views with label and true probability, with [`Part::Bookings`]. Always Parquet.
    pub labels: Option<PathBuf>,
    /// `query_id,query`, with [`Part::Text`].
    pub queries: Option<PathBuf>,
    /// Which items answer which query, in the form of TREC, with [`Part::Text`].
    pub judgements: Option<PathBuf>,
    /// How much it was.
    pub size: MarketplaceSize,
}

/// How many events there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MarketplaceSize {
    /// Views.
    pub n_views: u64,
    /// Bookings.
    pub n_bookings: u64,
    /// Rejections.
    pub n_rejections: u64,
}

impl MarketplaceSize {
    /// All events.
    pub fn n_events(&self) -> u64 {
        self.n_views + self.n_bookings + self.n_rejections
    }

    fn add(&mut self, events: &[Happening]) {
        for event in events {
            *match event.kind {
                HappeningKind::View => &mut self.n_views,
                HappeningKind::Booking => &mut self.n_bookings,
                HappeningKind::Reject => &mut self.n_rejections,
            } += 1;
        }
    }
}

/// A table being written in one of the two formats.
enum Sink {
    Text(AtomicFile, PathBuf),
    Parquet(Box<RowGroupFile>),
}

/// A piece of a table, ready to be written.
enum Piece {
    Text(Vec<u8>),
    Parquet(Vec<ArrowColumnChunk>),
}

impl Sink {
    fn encoder(&self) -> Option<&RowGroupEncoder> {
        match self {
            Self::Text(..) => None,
            Self::Parquet(file) => Some(file.encoder()),
        }
    }

    fn append(&mut self, piece: Piece) -> Result<()> {
        match (self, piece) {
            (Self::Text(file, path), Piece::Text(text)) => {
                file.write_all(&text).map_err(Error::io(&*path))?;
                Ok(())
            }
            (Self::Parquet(file), Piece::Parquet(row_group)) => file.append(row_group),
            _ => unreachable!("a piece is made for its sink"),
        }
    }

    fn commit(self) -> Result<()> {
        match self {
            Self::Text(file, _) => Ok(file.commit()?),
            Self::Parquet(file) => file.commit(),
        }
    }
}

fn encode(
    encoder: Option<&RowGroupEncoder>,
    columns: impl FnOnce() -> RecordBatch,
    text: impl FnOnce() -> Vec<u8>,
) -> Result<Piece> {
    match encoder {
        Some(encoder) => Ok(Piece::Parquet(encoder.encode(&columns())?)),
        None => Ok(Piece::Text(text())),
    }
}

impl Marketplace {
    /// Writes `interactions`, `items` and `users` in the format, and the truth: `truth.parquet`,
    /// `truth_bookings.parquet`, `labels.parquet`, `queries.csv`, `judgements.txt`. Makes the folder. The same
    /// marketplace gives the same bytes. `progress` hears of the views that are written, and of how many there will be.
    ///
    /// # Errors
    /// [`crate::Error::Write`].
    pub fn write(
        &self,
        folder: impl AsRef<Path>,
        format: WriteFormat,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<MarketplaceFiles> {
        let folder = folder.as_ref();
        let seed = ("catchment.seed".to_owned(), self.config.seed.to_string());
        let metadata = Metadata::from([seed, ("catchment.bundle".to_owned(), "synthetic".to_owned())]);
        let optional = |part, name: &str| self.config.has(part).then(|| folder.join(name));
        let ending = match format {
            WriteFormat::Csv => "csv",
            WriteFormat::Parquet => "parquet",
        };
        let path = |name: &str| folder.join(format!("{name}.{ending}"));
        let mut files = MarketplaceFiles {
            interactions: path("interactions"),
            items: path("items"),
            users: path("users"),
            truth: folder.join("truth.parquet"),
            booking_truth: optional(Part::Bookings, "truth_bookings.parquet"),
            labels: optional(Part::Bookings, "labels.parquet"),
            queries: optional(Part::Text, "queries.csv"),
            judgements: optional(Part::Text, "judgements.txt"),
            size: MarketplaceSize::default(),
        };
        files.size = self.write_events(&files.interactions, format, &metadata, progress)?;
        write_pieces(
            (&files.items, "raw_items", self.item_header()),
            (self.config.n_items, format, &metadata),
            |items| self.item_columns(items),
            |items| self.item_lines(items),
        )?;
        write_pieces(
            (&files.users, "raw_users", self.user_header()),
            (self.config.n_users, format, &metadata),
            |users| self.user_columns(users),
            |users| self.user_lines(users),
        )?;
        self.write_view_truth(&files.truth)?;
        if let Some(path) = &files.booking_truth {
            self.write_booking_truth(path)?;
        }
        if let Some(path) = &files.labels {
            self.write_labels(path, &metadata)?;
        }
        if let (Some(queries), Some(judgements)) = (&files.queries, &files.judgements) {
            self.write_queries(queries, judgements)?;
        }
        Ok(files)
    }

    fn write_events(
        &self,
        path: &Path,
        format: WriteFormat,
        metadata: &Metadata,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<MarketplaceSize> {
        let mut sink = match format {
            WriteFormat::Csv => text_sink(path, self.event_header())?,
            WriteFormat::Parquet => {
                parquet_sink(path, "raw_interactions", &self.event_columns(&[]), metadata)?
            }
        };
        let mut size = MarketplaceSize::default();
        for shards in self
            .shards()
            .chunks(SHARDS_PER_THREAD * rayon::current_num_threads())
        {
            let encoder = sink.encoder();
            let pieces: Vec<Result<(Piece, MarketplaceSize)>> = shards
                .par_iter()
                .map(|shard| {
                    let events = self.events_of_shard(shard.clone());
                    let mut size = MarketplaceSize::default();
                    size.add(&events);
                    let piece = encode(
                        encoder,
                        || self.event_columns(&events),
                        || self.event_lines(&events),
                    )?;
                    Ok((piece, size))
                })
                .collect();
            for piece in pieces {
                let (piece, of_piece) = piece?;
                sink.append(piece)?;
                size.n_views += of_piece.n_views;
                size.n_bookings += of_piece.n_bookings;
                size.n_rejections += of_piece.n_rejections;
            }
            progress(size.n_views, self.config.n_views);
        }
        sink.commit()?;
        Ok(size)
    }
}

fn write_pieces(
    (path, kind, header): (&Path, &'static str, &str),
    (n_rows, format, metadata): (u32, WriteFormat, &Metadata),
    columns: impl Fn(Range<u32>) -> RecordBatch + Sync,
    text: impl Fn(Range<u32>) -> Vec<u8> + Sync,
) -> Result<()> {
    let mut sink = match format {
        WriteFormat::Csv => text_sink(path, header)?,
        WriteFormat::Parquet => parquet_sink(path, kind, &columns(0..0), metadata)?,
    };
    let starts: Vec<u32> = (0..n_rows).step_by(PIECE as usize).collect();
    for starts in starts.chunks(SHARDS_PER_THREAD * rayon::current_num_threads()) {
        let encoder = sink.encoder();
        let pieces: Vec<Result<Piece>> = starts
            .par_iter()
            .map(|&start| {
                let rows = start..(start + PIECE).min(n_rows);
                encode(encoder, || columns(rows.clone()), || text(rows.clone()))
            })
            .collect();
        for piece in pieces {
            sink.append(piece?)?;
        }
    }
    sink.commit()
}

fn text_sink(path: &Path, header: &str) -> Result<Sink> {
    let mut file = AtomicFile::create(path)?;
    file.write_all(header.as_bytes()).map_err(Error::io(path))?;
    Ok(Sink::Text(file, path.to_owned()))
}

fn parquet_sink(path: &Path, kind: &'static str, empty: &RecordBatch, metadata: &Metadata) -> Result<Sink> {
    let file = RowGroupFile::create(path, raw(kind), &empty.schema(), metadata)?;
    Ok(Sink::Parquet(Box::new(file)))
}
