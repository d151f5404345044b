//! What is near to a vector.

use std::collections::BTreeSet;
use std::sync::Arc;

use heurpipe_core::{
    Annotation, Direction, ErrorKind, Filter, Finding, Fingerprint, Flat, Platform, PostId,
    Producer, Record, SearchIndex, SearchRequest, Similar, SimilarRequest, Similarity, Target,
    Value,
};
use jiff::Timestamp;

use super::super::corpus::{self, Dice};
use super::super::differential::write;
use super::super::{Check, Failure};
use super::{checks, fill, finds, id, record, with};

checks!(
    dyn SearchIndex;
    similar_gives_the_nearest_first,
    similar_gives_as_many_as_asked_for,
    similar_keeps_to_the_filter_while_it_looks,
    similar_leaves_out_posts_by_their_exact_ids,
    similar_counts_a_record_once_by_its_nearest_vector,
    similar_compares_one_attribute_and_one_length,
    similar_takes_the_word_that_counts,
    similar_forgets_what_was_replaced_or_removed,
    similar_breaks_ties_by_id,
    similar_of_nothing_is_empty,
    similar_refuses_what_cannot_be_compared,
    similar_stands_odd_names_and_magnitudes,
    similar_agrees_with_brute_force,
    similar_is_refused_where_vectors_are_not_compared,
    vectors_of_any_length_stop_no_record,
);

/// Checks that are not applicable to an index that answers like this, with the reason.
pub(super) fn not_applicable(similarity: Similarity) -> Vec<(&'static str, &'static str)> {
    let refusal = "similar_is_refused_where_vectors_are_not_compared";
    match similarity {
        Similarity::Exact | Similarity::Approximate => vec![(refusal, "it compares vectors")],
        Similarity::Unsupported => CHECKS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| name.starts_with("similar_") && *name != refusal)
            .map(|name| (name, "it does not compare vectors"))
            .collect(),
    }
}

/// An enricher's word on a picture.
fn seen(picture: &str, attribute: &str, vector: &[f32]) -> Annotation {
    let producer = Producer {
        name: "embedder".to_owned(),
        version: "1".to_owned(),
        fingerprint: Fingerprint::of(["embedder"]),
        threshold: Some(0.5),
        shadow: false,
    };
    let finding = Finding::new(attribute, Value::Vector(vector.to_vec()));
    let target = Target::Media(picture.to_owned());
    Annotation::produced(target, finding, producer, Timestamp::UNIX_EPOCH)
}

/// A record whose pictures look like this.
fn looking(native: &str, vectors: &[&[f32]]) -> Record {
    let mut record = record(native, 1, "");
    show(&mut record, vectors);
    record
}

fn show(record: &mut Record, vectors: &[&[f32]]) {
    for (number, vector) in vectors.iter().enumerate() {
        let picture = number.to_string();
        record.annotations.push(seen(&picture, "look", vector));
    }
}

/// The native ids of what is near, and the scores in hundredths.
fn short(similar: &[Similar]) -> Vec<(&str, i32)> {
    let hundredths = |score: f32| (score * 100.0).round() as i32;
    similar
        .iter()
        .map(|s| (&*s.record.id().native, hundredths(s.score)))
        .collect()
}

fn look(vector: &[f32]) -> SimilarRequest {
    SimilarRequest::new("look", vector)
}

async fn similar_gives_the_nearest_first(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        looking("opposite", &[&[-2.0, 0.0]]),
        looking("across", &[&[0.0, 5.0]]),
        looking("same", &[&[0.5, 0.0]]),
        looking("near", &[&[0.8, 0.6]]),
        record("none", 1, ""),
    ];
    fill(&*index, &records).await?;
    let similar = index.similar(&look(&[3.0, 0.0])).await?;
    let expected = [
        ("same", 100),
        ("near", 80),
        ("across", 0),
        ("opposite", -100),
    ];
    assert_eq!(short(&similar), expected);
    assert_eq!(
        similar[1].record, records[3],
        "the record as it was written"
    );
    Ok(())
}

