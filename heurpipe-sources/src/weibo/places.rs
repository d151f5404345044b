//! The three claims of a status about where it is from.

use heurpipe_core::{Crs, Place, Places};
use serde_json::Value;

use super::wire::{Status, User};
use crate::{lenient, place};

/// The three claims, each as it stands. `crs` is the reference system of coordinates, where it is known.
pub(super) fn places(status: &Status, crs: Option<Crs>) -> Places {
    let mut places = Places::default();
    places.declared = status.user.as_ref().and_then(declared);
    places.ip_region = status.region_name.as_deref().and_then(place::claimed);
    places.tagged = tagged(status, crs);
    places
}

/// What the profile says: its words, and the province's code where the words say no country or are missing.
fn declared(user: &User) -> Option<Place> {
    let words = user.location.as_deref().and_then(place::claimed);
    let coded = user
        .province
        .as_deref()
        .and_then(|province| place::of_weibo_codes(province, ""));
    match (words, coded) {
        (Some(words), Some(mut coded)) if words.country.is_none() => {
            coded.name = words.name;
            Some(coded)
        }
        (words, coded) => words.or(coded),
    }
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
        .unwrap_or_default();
    let point = point_of_geo(&status.geo).or_else(|| {
        let place = annotated?;
        lenient::point(place.get("lat")?, place.get("lon")?)
    });
    let (latitude, longitude) = point.unzip();
    place::tagged(title, latitude, longitude, crs)
}

fn point_of_geo(geo: &Value) -> Option<(f64, f64)> {
    let coordinates = geo.get("coordinates")?.as_array()?;
    lenient::point(coordinates.first()?, coordinates.get(1)?)
}
