//! `heurpipe reindex`: the search index anew, from documents and the warehouse.

use clap::Args;
use heurpipe_stores::life::{Reindex as Reindexing, ReindexReport};
use heurpipe_stores::search;
use serde_json::json;

use super::archive::limits;
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
        let reindexing = Reindexing::from(documents, warehouse_to_read(loaded).await?);
        let reindexing = reindexing.keeping(limits(loaded)?);
        let url = store_url(&loaded.config.stores.search, &loaded.base);
        let rebuild = search::rebuild(&url).await?;
        let report = reindexing.run(&*rebuild).await?;
        self.print(&report)
    }

    async fn survey(&self, loaded: &Loaded) -> Done {
        let documents = documents_to_read(loaded).await?;
        let reindexing = Reindexing::from(documents, warehouse_to_read(loaded).await?);
        let survey = reindexing.keeping(limits(loaded)?).survey().await?;
        if self.json {
            print_json(&json!({
                "dry_run": true,
                "documents": survey.documents,
                "warehouse": survey.warehouse,
                "past_retention": survey.past_retention,
            }))?;
            return Ok(Exit::Done);
        }
        println!(
            "{} posts of documents and {} of the warehouse would be in the index",
            survey.documents, survey.warehouse
        );
        if survey.past_retention > 0 {
            println!(
                "{} are past their retention and would not",
                survey.past_retention
            );
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
            if report.past_retention > 0 {
                println!(
                    "{} are past their retention and are not",
                    report.past_retention
                );
            }
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