async fn similar_gives_as_many_as_asked_for(index: Arc<dyn SearchIndex>) -> Check {
    let records: Vec<Record> = (0..30)
        .map(|n| looking(&format!("{n:02}"), &[&[1.0, 0.1 * n as f32]]))
        .collect();
    for some in records.chunks(7) {
        fill(&*index, some).await?;
    }
    for limit in [1, 2, 29, 30, 31, SimilarRequest::MOST] {
        let similar = index.similar(&look(&[1.0, 0.0]).limit(limit)).await?;
        let ids: Vec<&str> = similar.iter().map(|s| &*s.record.id().native).collect();
        let expected: Vec<String> = (0..limit.min(30)).map(|n| format!("{n:02}")).collect();
        assert_eq!(ids, expected, "{limit}");
    }
    Ok(())
}

async fn similar_keeps_to_the_filter_while_it_looks(index: Arc<dyn SearchIndex>) -> Check {
    let mut records = Vec::new();
    for number in 0..150 {
        // The nearest hundred are of another brand.
        let brand = if number < 100 { "near" } else { "far" };
        let mut record = with(&format!("{number:03}"), &[("brand", &[brand])]);
        show(&mut record, &[&[1.0, 0.01 * number as f32]]);
        record.post.published_at = Some(Timestamp::from_second(number * 86_400)?);
        record.post.counts.likes = Some(number.unsigned_abs());
        records.push(record);
    }
    fill(&*index, &records).await?;
    for (filter, first, count) in [
        ("brand:far", 100, 10),
        ("-brand:near", 100, 10),
        ("brand:far likes:>=140", 140, 10),
        ("likes:>=145 -likes:149", 145, 4),
        ("published:>=1970-05-01", 120, 10),
        ("brand:nobody", 0, 0),
    ] {
        let request = look(&[1.0, 0.0]).filter(filter.parse()?).limit(10);
        let similar = index.similar(&request).await?;
        let ids: Vec<&str> = similar.iter().map(|s| &*s.record.id().native).collect();
        let expected: Vec<String> = (first..first + count).map(|n| format!("{n:03}")).collect();
        assert_eq!(ids, expected, "{filter}");
    }
    Ok(())
}

async fn similar_leaves_out_posts_by_their_exact_ids(index: Arc<dyn SearchIndex>) -> Check {
    let mut elsewhere = looking("a", &[&[1.0, 0.0]]);
    elsewhere.post.id = PostId::new(Platform::weibo(), "a");
    let records = [
        looking("a", &[&[1.0, 0.0]]),
        looking("A", &[&[1.0, 0.1]]),
        looking("b", &[&[1.0, 0.2]]),
        looking("c", &[&[1.0, 0.3]]),
        elsewhere.clone(),
    ];
    fill(&*index, &records).await?;
    let request = look(&[1.0, 0.0]).without([id("a"), id("b"), id("absent")]);
    let similar = index.similar(&request.limit(2)).await?;
    let ids: Vec<&PostId> = similar.iter().map(|s| s.record.id()).collect();
    assert_eq!(ids, [elsewhere.id(), &id("A")]);
    Ok(())
}

async fn similar_counts_a_record_once_by_its_nearest_vector(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        looking(
            "many",
            &[&[0.0, 1.0], &[0.6, 0.8], &[0.6, 0.8], &[-1.0, 0.0]],
        ),
        looking("one", &[&[0.8, 0.6]]),
        looking("last", &[&[0.0, 1.0], &[0.0, -1.0]]),
    ];
    fill(&*index, &records).await?;
    let similar = index.similar(&look(&[1.0, 0.0]).limit(3)).await?;
    assert_eq!(short(&similar), [("one", 80), ("many", 60), ("last", 0)]);
    Ok(())
}

async fn similar_compares_one_attribute_and_one_length(index: Arc<dyn SearchIndex>) -> Check {
    let mut of_both = looking("both", &[&[0.0, 1.0]]);
    of_both.annotations.push(seen("0", "style", &[1.0, 0.0]));
    let mut of_style = record("style", 1, "");
    of_style.annotations.push(seen("0", "style", &[1.0, 0.0]));
    // Its name begins as the other's does.
    of_style.annotations.push(seen("0", "look2", &[1.0, 0.0]));
    let records = [
        of_both,
        of_style,
        looking("longer", &[&[1.0, 0.0, 0.0]]),
        looking("shorter", &[&[1.0]]),
        looking("mixed", &[&[1.0, 0.0, 0.0], &[0.6, 0.8]]),
    ];
    fill(&*index, &records).await?;
    let similar = index.similar(&look(&[1.0, 0.0])).await?;
    assert_eq!(short(&similar), [("mixed", 60), ("both", 0)]);
    let similar = index
        .similar(&SimilarRequest::new("style", [1.0, 0.0]))
        .await?;
    assert_eq!(short(&similar), [("both", 100), ("style", 100)]);
    let similar = index.similar(&look(&[1.0, 0.0, 0.0])).await?;
    assert_eq!(short(&similar), [("longer", 100), ("mixed", 100)]);
    let similar = index.similar(&look(&[2.0])).await?;
    assert_eq!(short(&similar), [("shorter", 100)]);
    Ok(())
}

