//! Dead letters as a source: once more through the pipeline, with the models and stores of today.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};

use crate::flat::Flat;
use crate::{
    Checkpoint, DeadLetter, DeadLetterScan, Documents, Filter, Incoming, Outcome, Page, Partition,
    PostId, Result, Source, SourceSpec,
};

/// The posts that a pipeline gave up on. What settles otherwise this time is taken from the dead letters; what fails again stays there, with
/// the new error.
///
/// What never was a post (an unreadable item) cannot be replayed and is left out.
pub struct DeadLetters {
    spec: SourceSpec,
    documents: Arc<dyn Documents>,
    use_case: String,
    scan: DeadLetterScan,
    filter: Filter,
}

impl DeadLetters {
    /// The letters of a pipeline that the scan asks for and whose record matches the filter.
    pub fn of(
        documents: Arc<dyn Documents>,
        use_case: &str,
        mut scan: DeadLetterScan,
        filter: Filter,
    ) -> Self {
        scan.use_case = Some(use_case.to_owned());
        Self {
            spec: SourceSpec::new("dead letters", format!("posts that {use_case} gave up on")),
            documents,
            use_case: use_case.to_owned(),
            scan: scan.limit(256),
            filter,
        }
    }
}

impl DeadLetter {
    /// The key of a post's letter in a pipeline: there is one at most.
    pub fn key_of(use_case: &str, post: &PostId) -> String {
        format!("{use_case}/{post}")
    }

    /// Whether the letter is one of a post that matches the filter. One of something that never was a post matches only the empty filter.
    pub fn matches(&self, filter: &Filter) -> bool {
        match (&self.record, filter) {
            (_, Filter::All) => true,
            (Some(record), filter) => filter.matches(&Flat::of(record)),
            (None, _) => false,
        }
    }
}

#[async_trait]
impl Source for DeadLetters {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    /// Reads from the beginning, whatever the checkpoint: what was replayed is gone. A letter that is buried again while this reads comes
    /// last and is not read twice, since the end of the reading is set at its beginning.
    fn read(&self, _partition: Partition, _from: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let documents = Arc::clone(&self.documents);
        let filter = self.filter.clone();
        let begun = jiff::Timestamp::now();
        stream::try_unfold(Some(self.scan.clone()), move |scan| {
            let documents = Arc::clone(&documents);
            let filter = filter.clone();
            async move {
                let Some(scan) = scan else { return Ok(None) };
                let letters = documents.dead_letters(&scan).await?;
                let next = letters.last().map(|last| scan.after(last));
                let items = letters
                    .into_iter()
                    .filter(|letter| letter.at <= begun && letter.matches(&filter))
                    .filter_map(|letter| letter.record.map(Incoming::Record))
                    .collect();
                let page = Page {
                    items,
                    checkpoint: Checkpoint::default(),
                };
                Ok(next.map(|next| (page, Some(next))))
            }
        })
        .boxed()
    }

    /// Takes from the dead letters what did not fail again.
    async fn settled(
        &self,
        _partition: &Partition,
        _upto: &Checkpoint,
        outcomes: &[(PostId, Outcome)],
    ) -> Result<()> {
        let keys: Vec<String> = outcomes
            .iter()
            .filter(|(_, outcome)| *outcome != Outcome::DeadLettered)
            .map(|(id, _)| DeadLetter::key_of(&self.use_case, id))
            .collect();
        self.documents.exhume(&keys).await
    }
}
