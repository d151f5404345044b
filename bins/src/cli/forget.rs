//! `heurpipe forget`: a post or an author, everywhere and for good.

use clap::Args;
use heurpipe_core::{AuthorRef, Error, ErrorKind, PostId, Subject};
use heurpipe_stores::life::{Forget as Forgetting, Found, Receipt};
use heurpipe_stores::{Mode, blobs, search};
use serde_json::json;

use super::{Done, Exit, Stop, print_json};
use crate::config::Loaded;
use crate::workbench::{
    Workbench, documents_to_read, documents_to_write, store_url, warehouse_to_read,
    warehouse_to_write,
};

/// Arguments of `heurpipe forget`.
#[derive(Debug, Args)]
pub struct Forget {
    /// All posts of an account, those to come too: by its id (instagram:178414) or its handle (instagram:@maison).
    #[arg(
        long,
        value_name = "P:ID",
        conflicts_with = "post",
        required_unless_present = "post"
    )]
    author: Option<String>,
    /// One post, e.g. weibo:4383183661430868.
    #[arg(long, value_name = "P:ID")]
    post: Option<String>,
    /// Refuse it from now on, even if nothing is known of it.
    #[arg(long)]
    unseen: bool,
    /// Count what would be erased, and erase nothing.
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

impl Forget {
    /// Erases, or counts, what is known of the subject.
    pub(super) async fn run(self, loaded: &Loaded) -> Done {
        let subject = self.subject()?;
        if self.dry_run {
            let bench = Workbench::open_to_read(loaded).await?;
            let forgetting = Forgetting::from(
                documents_to_read(loaded).await?,
                bench.search,
                warehouse_to_read(loaded).await?,
                bench.blobs,
            );
            return self.print_survey(&subject, &forgetting.survey(&subject).await?);
        }
        let at = |url: &str| store_url(url, &loaded.base);
        let stores = &loaded.config.stores;
        let forgetting = Forgetting::from(
            documents_to_write(loaded).await?,
            search::open(&at(&stores.search), Mode::ReadWrite).await?,
            warehouse_to_write(loaded).await?,
            blobs::open(&at(&stores.blobs), Mode::ReadWrite).await?,
        );
        match forgetting.run(&subject, self.unseen).await {
            Ok(receipt) => self.print(&receipt),
            Err(error) if is_unknown(&error) => Err(self.unknown(&forgetting, &subject).await),
            Err(error) => Err(error.into()),
        }
    }

    fn subject(&self) -> Result<Subject, Stop> {
        let wrong = |flag: &str, error: Error| Stop::Usage(format!("{flag}: {error}"));
        match (&self.author, &self.post) {
            (Some(author), _) => {
                let author: AuthorRef = author.parse().map_err(|e| wrong("--author", e))?;
                Ok(Subject::Author(author))
            }
            (None, post) => {
                let post: PostId = post
                    .as_deref()
                    .unwrap_or_default()
                    .parse()
                    .map_err(|e| wrong("--post", e))?;
                Ok(Subject::Post(post))
            }
        }
    }

    /// Why nothing was done; a handle that was given as an id is recognised.
    async fn unknown(&self, forgetting: &Forgetting, subject: &Subject) -> Stop {
        let mut hint = "; --unseen refuses it all the same".to_owned();
        if let Subject::Author(author) = subject
            && author.is_id()
        {
            let handle = AuthorRef::handle(author.platform().clone(), &author.keyword());
            let found = forgetting.survey(&Subject::Author(handle.clone())).await;
            if found.is_ok_and(|found| !found.is_empty()) {
                hint = format!("; did you mean {handle}?");
            }
        }
        Stop::Usage(format!("nothing is known of the {subject}{hint}"))
    }

    fn print_survey(&self, subject: &Subject, found: &Found) -> Done {
        let rows = [
            ("posts", found.posts().len()),
            ("documents", found.documents.len()),
            ("search", found.search.len()),
            ("warehouse", found.warehouse.len()),
            ("pictures", found.pictures.len()),
        ];
        if self.json {
            let mut printed = json!({"dry_run": true, "subject": subject});
            for (place, count) in rows {
                printed[place] = json!(count);
            }
            print_json(&printed)?;
            return Ok(Exit::Done);
        }
        println!("{subject}: nothing was erased; there are");
        print_table(&rows.map(|(place, count)| (place, count as u64)));
        Ok(Exit::Done)
    }

    fn print(&self, receipt: &Receipt) -> Done {
        if self.json {
            print_json(receipt)?;
            return Ok(Exit::Done);
        }
        let removed = &receipt.removed;
        println!("{}: erased", receipt.subject);
        print_table(&[
            ("posts", receipt.posts),
            ("documents", removed.documents),
            ("dead letters", removed.dead_letters),
            ("review tasks", removed.review_tasks),
            ("search", removed.search),
            ("warehouse", removed.warehouse),
            ("pictures", removed.pictures),
            (
                "pictures that other posts have too",
                removed.pictures_shared,
            ),
            ("cached findings", removed.findings),
        ]);
        println!(
            "from {} to {}; warehouse manifest {}",
            receipt.began_at, receipt.ended_at, receipt.manifest
        );
        Ok(Exit::Done)
    }
}

fn is_unknown(error: &Error) -> bool {
    error.kind() == ErrorKind::NotFound && error.operation() == "forget"
}

fn print_table(rows: &[(&str, u64)]) {
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    for (place, count) in rows {
        table.add_row([(*place).to_owned(), count.to_string()]);
    }
    println!("{table}");
}
