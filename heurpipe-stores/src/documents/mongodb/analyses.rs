//! Records by the set of enrichers that made them.

use heurpipe_core::{AnalysisGroup, Error, ErrorKind, Result};
use mongodb::bson::{Document, doc};

use super::database::{Database, integer};
use super::records::id_of;
use super::server::RECORDS;

/// The analyses among the records that a use case knows. All that is asked for lies in one index.
pub(super) async fn groups(database: &Database, use_case: &str) -> Result<Vec<AnalysisGroup>> {
    let pipeline = vec![
        doc! {"$match": {"states.use_case": use_case}},
        doc! {"$group": {
            "_id": "$analysis",
            "records": {"$sum": 1},
            "sample": {"$min": "$_id"},
        }},
        doc! {"$sort": {"_id": 1}},
    ];
    let found = database
        .aggregate("mongodb.analyses", RECORDS, pipeline)
        .await?;
    found.iter().map(group).collect()
}

fn group(found: &Document) -> Result<AnalysisGroup> {
    let damaged = |cause: &str| {
        Error::new(ErrorKind::Corrupt, "mongodb.analyses")
            .message("a stored document is no record")
            .with("reason", cause)
    };
    let analysis = found
        .get_str("_id")
        .map_err(|error| damaged(&error.to_string()))?;
    let analysis = serde_json::from_value(analysis.into())
        .map_err(|error| damaged("its analysis is none").cause(error))?;
    let sample = found
        .get_str("sample")
        .map_err(|error| damaged(&error.to_string()))?;
    Ok(AnalysisGroup {
        analysis,
        records: integer(found, "records").unwrap_or(0).unsigned_abs(),
        sample: id_of(sample),
    })
}
