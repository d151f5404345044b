#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::model::{
    Digest, Finding, Fingerprint, InputDigest, Place, Platform, PostId, Precision, Producer, Raw,
    Region, SkipReason, State, Target, Value,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn id(native: &str) -> PostId {
    PostId::new(Platform::instagram(), native)
}

/// The post as it truly is; every call shows a part of it.
fn truth() -> Post {
    let mut post = Post::new(id("1"), at(0));
    post.aliases = vec![id("graph:1")];
    post.permalink = Some("https://example.com/p/1".into());
    post.text = "look".into();
    post.hashtags = vec!["ootd".into(), "look".into()];
    post.mentions = vec!["zara".into()];
    let mut first = Media::image("a", "https://example.com/a?t=1");
    first.url_expires_at = Some(at(99));
    first.width = Some(640);
    first.alt_text = Some("a dress".into());
    post.media = vec![first, Media::image("b", "https://example.com/b")];
    post.author = Some(Author {
        id: Some("7".into()),
        handle: Some("zoe".into()),
        name: Some("Zoé".into()),
        followers: Some(12),
        verified: Some(true),
    });
    post.counts = Counts::new(Some(5), Some(6), Some(7));
    post.published_at = Some(at(-50));
    post.repost_of = Some(id("0"));
    post.language_hint = Some("fr".into());
    post.places.declared = Some(Place::named("Paris"));
    post.places.tagged = Some(Place::named("Lyon"));
    post.given.insert("garment".into(), vec!["dress".into()]);
    post.given.insert("colour".into(), vec!["red".into()]);
    let raw = |text: &str| Raw::from_value(&text).unwrap();
    post.raw.insert("hashtag".into(), raw("h"));
    post.raw.insert("media".into(), raw("m"));
    post
}

/// What a call that leaves things out shows of the truth; each bit of `mask` is a thing left out.
fn view(mask: u32, collected: i64) -> Post {
    let mut post = truth();
    post.collected_at = at(collected);
    let mut bit = 0;
    let mut left_out = || {
        bit += 1;
        mask & (1 << (bit - 1)) != 0
    };
    macro_rules! leave_out {
        ($($place:expr => $empty:expr),* $(,)?) => {
            $(if left_out() { $place = $empty; })*
        };
    }
    leave_out! {
        post.aliases => Vec::new(),
        post.permalink => None,
        post.text => String::new(),
        post.hashtags => Vec::new(),
        post.mentions => Vec::new(),
        post.media[0].url_expires_at => None,
        post.media[0].width => None,
        post.media[0].alt_text => None,
        post.counts.likes => None,
        post.counts.comments => None,
        post.counts.reposts => None,
        post.published_at => None,
        post.repost_of => None,
        post.language_hint => None,
        post.places.declared => None,
        post.places.tagged => None,
    }
    if post.media[0].url_expires_at.is_none() {
        post.media[0].url = None;
    }
    if left_out() {
        post.media.truncate(1);
    }
    if left_out() {
        post.media.clear();
    }
    if left_out() {
        post.given.remove("garment");
    }
    if left_out() {
        post.raw.remove("media");
    }
    if let Some(author) = &mut post.author {
        leave_out! {
            author.id => None,
            author.handle => None,
            author.followers => None,
            author.verified => None,
        }
    }
    if left_out() {
        post.author = None;
    }
    post
}

#[test]
fn the_time_that_is_known_more_exactly_stands() {
    let mut exact = truth();
    exact.collected_at = at(1);
    let mut of_day = exact.clone();
    of_day.collected_at = at(2);
    of_day.published_at = Some(at(-400));
    of_day.published_within = Some(Precision::Day);
    for (first, second) in [(&exact, &of_day), (&of_day, &exact)] {
        let mut merged = first.clone();
        merge_post(&mut merged, second.clone());
        assert_eq!(merged.published_at, Some(at(-50)));
        assert_eq!(merged.published_within, None);
    }
}

