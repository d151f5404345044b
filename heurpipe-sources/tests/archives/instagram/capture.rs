//! Captures of pages, of all ages.

use heurpipe_core::{CountryBy, MediaKind, Platform};
use heurpipe_sources::archive::Archive;

use super::{handle, media};
use crate::support::{assert_conforms, assert_lossless, fixture, found, post, read, sample};

const FORMAT: &str = "instagram_capture";

#[tokio::test]
async fn nodes_of_the_web_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT).join("hashtag.json"), FORMAT).await;
    assert_eq!(posts.len(), 3);
    assert_lossless(&posts);

    let coat = post(&posts, "3123724930722523505");
    assert_eq!(
        coat.permalink.as_deref(),
        Some("https://www.instagram.com/p/CtZs0Y3v2lx/")
    );
    assert_eq!(coat.hashtags, ["Streetwear", "ootd"]);
    assert_eq!(coat.mentions, ["vinter.studio"]);
    assert_eq!(
        coat.published_at,
        Some("2023-06-12T19:20:02Z".parse().unwrap())
    );
    assert_eq!(coat.counts.likes, None, "hidden is not a number");
    assert_eq!(coat.counts.comments, Some(7));
    let author = coat.author.as_ref().unwrap();
    assert_eq!(
        (author.id.as_deref(), handle(coat)),
        (Some("50955534"), None)
    );
    let place = coat.places.tagged.as_ref().unwrap();
    assert_eq!(place.name, "Malmö, Sweden");
    assert_eq!(place.country.as_deref(), Some("SE"));
    assert_eq!(media(coat), [("353_n.jpg", MediaKind::Image)]);
    let picture = &coat.media[0];
    assert_eq!((picture.width, picture.height), (Some(1080), Some(1350)));
    assert_eq!(picture.url_expires_at.unwrap().as_second(), 0x6650_F00D);
    assert_eq!(
        picture.alt_text.as_deref(),
        Some("Photo by Mara Lind. A person in a red coat.")
    );
    let raw = coat.raw[FORMAT].as_str();
    assert!(
        raw.starts_with('{') && raw.contains("\"thumbnail_resources\""),
        "{raw}"
    );
    assert!(!raw.contains("GraphVideo"), "the node alone is kept");

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(
        walk.permalink.as_deref(),
        Some("https://www.instagram.com/reel/Cu1aaaaAAAA/")
    );
    assert_eq!(
        media(walk),
        [
            ("walk.mp4", MediaKind::Video),
            ("cover_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(
        (walk.counts.likes, walk.counts.views),
        (Some(26), Some(912))
    );
    let author = walk.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("nils.ek"));
    assert_eq!(author.followers, Some(4096));
    assert_eq!(author.verified, Some(true));

    let album = post(&posts, "3149544146541482049");
    assert_eq!(
        media(album),
        [
            ("a_n.jpg", MediaKind::Image),
            ("b.mp4", MediaKind::Video),
            ("b_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(album.counts.comments, Some(6));

    assert_eq!(unreadable.len(), 1);
    assert_eq!(
        unreadable[0].reason,
        "it has neither a number nor a shortcode"
    );
    let place = "hashtag.json:data.hashtag.edge_hashtag_to_media.edges[3].node";
    assert!(
        unreadable[0].place.ends_with(place),
        "{}",
        unreadable[0].place
    );
}

#[tokio::test]
async fn older_pages_become_posts() {
    let (posts, _) = read(fixture(FORMAT), FORMAT).await;
    let knit = post(&posts, "1369793137426237681");
    assert_eq!(knit.text, "Autumn knit #wool");
    assert_eq!(handle(knit), Some("mara.lind"));
    assert_eq!(
        media(knit),
        [
            ("14_n.mp4", MediaKind::Video),
            ("14_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(knit.media[1].width, Some(640), "the largest is taken");
    assert_eq!(knit.published_at.unwrap().as_second(), 1_477_512_088);
    assert_eq!(knit.places.tagged.as_ref().unwrap().name, "Helsingborg");

    let market = post(&posts, "1506288764647899136");
    assert_eq!(market.hashtags, ["denim"]);
    assert_eq!(market.counts.likes, Some(12));
    let place = market.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.name.as_str(), place.latitude),
        ("Lund, Sweden", Some(55.7047)),
        "the page of a place tells of its posts"
    );
    assert!(
        market.raw["instagram_capture.location"]
            .as_str()
            .contains("lund-sweden")
    );

    let jeans = post(&posts, "1506293232504672321");
    let author = jeans.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("mara.lind"));
    assert_eq!(author.followers, Some(1200));
    let page = jeans.raw["instagram_capture.user"].as_str();
    assert!(
        page.contains("\"followed_by\"") && !page.contains("\"nodes\""),
        "{page}"
    );
    assert!(!page.contains("mara@example.org"), "contacts are not kept");
}

#[tokio::test]
async fn newer_pages_and_stories_become_posts() {
    let (posts, _) = read(fixture(FORMAT), FORMAT).await;
    let suit = post(&posts, "3167848955741221059");
    let place = suit.places.tagged.as_ref().unwrap();
    assert_eq!(place.name, "Atelier Nord");
    assert_eq!(
        (place.country.as_deref(), place.country_by),
        (Some("SE"), Some(CountryBy::Code))
    );
    let related = post(&posts, "3167853423597994244");
    assert_eq!(
        handle(related),
        Some("atelier.nord"),
        "shown among the owner's posts"
    );

    let story = post(&posts, "3152268741822709760");
    assert_eq!(
        media(story),
        [
            ("large.mp4", MediaKind::Video),
            ("story_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(story.permalink, None);
}

#[tokio::test]
async fn media_of_the_private_api_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT), FORMAT).await;
    let cord = post(&posts, "3171825996323215639");
    assert_eq!(cord.text, "Corduroy, three ways #cord");
    assert_eq!(handle(cord), Some("ida_holm"));
    assert_eq!(cord.counts.likes, None, "the owner hides them");
    assert_eq!(cord.counts.comments, Some(2));
    assert_eq!(
        media(cord),
        [
            ("c1_n.jpg", MediaKind::Image),
            ("c2.mp4", MediaKind::Video),
            ("c2_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(cord.media[0].width, Some(1080));
    let place = cord.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.latitude, place.longitude),
        (Some(55.7031), Some(13.1953))
    );
    assert_eq!(place.country.as_deref(), Some("SE"), "told by the city");
    let raw = cord.raw[FORMAT].as_str();
    for contact in [
        "ida@example.org",
        "+4600000",
        "Lilla gatan",
        "22222",
        "55.7,",
    ] {
        assert!(!raw.contains(contact), "{contact} is kept");
    }
    assert!(
        raw.contains("Mårtenstorget 1"),
        "the tagged place's address is no contact"
    );

    let reel = post(&posts, "3171825996323215724");
    assert_eq!(
        reel.permalink.as_deref(),
        Some("https://www.instagram.com/reel/CwElvBIMdls/")
    );
    assert_eq!(
        (reel.counts.likes, reel.counts.views),
        (Some(77), Some(1500))
    );
    let place = reel.places.tagged.as_ref().unwrap();
    assert_eq!(
        place.latitude,
        Some(55.6798),
        "the medium's own coordinates"
    );
    assert_eq!(post(&posts, "3171825996323215725").text, "One more");

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "it has neither a number nor a shortcode",
            "it has neither a number nor a shortcode",
            "it holds neither a post nor a list of them",
        ],
        "the empty last page is no failure"
    );
}

#[tokio::test]
async fn contacts_stay_where_they_are_wanted() {
    let archive = Archive::builder(fixture(FORMAT).join("private_api.json"))
        .keep_contacts(true)
        .build()
        .unwrap();
    let items = crate::support::items(&archive).await;
    let kept = format!("{items:?}");
    assert!(kept.contains("ida@example.org"), "{kept}");
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}

#[tokio::test]
async fn recorded_pages_are_read() {
    let Some(folder) = sample("instagram-graphql") else {
        return;
    };
    for (name, ids) in [
        ("response_explore_location.json", &["1", "2"][..]),
        ("response_explore_tags.json", &["1", "2"]),
        ("response_first_page.json", &["1369793132326237681"; 2]),
        ("response_query_hashtag_first_page.json", &["1", "2", "3"]),
        ("response_query_hashtag_second_page.json", &["4", "3"]),
        ("response_second_page.json", &["1369793132326237681"]),
        ("response_view_media_video.json", &["1"]),
    ] {
        let (posts, unreadable) = read(folder.join(name), FORMAT).await;
        let read: Vec<_> = posts.iter().map(|post| &*post.id.native).collect();
        assert_eq!(read, ids, "{name}");
        assert!(unreadable.is_empty(), "{name}: {unreadable:?}");
        assert_lossless(&posts);
    }
    // A profile whose list of posts is empty: there is nothing to tell it by, and nothing to read.
    let error = Archive::open(folder.join("response_user_metadata.json")).unwrap_err();
    assert!(error.to_string().contains("no known archive"), "{error}");

    let archive = Archive::open(&folder).unwrap();
    assert_eq!(found(&archive), FORMAT);
    let (posts, _) = read(&folder, FORMAT).await;
    assert_eq!(posts.len(), 13);
    let video = posts.last().unwrap();
    assert_eq!(handle(video), Some("username"));
    assert_eq!(
        media(video),
        [
            ("video.mp4", MediaKind::Video),
            ("photo.jpg", MediaKind::Thumbnail)
        ]
    );
    let on_place = &posts[0];
    assert_eq!(on_place.places.tagged.as_ref().unwrap().name, "instagram");
}
