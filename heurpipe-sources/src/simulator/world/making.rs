//! Makes authors and posts, in one pass over one generator.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::trends::{self, Moment};
use super::words::{
    self, BRANDS, COUNTRIES, LANGUAGES, PHRASES, PROVINCES, REGIONS, STORIES, TAGS,
};
use super::{Author, Fate, Medium, Network, Place, Post, Truth, WorldOptions};
use crate::simulator::ids;
use crate::simulator::render::{GarmentPicture, Pattern};

/// A little less than a day.
const DAY_S: i64 = 86_000;
/// Posts of the last day that even small worlds have.
const RECENT_AT_LEAST: usize = 12;
/// The Instagram account that is the caller's: the first of a person.
const CALLER: usize = 1;
/// Share of captions that tell a story: on Weibo they are cut in lists.
const LONG_CAPTIONS: f64 = 0.08;
/// Share of Weibo posts sent from elsewhere than the declared province.
const AWAY: f64 = 0.12;

/// Authors and posts (newest first) of a world.
pub(super) fn make(options: &WorldOptions) -> (Vec<Author>, Vec<Post>) {
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let span = span_s(options);
    let authors = authors(options, &mut rng);
    // One in a hundred is of the last day beside those that fall there anyway, so that "recent" is never empty and trends hardly see it.
    let recent = (options.posts / 100).max(RECENT_AT_LEAST.min(options.posts / 2));
    let mut published: Vec<Timestamp> = (0..options.posts)
        .map(|post| {
            moment(
                options.now,
                if post < recent { DAY_S } else { span },
                &mut rng,
            )
        })
        .collect();
    published.sort();
    let mut posts: Vec<Post> = Vec::with_capacity(options.posts);
    for (index, at) in published.into_iter().enumerate() {
        let made = post(options, &authors, &posts, index, at, &mut rng);
        posts.push(made);
    }
    posts.reverse();
    let last = posts.len().saturating_sub(1);
    for post in &mut posts {
        post.repost_of = post.repost_of.map(|index| last - index);
    }
    (authors, posts)
}

/// Brand accounts first, then people; about one author for forty posts.
fn authors(options: &WorldOptions, rng: &mut ChaCha8Rng) -> Vec<Author> {
    let each = (options.posts / 80).clamp(6, 400);
    let (firsts, lasts) = (
        [
            "sofia", "emma", "luca", "camille", "marta", "olivia", "giulia", "hugo", "leo", "ines",
        ],
        ["style", "looks", "wardrobe", "atelier", "moda", "closet"],
    );
    let (families, givens) = (
        ["王", "李", "张", "陈", "林", "周"],
        ["小雅", "梦瑶", "子涵", "思琪", "浩然", "若曦"],
    );
    let mut authors = Vec::new();
    for index in 0..each {
        let brand = (index % 4 == 0).then(|| &BRANDS[(index / 4) % BRANDS.len()]);
        let (country, language, cities) =
            COUNTRIES[(index + index / COUNTRIES.len()) % COUNTRIES.len()];
        let person = format!(
            "{}.{}{index}",
            firsts[index % firsts.len()],
            lasts[rng.random_range(0..lasts.len())]
        );
        let handle = brand.map_or(person, |(_, _, _, handle)| {
            format!(
                "{handle}.{}{}",
                country.to_lowercase(),
                if index < 4 * BRANDS.len() {
                    String::new()
                } else {
                    index.to_string()
                }
            )
        });
        authors.push(Author {
            network: Network::Instagram,
            id: match index {
                CALLER => ids::CALLER.to_owned(),
                _ => ids::graph_id(4, index as u64),
            },
            name: brand.map_or_else(
                || handle.replace('.', " "),
                |brand| format!("{} {country}", brand.1),
            ),
            handle,
            country,
            language,
            city: cities[rng.random_range(0..cities.len())],
            province: None,
            brand: brand.map(|brand| brand.0),
            followers: rng.random_range(900..4_000_000),
        });
    }
    for index in 0..each {
        let brand = (index % 5 == 0).then(|| &BRANDS[(index / 5 + 5) % BRANDS.len()]);
        let (province, code, city, latitude, longitude) = PROVINCES[index % PROVINCES.len()];
        let person = format!(
            "{}{}{index}",
            families[index % families.len()],
            givens[rng.random_range(0..givens.len())]
        );
        let name = brand.map_or(person, |brand| format!("{}官方微博{index}", brand.2));
        authors.push(Author {
            network: Network::Weibo,
            id: (1_600_000_000_u64 + index as u64 * 1_299_709).to_string(),
            handle: name.clone(),
            name,
            country: "CN",
            language: 4,
            city,
            province: Some((province, code, latitude, longitude)),
            brand: brand.map(|brand| brand.0),
            followers: rng.random_range(200..9_000_000),
        });
    }
    authors
}

