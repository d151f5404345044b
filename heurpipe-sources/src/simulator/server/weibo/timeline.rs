//! Pages of posts with the envelope around them.

use serde_json::{Value, json};

use super::{Parameters, Refusal, Service, objects};
use crate::simulator::world::Post;

/// How many posts a page of a call has.
#[derive(Debug, Clone, Copy)]
pub(super) struct PageSizes {
    pub(super) default: usize,
    pub(super) most: usize,
}

/// A page of the given posts, newest first: `page` or `max_id` (inclusive) says where it begins, `since_id` (exclusive) where the posts end.
///
/// Rows inside it are in no order, and hidden ones are left out after counting: so the cursor lies below the smallest id that is shown.
pub(super) fn timeline(
    service: &Service,
    query: &Parameters,
    sizes: PageSizes,
    positions: &[usize],
) -> Result<Value, Refusal> {
    let number = |name: &str| number(query, name);
    let count = number("count")?
        .map_or(sizes.default, |count| count as usize)
        .clamp(1, sizes.most);
    let world = &service.world;
    // Newer posts have larger ids, so both bounds are found by bisection.
    let id = |position: &usize| world.at(*position).native_id;
    let first = number("max_id")?.map_or(0, |max| positions.partition_point(|post| id(post) > max));
    let end = number("since_id")?.map_or(positions.len(), |since| {
        positions.partition_point(|post| id(post) > since)
    });
    let within = positions.get(first..end).unwrap_or_default();
    let total = within.len();
    let page = number("page")?.unwrap_or(1) as usize;
    let from = (page - 1).saturating_mul(count).min(total);
    let to = (from + count).min(total);
    let counted = &within[from..to];
    let next = match counted.last() {
        Some(smallest) if to < total => id(smallest) - 1,
        _ => 0,
    };
    let mut shown: Vec<&Post> = counted.iter().map(|position| world.at(*position)).collect();
    shown.retain(|post| !is_hidden(post, service.options.weibo.hidden));
    for pair in shown.chunks_exact_mut(2).step_by(2) {
        pair.swap(0, 1);
    }
    let newest = shown.iter().map(|post| post.native_id).max().unwrap_or(0);
    let statuses: Vec<Value> = shown
        .iter()
        .map(|post| objects::status(service, post, false))
        .collect();
    Ok(json!({
        "statuses": statuses, "advertises": [], "ad": [], "hasvisible": false, "previous_cursor": 0, "next_cursor": next,
        "total_number": total, "interval": 2000, "uve_blank": -1, "since_id": newest, "max_id": next, "has_unread": 0,
    }))
}

/// A parameter that is a whole number above zero; none where it is absent or zero.
pub(super) fn number(query: &Parameters, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = query.get(name) else {
        return Ok(None);
    };
    let number: u64 = text
        .parse()
        .map_err(|_| Refusal::parameter("a parameter is no number"))?;
    Ok(Some(number).filter(|number| *number > 0))
}

/// Decided by the post's number, so that all calls agree.
fn is_hidden(post: &Post, share: f64) -> bool {
    let mixed = post.native_id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // 53 bits fill the mantissa of a double exactly.
    ((mixed >> 11) as f64) < share * (1_u64 << 53) as f64
}