async fn similar_takes_the_word_that_counts(index: Arc<dyn SearchIndex>) -> Check {
    let mut in_trial = seen("0", "look", &[1.0, 0.0]);
    if let heurpipe_core::By::Producer(producer) = &mut in_trial.by {
        producer.name = "newer".to_owned();
        producer.shadow = true;
    }
    let mut shadowed = looking("shadowed", &[&[0.0, 1.0]]);
    shadowed.annotations.push(in_trial);

    let mut unsure = looking("unsure", &[&[1.0, 0.0]]);
    unsure.annotations[0].confidence = Some(0.4);

    let decide = |vector: &[f32]| {
        let (target, value) = (
            Target::Media("0".to_owned()),
            Value::Vector(vector.to_vec()),
        );
        Annotation::decided(target, "look", value, "ann", Timestamp::UNIX_EPOCH)
    };
    let mut decided = looking("decided", &[&[1.0, 0.0]]);
    decided.annotations.push(decide(&[-1.0, 0.0]));
    fill(&*index, &[shadowed, unsure, decided]).await?;
    let similar = index.similar(&look(&[1.0, 0.0])).await?;
    assert_eq!(short(&similar), [("shadowed", 0), ("decided", -100)]);
    Ok(())
}

async fn similar_forgets_what_was_replaced_or_removed(index: Arc<dyn SearchIndex>) -> Check {
    let records = [
        looking("changed", &[&[1.0, 0.0]]),
        looking("bare", &[&[1.0, 0.0]]),
        looking("gone", &[&[1.0, 0.0]]),
        looking("moved", &[&[1.0, 0.0]]),
        looking("kept", &[&[0.6, 0.8]]),
    ];
    fill(&*index, &records).await?;
    let mut changed = looking("changed", &[&[0.0, 1.0]]);
    let mut bare = record("bare", 2, "");
    let mut moved = looking("moved", &[&[0.8, 0.6]]);
    moved.post.published_at = Some("2026-02-01T00:00:00Z".parse()?);
    for record in [&mut changed, &mut bare, &mut moved] {
        record.revision = 2;
    }
    write(&*index, &[changed, bare, moved]).await?;
    index.remove(&[id("gone")]).await?;
    index.flush().await?;
    let similar = index.similar(&look(&[1.0, 0.0])).await?;
    assert_eq!(
        short(&similar),
        [("moved", 80), ("kept", 60), ("changed", 0)]
    );
    // What comes late and is older changes nothing.
    fill(&*index, &records[..2]).await?;
    let similar = index.similar(&look(&[1.0, 0.0])).await?;
    assert_eq!(
        short(&similar),
        [("moved", 80), ("kept", 60), ("changed", 0)]
    );
    Ok(())
}

async fn similar_breaks_ties_by_id(index: Arc<dyn SearchIndex>) -> Check {
    let natives = ["b", "10", "é", "2", "a", "B"];
    for native in natives {
        // One flush each, and the same direction each in another magnitude.
        let magnitude = native.len() as f32;
        fill(
            &*index,
            &[looking(native, &[&[0.3 * magnitude, 0.1 * magnitude]])],
        )
        .await?;
    }
    let similar = index.similar(&look(&[0.9, 0.3])).await?;
    let ids: Vec<&str> = similar.iter().map(|s| &*s.record.id().native).collect();
    assert_eq!(ids, ["10", "2", "B", "a", "b", "é"]);
    assert!(similar.iter().all(|s| s.score == 1.0));
    Ok(())
}

