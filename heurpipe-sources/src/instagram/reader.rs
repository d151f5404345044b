//! The stream of a partition: page after page, with a checkpoint after each.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{
    Checkpoint, Digest, Error, ErrorKind, Incoming, Page, Partition, Post, Result, Unreadable,
};
use serde_json::value::RawValue;

use super::client::GraphClient;
use super::map::{self, AccountSeen};
use super::own;
use super::stream::{Fetched, Stream};
use crate::http::scrubbed;
use crate::pass::{Bounds, Pass, Sighting};

/// The pages of a partition from a checkpoint on.
pub(super) fn read(
    client: Arc<GraphClient>,
    partition: Partition,
    from: &Checkpoint,
    bounds: Bounds,
) -> BoxStream<'static, Result<Page>> {
    let Some(stream) = Stream::of(&partition) else {
        let error = Error::new(ErrorKind::InvalidInput, "instagram.read")
            .message("no partition of this source")
            .with("partition", &partition.0);
        return stream::once(async { Err(error) }).boxed();
    };
    let (pass, cursor) = Pass::at(from, stream.order(), bounds);
    let reader = Reader {
        client,
        partition,
        resumed: cursor.is_some(),
        cursor: cursor.filter(|_| stream.can_resume()),
        stream,
        account: None,
        pass,
    };
    stream::try_unfold(Some(reader), |reader| async {
        let Some(reader) = reader else {
            return Ok(None);
        };
        reader.next_page().await.map(Some)
    })
    .boxed()
}

struct Reader {
    client: Arc<GraphClient>,
    partition: Partition,
    stream: Stream,
    /// Whose own media the pass reads, as of its beginning.
    account: Option<AccountSeen>,
    pass: Pass,
    cursor: Option<String>,
    /// The cursor comes from an earlier run.
    resumed: bool,
}

impl Reader {
    /// The next page, and the reader unless the pass is over.
    async fn next_page(mut self) -> Result<(Page, Option<Self>)> {
        let fetched = self.fetch().await?;
        let items = self.items(&fetched);
        let is_over = fetched.is_last || fetched.after.is_none() || self.pass.is_over();
        let checkpoint = match &fetched.after {
            Some(after) if !is_over && self.stream.can_resume() => self.pass.checkpoint(after),
            _ if is_over => self.pass.completed(),
            _ => self.pass.beginning(),
        };
        let page = Page { items, checkpoint };
        if is_over {
            return Ok((page, None));
        }
        if self.pass.is_capped() {
            tracing::warn!(partition = %self.partition.0, "the pass has read all the pages it may; the next run goes on there");
            return Ok((page, None));
        }
        self.cursor = fetched.after;
        self.resumed = false;
        Ok((page, Some(self)))
    }

    /// One call. Where a cursor of an earlier run has died, the partition is begun anew.
    async fn fetch(&mut self) -> Result<Fetched> {
        if self.stream == Stream::Own && self.account.is_none() {
            self.account = Some(own::account(&self.client).await?);
        }
        match self.stream.page(&self.client, self.cursor.as_deref()).await {
            Err(error) if self.resumed && is_dead_cursor(&error) && self.cursor.is_some() => {
                tracing::info!(partition = %self.partition.0, %error, "the cursor has died, beginning anew");
                self.cursor = None;
                self.resumed = false;
                self.pass.restart();
                self.stream.page(&self.client, None).await
            }
            answer => answer,
        }
    }

    /// The posts of a page that this pass has not seen yet, and what cannot be read as one.
    fn items(&mut self, fetched: &Fetched) -> Vec<Incoming> {
        let setting = map::Setting {
            call: self.stream.call(),
            account: fetched.account.as_ref().or(self.account.as_ref()),
            collected_at: self.client.clock.now(),
        };
        let read: Vec<Result<Post, Unreadable>> = fetched
            .items
            .iter()
            .map(|item| match item {
                Ok(item) => map::post(item, &setting).map_err(|why| self.unreadable(item, &why)),
                Err(missing) => Err(missing.clone()),
            })
            .collect();
        let sightings: Vec<Sighting<'_>> = read
            .iter()
            .map(|item| match item {
                Ok(post) => Sighting {
                    id: &post.id.native,
                    published_at: post.published_at,
                },
                Err(unreadable) => Sighting {
                    id: &unreadable.place,
                    published_at: None,
                },
            })
            .collect();
        let fresh = self.pass.note(&sightings);
        read.into_iter()
            .zip(fresh)
            .filter(|(_, fresh)| *fresh)
            .map(|(item, _)| match item {
                Ok(post) => Incoming::Post(Box::new(post)),
                Err(unreadable) => Incoming::Unreadable(Box::new(unreadable)),
            })
            .collect()
    }

    /// Named by its content, since nothing else about it can be trusted to be the same next time.
    fn unreadable(&self, item: &RawValue, why: &str) -> Unreadable {
        let digest = Digest::of(item.get().as_bytes()).to_string();
        let place = format!("instagram/{}/{}", self.partition.0, &digest[..16]);
        Unreadable::new(place, scrubbed(why), &scrubbed(item.get()))
    }
}

/// A cursor points at a post; when that is deleted the API calls it a bad parameter or something that does not exist.
fn is_dead_cursor(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::NotFound)
}
