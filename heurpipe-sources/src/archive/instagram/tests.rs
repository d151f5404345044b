#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::super::container::Container;
use super::super::detect;
use super::super::looks::Looks;

/// Files that lie in fixtures beside the posts.
const BESIDE: [&str; 5] = [
    "liked_posts.json",
    "personal_information.json",
    "post_comments_1.json",
    "profile.json",
    "profile_photos.json",
];

#[test]
fn every_fixture_is_of_exactly_one_format() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives");
    let all = detect::formats();
    for own in super::formats() {
        let container = Container::open(&root.join(own.name())).unwrap();
        let mut claimed = 0;
        for entry in container.entries() {
            let looks = Looks::of(&container, entry).unwrap();
            let claiming: Vec<_> = all
                .iter()
                .filter(|format| format.layout(&looks).is_some())
                .map(|format| format.name())
                .collect();
            let is_beside = BESIDE.contains(&entry.file_name())
                || !matches!(looks, Looks::Json(..) | Looks::Csv(_));
            let is_beside = is_beside || entry.extension() == "txt";
            let expected: &[&str] = if is_beside { &[] } else { &[own.name()] };
            assert_eq!(claiming, expected, "{}/{}", own.name(), entry.name);
            claimed += claiming.len();
        }
        assert!(claimed > 0, "{} has no fixture", own.name());
    }
}
