//! From pixels to the named colours of what the picture shows.

use palette::{IntoColor, Oklab, Srgb};

use super::cluster::{Group, groups};
use super::names::name;

/// The least share of the foreground that makes a colour worth telling.
const LEAST: f32 = 0.2;
/// The most colours that are told.
const MOST: usize = 3;

/// The least share of the foreground that a colour must have to be one that others are mixed of.
const END: f32 = 0.08;
/// How far apart two colours must be for others to be mixtures of them, in units of encoded sRGB.
const APART: f32 = 0.4;
/// How far a mixture may lie off the line between its colours.
const OFF: f32 = 0.07;

/// A named colour of the foreground.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Named {
    pub(super) name: &'static str,
    pub(super) rgb: [u8; 3],
    pub(super) share: f32,
}

/// The colours of the foreground, dominant first.
pub(super) fn colours(width: usize, rgb: &[u8]) -> Vec<Named> {
    let groups = groups(width, rgb);
    let weighed = unmixed(&foreground(&groups));
    let total: f32 = weighed.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return Vec::new();
    }
    let mut named: Vec<(&'static str, Oklab, f32)> = Vec::new();
    for (group, weight) in weighed {
        let name = name(group.colour);
        match named.iter_mut().find(|known| known.0 == name) {
            Some(known) => {
                known.1 += group.colour * weight;
                known.2 += weight;
            }
            None => named.push((name, group.colour * weight, weight)),
        }
    }
    named.sort_by(|a, b| b.2.total_cmp(&a.2));
    named
        .iter()
        .enumerate()
        .filter(|(index, (_, _, weight))| *index == 0 || *weight >= LEAST * total)
        .take(MOST)
        .map(|(_, (name, sum, weight))| {
            let mean: Srgb = (*sum / *weight).into_color();
            Named {
                name,
                rgb: mean.into_format().into(),
                share: weight / total,
            }
        })
        .collect()
}

/// How much of each group belongs to the foreground: what gathers at the centre and shuns the border.
fn foreground(groups: &[Group]) -> Vec<(Group, f32)> {
    let border: f32 = groups.iter().map(|g| g.border).sum::<f32>().max(1.0);
    let centre: f32 = groups
        .iter()
        .map(|g| g.centre)
        .sum::<f32>()
        .max(f32::MIN_POSITIVE);
    let weigh = |group: &Group| {
        let (inside, outside) = (group.centre / centre, group.border / border);
        let lead = inside / (inside + outside).max(f32::MIN_POSITIVE);
        // Half and half tells nothing; below that it is background.
        group.centre * ((lead - 0.5) * 2.0).max(0.0)
    };
    let weighed: Vec<_> = groups.iter().map(|g| (*g, weigh(g))).collect();
    if weighed.iter().map(|(_, w)| w).sum::<f32>() >= 0.05 * centre {
        return weighed;
    }
    // Nothing stands out from the border: the picture is all cloth.
    groups.iter().map(|g| (*g, g.centre)).collect()
}

/// Divides mixtures among the colours that they are mixed of: the squares of gingham where two bands cross, the seams between stripes that the
/// scaling blurred.
fn unmixed(weighed: &[(Group, f32)]) -> Vec<(Group, f32)> {
    let total: f32 = weighed.iter().map(|(_, weight)| weight).sum();
    let rgb: Vec<[f32; 3]> = weighed
        .iter()
        .map(|(group, _)| encoded(group.colour))
        .collect();
    let mut divided: Vec<(Group, f32)> = weighed.to_vec();
    for (index, (_, weight)) in weighed.iter().enumerate() {
        let ends = (0..weighed.len()).filter(|end| weighed[*end].1 >= END * total);
        let pairs = ends.clone().flat_map(|a| ends.clone().map(move |b| (a, b)));
        let best = pairs
            .filter(|(a, b)| a < b && *a != index && *b != index)
            .filter_map(|(a, b)| Some((a, b, between(rgb[a], rgb[b], rgb[index])?)))
            .min_by(|one, other| one.2.off.total_cmp(&other.2.off));
        if let Some((a, b, mixture)) = best {
            divided[index].1 -= weight;
            divided[a].1 += weight * (1.0 - mixture.part);
            divided[b].1 += weight * mixture.part;
        }
    }
    divided
}

/// How a colour lies between two others.
struct Mixture {
    /// The part of the second, 0 to 1.
    part: f32,
    /// Distance from the line between them.
    off: f32,
}

fn between(a: [f32; 3], b: [f32; 3], mixed: [f32; 3]) -> Option<Mixture> {
    let along = [0, 1, 2].map(|i| b[i] - a[i]);
    let from = [0, 1, 2].map(|i| mixed[i] - a[i]);
    let length = dot(along, along);
    if length < APART * APART {
        return None;
    }
    let part = dot(from, along) / length;
    let rest = [0, 1, 2].map(|i| from[i] - part * along[i]);
    let off = dot(rest, rest).sqrt();
    ((0.25..=0.75).contains(&part) && off < OFF).then_some(Mixture { part, off })
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn encoded(colour: Oklab) -> [f32; 3] {
    let rgb: Srgb = colour.into_color();
    rgb.into()
}
