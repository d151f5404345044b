//! What the tracing wrapper writes. In a program of its own: what is traced is decided for all threads of a process together.
#![allow(missing_docs, clippy::unwrap_used)]

#[allow(dead_code, reason = "other tests use the rest")]
#[path = "testkit/parts.rs"]
mod parts;

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use heurpipe_core::middleware::MiddlewareExt;
use heurpipe_core::testkit::Collect;
use heurpipe_core::testkit::faults::{Faults, Faulty};
use heurpipe_core::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Event, Metadata, Subscriber};

use parts::*;

/// Writes down spans and events, a line each.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {}={value:?}", field.name());
    }
}

impl Lines {
    fn push(&self, mut line: Fields, write: impl FnOnce(&mut Fields)) {
        write(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("heurpipe_core::middleware")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let begun = Fields(format!("span {}", span.metadata().name()));
        self.push(begun, |fields| span.record(fields));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Values<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.push(Fields("event".to_owned()), |fields| event.record(fields));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn calls_pages_and_errors_are_written_down() {
    let lines = Lines::default();
    let _guard = tracing::subscriber::set_default(lines.clone());

    let sink = Faulty::new(Collect::new("out"), Faults::outage(1, 1)).with_tracing();
    sink.write(&records(2)).await.unwrap();
    sink.write(&records(3)).await.unwrap_err();
    let span = r#"span call kind="sink" method="write" part="out""#;
    let written = lines.taken();
    assert_eq!(
        written[..2],
        [format!("{span} items=2"), format!("{span} items=3")]
    );
    assert!(written[2].contains("the call failed"), "{written:?}");
    assert!(written[2].contains("sink.write: a fault was injected (unavailable, part=out)"));

    let poison: PostId = "test:1".parse().unwrap();
    let enricher = Faulty::new(words(), Faults::poison(poison, ErrorKind::Corrupt)).with_tracing();
    enricher.enrich(&Batch::new(items())).await.unwrap();
    let written = lines.taken();
    assert!(written[1].contains("items failed"), "{written:?}");
    assert!(written[1].contains("failed=1"), "{written:?}");

    let traced = source().with_tracing();
    let pages = traced.read(Partition("all".to_owned()), Checkpoint::default());
    assert_eq!(futures::StreamExt::count(pages).await, 3);
    // The last one finds that there is no more.
    assert_eq!(lines.taken().len(), 4);
}
