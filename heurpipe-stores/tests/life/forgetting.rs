//! Posts and authors, everywhere and for good.

use std::collections::BTreeSet;

use heurpipe_core::*;

use super::world::{World, id, marked};

fn author() -> Subject {
    Subject::Author("instagram:100".parse().unwrap())
}

#[tokio::test]
async fn an_author_goes_from_every_store_and_file() {
    let (world, posts) = World::random(23).await;
    world.archive().run().await.unwrap();
    let gone = marked(&posts);
    assert!(gone.len() > 2);
    let in_files = world.rows_in_files().await;
    assert!(in_files.iter().any(|record| gone.contains(record.id())));
    let survey = world.forget().survey(&author()).await.unwrap();
    assert_eq!(survey.posts(), gone);
    world.check(&posts).await;

    let receipt = world.forget().run(&author(), false).await.unwrap();
    assert_eq!(receipt.posts, gone.len() as u64);
    let removed = receipt.removed;
    assert_eq!(removed.documents + removed.warehouse, gone.len() as u64);
    assert_eq!(removed.search, gone.len() as u64);
    assert_eq!(
        receipt.manifest,
        world.warehouse.coverage().await.unwrap().manifest
    );
    world.check_forgotten(&gone, &posts).await;

    let again = world.forget().run(&author(), false).await.unwrap();
    assert_eq!((again.posts, again.manifest), (0, receipt.manifest));

    // Later posts are refused, by whichever name the call gives.
    for (number, id, handle) in [(900, Some("100"), None), (901, None, Some("author.0"))] {
        let mut post = Post::new(super::world::id(number), jiff::Timestamp::UNIX_EPOCH);
        let mut author = Author::unknown();
        author.id = id.map(str::to_owned);
        author.handle = handle.map(str::to_owned);
        post.author = Some(author);
        let later = Record::new(post);
        let outcome = world.documents.commit(&[&later]).await.unwrap().remove(0);
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}

#[tokio::test]
async fn an_author_is_found_by_a_handle_too() {
    let (world, posts) = World::random(29).await;
    world.archive().run().await.unwrap();
    let gone = marked(&posts);
    let handle = Subject::Author("instagram:@Author.0".parse().unwrap());
    world.forget().run(&handle, false).await.unwrap();
    world.check_forgotten(&gone, &posts).await;
}

#[tokio::test]
async fn a_handle_that_changed_hands_does_not_take_others_along() {
    let world = World::empty().await;
    let mut posts = Vec::new();
    for (number, author_id) in [(1, Some("100")), (2, Some("200")), (3, None)] {
        let mut post = Post::new(id(number), jiff::Timestamp::UNIX_EPOCH);
        let mut author = Author::unknown();
        author.id = author_id.map(str::to_owned);
        author.handle = Some("shop".to_owned());
        post.author = Some(author);
        posts.push(Record::new(post));
    }
    let records: Vec<&Record> = posts.iter().collect();
    world.documents.commit(&records).await.unwrap();
    let receipt = world.forget().run(&author(), false).await.unwrap();
    assert_eq!(receipt.posts, 2);
    let left: Vec<PostId> = world.hot().await.into_keys().collect();
    assert_eq!(left, [id(2)]);
}

#[tokio::test]
async fn a_post_goes_alone_by_any_of_its_ids() {
    let (world, posts) = World::random(31).await;
    world.archive().run().await.unwrap();
    let cold = world.cold().await.into_values().next().unwrap();
    let hot = world.hot().await.into_values().next().unwrap();
    let error = Error::new(ErrorKind::Corrupt, "decode");
    let letter = DeadLetter::of_record("catalog", "decode", hot.clone(), &error);
    world.documents.bury(&[letter]).await.unwrap();
    let mut gone = BTreeSet::new();
    for (record, letters) in [(cold, 0), (hot, 1)] {
        let alias = Subject::Post(record.post.aliases[0].clone());
        let receipt = world.forget().run(&alias, false).await.unwrap();
        assert_eq!(receipt.posts, 1, "{}", record.id());
        assert_eq!(receipt.removed.dead_letters, letters);
        gone.insert(record.id().clone());
        world.check_forgotten(&gone, &posts).await;
    }
}

#[tokio::test]
async fn what_nobody_knows_is_refused_only_when_asked_to() {
    let (world, posts) = World::random(37).await;
    let unseen = Subject::Author("instagram:@nobody".parse().unwrap());
    let error = world.forget().run(&unseen, false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let refused = world.documents.refused(std::slice::from_ref(&unseen)).await;
    assert_eq!(
        refused.unwrap(),
        [false],
        "a slip of the pen refuses nobody"
    );
    let receipt = world.forget().run(&unseen, true).await.unwrap();
    assert_eq!(receipt.posts, 0);
    let refused = world.documents.refused(&[unseen]).await.unwrap();
    assert_eq!(refused, [true]);
    world.check(&posts).await;
}

#[tokio::test]
async fn rows_that_no_longer_count_are_erased_too() {
    let (world, posts) = World::random(41).await;
    world.archive().run().await.unwrap();
    let gone = marked(&posts);
    // A newer revision hides an older row of the same post, in another segment.
    let newer: Vec<Record> = world
        .cold()
        .await
        .into_values()
        .filter(|record| gone.contains(record.id()))
        .map(|mut record| {
            record.revision += 1;
            record
        })
        .collect();
    assert!(!newer.is_empty());
    world.warehouse.append(newer).await.unwrap();
    world.forget().run(&author(), false).await.unwrap();
    world.check_forgotten(&gone, &posts).await;
}