/// The span that posts cover, in seconds.
fn span_s(options: &WorldOptions) -> i64 {
    i64::from(options.days.max(1)) * 86_400
}

/// A time within `reach` seconds before now.
fn moment(now: Timestamp, reach: i64, rng: &mut ChaCha8Rng) -> Timestamp {
    now.checked_sub(SignedDuration::from_secs(rng.random_range(60..reach)))
        .unwrap_or(now)
}

fn post(
    options: &WorldOptions,
    authors: &[Author],
    earlier: &[Post],
    index: usize,
    published: Timestamp,
    rng: &mut ChaCha8Rng,
) -> Post {
    let network = if rng.random_bool(0.6) {
        Network::Instagram
    } else {
        Network::Weibo
    };
    let half = authors.len() / 2;
    let author_index = rng.random_range(0..half) + if network == Network::Weibo { half } else { 0 };
    let author = &authors[author_index];
    let number = index as u64;
    let (native_id, id) = match network {
        Network::Instagram => (
            ids::instagram_pk(published.as_millisecond(), number),
            ids::graph_id(8, number),
        ),
        Network::Weibo => {
            let mid = ids::weibo_mid(published.as_second(), number);
            (mid, mid.to_string())
        }
    };
    let region = author.province.map(|(province, ..)| {
        if rng.random_bool(AWAY) {
            REGIONS[rng.random_range(0..REGIONS.len())]
        } else {
            province
        }
    });
    let repost_of = (network == Network::Weibo && rng.random_bool(0.06))
        .then(|| source_of_repost(authors, earlier, rng))
        .flatten();
    if let Some(origin) = repost_of {
        let original = &earlier[origin];
        let text = format!("转发微博 //@{}: 太好看了", authors[original.author].handle);
        let truth = Truth {
            brands: Vec::new(),
            language: "zh",
            country: author.country,
            published,
            ..original.truth.clone()
        };
        return Post {
            native_id,
            id,
            author: author_index,
            published,
            text,
            hashtags: Vec::new(),
            media: Vec::new(),
            likes: Some(rng.random_range(0..900)),
            comments: rng.random_range(0..50),
            repost_of,
            place: None,
            region,
            truth,
        };
    }

    let day = published.to_zoned(TimeZone::UTC).day_of_year();
    let progress =
        1.0 - (options.now.as_second() - published.as_second()) as f64 / span_s(options) as f64;
    let season = Moment::new(f64::from(day), progress);
    let copied = rng
        .random_bool(options.same_picture)
        .then(|| earlier.choose(rng))
        .flatten()
        .and_then(|post| post.media.first());
    let picture = copied.map_or_else(
        || {
            let mut picture = GarmentPicture::new(
                trends::cut(season, rng),
                trends::colour(season, author.country, rng),
                pattern(rng),
                rng.random(),
            );
            (picture.width, picture.height) = options.picture_size;
            picture
        },
        |medium| medium.picture,
    );
    let (text, hashtags, brands) = caption(author, network, &picture, rng);
    let place =
        author
            .province
            .filter(|_| rng.random_bool(0.3))
            .map(|(_, _, latitude, longitude)| Place {
                name: format!("{}·万象城", author.city),
                latitude: latitude + rng.random_range(-0.05..0.05),
                longitude: longitude + rng.random_range(-0.05..0.05),
            });
    let truth = Truth {
        garment: picture.cut,
        colour: picture.colour,
        pattern: picture.pattern,
        brands,
        language: LANGUAGES[author.language],
        country: author.country,
        published,
    };
    Post {
        native_id,
        id,
        author: author_index,
        published,
        text,
        hashtags,
        media: media(options, author, number, picture, rng),
        likes: (!rng.random_bool(0.04))
            .then(|| (author.followers as f64 * rng.random_range(0.001..0.05)) as u64),
        comments: rng.random_range(0..400),
        repost_of: None,
        place,
        region,
        truth,
    }
}

