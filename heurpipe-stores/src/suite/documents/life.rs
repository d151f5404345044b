//! What becomes of records in the end: removed because something else keeps them, refused, erased.

use std::sync::Arc;

use heurpipe_core::{
    Analysed, Author, DayCount, DeadLetter, DeadLetterScan, Digest, Error, ErrorKind, Filter,
    Finding, Likeness, PictureHash, PostId, Record, ReviewTask, Scan, State, Stored, Subject,
};

use super::{Check, checks, commit, id, pending, record, refusal};
use crate::documents::DocumentStore;
use crate::suite::Failure;

checks!(
    dyn DocumentStore;
    removed_records_are_remembered,
    only_the_given_revision_is_removed,
    what_is_removed_comes_back_by_its_revision,
    settled_records_are_counted_by_day,
    refused_posts_stay_away,
    refused_authors_stay_away,
    erasing_takes_all_that_is_about_a_post,
    pictures_are_forgotten,
);

fn archived(native: &str, revision: u64) -> Stored {
    Stored::Archived {
        post: id(native),
        revision,
    }
}

async fn removed_records_are_remembered(store: Arc<dyn DocumentStore>) -> Check {
    let mut kept = record("1");
    kept.post.aliases = vec![id("graph:1")];
    kept.states.insert("catalog".to_owned(), State::Delivered);
    commit(&*store, &mut kept).await?;
    commit(&*store, &mut kept).await?;
    let mut other = record("2");
    commit(&*store, &mut other).await?;

    let outcomes = store
        .remove(&[(id("1"), kept.revision), (id("absent"), 1)])
        .await?;
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 2);
    let found = store
        .load(&[id("1"), id("graph:1"), id("absent"), id("2")])
        .await?;
    let known = Stored::Known(Box::new(other));
    let expected = [archived("1", 2), archived("1", 2), Stored::Unknown, known];
    assert_eq!(found, expected);
    assert_eq!(store.count(&Scan::matching(Filter::All)).await?, 1);
    assert_eq!(store.analyses("catalog").await?, []);
    let again = store.remove(&[(id("1"), 2)]).await?;
    assert!(again[0].is_ok(), "it is removed already");
    assert_eq!(store.load(&[id("1")]).await?, [archived("1", 2)]);
    Ok(())
}

async fn only_the_given_revision_is_removed(store: Arc<dyn DocumentStore>) -> Check {
    let (mut changed, mut same) = (record("1"), record("2"));
    commit(&*store, &mut changed).await?;
    commit(&*store, &mut same).await?;
    let read = changed.revision;
    changed.post.text = "newer".to_owned();
    commit(&*store, &mut changed).await?;

    let removed = store.remove(&[(id("1"), read), (id("2"), 1)]).await?;
    let kinds: Vec<_> = removed
        .into_iter()
        .map(|outcome| outcome.map_err(|error: Error| error.kind()))
        .collect();
    assert_eq!(kinds, [Err(ErrorKind::Conflict), Ok(())]);
    let found = store.load(&[id("1"), id("2")]).await?;
    assert_eq!(found, [Stored::Known(Box::new(changed)), archived("2", 1)]);
    Ok(())
}

async fn what_is_removed_comes_back_by_its_revision(store: Arc<dyn DocumentStore>) -> Check {
    let mut kept = record("1");
    kept.post.aliases = vec![id("graph:1")];
    for _ in 0..3 {
        commit(&*store, &mut kept).await?;
    }
    store.remove(&[(id("1"), 3)]).await?;

    for revision in [0, 2, 4] {
        let mut stale = kept.clone();
        stale.revision = revision;
        let refused = refusal(&*store, &stale).await?;
        assert_eq!(refused, Some(ErrorKind::Conflict), "by {revision}");
    }
    kept.post.text = "again".to_owned();
    commit(&*store, &mut kept).await?;
    assert_eq!(kept.revision, 4, "no revision comes twice");
    let found = store.load(&[id("1"), id("graph:1")]).await?;
    let known = Stored::Known(Box::new(kept.clone()));
    assert_eq!(found, [known.clone(), known]);

    // Nothing is left of its having been away.
    kept.post.aliases.clear();
    commit(&*store, &mut kept).await?;
    assert_eq!(store.load(&[id("graph:1")]).await?, [Stored::Unknown]);
    let erased = store.erase(&[id("1")]).await?;
    assert_eq!((erased.records, erased.archived), (1, 0));
    Ok(())
}

