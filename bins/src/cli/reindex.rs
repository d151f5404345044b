//! `heurpipe reindex`: the search index anew, from documents and the warehouse.

use clap::Args;
use heurpipe_stores::life::{Reindex as Reindexing, ReindexReport, indexable};
use heurpipe_stores::search;
use serde_json::json;

use super::{Done, Exit, print_json};
use crate::config::Loaded;
use crate::workbench::{documents_to_read, documents_to_write, store_url, warehouse_to_read};

/// Arguments of `heurpipe reindex`.
#[derive(Debug, Args)]
pub struct Reindex {
    /// Count the posts that would be in the index, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Reindex {
    /// Builds the index anew, or counts what would be in it.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        if self.dry_run {
            return self.survey(loaded).await;
        }
        // Documents are opened for writing so that where one process writes, no pipeline and no erasure runs meanwhile.
        let documents = documents_to_write(loaded).await?;
        let warehouse = warehouse_to_read(loaded).await?;
        let url = store_url(&loaded.config.stores.search, &loaded.base);
        let rebuild = search::rebuild(&url).await?;
        let report = Reindexing::new(documents, warehouse, rebuild).run().await?;
        self.print(&report)
    }

    async fn survey(&self, loaded: &Loaded) -> Done {
        let documents = documents_to_read(loaded).await?;
        let warehouse = warehouse_to_read(loaded).await?;
        let (hot, cold) = indexable(&*documents, &*warehouse).await?;
        match self.json {
            true => print_json(&json!({"dry_run": true, "documents": hot, "warehouse": cold}))?,
            false => println!(
                "{hot} posts of documents and {cold} of the warehouse would be in the index"
            ),
        }
        Ok(Exit::Done)
    }

    fn print(&self, report: &ReindexReport) -> Done {
        if self.json {
            print_json(report)?;
        } else {
            println!(
                "{} posts of documents and {} of the warehouse are in the new index",
                report.documents, report.warehouse
            );
            if report.again > 0 {
                println!("{} changed meanwhile and were written again", report.again);
            }
            for refused in &report.refused {
                eprintln!("{} is not in the index: {}", refused.post, refused.reason);
            }
        }
        match report.refused.is_empty() {
            true => Ok(Exit::Done),
            false => Ok(Exit::DeadLetters),
        }
    }
}
