//! Columns such as `hashtags/0` and `childPosts/1/displayUrl`, gathered into the lists and objects that they were.

use std::collections::BTreeMap;

use serde_json::Value;

/// An object whose keys are paths, as the nested value. Empty cells are absent. What has no such keys stays as it is.
pub(super) fn gathered(row: Value) -> Value {
    let Value::Object(cells) = row else {
        return row;
    };
    let mut tree = BTreeMap::new();
    for (path, cell) in cells {
        if cell != Value::from("") {
            insert(&mut tree, &path, cell);
        }
    }
    nested(tree)
}

enum Branch {
    Leaf(Value),
    Tree(BTreeMap<String, Branch>),
}

fn insert(tree: &mut BTreeMap<String, Branch>, path: &str, cell: Value) {
    let Some((key, rest)) = path.split_once('/') else {
        tree.insert(path.to_owned(), Branch::Leaf(cell));
        return;
    };
    let below = tree
        .entry(key.to_owned())
        .or_insert_with(|| Branch::Tree(BTreeMap::new()));
    // A column that stands for the whole wins over those of its parts.
    if let Branch::Tree(below) = below {
        insert(below, rest, cell);
    }
}

fn nested(tree: BTreeMap<String, Branch>) -> Value {
    let value = |branch| match branch {
        Branch::Leaf(cell) => cell,
        Branch::Tree(below) => nested(below),
    };
    let numbers: Option<Vec<u32>> = tree.keys().map(|key| key.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() => {
            let mut numbered: Vec<_> = numbers.into_iter().zip(tree.into_values()).collect();
            numbered.sort_by_key(|(number, _)| *number);
            numbered
                .into_iter()
                .map(|(_, branch)| value(branch))
                .collect()
        }
        _ => {
            let members = tree.into_iter().map(|(key, branch)| (key, value(branch)));
            Value::Object(members.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn columns_become_lists_in_the_order_of_their_numbers() {
        let row = json!({
            "caption": "x", "alt": "",
            "hashtags/0": "a", "hashtags/10": "c", "hashtags/2": "b", "hashtags/11": "",
            "childPosts/0/displayUrl": "u", "childPosts/0/images/0": "i", "childPosts/1/displayUrl": "v",
        });
        let expected = json!({
            "caption": "x", "hashtags": ["a", "b", "c"],
            "childPosts": [{"displayUrl": "u", "images": ["i"]}, {"displayUrl": "v"}],
        });
        assert_eq!(gathered(row), expected);
    }

    #[test]
    fn nested_values_stay() {
        let post = json!({"images": ["a", "b"], "childPosts": [{"id": "1"}], "likesCount": 3});
        assert_eq!(gathered(post.clone()), post);
    }
}