async fn similar_of_nothing_is_empty(index: Arc<dyn SearchIndex>) -> Check {
    assert_eq!(index.similar(&look(&[1.0])).await?, [], "an empty index");
    fill(&*index, &[record("1", 1, ""), looking("2", &[&[0.0], &[]])]).await?;
    assert_eq!(index.similar(&look(&[1.0])).await?, [], "no directions");
    fill(&*index, &[looking("3", &[&[1.0]])]).await?;
    let absent = SimilarRequest::new("absent", [1.0]);
    assert_eq!(
        index.similar(&absent).await?,
        [],
        "an attribute that nobody has"
    );
    assert_eq!(
        index.similar(&look(&[1.0; 700])).await?,
        [],
        "a length that nobody has"
    );
    finds(&*index, &[("id:*", &["1", "2", "3"])]).await
}

async fn similar_refuses_what_cannot_be_compared(index: Arc<dyn SearchIndex>) -> Check {
    fill(&*index, &[looking("1", &[&[1.0, 0.0]])]).await?;
    for wrong in [
        look(&[]),
        look(&[0.0, 0.0]),
        look(&[1.0, f32::NAN]),
        look(&[f32::INFINITY, 0.0]),
        SimilarRequest::new("", [1.0]),
        look(&[1.0, 0.0]).limit(0),
        look(&[1.0, 0.0]).limit(SimilarRequest::MOST + 1),
    ] {
        let error = index.similar(&wrong).await.err();
        assert_eq!(
            error.map(|e| e.kind()),
            Some(ErrorKind::InvalidInput),
            "{wrong:?}"
        );
    }
    Ok(())
}

async fn similar_stands_odd_names_and_magnitudes(index: Arc<dyn SearchIndex>) -> Check {
    let names = ["a.b*", "a.b", "a~b", "Ä b", "16_2_look", "x.y.z"];
    let mut records = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let mut record = record(&number.to_string(), 1, "");
        record.annotations.push(seen("0", name, &[1.0, 0.0]));
        records.push(record);
    }
    let (tiny, huge) = (f32::from_bits(1), f32::MAX);
    records.push(looking("tiny", &[&[tiny, 0.0]]));
    records.push(looking("huge", &[&[huge, huge]]));
    fill(&*index, &records).await?;
    for (number, name) in names.iter().enumerate() {
        let similar = index
            .similar(&SimilarRequest::new(*name, [1.0, 0.0]))
            .await?;
        assert_eq!(short(&similar), [(&*number.to_string(), 100)], "{name}");
    }
    for magnitude in [tiny, 1.0, huge] {
        let similar = index.similar(&look(&[magnitude, 0.0])).await?;
        assert_eq!(
            short(&similar),
            [("tiny", 100), ("huge", 71)],
            "{magnitude}"
        );
    }
    Ok(())
}

/// Numbers between -1 and 1.
fn random(dice: &mut Dice, length: usize) -> Vec<f32> {
    let number = |_| dice.below(2_001) as f32 / 1_000.0 - 1.0;
    (0..length).map(number).collect()
}

const LENGTH: usize = 24;

/// Records of every kind, with up to three pictures, some of which look like those of others.
fn gallery(dice: &mut Dice) -> Vec<Record> {
    let styles: Vec<Vec<f32>> = (0..12).map(|_| random(dice, LENGTH)).collect();
    let mut records = Vec::new();
    for number in 0..200 {
        let mut record = corpus::record(dice, number);
        record.revision = 1;
        for picture in 0..dice.below(4) {
            let style = dice.pick(&styles).clone();
            let noise = random(dice, LENGTH);
            let vector: Vec<f32> = style.iter().zip(noise).map(|(s, n)| s + 0.4 * n).collect();
            let annotation = seen(&format!("picture {picture}"), "look", &vector);
            record.annotations.push(annotation);
        }
        records.push(record);
    }
    records
}

/// What core finds nearest.
fn expected(records: &[Record], request: &SimilarRequest) -> Result<Vec<(PostId, f32)>, Failure> {
    let wanted = Direction::of(&request.vector).ok_or("no direction")?;
    let mut scored = Vec::new();
    for record in records {
        let vectors = record.effective_vectors();
        let of_attribute = vectors.get(&*request.attribute).into_iter().flatten();
        let matches = request.filter.matches(&Flat::of(record));
        if let Some(score) = wanted.nearest(of_attribute.copied()).filter(|_| matches) {
            scored.push((record.id().clone(), score));
        }
    }
    scored.sort_by(|(a, x), (b, y)| {
        y.total_cmp(x)
            .then_with(|| a.to_string().cmp(&b.to_string()))
    });
    scored.truncate(request.limit);
    Ok(scored)
}

