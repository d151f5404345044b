//! Divisions of China by their codes, as Weibo gives them.

use heurpipe_core::{CountryBy, Place};

/// National code and name, sorted: two digits for a province, four for a prefecture, six for what has none above it.
static DIVISIONS: &str = include_str!("../../data/gazetteer/china.tsv");

/// Under this heading stand the districts of a municipality in the national codes.
const DISTRICTS: &str = "01";

/// The place of a profile's `province` and `city`, named as `location` would: `("44", "2")` is `广东 韶关`.
///
/// A province's code is the first two digits of the national one. A city's is that of the prefecture or, in a municipality, of the district;
/// one that the national list lacks (it changes, Weibo's does not) leaves the province. None for what is no province: `400` (overseas) and
/// `100` (other) among them, whose cities are Weibo's own.
///
/// ```
/// let place = heurpipe_sources::place::of_weibo_codes("44", "2").unwrap();
/// assert_eq!((place.name.as_str(), place.country.as_deref()), ("广东 韶关", Some("CN")));
/// ```
pub fn of_weibo_codes(province: &str, city: &str) -> Option<Place> {
    let province = province.trim();
    if province.len() != 2 {
        return None;
    }
    let mut name = division(province)?.to_owned();
    if let Some(city) = city_of(province, city.trim()) {
        name.push(' ');
        name.push_str(city);
    }
    let mut place = Place::named(name);
    place.country = Some(country_of(province).to_owned());
    place.country_by = Some(CountryBy::Region);
    Some(place)
}

fn city_of(province: &str, city: &str) -> Option<&'static str> {
    let city: u8 = city.parse().ok()?;
    division(&format!("{province}{city:02}"))
        .or_else(|| division(&format!("{province}{DISTRICTS}{city:02}")))
}

/// ISO 3166-1 lists three of them beside China.
fn country_of(province: &str) -> &'static str {
    match province {
        "71" => "TW",
        "81" => "HK",
        "82" => "MO",
        _ => "CN",
    }
}

fn division(code: &str) -> Option<&'static str> {
    DIVISIONS
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .find(|(listed, _)| *listed == code)
        .map(|(_, name)| name)
}
