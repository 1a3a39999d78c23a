//! Where the plans of one preparation keep what they have worked out: in memory, or on disk where memory is limited.

use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use catchment_schema::arrow::array::RecordBatch;
use catchment_schema::arrow::datatypes::SchemaRef;
use catchment_schema::parquet::arrow::ArrowWriter;
use catchment_schema::parquet::basic::Compression;
use catchment_schema::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use tempfile::TempDir;

use crate::progress::Meter;

/// Rows of a row group: what one writer holds in memory.
const ROWS_PER_GROUP: usize = 1 << 17;

/// Travels with the session of the plans, as its extension.
#[derive(Debug, Default)]
pub(crate) struct Workshop {
    /// Tables are kept in files below this folder; in memory where there is none.
    disk: Option<PathBuf>,
    pub(crate) meter: Meter,
}

impl Workshop {
    /// With tables in memory, or in files below a folder.
    pub(crate) fn new(disk: Option<PathBuf>) -> Self {
        Self {
            disk,
            meter: Meter::default(),
        }
    }

    /// A folder for one table, where tables are kept on disk. It goes when the last plan that reads it goes.
    pub(crate) fn table_folder(&self) -> Result<Option<TempDir>> {
        let Some(disk) = &self.disk else {
            return Ok(None);
        };
        std::fs::create_dir_all(disk)?;
        Ok(Some(tempfile::tempdir_in(disk)?))
    }
}

/// Writes one file of a table.
pub(crate) struct TableWriter {
    writer: ArrowWriter<File>,
}

impl TableWriter {
    pub(crate) fn create(folder: &Path, number: usize, schema: SchemaRef) -> Result<Self> {
        let file = File::create_new(folder.join(format!("{number}.parquet")))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_max_row_group_row_count(Some(ROWS_PER_GROUP))
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties));
        Ok(Self { writer: writer? })
    }

    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.writer.write(batch)?)
    }

    pub(crate) fn finish(self) -> Result<()> {
        self.writer.close()?;
        Ok(())
    }
}

/// A table in files, which are gone when it is.
#[derive(Debug)]
pub(crate) struct DiskTable {
    files: ListingTable,
    _folder: TempDir,
}

impl DiskTable {
    pub(crate) fn open(folder: TempDir, schema: SchemaRef) -> Result<Self> {
        let url = ListingTableUrl::parse(folder_url(folder.path()))?;
        let options = ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension("parquet");
        let config = ListingTableConfig::new(url)
            .with_listing_options(options)
            .with_schema(schema);
        Ok(Self {
            files: ListingTable::try_new(config)?,
            _folder: folder,
        })
    }
}

/// The address of a folder. As a plain path, a `*` or `[` in it would be read as a pattern.
fn folder_url(folder: &Path) -> String {
    let mut url = "file://".to_owned();
    for byte in folder.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                url.push(byte.into());
            }
            // Nothing is in the way of writing to a text.
            byte => drop(write!(url, "%{byte:02X}")),
        }
    }
    url + "/"
}

#[async_trait]
impl TableProvider for DiskTable {
    fn schema(&self) -> SchemaRef {
        self.files.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        self.files.scan(state, projection, filters, limit).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_escapes_what_a_pattern_would_read() {
        assert_eq!(folder_url(Path::new("/a b/[c]*")), "file:///a%20b/%5Bc%5D%2A/");
    }
}