async fn similar_agrees_with_brute_force(index: Arc<dyn SearchIndex>) -> Check {
    let mut dice = Dice::new(31);
    let mut records = gallery(&mut dice);
    for some in records.chunks(60) {
        fill(&*index, some).await?;
    }
    for (record, mut newer) in records.iter_mut().zip(gallery(&mut dice)) {
        if dice.once_in(3) {
            newer.post.id = record.post.id.clone();
            newer.revision = 2;
            *record = newer;
            write(&*index, std::slice::from_ref(record)).await?;
        }
    }
    index.flush().await?;
    let (mut asked, mut found_of_them, mut filtered) = (0, 0, 0);
    for number in 0..40 {
        let filter = match number % 4 {
            0 => Filter::All,
            _ => corpus::filter(&mut dice, 2),
        };
        filtered += usize::from(filter != Filter::All);
        let request = look(&random(&mut dice, LENGTH)).filter(filter).limit(10);
        let expected = expected(&records, &request)?;
        let similar = index.similar(&request).await?;
        let found: Vec<(PostId, f32)> = similar
            .iter()
            .map(|s| (s.record.id().clone(), s.score))
            .collect();
        if index.similarity() == Similarity::Exact {
            assert_eq!(found, expected, "{:?}", request.filter);
        }
        check_scores(&records, &request, &found)?;
        let wanted: BTreeSet<&PostId> = expected.iter().map(|(id, _)| id).collect();
        asked += wanted.len();
        found_of_them += found.iter().filter(|(id, _)| wanted.contains(id)).count();
    }
    assert!(
        asked > 100 && filtered > 20,
        "{asked} in {filtered} filters"
    );
    let recall = found_of_them as f64 / asked as f64;
    println!("recall of the nearest: {recall:.3} of {asked}");
    assert!(recall >= 0.95, "{recall}");
    Ok(())
}

/// Whatever is found matches, comes once, has its own score and stands in order.
fn check_scores(records: &[Record], request: &SimilarRequest, found: &[(PostId, f32)]) -> Check {
    let all = expected(records, &request.clone().limit(records.len()))?;
    let ids: BTreeSet<&PostId> = found.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), found.len(), "each once");
    for (id, score) in found {
        let own = all.iter().find(|(other, _)| other == id);
        let own = own.map(|(_, score)| *score).ok_or("it does not match")?;
        assert!((own - score).abs() < 1e-3, "{id}: {score} instead of {own}");
    }
    let in_order =
        found.is_sorted_by(|(a, x), (b, y)| x > y || (x == y && a.to_string() < b.to_string()));
    assert!(in_order, "{found:?}");
    Ok(())
}

async fn similar_is_refused_where_vectors_are_not_compared(index: Arc<dyn SearchIndex>) -> Check {
    assert_eq!(index.similarity(), Similarity::Unsupported);
    fill(&*index, &[looking("1", &[&[1.0, 0.0]])]).await?;
    let error = index.similar(&look(&[1.0, 0.0])).await.err();
    let error = error.ok_or("vectors are compared")?;
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let wrong = index.similar(&look(&[])).await.err();
    assert_eq!(wrong.map(|e| e.kind()), Some(ErrorKind::InvalidInput));
    Ok(())
}

async fn vectors_of_any_length_stop_no_record(index: Arc<dyn SearchIndex>) -> Check {
    let lengths = [1, 2, 127, 1_000, 4_096, 4_097, 8_192, 8_193, 20_000];
    let mut dice = Dice::new(32);
    let records: Vec<Record> = lengths
        .iter()
        .map(|length| looking(&length.to_string(), &[&random(&mut dice, *length)]))
        .collect();
    fill(&*index, &records).await?;
    let page = index.search(&SearchRequest::default()).await?;
    assert_eq!(page.total.value, lengths.len() as u64);
    for (length, record) in lengths.iter().zip(&records) {
        assert_eq!(index.get(record.id()).await?.as_ref(), Some(record));
        let vector = record.effective_vectors()["look"][0];
        match index.similar(&look(vector)).await {
            Ok(similar) => assert_eq!(short(&similar), [(&*length.to_string(), 100)]),
            // The sentence says which lengths there are.
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
        }
    }
    Ok(())
}
