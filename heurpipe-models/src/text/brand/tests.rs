#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use heurpipe_core::{Batch, Enricher, ErrorKind, Item, Post, Record, Target, Value};

use super::Brands;

fn post(platform: &str, text: &str) -> Post {
    let id = format!("{platform}:1").parse().unwrap();
    let mut post = Post::new(id, jiff::Timestamp::UNIX_EPOCH);
    post.text = text.to_owned();
    post
}

fn named(platform: &str, text: &str) -> String {
    let brands = Brands::shipped().unwrap();
    let found = brands.find(&post(platform, text));
    let names: Vec<_> = found.into_iter().map(|found| found.brand).collect();
    names.join(", ")
}

#[test]
fn captions_name_these_brands() {
    let captions = [
        ("New in from Zara and H&M", "h&m, zara"),
        ("ZARA haul", "zara"),
        ("gucci's new bag", "gucci"),
        ("Levi’s 501, LEVI'S jacket", "levi's"),
        ("Hermès, hermes, HERME\u{300}S", "hermès"),
        ("Miu Miu or MIUMIU or miu-miu", "miu miu"),
        ("dolce & gabbana / D&G", "dolce & gabbana"),
        ("Ralph Lauren polo shirt", "ralph lauren"),
        ("今天穿的是古驰的红色连衣裙，配香奈儿包包", "chanel, gucci"),
        ("穿Gucci的裙子", "gucci"),
        ("#gucci #MiuMiu", "gucci, miu miu"),
        ("#guccibag #pradashoes", "gucci, prada"),
        ("#hm #levis", "h&m, levi's"),
        (
            "@zara @gucci.fr @zara_official @chanelofficial",
            "chanel, gucci, zara",
        ),
        ("thank you Mango for this skirt", "mango"),
        (
            "Je suis amoureuse de ce look Mango : jupe en rouge",
            "mango",
        ),
        ("Mango新款T恤到货啦", "mango"),
        ("这件外套怎么样？Mango的白色系列我都想要", "mango"),
        ("my COS coat and COACH bag", "coach, cos"),
        ("#mango #ootd", "mango"),
        ("@mango", "mango"),
    ];
    for (caption, brands) in captions {
        assert_eq!(named("instagram", caption), brands, "{caption}");
    }
    assert_eq!(
        named("weibo", "#李宁#新款 @古驰官方微博 好看 #优衣库 联名#"),
        "gucci, li-ning, uniqlo"
    );
}

#[test]
fn captions_that_name_no_brand() {
    let captions = [
        "",
        "Mango smoothie after buying a dress",
        "I had a Mango smoothie in my new dress",
        "a mango dress code",
        "Guess who bought a new coat",
        "I guess this coat is fine",
        "my coach says nice shoes",
        "MIND THE GAP IN MY NEW COAT",
        "the gap between my jeans and boots",
        "Next week: new jeans",
        "this satin lining is the best thing about the coat",
        "an off-white dress",
        "the row of shoes",
        "tiramisu in a zaragoza bar",
        "guccio wears shoes",
        "pradas",
        "unchanel_ed",
        "@gucci_fan_club_91 @notzara",
        "#ilovegucciforever",
        "https://www.zara.com/gucci",
        "someone@zara.com",
        "dance to the kappa rhythm in my shoes",
        "这块地毯例外，鞋子飞跃",
        "ami et mode, mon ami",
        "#mango smoothie",
        "chocolate, a descent, sketches of shoes",
    ];
    for caption in captions {
        assert_eq!(named("instagram", caption), "", "{caption}");
    }
}

