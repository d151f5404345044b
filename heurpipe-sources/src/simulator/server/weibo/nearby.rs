//! Posts around a point.

use super::timeline::number;
use super::{Parameters, Refusal, Service};
use crate::simulator::world::{Network, Place};

const DEFAULT_RANGE_M: u64 = 2000;
const FARTHEST_M: u64 = 11_132;
const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// The posts around the point of a call, newest first, or nearest first where the call sorts by distance.
pub(super) fn posts(service: &Service, query: &Parameters) -> Result<Vec<usize>, Refusal> {
    let latitude = degrees(query, "lat", 90.0)?;
    let longitude = degrees(query, "long", 180.0)?;
    let range = number(query, "range")?.unwrap_or(DEFAULT_RANGE_M);
    if range > FARTHEST_M {
        return Err(Refusal::parameter("the range is too wide"));
    }
    let mut near: Vec<(usize, f64)> = service
        .world
        .posts_of(Network::Weibo)
        .iter()
        .filter_map(|position| {
            let place = service.world.at(*position).place.as_ref()?;
            Some((*position, distance_m(place, latitude, longitude)))
        })
        .filter(|(_, distance)| *distance <= range as f64)
        .collect();
    if query.get("sort").is_some_and(|sort| sort == "1") {
        near.sort_by(|one, other| one.1.total_cmp(&other.1));
    }
    Ok(near.into_iter().map(|(position, _)| position).collect())
}

fn degrees(query: &Parameters, name: &str, most: f64) -> Result<f64, Refusal> {
    query
        .get(name)
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|degrees| degrees.abs() <= most)
        .ok_or(Refusal::parameter("miss required parameter (lat, long)"))
}

/// Along a great circle.
fn distance_m(place: &Place, latitude: f64, longitude: f64) -> f64 {
    let (from, to) = (latitude.to_radians(), place.latitude.to_radians());
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let north = half(place.latitude - latitude);
    let east = half(place.longitude - longitude);
    let chord = north + from.cos() * to.cos() * east;
    2.0 * EARTH_RADIUS_M * chord.sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_globe() {
        let place = |latitude, longitude| Place {
            name: String::new(),
            latitude,
            longitude,
        };
        let degree = distance_m(&place(31.0, 121.0), 32.0, 121.0);
        assert!((degree - 111_195.0).abs() < 1.0, "{degree}");
        let around = distance_m(&place(0.0, 179.5), 0.0, -179.5);
        assert!((around - 111_195.0).abs() < 1.0, "{around}");
    }
}
