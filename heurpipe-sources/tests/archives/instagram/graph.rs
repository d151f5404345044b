//! Saved answers of the Graph API.

use heurpipe_core::{MediaKind, Platform};
use heurpipe_sources::archive::Archive;

use super::{handle, media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read, sample};

const FORMAT: &str = "instagram_graph";

#[tokio::test]
async fn answers_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT), FORMAT).await;
    assert_eq!(posts.len(), 5);
    assert_lossless(&posts);
    let look = post(&posts, "3123724930722523505");
    assert_eq!(
        look.aliases[0].to_string(),
        "instagram:graph:17880997618081620"
    );
    assert_eq!(look.author, None, "hashtags never say who");
    assert_eq!(
        media(look),
        [
            ("x_n.jpg", MediaKind::Image),
            ("y.mp4", MediaKind::Video),
            ("y_n.jpg", MediaKind::Thumbnail),
        ]
    );
    assert!(
        !format!("{posts:?}").contains("EAAsecret"),
        "the address of the next page is not kept"
    );

    let suit = post(&posts, "3167848955741221059");
    let author = suit.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("atelier.nord"));
    assert_eq!(author.id.as_deref(), Some("graph:17841401441775531"));
    assert_eq!(author.followers, Some(4096));
    let account = suit.raw["instagram_graph.account"].as_str();
    assert!(
        account.contains("Tailors.") && !account.contains("Linen"),
        "{account}"
    );

    let mention = post(&posts, "graph:17873440459141021");
    assert_eq!(mention.mentions, ["brand"]);
    assert_eq!(handle(post(&posts, "3149539678684708864")), Some("nils.ek"));
    assert_eq!(handle(post(&posts, "3149544146541482049")), Some("nils.ek"));

    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0].reason, "it has no id");
    assert!(unreadable[0].place.ends_with("recent_media.json:data[1]"));
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}

#[tokio::test]
async fn recorded_answers_are_read() {
    let Some(folder) = sample("instagram-graph") else {
        return;
    };
    for (name, id) in [
        ("media-carousel.json", "123456789777"),
        ("media-image.json", "123456789777"),
        ("mentioned-media.json", "graph:17873440459141021"),
    ] {
        let (posts, unreadable) = read(folder.join(name), FORMAT).await;
        let ids: Vec<_> = posts.iter().map(|post| &*post.id.native).collect();
        assert_eq!(ids, [id], "{name}");
        assert!(unreadable.is_empty(), "{name}: {unreadable:?}");
        assert_lossless(&posts);
    }
    for (name, why) in [
        ("comment.json", "a comment"),
        ("container.json", "an upload that is not published"),
        ("ig_login_exception.json", "a refusal"),
        (
            "igmedia-cci.json",
            "what a check said of a medium, and nothing of the medium",
        ),
        ("user.json", "an account"),
        ("wh-comments-2021.json", "a webhook's word of a comment"),
        ("wh-mentions.json", "a webhook's word of a mention"),
    ] {
        assert!(Archive::open(folder.join(name)).is_err(), "{name} is {why}");
    }
    let (posts, _) = read(&folder, FORMAT).await;
    assert_eq!(posts.len(), 3);
}
