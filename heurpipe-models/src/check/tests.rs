#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::shipped;

fn picture(path: &Path, shade: u8) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    image::RgbImage::from_pixel(20, 20, image::Rgb([shade, shade / 2, 9]))
        .save(path)
        .unwrap();
}

#[test]
fn labels_are_compared_without_case_space_or_hyphen() {
    let labels = ["t-shirt".to_owned(), "zigzag".to_owned()];
    assert_eq!(index_of(&labels, "T-Shirt"), Some(0));
    assert_eq!(index_of(&labels, "zig zag"), Some(1));
    assert_eq!(index_of(&labels, "shirt"), None);
}

#[test]
fn the_split_rule_is_that_of_the_recipe() {
    // sha256("0") begins with 5fec, sha256("7") with 7902.
    assert!(!in_holdout(b"0"));
    assert!(!in_holdout(b"7"));
    let held = (0..10_000u32)
        .filter(|n| in_holdout(&n.to_le_bytes()))
        .count();
    assert!((1400..1600).contains(&held), "{held}");
    let first = (0u32..)
        .find(|n| in_holdout(n.to_string().as_bytes()))
        .unwrap();
    let digest = hex::encode(Sha256::digest(first.to_string()));
    assert!(
        u32::from_str_radix(&digest[..8], 16).unwrap() < 0x2666_6666,
        "{digest}"
    );
}

#[tokio::test]
async fn a_csv_folder_counts_what_it_leaves_out() {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("images/a.png"), 200);
    picture(&folder.path().join("b.png"), 40);
    fs::write(folder.path().join("images/broken.jpg"), b"no jpeg").unwrap();
    fs::write(
        folder.path().join("labels.csv"),
        "image,label,kids\na,T-Shirt,False\nb.png,dress,True\nbroken,hat,False\ngone,hat,False\na,Polo,False\n",
    )
    .unwrap();
    let report = check(
        &shipped::garment().unwrap(),
        folder.path(),
        &CheckOptions::default(),
    )
    .await
    .unwrap();
    assert_eq!(report.pictures, 2);
    assert_eq!(report.unknown_labels.get("Polo"), Some(&1));
    assert_eq!(report.unreadable.len(), 2);
    assert!(
        report
            .unreadable
            .iter()
            .any(|u| u.reason.contains("text, not a picture"))
    );
    assert_eq!(report.classes[0].pictures, 1);
    assert_eq!(report.confusion.iter().flatten().sum::<usize>(), 2);
    assert_eq!(report.mistakes.len(), 2 - report.right);
    assert!(
        report
            .mistakes
            .iter()
            .all(|m| m.is != m.said && m.path.exists())
    );
    assert_eq!(report.peak_memory.is_some(), cfg!(target_os = "linux"));
    let text = report.to_string();
    assert!(
        text.contains("Polo 1") && text.contains("is \\ said"),
        "{text}"
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["pictures"], 2);
}

#[tokio::test]
async fn a_folder_per_label_works_too() {
    let folder = tempfile::tempdir().unwrap();
    picture(&folder.path().join("zig zag/a.png"), 10);
    picture(&folder.path().join("solid/b.png"), 250);
    let pattern = shipped::pattern().unwrap();
    let report = check(&pattern, folder.path(), &CheckOptions::default())
        .await
        .unwrap();
    assert_eq!(report.pictures, 2);
    let recall = report
        .classes
        .iter()
        .find(|c| c.label == "solid")
        .unwrap()
        .recall;
    assert_eq!(recall, Some(1.0), "a plain colour is solid");

    let held = check(
        &pattern,
        folder.path(),
        &CheckOptions::default().holdout_only(true),
    )
    .await;
    let in_holdout = ["zig zag/a.png", "solid/b.png"]
        .iter()
        .filter(|name| in_holdout(&fs::read(folder.path().join(name)).unwrap()))
        .count();
    assert_eq!(held.map_or(0, |report| report.pictures), in_holdout);
}

#[tokio::test]
async fn a_folder_without_labels_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let garment = shipped::garment().unwrap();
    let error = check(&garment, folder.path(), &CheckOptions::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("labels.csv"), "{error}");
    fs::write(folder.path().join("labels.csv"), "file,label\n").unwrap();
    let error = check(&garment, folder.path(), &CheckOptions::default())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("column=image"), "{error}");
}