fn source_of_repost(authors: &[Author], earlier: &[Post], rng: &mut ChaCha8Rng) -> Option<usize> {
    let index = rng.random_range(0..earlier.len().max(1));
    let origin = earlier.get(index)?;
    (authors[origin.author].network == Network::Weibo && origin.repost_of.is_none())
        .then_some(index)
}

fn pattern(rng: &mut ChaCha8Rng) -> Pattern {
    if rng.random_bool(0.45) {
        Pattern::Solid
    } else {
        Pattern::ALL[rng.random_range(1..Pattern::ALL.len())]
    }
}

/// One picture, sometimes a carousel of up to four views of the same garment, rarely a video.
fn media(
    options: &WorldOptions,
    author: &Author,
    post: u64,
    first: GarmentPicture,
    rng: &mut ChaCha8Rng,
) -> Vec<Medium> {
    let count = if rng.random_bool(options.carousels) {
        rng.random_range(2..=4)
    } else {
        1
    };
    let video = count == 1 && author.network == Network::Instagram && rng.random_bool(0.03);
    (0..count)
        .map(|view| {
            let picture = GarmentPicture {
                seed: if view == 0 { first.seed } else { rng.random() },
                ..first
            };
            let chance: f64 = rng.random_range(0.0..1.0);
            let number = post * 4 + view;
            let key = match author.network {
                Network::Instagram => format!(
                    "{}_{}_{}_n",
                    400_000_000 + number * 37,
                    ids::graph_id(9, number),
                    1_000_000_000_000_000_000 + number * 7_907
                ),
                Network::Weibo => format!(
                    "{:08x}gy1{:021x}",
                    author.id.parse::<u64>().unwrap_or_default(),
                    number
                ),
            };
            let fate = match chance {
                c if c < options.gone => Fate::Gone,
                c if c < options.gone + options.truncated => Fate::Truncated,
                _ => Fate::Served,
            };
            Medium {
                key,
                graph_id: ids::graph_id(9, number),
                video,
                picture,
                fate,
            }
        })
        .collect()
}

/// Caption, hashtags in it, and brands named by it.
fn caption(
    author: &Author,
    network: Network,
    picture: &GarmentPicture,
    rng: &mut ChaCha8Rng,
) -> (String, Vec<String>, Vec<String>) {
    let language = author.language;
    let brand = BRANDS
        .iter()
        .find(|brand| Some(brand.0) == author.brand)
        .unwrap_or(&BRANDS[rng.random_range(0..BRANDS.len())]);
    let phrase = PHRASES[language][rng.random_range(0..5)];
    let spelling = match language {
        4 if rng.random_bool(0.6) => brand.2.to_owned(),
        4 => brand.1.to_owned(),
        _ if rng.random_bool(0.25) => format!("@{}", brand.3),
        _ => brand.1.to_owned(),
    };
    let story = if rng.random_bool(LONG_CAPTIONS) {
        STORIES[language]
    } else {
        ""
    };
    let mut text = format!("{phrase}{story}")
        .replace("{g}", words::garment(picture.cut, language))
        .replace("{c}", words::colour(picture.colour, language))
        .replace("{b}", &spelling)
        .replace("{p}", author.city);
    let mut named = phrase.contains("{b}") || story.contains("{b}");
    let mut tags: Vec<String> = TAGS[language]
        .choose_multiple(rng, 2)
        .map(|tag| (*tag).to_owned())
        .collect();
    if network == Network::Instagram && rng.random_bool(0.5) {
        tags.push(picture.cut.label().replace('-', ""));
    }
    if rng.random_bool(0.3) {
        named = true;
        tags.push(brand.3.to_owned());
    }
    let marks = tags.iter().map(|tag| {
        if network == Network::Weibo {
            format!("#{tag}#")
        } else {
            format!("#{tag}")
        }
    });
    text = format!("{text} {}", marks.collect::<Vec<_>>().join(" "));
    (
        text,
        tags,
        if named {
            vec![brand.0.to_owned()]
        } else {
            Vec::new()
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::render::Colour;

    #[test]
    fn a_world_has_as_many_posts_as_asked_and_distinct_ids() {
        let (authors, posts) = make(&WorldOptions::new(3, 500));
        let ids: std::collections::HashSet<_> = posts
            .iter()
            .map(|post| (authors[post.author].network, post.native_id))
            .collect();
        assert_eq!(ids.len(), 500);
        assert!(posts.iter().any(|post| post.truth.colour == Colour::Yellow));
    }
}
