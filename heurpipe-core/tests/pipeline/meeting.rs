//! What becomes of an item that meets what is stored of its post, and of items that are no posts.

use futures::stream::{self, BoxStream};
use heurpipe_core::testkit::{Collect, Posts};
use heurpipe_core::*;

use super::support::*;

/// Yields these items as one page.
struct Items {
    spec: SourceSpec,
    items: Vec<Incoming>,
}

impl Items {
    fn new(name: &str, items: Vec<Incoming>) -> Self {
        let spec = SourceSpec::new(name, "given items");
        Self { spec, items }
    }
}

#[async_trait::async_trait]
impl Source for Items {
    fn spec(&self) -> &SourceSpec {
        &self.spec
    }

    async fn partitions(&self) -> Result<Vec<Partition>> {
        Ok(vec![Partition("all".to_owned())])
    }

    fn read(&self, _: Partition, _: Checkpoint) -> BoxStream<'static, Result<Page>> {
        let page = Page {
            items: self.items.clone(),
            checkpoint: Checkpoint::at("end"),
        };
        Box::pin(stream::iter([Ok(page)]))
    }
}

fn incoming(post: Post) -> Incoming {
    Incoming::Post(Box::new(post))
}

#[tokio::test]
async fn one_post_from_two_calls_becomes_one_record() {
    for order in [[0, 1], [1, 0]] {
        let documents = memory();
        let out = Collect::new("out");
        let nameless = post(7, "a dress");
        let mut signed = post(7, "a dress");
        let mut author = Author::unknown();
        author.handle = Some("maison".to_owned());
        signed.author = Some(author);
        let views = [nameless, signed];
        let given = order.map(|n: usize| views[n].clone()).to_vec();
        let report = run(with(&documents)
            .source(Posts::new(given).page(1))
            .sink(out.clone()))
        .await;
        let ends = (report.posts.delivered, report.posts.filtered);
        assert_eq!(ends, (1, 1), "{order:?}");
        let stored = record(documents.as_ref(), 7).await;
        let author = stored.post.author.as_ref().unwrap();
        assert_eq!(author.handle.as_deref(), Some("maison"), "{order:?}");
        assert_eq!(*out.records()[0], stored, "{order:?}");
    }
}

#[tokio::test]
async fn items_that_cannot_be_read_become_dead_letters() {
    let documents = memory();
    let unreadable = Unreadable::new("file.ndjson:3", "not JSON", "{oops");
    let items = vec![
        incoming(post(1, "fine")),
        Incoming::Unreadable(Box::new(unreadable)),
    ];
    let report = run(with(&documents)
        .source(Items::new("broken", items))
        .sink(Collect::new("out")))
    .await;
    assert_eq!((report.posts.delivered, report.posts.dead_lettered), (1, 1));
    let letter = letters(documents.as_ref()).await.remove(0);
    assert_eq!(letter.post.to_string(), "unreadable:file.ndjson:3");
    assert_eq!(
        (letter.stage.as_str(), letter.cause.as_str()),
        ("source", "invalid_input")
    );
    assert_eq!(letter.excerpt.as_deref(), Some("{oops"));
}

#[tokio::test]
async fn a_post_that_is_gone_is_brought_up_to_date_where_it_was_delivered() {
    let documents = memory();
    let out = Collect::new("out");
    let first = with(&documents)
        .source(Posts::new(posts(2)))
        .sink(out.clone());
    run(first).await;
    let gone = [0, 9].map(|n| Incoming::Gone(id(n))).to_vec();
    let report = run(with(&documents)
        .source(Items::new("gone", gone))
        .sink(out.clone()))
    .await;
    // One was never known.
    assert_eq!((report.posts.delivered, report.posts.filtered), (1, 1));
    let observed = |n: usize| out.records()[n].observations.last().unwrap().gone;
    assert_eq!((observed(0), observed(1)), (true, false));
}

#[tokio::test]
async fn a_post_that_was_erased_does_not_come_back() {
    let documents = memory();
    documents.erase(&[id(1)]).await.unwrap();
    let (out, probe) = (Collect::new("out"), Probe::new("probe"));
    let source = Watched::new("posts", Posts::new(posts(3)));
    let report = run(with(&documents)
        .source(source.clone())
        .enrich(probe.clone())
        .sink(out.clone()))
    .await;
    assert_eq!((report.posts.delivered, report.posts.filtered), (2, 1));
    assert_eq!((out.records().len(), probe.items()), (2, 2));
    let (_, outcomes) = source.settled().remove(0);
    let filtered = Outcome::Filtered {
        reason: "tombstoned".into(),
    };
    assert!(outcomes.contains(&(id(1), filtered)), "{outcomes:?}");
}

#[tokio::test]
async fn a_range_of_times_leaves_out_what_was_published_outside_of_it() {
    let day =
        |n: usize| -> jiff::Timestamp { format!("2026-03-{n:02}T12:00:00Z").parse().unwrap() };
    let mut given = posts(10);
    for (number, post) in given.iter_mut().enumerate().skip(1) {
        post.published_at = Some(day(number));
    }
    let mut options = RunOptions::default();
    options.since = Some(day(3));
    options.until = Some(day(6));
    let out = Collect::new("out");
    let pipeline = with(&memory()).source(Posts::new(given)).sink(out.clone());
    let report = run_with(pipeline, options).await;
    assert_eq!(collected(&out), ["post 3", "post 4", "post 5"]);
    assert_eq!((report.posts.delivered, report.posts.filtered), (3, 7));
}
