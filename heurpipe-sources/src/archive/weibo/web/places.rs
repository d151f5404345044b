//! The three claims of a status about where it is from.

use heurpipe_core::Places;
use serde_json::Value;

use super::super::parts;
use super::status::Status;
use crate::place;

pub(super) fn places(status: &Status) -> Places {
    let mut places = Places::default();
    let declared = status.user.as_ref().and_then(|u| u.location.as_deref());
    places.declared = declared.and_then(place::claimed);
    places.ip_region = status.region_name.as_deref().and_then(place::claimed);
    places.tagged = parts::tagged(&status.geo, tagged_name(status));
    places
}

/// The name of the place tagged: in the card below the post, or among the tags below the text.
fn tagged_name(status: &Status) -> Option<&str> {
    let card = &status.page_info;
    let is_place =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str) == Some("place");
    let of_card = (is_place(card, "type") || is_place(card, "object_type"))
        .then(|| text(card, "page_title"))
        .flatten();
    of_card.or_else(|| {
        let tags = status.tag_struct.as_array()?;
        let place = tags
            .iter()
            .find(|tag| is_place(tag, "otype") || is_place(tag, "bd_object_type"))?;
        text(place, "tag_name")
    })
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    let text = value.get(key)?.as_str()?.trim();
    (!text.is_empty()).then_some(text)
}
