//! The stream of a partition: page after page, with a checkpoint after each.

use std::collections::HashMap;
use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt};
use heurpipe_core::{Checkpoint, Error, ErrorKind, Incoming, Page, Partition, Result};
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::client::WeiboClient;
use super::map::{self, WholeText};
use super::paging::Position;
use super::timelines::Stream;
use super::wire::{Envelope, Status};
use super::{endpoints, errors};
use crate::pass::{Bounds, Pass, Sighting};

/// The pages of a partition from a checkpoint on. Where a call can be told, nothing older than `since` is asked for.
pub(super) fn read(
    client: Arc<WeiboClient>,
    partition: Partition,
    from: &Checkpoint,
    bounds: Bounds,
    since: Option<Timestamp>,
) -> BoxStream<'static, Result<Page>> {
    let Some(stream) = Stream::of(&partition) else {
        let error = Error::new(ErrorKind::InvalidInput, "weibo.read")
            .message("no partition of this source")
            .with("partition", &partition.0);
        return stream::once(async { Err(error) }).boxed();
    };
    let (pass, cursor) = Pass::at(from, stream.order(), stream.paging().bounds(bounds));
    let position = stream
        .paging()
        .position(cursor.as_deref(), client.clock.now());
    let known = from.watermark.as_ref();
    let known = known.and_then(|(at, _)| at.checked_sub(bounds.overlap).ok());
    let reader = Reader {
        client,
        partition,
        stream,
        pass,
        position,
        since: since.max(known),
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
    client: Arc<WeiboClient>,
    partition: Partition,
    stream: Stream,
    pass: Pass,
    position: Position,
    since: Option<Timestamp>,
}

impl Reader {
    /// The next page, and the reader unless the pass is over.
    async fn next_page(mut self) -> Result<(Page, Option<Self>)> {
        let envelope = self
            .stream
            .page(&self.client, self.position, self.since)
            .await
            .map_err(|error| error.with("partition", &self.partition.0))?;
        let whole = self.whole_texts(&envelope).await?;
        let (items, brought_new) = self.items(&envelope, &whole);
        let page_size = self.stream.page_size(self.client.reading.page_size);
        let next = self
            .position
            .next(&envelope, page_size, brought_new)
            .filter(|_| !self.pass.is_over());
        let Some(next) = next else {
            let checkpoint = self.pass.completed();
            return Ok((Page { items, checkpoint }, None));
        };
        let checkpoint = self.pass.checkpoint(&next.to_string());
        let page = Page { items, checkpoint };
        if self.pass.is_capped() {
            tracing::warn!(partition = %self.partition.0, "the pass has read all the pages it may; the next run goes on there");
            return Ok((page, None));
        }
        self.position = next;
        Ok((page, Some(self)))
    }

    /// The posts of a page that this pass has not seen yet, and whether there were any.
    fn items(
        &mut self,
        envelope: &Envelope,
        whole: &HashMap<String, WholeText>,
    ) -> (Vec<Incoming>, bool) {
        let setting = map::Setting {
            call: map::TIMELINE_CALL,
            place: &self.partition.0,
            collected_at: self.client.clock.now(),
            media_base: self.client.reading.media_base.as_ref(),
            crs: self.stream.crs(&self.client),
            whole,
        };
        let mapped: Vec<map::Mapped> = envelope
            .statuses
            .iter()
            .map(|item| map::status(item, &setting))
            .collect();
        let sightings: Vec<Sighting<'_>> = mapped
            .iter()
            .map(|one| Sighting {
                id: &one.id,
                published_at: one.published_at,
            })
            .collect();
        let fresh = self.pass.note(&sightings);
        let brought_new = fresh.contains(&true);
        let items = mapped
            .into_iter()
            .zip(fresh)
            .filter(|(_, fresh)| *fresh)
            .flat_map(|(one, _)| one.items)
            .collect();
        (items, brought_new)
    }

    /// The statuses whose text is cut, asked for one by one. One that cannot be had keeps its cut text, and the post says why; a failure
    /// that may pass is an error, so that the text is not lost for a hiccup.
    async fn whole_texts(&self, envelope: &Envelope) -> Result<HashMap<String, WholeText>> {
        let mut whole = HashMap::new();
        if !self.client.reading.completes_texts {
            return Ok(whole);
        }
        for number in cut_texts(envelope) {
            let parameters = [("id", number.clone()), ("isGetLongText", "1".to_owned())];
            let answer = self.client.call(&endpoints::SHOW, &parameters).await;
            let text = match answer {
                Ok(status) => WholeText::Given(status),
                Err(error) if errors::is_about_this_post(&error) => {
                    tracing::info!(%error, post = %number, "the text stays cut");
                    WholeText::Refused(error.to_string())
                }
                Err(error) => return Err(error.with("post", number)),
            };
            whole.insert(number, text);
        }
        Ok(whole)
    }
}

/// The numbers of the posts on a page whose text is cut, passed-on ones included.
fn cut_texts(envelope: &Envelope) -> Vec<String> {
    let mut numbers = Vec::new();
    let mut add = |item: &RawValue| -> Option<Box<RawValue>> {
        let status: Status = serde_json::from_str(item.get()).ok()?;
        let number = status.number()?.to_owned();
        if status.is_cut() && !numbers.contains(&number) {
            numbers.push(number);
        }
        status.retweeted_status
    };
    for item in &envelope.statuses {
        if let Some(original) = add(item) {
            add(&original);
        }
    }
    numbers
}
