//! SQL over both tiers.

mod failure;
mod guard;
mod spool;
mod table;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext, col, lit};
use datafusion::sql::parser::Statement;
use futures::stream::{BoxStream, StreamExt};
use heurpipe_core::{Error, ErrorKind, Result, compute};

use super::SqlAnswer;
use super::bucket::Bucket;
use super::hot::HotRows;
use super::manifest::Manifest;
use super::manifests::Manifests;
use super::schema::posts_schema;
use super::segment;
use spool::Spool;
use table::Files;

const OPERATION: &str = "warehouse.sql";
/// Memory for sorting, joining and grouping; beyond it queries spill to disk or fail.
const MEMORY: usize = 1 << 30;
/// Rows at a time; records may be large.
const BATCH_ROWS: usize = 4096;
/// How often both tiers are read again since a commit came in between.
const MAX_SNAPSHOTS: usize = 5;

/// Answers one reading statement.
pub(super) async fn answer(
    bucket: &Bucket,
    manifests: &Manifests,
    query: &str,
    hot: &dyn HotRows,
) -> Result<SqlAnswer> {
    let statement = guard::parse(query)?;
    let (manifest, hot) = snapshot(manifests, hot).await?;
    let context = context(bucket, &hot)?;
    let stream = match plan(&context, &manifest, &hot, statement).await {
        Ok(stream) => stream,
        Err(error) => return Err(explain(error, bucket, &manifest).await),
    };
    let schema = stream.schema();
    Ok(SqlAnswer {
        schema,
        cold: manifest.coverage(),
        hot: hot.rows(),
        batches: explained(stream, bucket.clone(), manifest, hot),
    })
}

/// Both tiers as they were at one manifest.
///
/// A post moves to the warehouse by a commit before it goes from documents, and back the other way round. So as long as no commit comes while
/// the hot tier is read, no post is missed.
async fn snapshot(manifests: &Manifests, hot: &dyn HotRows) -> Result<(Arc<Manifest>, Spool)> {
    let mut manifest = manifests.newest().await?;
    for _ in 0..MAX_SNAPSHOTS {
        let spool = Spool::fill(hot).await?;
        let now = manifests.newest().await?;
        if now.number == manifest.number {
            return Ok((manifest, spool));
        }
        manifest = now;
    }
    Err(Error::new(ErrorKind::Conflict, OPERATION)
        .message("the warehouse was written to each time while the hot records were read")
        .with("attempts", MAX_SNAPSHOTS))
}

fn context(bucket: &Bucket, hot: &Spool) -> Result<SessionContext> {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(MEMORY, 1.0)
        .build_arc()
        .map_err(failure::from_datafusion)?;
    runtime.register_object_store(table::cold_url()?.as_ref(), bucket.store());
    if let Some(bucket) = hot.bucket() {
        runtime.register_object_store(table::hot_url()?.as_ref(), bucket.store());
    }
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_target_partitions(compute::cores())
        .with_batch_size(BATCH_ROWS);
    // The wide column `record` is decoded only for rows that pass.
    config.options_mut().execution.parquet.pushdown_filters = true;
    Ok(SessionContext::new_with_config_rt(config, runtime))
}

async fn plan(
    context: &SessionContext,
    manifest: &Manifest,
    hot: &Spool,
    statement: Statement,
) -> Result<SendableRecordBatchStream, DataFusionError> {
    let posts = posts(context, manifest, hot)?;
    context.register_table("posts", posts.into_view())?;
    let plan = context.state().statement_to_plan(statement).await?;
    // The guard has seen the statement; this sees what it became.
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
        .verify_plan(&plan)?;
    context
        .execute_logical_plan(plan)
        .await?
        .execute_stream()
        .await
}

/// Cold rows that count and are not hot, and hot rows.
fn posts(
    context: &SessionContext,
    manifest: &Manifest,
    hot: &Spool,
) -> Result<DataFrame, DataFusionError> {
    let mut cold = context.read_table(Arc::new(Files::cold(&manifest.segments)?))?;
    if manifest.segments.iter().any(|s| !s.deleted.is_empty()) {
        let deleted = context.read_table(Arc::new(deleted(manifest)?))?;
        cold = cold.join(
            deleted,
            JoinType::LeftAnti,
            &[table::SEGMENT, "id"],
            &["deleted_from", "deleted_id"],
            None,
        )?;
    }
    if hot.rows() == 0 {
        return tier(cold, "cold");
    }
    let rows = || context.read_table(Arc::new(Files::hot(hot.files())?));
    let hot_ids = rows()?.select(vec![col("id").alias("hot_id")])?;
    let cold = cold.join(hot_ids, JoinType::LeftAnti, &["id"], &["hot_id"], None)?;
    tier(cold, "cold")?.union(tier(rows()?, "hot")?)
}

fn tier(rows: DataFrame, name: &str) -> Result<DataFrame, DataFusionError> {
    let schema = posts_schema();
    let mut columns: Vec<_> = schema.fields().iter().map(|f| col(f.name())).collect();
    columns.push(lit(name).alias("tier"));
    rows.select(columns)
}

/// The deletion vectors as a table.
fn deleted(manifest: &Manifest) -> Result<MemTable, DataFusionError> {
    let (segments, ids): (Vec<&str>, Vec<&str>) = manifest
        .segments
        .iter()
        .flat_map(|s| s.deleted.iter().map(|id| (s.path.as_str(), id.as_str())))
        .unzip();
    let schema = Arc::new(Schema::new(vec![
        Field::new("deleted_from", DataType::Utf8, false),
        Field::new("deleted_id", DataType::Utf8, false),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(segments)),
        Arc::new(StringArray::from(ids)),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    MemTable::try_new(schema, vec![vec![batch]])
}

/// The rows with this project's errors. The spooled hot records live as long as the stream.
fn explained(
    stream: SendableRecordBatchStream,
    bucket: Bucket,
    manifest: Arc<Manifest>,
    hot: Spool,
) -> BoxStream<'static, Result<RecordBatch>> {
    let shared = Arc::new((bucket, manifest, hot));
    stream
        .then(move |batch| {
            let shared = Arc::clone(&shared);
            async move {
                match batch {
                    Ok(batch) => Ok(batch),
                    Err(error) => Err(explain(error, &shared.0, &shared.1).await),
                }
            }
        })
        .boxed()
}

/// An error of the engine as one of ours. The engine does not say which file it could not read: that is looked for here.
async fn explain(error: DataFusionError, bucket: &Bucket, manifest: &Manifest) -> Error {
    if failure::is_of_storage(&error) {
        for segment in &manifest.segments {
            if let Err(damaged) = segment::verify(bucket, segment).await {
                return damaged;
            }
        }
    }
    failure::from_datafusion(error)
}