async fn settled_records_are_counted_by_day(store: Arc<dyn DocumentStore>) -> Check {
    let held = || State::Held {
        reason: "unsure".to_owned(),
    };
    let delivered = || State::Delivered;
    for (native, published, states) in [
        ("1", Some("2026-03-01T23:59:59Z"), vec![delivered()]),
        ("2", Some("2026-03-02T00:00:00Z"), vec![delivered(), held()]),
        ("3", Some("2026-03-02T10:00:00Z"), vec![]),
        (
            "4",
            Some("2026-03-02T23:59:59.999999999Z"),
            vec![delivered()],
        ),
        ("5", Some("1969-12-31T23:59:59Z"), vec![pending()]),
        ("6", Some("1969-12-31T00:00:00Z"), vec![delivered()]),
        ("7", None, vec![delivered()]),
    ] {
        let mut record = record(native);
        record.post.published_at = published.map(str::parse).transpose()?;
        for (number, state) in states.into_iter().enumerate() {
            record.states.insert(format!("use case {number}"), state);
        }
        commit(&*store, &mut record).await?;
    }
    let day = |day: Option<&str>, records: u64| -> Result<_, Failure> {
        let day = day.map(str::parse).transpose()?;
        Ok(DayCount { day, records })
    };
    let all = Scan::matching(Filter::All);
    let expected = [
        day(None, 1)?,
        day(Some("1969-12-31"), 2)?,
        day(Some("2026-03-01"), 1)?,
        day(Some("2026-03-02"), 3)?,
    ];
    assert_eq!(store.days(&all).await?, expected);
    let of_march = "published:[2026-03-01 TO 2026-03-02]".parse()?;
    let scan = Scan::matching(of_march).settled();
    let expected = [day(Some("2026-03-01"), 1)?, day(Some("2026-03-02"), 2)?];
    assert_eq!(store.days(&scan).await?, expected);
    let page = store.scan(&scan).await?;
    let found: Vec<&str> = page.records.iter().map(|r| &*r.id().native).collect();
    assert_eq!(found, ["1", "3", "4"]);
    assert_eq!(store.count(&all.settled()).await?, 5);
    Ok(())
}

async fn refused_posts_stay_away(store: Arc<dyn DocumentStore>) -> Check {
    let mut kept = record("1");
    kept.post.aliases = vec![id("graph:1")];
    let mut gone = record("2");
    gone.post.aliases = vec![id("graph:2")];
    for record in [&mut kept, &mut gone] {
        commit(&*store, record).await?;
    }
    store.remove(&[(id("2"), 1)]).await?;
    let subjects = ["graph:1", "graph:2", "never seen"].map(|name| Subject::Post(id(name)));
    for time in ["once", "again"] {
        let found = store.refuse(&subjects).await?;
        assert_eq!(found, [id("1"), id("2")], "{time}");
        for name in ["1", "graph:1", "2", "graph:2", "never seen"] {
            assert_eq!(store.load(&[id(name)]).await?, [Stored::Tombstoned]);
        }
    }
    for record in [&kept, &gone, &record("never seen")] {
        let refused = refusal(&*store, record).await?;
        assert_eq!(refused, Some(ErrorKind::PermissionDenied));
    }
    // What is there can be read, so that whoever erases it knows what else belongs to it.
    let page = store.scan(&Scan::matching(Filter::All)).await?;
    assert_eq!(page.records, [kept]);
    let erased = store.erase(&[id("1"), id("2")]).await?;
    assert_eq!((erased.records, erased.archived), (1, 1));
    assert_eq!(store.load(&[id("graph:2")]).await?, [Stored::Tombstoned]);
    assert_eq!(store.refuse(&subjects).await?, [], "nothing is left");
    let asked = [subjects[0].clone(), Subject::Post(id("other"))];
    assert_eq!(store.refused(&asked).await?, [true, false]);
    Ok(())
}

fn by(native: &str, author_id: Option<&str>, handle: Option<&str>) -> Record {
    let mut record = record(native);
    let mut author = Author::unknown();
    author.id = author_id.map(str::to_owned);
    author.handle = handle.map(str::to_owned);
    record.post.author = Some(author);
    record
}

