//! Places as sources name them, with the country where the source says it.
//!
//! Sources name a place in words (`广东 韶关`, `发布于 北京`, `Paris, France`), by codes, by the parts of an address, or by a name and a point. Each
//! way has an entry here, and whatever finds a country sets [`Place::country_by`] too: a reader can tell a code that the source gave from a country
//! that a city's name implies. Nothing is guessed: a name that may mean places in several countries says none, nor do coordinates.
//!
//! The names come from CLDR, GeoNames and China's statistical codes; `heurpipe-sources/data/gazetteer/README.md` tells which, under which
//! licences, and by which rule a name says a country.
//!
//! The claims of [`heurpipe_core::Places`] stay apart: nothing here looks at more than one of them. What sources say of a person's whereabouts
//! beyond them is not mapped: `docs/places.md` lists it.

mod divisions;
mod names;
mod reading;

use heurpipe_core::text::keyword;
use heurpipe_core::{CountryBy, Crs, Place};

pub use divisions::of_weibo_codes;

/// What Weibo writes before the region of an address, in its several clients.
const INTRODUCTIONS: [&str; 5] = ["发布于", "IP属地：", "IP属地:", "IP属地", "来自"];
/// What Weibo and its crawlers write where nothing is claimed: "other" and "none".
const NO_CLAIM: [&str; 2] = ["其他", "无"];

/// A place by name, with its country where the name says it.
///
/// The words by which Weibo introduces the region of an address are no part of the name.
///
/// ```
/// use heurpipe_core::CountryBy;
/// use heurpipe_sources::place::place;
///
/// let shaoguan = place("广东 韶关");
/// assert_eq!((shaoguan.country.as_deref(), shaoguan.country_by), (Some("CN"), Some(CountryBy::Region)));
/// assert_eq!(place("发布于 北京").name, "北京");
/// assert_eq!(place("London, Ontario").country.as_deref(), Some("CA"));
/// assert_eq!(place("Georgia").country, None);
/// ```
pub fn place(name: &str) -> Place {
    let name = without_introduction(name);
    let mut place = Place::named(name);
    if let Some(said) = reading::country(name) {
        place.country = Some(said.country.to_owned());
        place.country_by = Some(said.by);
    }
    place
}

/// A place that a profile or the network claims in words; none where the words say that nothing is claimed (`其他`).
pub fn claimed(name: &str) -> Option<Place> {
    let place = place(name);
    let says_nothing = place.name.is_empty() || NO_CLAIM.contains(&place.name.as_str());
    (!says_nothing).then_some(place)
}

/// A place whose country the source gives by its ISO 3166-1 alpha-2 code, in any case.
///
/// A code that is none of the standard is passed over, and the name is read instead.
pub fn with_code(name: &str, code: &str) -> Place {
    let mut place = place(name);
    if let Some(country) = iso_code(code) {
        place.country = Some(country.to_owned());
        place.country_by = Some(CountryBy::Code);
    }
    place
}

/// The parts of an address that say where a place is. Those that a source leaves out are empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct Address<'a> {
    /// The city.
    pub city: &'a str,
    /// The province or state.
    pub region: &'a str,
    /// ISO 3166-1 alpha-2.
    pub country_code: &'a str,
}

/// A place with an address, as Instagram gives it: the country by the code, else by the region and the city, else by the name.
pub fn with_address(name: &str, address: Address<'_>) -> Place {
    let mut place = with_code(name, address.country_code);
    if place.country_by != Some(CountryBy::Code)
        && let Some(said) = reading::country(&address.in_words())
    {
        place.country = Some(said.country.to_owned());
        place.country_by = Some(said.by);
    }
    place
}

impl Address<'_> {
    fn in_words(&self) -> String {
        let parts = [self.city.trim(), self.region.trim()];
        parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A place tagged on a post: a name, a point, or both; none where it has neither.
///
/// Latitude and longitude are degrees in the reference system `crs`; what is no [`point`] is dropped. The country is that of the name:
/// coordinates alone say none.
pub fn tagged(
    name: &str,
    latitude: Option<f64>,
    longitude: Option<f64>,
    crs: Option<Crs>,
) -> Option<Place> {
    let point = latitude
        .zip(longitude)
        .and_then(|(latitude, longitude)| point(latitude, longitude));
    let name = name.trim();
    if name.is_empty() && point.is_none() {
        return None;
    }
    let mut place = place(name);
    if let Some((latitude, longitude)) = point {
        place.latitude = Some(latitude);
        place.longitude = Some(longitude);
        place.crs = crs;
    }
    Some(place)
}

/// Latitude and longitude, in degrees, of a point on earth. That of zero and zero stands for none.
pub fn point(latitude: f64, longitude: f64) -> Option<(f64, f64)> {
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    (on_earth && (latitude, longitude) != (0.0, 0.0)).then_some((latitude, longitude))
}

fn without_introduction(name: &str) -> &str {
    let name = name.trim();
    INTRODUCTIONS
        .iter()
        .find_map(|words| name.strip_prefix(words))
        .unwrap_or(name)
        .trim()
}

/// The code in upper case, if it is one: every code stands among the names of its country.
fn iso_code(code: &str) -> Option<&'static str> {
    let code = code.trim();
    let claims = names::find(&keyword(code))?;
    claims
        .all()
        .find(|claim| claim.by == CountryBy::Name && claim.country.eq_ignore_ascii_case(code))
        .map(|claim| claim.country)
}