proptest! {
    #[test]
    fn views_that_do_not_contradict_one_another_absorb_in_any_order(
        views in proptest::collection::vec((any::<u32>(), 0_i64..5), 2..5)
            .prop_flat_map(|views| (Just(views.clone()), Just(views).prop_shuffle())),
    ) {
        let absorbed = |views: &[(u32, i64)]| {
            let mut posts = views.iter().map(|(mask, collected)| view(*mask, *collected));
            let mut record = Record::new(posts.next().unwrap());
            for post in posts {
                record.absorb(post);
            }
            record
        };
        prop_assert_eq!(absorbed(&views.0), absorbed(&views.1));
    }

    #[test]
    fn absorbing_the_same_again_changes_nothing(mask in any::<u32>(), later in 0_i64..5) {
        let mut record = Record::new(view(mask, 1));
        prop_assert!(!record.absorb(view(mask, 1 + later)));
    }

    #[test]
    fn writers_that_do_not_contradict_one_another_merge_in_any_order(
        masks in (any::<u32>(), any::<u32>()),
        work in proptest::collection::vec((0_usize..6, 0_usize..3, any::<bool>()), 0..12),
    ) {
        let mut ours = Record::new(view(masks.0, 1));
        let mut theirs = Record::new(view(masks.1, 2));
        for (time, (enricher, outcome, is_ours)) in work.into_iter().enumerate() {
            let writer = if is_ours { &mut ours } else { &mut theirs };
            do_work(writer, enricher, outcome, time as i64);
        }
        theirs.states.insert("trends".into(), State::Delivered);
        let mut forth = ours.clone();
        forth.merge(theirs.clone());
        let mut back = theirs;
        back.merge(ours);
        prop_assert_eq!(&forth.post, &back.post);
        prop_assert_eq!(&forth.observations, &back.observations);
        prop_assert_eq!(&forth.ledger, &back.ledger);
        prop_assert_eq!(&forth.annotations, &back.annotations);
        prop_assert_eq!(&forth.states, &back.states);
        let mut again = forth.clone();
        again.merge(back);
        prop_assert_eq!(again, forth);
    }
}

/// What one of five enrichers or a person does at a time.
fn do_work(record: &mut Record, who: usize, outcome: usize, time: i64) {
    let target = if who.is_multiple_of(2) {
        Target::Post
    } else {
        Target::Media("a".into())
    };
    if who == 5 {
        let value = Value::Label(format!("label {outcome}"));
        let decided = Annotation::decided(target, "garment", value, "ann", at(time));
        record.annotations.push(decided);
        sort_annotations(&mut record.annotations);
        return;
    }
    let name = format!("model {who}");
    let outcome = match outcome {
        0 => LedgerOutcome::Done,
        1 => LedgerOutcome::Skipped(SkipReason::Budget),
        _ => LedgerOutcome::Failed("no luck".into()),
    };
    let found = match outcome {
        LedgerOutcome::Done => vec![said(&name, target.clone(), "dress", time)],
        _ => Vec::new(),
    };
    let fingerprint = Fingerprint::of([name.as_str()]);
    let entry = LedgerEntry::new(
        name.as_str(),
        fingerprint,
        target,
        InputDigest::of(b"input"),
        outcome,
        at(time),
    );
    record.enter(entry, found);
}

fn said(name: &str, target: Target, label: &str, time: i64) -> Annotation {
    let finding = Finding::label("garment", label).confidence(0.8);
    Annotation::produced(target, finding, producer(name), at(time))
}

fn producer(name: &str) -> Producer {
    Producer {
        name: name.into(),
        version: "1".into(),
        fingerprint: Fingerprint::of([name]),
        threshold: None,
        shadow: false,
    }
}

fn counts(likes: u64) -> Counts {
    Counts::new(Some(likes), None, None)
}

fn likes_over_time(record: &Record) -> Vec<(i64, Option<u64>)> {
    let seen = record.observations.iter();
    seen.map(|o| (o.at.as_second(), o.counts.likes)).collect()
}

#[test]
fn counts_that_change_are_kept_in_order_of_time_whatever_the_order_of_reading() {
    let read = |times: &[(i64, u64)]| {
        let mut posts = times.iter().map(|(time, likes)| {
            let mut post = Post::new(id("1"), at(*time));
            post.counts = counts(*likes);
            post
        });
        let mut record = Record::new(posts.next().unwrap());
        for post in posts {
            record.absorb(post);
        }
        record
    };
    let expected = [(1, Some(5)), (3, Some(8)), (5, Some(7))];
    for order in [
        [(1, 5), (2, 5), (3, 8), (5, 7)],
        [(5, 7), (3, 8), (2, 5), (1, 5)],
        [(3, 8), (1, 5), (5, 7), (2, 5)],
    ] {
        let record = read(&order);
        assert_eq!(likes_over_time(&record), expected, "{order:?}");
        assert_eq!(record.post.counts.likes, Some(7));
    }
}

#[test]
fn a_count_left_out_is_carried_on() {
    let mut record = Record::new(Post::new(id("1"), at(1)));
    let mut full = Post::new(id("1"), at(2));
    full.counts = Counts::new(Some(5), Some(1), None);
    record.absorb(full);
    let mut partial = Post::new(id("1"), at(3));
    partial.counts = counts(6);
    record.absorb(partial);
    assert_eq!(record.post.counts, Counts::new(Some(6), Some(1), None));
    assert_eq!(likes_over_time(&record), [(1, Some(5)), (3, Some(6))]);
}

