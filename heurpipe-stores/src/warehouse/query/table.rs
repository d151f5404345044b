//! Segments as a table.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::datasource::{TableProvider, TableType};
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use heurpipe_core::Result;

use super::super::manifest::Segment;
use super::super::schema::posts_schema;
use super::failure;
use super::spool::SpooledFile;

/// The column that says in which segment a row lies: with the id it names the row.
pub(super) const SEGMENT: &str = "segment";

/// Where the engine finds cold segments.
pub(super) fn cold_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("warehouse://cold").map_err(failure::from_datafusion)
}

/// Where the engine finds spooled hot rows.
pub(super) fn hot_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("warehouse://hot").map_err(failure::from_datafusion)
}

/// Parquet files of rows, with the column [`SEGMENT`] beside those in the files.
#[derive(Debug)]
pub(super) struct Files {
    schema: TableSchema,
    url: ObjectStoreUrl,
    files: Vec<PartitionedFile>,
    rows: usize,
}

impl Files {
    pub(super) fn cold(segments: &[Segment]) -> Result<Self, DataFusionError> {
        let files = segments.iter().map(|s| file(&s.path, s.bytes)).collect();
        let rows = segments.iter().map(|s| s.rows).sum();
        Ok(Self::new(
            ObjectStoreUrl::parse("warehouse://cold")?,
            files,
            rows,
        ))
    }

    pub(super) fn hot(spooled: &[SpooledFile]) -> Result<Self, DataFusionError> {
        let files = spooled.iter().map(|s| file(&s.path, s.bytes)).collect();
        let rows = spooled.iter().map(|s| s.rows).sum();
        Ok(Self::new(
            ObjectStoreUrl::parse("warehouse://hot")?,
            files,
            rows,
        ))
    }

    fn new(url: ObjectStoreUrl, files: Vec<PartitionedFile>, rows: u64) -> Self {
        let segment = Arc::new(Field::new(SEGMENT, DataType::Utf8, false));
        Self {
            schema: TableSchema::builder(posts_schema())
                .with_table_partition_cols(vec![segment])
                .build(),
            url,
            files,
            rows: usize::try_from(rows).unwrap_or(usize::MAX),
        }
    }

    /// How much there is, so that joins put the smaller side into memory.
    fn size(&self) -> Statistics {
        let mut statistics = Statistics::new_unknown(self.schema.table_schema());
        statistics.num_rows = Precision::Inexact(self.rows);
        statistics
    }

    /// The files, spread over as many groups as are read at a time.
    fn groups(&self, wanted: usize) -> Vec<FileGroup> {
        let mut groups = vec![Vec::new(); wanted.clamp(1, self.files.len().max(1))];
        let count = groups.len();
        for (index, file) in self.files.iter().enumerate() {
            groups[index % count].push(file.clone());
        }
        groups.into_iter().map(FileGroup::new).collect()
    }
}

fn file(path: &str, bytes: u64) -> PartitionedFile {
    let mut file = PartitionedFile::new(path, bytes);
    file.partition_values = vec![ScalarValue::from(path)];
    file
}

#[async_trait]
impl TableProvider for Files {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.size())
    }

    // Filters reach the files through the engine's own physical push-down.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let config = FileScanConfigBuilder::new(self.url.clone(), source)
            .with_file_groups(self.groups(state.config().target_partitions()))
            .with_statistics(self.size())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
