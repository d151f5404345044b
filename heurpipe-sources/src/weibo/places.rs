//! The three claims of a status about where it is from.

use heurpipe_core::{CountryBy, Crs, Place, Places};
use serde_json::Value;

use super::provinces;
use super::wire::{Status, User};
use crate::place;

/// The three claims, each as it stands. `crs` is the reference system of coordinates, where it is known.
pub(super) fn places(status: &Status, crs: Option<Crs>) -> Places {
    let mut places = Places::default();
    places.declared = status.user.as_ref().and_then(declared);
    places.ip_region = status.region_name.as_deref().and_then(claimed);
    places.tagged = tagged(status, crs);
    places
}

/// What the profile says: its words, and the province's code where the words say no country or are missing.
fn declared(user: &User) -> Option<Place> {
    let words = user.location.as_deref().and_then(claimed);
    let province = user.province.as_deref().and_then(provinces::province);
    let Some(province) = province else {
        return words;
    };
    let mut place = words.unwrap_or_else(|| Place::named(province.name));
    if place.country.is_none() {
        place.country = Some(province.country.to_owned());
        place.country_by = Some(CountryBy::Region);
    }
    Some(place)
}

/// A place by name, without the words that introduce an IP region. `其他` (other) is no claim.
fn claimed(name: &str) -> Option<Place> {
    let name = name.trim();
    let name = ["发布于", "IP属地："]
        .iter()
        .find_map(|words| name.strip_prefix(words))
        .unwrap_or(name)
        .trim();
    (!name.is_empty() && name != "其他").then(|| place::place(name))
}

/// The place tagged: the name is among the annotations, the point in `geo`, latitude first.
fn tagged(status: &Status, crs: Option<Crs>) -> Option<Place> {
    let annotated = status
        .annotations
        .as_array()
        .into_iter()
        .flatten()
        .find_map(|annotation| annotation.get("place"));
    let title = annotated
        .and_then(|place| place.get("title"))
        .or_else(|| status.geo.pointer("/detail/title"))
        .and_then(Value::as_str)
        .map(str::trim)
        .filter(|title| !title.is_empty());
    let point = point_of_geo(&status.geo).or_else(|| {
        let place = annotated?;
        point(place.get("lat")?, place.get("lon")?)
    });
    if title.is_none() && point.is_none() {
        return None;
    }
    let mut place = place::place(title.unwrap_or_default());
    if let Some((latitude, longitude)) = point {
        place.latitude = Some(latitude);
        place.longitude = Some(longitude);
        place.crs = crs;
    }
    Some(place)
}

fn point_of_geo(geo: &Value) -> Option<(f64, f64)> {
    let coordinates = geo.get("coordinates")?.as_array()?;
    point(coordinates.first()?, coordinates.get(1)?)
}

/// A point on earth. That of zero and zero stands for none.
fn point(latitude: &Value, longitude: &Value) -> Option<(f64, f64)> {
    let latitude = degrees(latitude)?;
    let longitude = degrees(longitude)?;
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    (on_earth && (latitude, longitude) != (0.0, 0.0)).then_some((latitude, longitude))
}

/// A number written as a number or as a text.
fn degrees(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