#[test]
fn what_stands_beside_an_ambiguous_spelling_tells() {
    let captions = [
        ("coach bag, the tabby", "coach"),
        ("Coach Swinger bag in black leather", "coach"),
        ("Gap's red hoodie", "gap"),
        ("my jeans from gap", "gap"),
        ("nueva camisa blanca de Mango", "mango"),
        ("borsa Guess", "guess"),
        ("watch: Fossil", "fossil"),
        ("Patagonia fleece", "patagonia"),
        ("a jacket for Patagonia", ""),
        ("Nike x Champion", "champion, nike"),
        ("Nike, then champion", "nike"),
        ("shirt from Next", "next"),
        ("my next shirt", ""),
        ("Der Mango war reif, das Kleid ist neu", ""),
        ("Das Kleid ist von Mango", "mango"),
        ("骆驼冲锋衣", "camel"),
        ("骆驼走了，我穿冲锋衣", ""),
        ("李宁的跑鞋", "li-ning"),
        ("李宁老师的跑鞋", ""),
    ];
    for (caption, brands) in captions {
        assert_eq!(named("instagram", caption), brands, "{caption}");
    }
}

#[test]
fn handles_may_have_something_added() {
    for (handle, brand) in [
        ("@nikewomen", "nike"),
        ("@uniqlo_usa", "uniqlo"),
        ("@TODS官方微博", "tod's"),
        ("@gucci粉丝", ""),
        ("@womenofnike", ""),
    ] {
        assert_eq!(named("weibo", handle), brand, "{handle}");
    }
}

#[test]
fn confidence_says_how_plain_the_name_is() {
    let brands = Brands::shipped().unwrap();
    let sure = |text: &str| brands.find(&post("instagram", text))[0].confidence;
    assert_eq!(sure("#mango"), 0.6);
    assert_eq!(sure("this Mango skirt"), 0.8);
    assert_eq!(sure("a skirt, I think it is Mango"), 0.7);
    assert_eq!(sure("balenciga"), 0.75);
    assert_eq!(sure("#mango #ootd"), 0.8);
    assert_eq!(sure("#guccibag"), 0.85);
    assert_eq!(sure("@gucci.fr"), 0.9);
    assert_eq!(sure("gucci"), 0.95);
    // The plainest mention counts.
    assert_eq!(sure("#guccibag @gucci.fr gucci"), 0.95);
}

#[test]
fn hashtags_and_mentions_that_the_source_tells_apart_count_too() {
    let mut tagged = post("instagram", "no text");
    tagged.hashtags = vec!["Gucci".into()];
    tagged.mentions = vec!["prada".into()];
    let brands = Brands::shipped().unwrap();
    let found: Vec<_> = brands.find(&tagged).into_iter().map(|f| f.brand).collect();
    assert_eq!(found, ["gucci", "prada"]);
}

#[test]
fn a_list_of_ones_own_changes_the_fingerprint() {
    let own =
        Brands::parse("[[brand]]\nname = \"Tiny Label\"\naliases = [\"tiny label\"]").unwrap();
    let found = own.find(&post("instagram", "TINY  label! gucci"));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].brand, "tiny label");
    assert_ne!(
        own.spec().fingerprint,
        Brands::shipped().unwrap().spec().fingerprint
    );
}

#[test]
fn lists_that_are_wrong_are_refused() {
    for wrong in [
        "brand = 1",
        "[[brand]]\nalias = [\"x\"]",
        "[[brand]]\nname = \"x\"\naliases = [\"!\"]",
    ] {
        assert_eq!(
            Brands::parse(wrong).unwrap_err().kind(),
            ErrorKind::Config,
            "{wrong}"
        );
    }
    let missing = Brands::load("no/such/file.toml").unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[test]
fn the_shipped_list_is_sound() {
    let brands = Brands::shipped().unwrap();
    assert!(brands.len() >= 300, "{}", brands.len());
    let mut names = brands.lexicon.names.clone();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), brands.len(), "a name comes twice");
}

#[tokio::test]
async fn an_item_gives_a_finding_for_each_brand() {
    let record = Record::new(post("instagram", "gucci and prada"));
    let batch = Batch::new(vec![Item::new(Arc::new(record), Target::Post)]);
    let enriched = Brands::shipped().unwrap().enrich(&batch).await.unwrap();
    let findings = enriched.outcomes[0].as_ref().unwrap();
    let labels: Vec<_> = findings.iter().map(|f| f.value.clone()).collect();
    assert_eq!(
        labels,
        [Value::Label("gucci".into()), Value::Label("prada".into())]
    );
}
