//! Topics and mentions within texts.

use crate::words::{Distinct, names};

/// The topics of a Weibo text (`#…#`), without `#` and without the mark of a super topic, in order of appearance, each once.
pub(crate) fn topics(text: &str) -> Vec<String> {
    let mut topics = Distinct::default();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('#') {
        let Some((topic, next)) = after.split_once('#') else {
            break;
        };
        let name = topic.strip_suffix("[超话]").unwrap_or(topic).trim();
        // A topic stands on one line and is short; else the two signs do not belong together.
        if name.is_empty() || name.contains('\n') || name.chars().count() > 100 {
            rest = after;
        } else {
            topics.add(name);
            rest = next;
        }
    }
    topics.list
}

/// The names that a Weibo text mentions, without `@`, in order of appearance, each once.
pub(crate) fn mentions(text: &str) -> Vec<String> {
    names(text, |c| c.is_alphanumeric() || c == '_' || c == '-')
        .map(str::to_owned)
        .collect::<Distinct>()
        .list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_closed_by_a_second_sign() {
        assert_eq!(
            topics("#春夏穿搭# 今天 #miu miu[超话]# 100# 好"),
            ["春夏穿搭", "miu miu"]
        );
        assert_eq!(topics("#只有一个"), [""; 0]);
        assert_eq!(topics("##"), [""; 0]);
    }

    #[test]
    fn mentions_stand_within_han_text() {
        assert_eq!(
            mentions("和@时尚-芭莎 一起，转发@小红:好 me@mail.com"),
            ["时尚-芭莎", "小红"]
        );
    }
}