#[test]
fn the_later_collected_word_wins_where_two_disagree() {
    let say = |time, text: &str, url: &str| {
        let mut post = Post::new(id("1"), at(time));
        post.text = text.into();
        post.media = vec![Media::image("a", url)];
        post
    };
    let mut forth = Record::new(say(1, "old", "https://example.com/old"));
    assert!(forth.absorb(say(2, "new", "https://example.com/new")));
    let mut back = Record::new(say(2, "new", "https://example.com/new"));
    back.absorb(say(1, "old", "https://example.com/old"));
    for record in [forth, back] {
        assert_eq!(record.post.text, "new");
        assert_eq!(
            record.post.media[0].url.as_deref(),
            Some("https://example.com/new")
        );
    }
}

#[test]
fn a_call_that_shows_fewer_media_still_refreshes_their_urls() {
    let mut full = Post::new(id("1"), at(1));
    full.media = vec![
        Media::image("a", "https://example.com/a?old"),
        Media::image("b", "https://example.com/b"),
    ];
    let mut record = Record::new(full);
    let mut first_only = Post::new(id("1"), at(2));
    first_only.media = vec![Media::image("a", "https://example.com/a?new")];
    assert!(
        !record.absorb(first_only),
        "a fresh url is no change of substance"
    );
    let urls: Vec<_> = record
        .post
        .media
        .iter()
        .map(|m| m.url.as_deref().unwrap())
        .collect();
    assert_eq!(urls, ["https://example.com/a?new", "https://example.com/b"]);
}

#[test]
fn bytes_once_fetched_stay_fetched() {
    let stored = Fetched::Stored {
        digest: Digest::of(b"x"),
        bytes: 1,
        content_type: "image/png".into(),
    };
    let gone = Fetched::Gone {
        reason: "expired".into(),
    };
    for other in [Fetched::Not, gone] {
        for (first, second) in [(&stored, &other), (&other, &stored)] {
            let show = |time, fetched: &Fetched| {
                let mut post = Post::new(id("1"), at(time));
                post.media = vec![Media::image("a", "https://example.com/a")];
                post.media[0].fetched = fetched.clone();
                post
            };
            let mut record = Record::new(show(1, first));
            record.absorb(show(2, second));
            assert_eq!(record.post.media[0].fetched, stored);
        }
    }
}

#[test]
fn another_id_of_the_same_post_becomes_an_alias() {
    let mut record = Record::new(Post::new(id("graph:1"), at(1)));
    let mut other = Post::new(id("1"), at(2));
    other.aliases = vec![id("graph:1")];
    record.absorb(other);
    assert_eq!(record.id(), &id("graph:1"));
    assert_eq!(record.post.aliases, [id("1")]);
}

#[test]
fn regions_of_one_picture_are_entered_side_by_side() {
    let region = |x: f32| Target::Region {
        media: "a".into(),
        region: Region {
            x,
            y: 0.0,
            width: 0.5,
            height: 1.0,
        },
    };
    let enter = |record: &mut Record, target: Target, label: &str| {
        let found = said("style", target.clone(), label, 1);
        let entry = LedgerEntry::new(
            "style",
            Fingerprint::of(["style"]),
            target,
            InputDigest::of(b"input"),
            LedgerOutcome::Done,
            at(1),
        );
        record.enter(entry, vec![found]);
    };
    let mut record = Record::new(Post::new(id("1"), at(1)));
    enter(&mut record, region(0.0), "boho");
    enter(&mut record, region(0.5), "sporty");
    assert_eq!(record.annotations.len(), 2);
    // A run on the whole picture replaces what the same enricher said of its parts.
    enter(&mut record, Target::Media("a".into()), "plain");
    assert_eq!(record.annotations.len(), 1);
}

#[test]
fn what_was_found_before_a_failure_survives_a_merge() {
    let base = Record::new(Post::new(id("1"), at(0)));
    let mut succeeded = base.clone();
    do_work(&mut succeeded, 0, 0, 1);
    let mut failed = base;
    do_work(&mut failed, 0, 2, 2);
    let mut forth = succeeded.clone();
    forth.merge(failed.clone());
    failed.merge(succeeded);
    for record in [forth, failed] {
        assert_eq!(record.annotations.len(), 1);
        assert!(matches!(
            record.ledger[..],
            [LedgerEntry {
                outcome: LedgerOutcome::Failed(_),
                ..
            }]
        ));
    }
}
