//! The truth of a marketplace as files.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use catchment_schema::lists::CandidateWriter;
use catchment_schema::parquet_file::ParquetFileWriter;
use catchment_schema::{AtomicFile, CandidateRow, Metadata, Score};
use rayon::prelude::*;

use super::columns::id;
use super::{Marketplace, Question};
use crate::Result;
use crate::tables::{IDEAL_DEPTH, ORACLE, raw};

/// Users whose lists are made before any is written.
const PIECE: usize = 64;

impl Marketplace {
    /// The users for whom the truth is written: [`super::MarketplaceConfig::n_truth_users`] of them, spread evenly.
    pub fn truth_users(&self) -> Vec<u32> {
        let n_users = u64::from(self.config.n_users);
        let n = u64::from(self.config.n_truth_users).min(n_users);
        (0..n)
            .map(|place| u32::try_from(place * n_users / n.max(1)).unwrap_or(u32::MAX))
            .collect()
    }

    /// For each user the items by falling probability of the next view, at the last view of a new item. Nothing is taken
    /// out as seen, and the lists are so long that [`IDEAL_DEPTH`] unseen items remain.
    pub(super) fn write_view_truth(&self, path: &Path) -> Result<()> {
        self.write_lists(path, |user| {
            let question = self.last_new_view(user)?;
            let probabilities = self.view_probabilities(user, question.at, question.session);
            Some((question, probabilities))
        })
    }

    /// For each user with a booking after the split the items by falling probability of that booking.
    pub(super) fn write_booking_truth(&self, path: &Path) -> Result<()> {
        self.write_lists(path, |user| {
            let question = self.first_booking(user)?;
            let probabilities = self.booking_probabilities(user, question.at, question.session);
            Some((question, probabilities))
        })
    }

    fn write_lists(
        &self,
        path: &Path,
        know: impl Fn(u32) -> Option<(Question, Vec<f64>)> + Sync,
    ) -> Result<()> {
        let mut writer = CandidateWriter::create(path, "synthetic")?;
        let channel: Arc<str> = Arc::from(ORACLE);
        for users in self.truth_users().chunks(PIECE) {
            let lists: Vec<Vec<CandidateRow>> = users
                .par_iter()
                .map(|&user| {
                    let Some((question, probabilities)) = know(user) else {
                        return Vec::new();
                    };
                    let depth = IDEAL_DEPTH + question.seen.len();
                    let list = Self::ideal_list(&probabilities, &std::collections::BTreeSet::new(), depth);
                    let user_id: Arc<str> = Arc::from(id('u', user));
                    let rows = (1u32..).zip(list).filter_map(|(rank, (item, probability))| {
                        Some(CandidateRow {
                            user_id: Arc::clone(&user_id),
                            item_id: Arc::from(id('i', item)),
                            channel: Arc::clone(&channel),
                            rank,
                            score: Score::new(crate::tables::single(libm::log(probability)))?,
                        })
                    });
                    rows.collect()
                })
                .collect();
            for rows in lists.iter().filter(|rows| !rows.is_empty()) {
                writer.write(rows)?;
            }
        }
        Ok(writer.commit()?)
    }

    /// Every view of the truth users with its label and its true probability of a booking.
    pub(super) fn write_labels(&self, path: &Path, metadata: &Metadata) -> Result<()> {
        let schema = Self::label_columns(&[]).schema();
        let mut writer = ParquetFileWriter::create(path, raw("raw_labels"), schema, metadata)?;
        for users in self.truth_users().chunks(PIECE) {
            let labels: Vec<_> = users.par_iter().map(|&user| self.labels_of(user)).collect();
            writer.write(&Self::label_columns(&labels.concat()))?;
        }
        Ok(writer.commit()?)
    }

    /// Queries as `query_id,query`; judgements in the form of TREC: query, 0, item, grade.
    pub(super) fn write_queries(&self, queries_path: &Path, judgements_path: &Path) -> Result<()> {
        let queries = self.queries();
        let mut text = "query_id,query\n".to_owned();
        for query in &queries {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{},{}", query.id, query.text);
        }
        AtomicFile::write(queries_path, text.as_bytes())?;
        let mut text = String::new();
        for (query, judged) in queries.iter().zip(self.judgements(&queries)) {
            for (item, grade) in judged {
                let _ = writeln!(text, "{} 0 i{item} {grade}", query.id);
            }
        }
        Ok(AtomicFile::write(judgements_path, text.as_bytes())?)
    }
}
