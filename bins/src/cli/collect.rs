//! `heurpipe collect`: pictures that nothing refers to any more.

use clap::Args;
use heurpipe_stores::life::{Collect as Collecting, Collected};
use heurpipe_stores::{Mode, blobs};
use jiff::SignedDuration;
use serde_json::json;

use super::{Done, Exit, Stop, print_json};
use crate::config::{Loaded, duration};
use crate::workbench::{
    Workbench, documents_to_read, documents_to_write, store_url, warehouse_to_read,
};

/// Where runs may be under way on other machines, no less will do: a bucket notices only once a day that a picture was put again.
const LEAST_ON_A_SERVER: SignedDuration = SignedDuration::from_hours(48);

/// Arguments of `heurpipe collect`.
#[derive(Debug, Args)]
pub struct Collect {
    /// Leave alone what was fetched, for whichever post, within this time.
    #[arg(long, value_name = "TIME", default_value = "7d")]
    grace: String,
    /// Count what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Collect {
    /// Deletes, or counts, what nothing refers to.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let grace = self.grace(loaded)?;
        if self.dry_run {
            let documents = documents_to_read(loaded).await?;
            let warehouse = warehouse_to_read(loaded).await?;
            let pictures = Workbench::open_to_read(loaded).await?.blobs;
            let collecting = Collecting::from(documents, warehouse, pictures, grace);
            return self.print(&collecting.survey().await?);
        }
        // Where documents are embedded their lock keeps runs from being under way.
        let documents = documents_to_write(loaded).await?;
        let warehouse = warehouse_to_read(loaded).await?;
        let url = store_url(&loaded.config.stores.blobs, &loaded.base);
        let pictures = blobs::open(&url, Mode::ReadWrite).await?;
        let collecting = Collecting::from(documents, warehouse, pictures, grace);
        self.print(&collecting.run().await?)
    }

    fn grace(&self, loaded: &Loaded) -> Result<SignedDuration, Stop> {
        let grace = duration(&self.grace)?;
        let grace = SignedDuration::try_from(grace)
            .map_err(|_| Stop::Usage(format!("--grace {}: nothing is so old", self.grace)))?;
        let is_embedded = loaded.config.stores.documents.starts_with("sqlite:");
        if !is_embedded && grace < LEAST_ON_A_SERVER {
            return Err(Stop::Usage(format!(
                "--grace {}: documents on a server may be written to by others meanwhile; 2d is the least",
                self.grace
            )));
        }
        Ok(grace)
    }

    fn print(&self, collected: &Collected) -> Done {
        if self.json {
            let mut printed = json!(collected);
            if self.dry_run {
                printed["dry_run"] = json!(true);
            }
            print_json(&printed)?;
            return Ok(Exit::Done);
        }
        let Collected {
            blobs,
            recent,
            unreferenced,
            bytes,
            ..
        } = collected;
        let done = match self.dry_run {
            true => "would be deleted",
            false => "were deleted",
        };
        println!(
            "{unreferenced} of {blobs} pictures, {bytes} bytes, {done}: nothing refers to them; {recent} are too young to tell"
        );
        Ok(Exit::Done)
    }
}