async fn refused_authors_stay_away(store: Arc<dyn DocumentStore>) -> Check {
    let elsewhere = {
        let mut record = by("9", Some("77"), None);
        record.post.id = PostId::new(heurpipe_core::Platform::weibo(), "9");
        record
    };
    for mut record in [
        by("1", Some("77"), Some("Zo\u{e9}")),
        by("2", Some("77"), None),
        by("3", Some("78"), None),
        by("4", None, Some("77")),
        elsewhere,
        record("5"),
    ] {
        commit(&*store, &mut record).await?;
    }
    let author = [Subject::Author("instagram:77".parse()?)];
    assert_eq!(store.refused(&author).await?, [false]);
    let name = [Subject::Author("instagram:@zoe".parse()?)];
    assert_eq!(store.refuse(&name).await?, [id("1")]);
    for time in ["once", "again"] {
        let found = store.refuse(&author).await?;
        assert_eq!(found, [id("1"), id("2")], "{time}");
    }
    let asked = [author[0].clone(), Subject::Author("weibo:77".parse()?)];
    assert_eq!(store.refused(&asked).await?, [true, false]);
    for (refused, later) in [
        (true, by("10", Some("77"), None)),
        (true, by("11", None, Some("ZOE"))),
        (true, by("12", Some("99"), Some("zoe"))),
        (false, by("13", Some("78"), None)),
        (false, by("14", None, Some("77"))),
        (false, record("15")),
    ] {
        let expected = refused.then_some(ErrorKind::PermissionDenied);
        assert_eq!(refusal(&*store, &later).await?, expected, "{}", later.id());
    }
    store.erase(&[id("1"), id("2")]).await?;
    assert_eq!(store.refuse(&author).await?, []);
    let by_handle = Subject::Author("instagram:@77".parse()?);
    let found = store.refuse(&[by_handle]).await?;
    assert_eq!(found, [id("14"), id("4")], "a handle is no id");
    Ok(())
}

async fn erasing_takes_all_that_is_about_a_post(store: Arc<dyn DocumentStore>) -> Check {
    let mut about = record("1");
    about.post.aliases = vec![id("graph:1")];
    commit(&*store, &mut about).await?;
    let error = Error::new(ErrorKind::Corrupt, "decode");
    let letter =
        |record: &Record| DeadLetter::of_record("catalog", "decode", record.clone(), &error);
    let task = |record: &Record| {
        ReviewTask::new("catalog", "gate", record, "unsure".to_owned(), vec![], None)
    };
    let (early, other) = (record("graph:1"), record("2"));
    let letters = [letter(&about), letter(&early), letter(&other)];
    store.bury(&letters).await?;
    let tasks = [task(&about), task(&other)];
    store.ask(&tasks).await?;

    let erased = store.erase(&[id("graph:1")]).await?;
    assert_eq!(
        (erased.records, erased.dead_letters, erased.tasks),
        (1, 2, 1)
    );
    let lie_there = async || store.dead_letters(&DeadLetterScan::all()).await;
    assert_eq!(
        lie_there().await?,
        [letter(&other)].map(|mut letter| {
            letter.at = letters[2].at;
            letter
        })
    );
    assert_eq!(store.open(None, 10).await?, [tasks[1].clone()]);

    // Nor do they come back, by whoever had them in hand meanwhile.
    store.bury(&letters).await?;
    store.ask(&tasks).await?;
    let author = Subject::Author("instagram:77".parse()?);
    store.refuse(&[author]).await?;
    store.bury(&[letter(&by("3", Some("77"), None))]).await?;
    assert_eq!(lie_there().await?.len(), 1);
    assert_eq!(store.open(None, 10).await?.len(), 1);
    let erased = store.erase(&[id("1")]).await?;
    assert_eq!(erased, heurpipe_core::Erased::default(), "once is enough");
    Ok(())
}

async fn pictures_are_forgotten(store: Arc<dyn DocumentStore>) -> Check {
    let key = |number: u8| Digest::of(&[number]);
    let picture = |number: u8| Digest::of(&[number, number]);
    let findings = || vec![Finding::label("colour", "red")];
    let analyses: Vec<_> = (1..=3).map(|n| (key(n), findings())).collect();
    store.remember(&analyses).await?;
    let likeness = Likeness {
        group: Digest::of(b"group"),
        hash: PictureHash(7),
    };
    // Two enrichers looked at the first picture, one at the second.
    for (number, of) in [(1, 1), (2, 1), (3, 2)] {
        let analysed = Analysed {
            key: key(number),
            picture: picture(of),
            likeness,
        };
        store.remember_near(&[analysed]).await?;
    }
    assert_eq!(store.forget(&[picture(1), picture(9)]).await?, 2);
    let known = store.recall(&[key(1), key(2), key(3)]).await?;
    assert_eq!(known, [None, None, Some(findings())]);
    let near = store.recall_near(&[likeness], 0).await?;
    assert_eq!(near[0].as_ref().map(|n| n.picture), Some(picture(2)));
    assert_eq!(store.forget(&[picture(1)]).await?, 0);
    Ok(())
}
