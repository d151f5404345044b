//! Posts around a point.

use std::fmt;
use std::str::FromStr;

use heurpipe_core::{Crs, Error, ErrorKind, Result};

/// The farthest that the API looks around a point.
const FARTHEST_M: u32 = 11_132;

/// A point and how far around it. Written `LAT,LONG,RANGE`, in degrees and metres.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Nearby {
    latitude: f64,
    longitude: f64,
    range_m: u32,
}

impl Nearby {
    /// # Errors
    /// `Config` for a point that is not on earth and a range that the API does not look at.
    pub(super) fn new(latitude: f64, longitude: f64, range_m: u32) -> Result<Self> {
        let wrong = |message: &str| Error::new(ErrorKind::Config, "weibo.nearby").message(message);
        let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        if !is_on_earth {
            return Err(wrong("a point lies within 90 degrees north and 180 east")
                .with("latitude", latitude)
                .with("longitude", longitude));
        }
        if !(1..=FARTHEST_M).contains(&range_m) {
            return Err(wrong("the range is from 1 to 11132 m").with("range_m", range_m));
        }
        Ok(Self {
            latitude,
            longitude,
            range_m,
        })
    }

    /// What asks for the newest posts here first. `offset` says that the point is one of a shifted map.
    pub(super) fn parameters(&self, crs: Option<Crs>) -> Vec<(&'static str, String)> {
        let mut parameters = vec![
            ("lat", self.latitude.to_string()),
            ("long", self.longitude.to_string()),
            ("range", self.range_m.to_string()),
            ("sort", "0".to_owned()),
        ];
        let offset = match crs {
            Some(Crs::Gcj02) => Some("1"),
            Some(_) => Some("0"),
            None => None,
        };
        parameters.extend(offset.map(|offset| ("offset", offset.to_owned())));
        parameters
    }
}

impl fmt::Display for Nearby {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.latitude, self.longitude, self.range_m)
    }
}

impl FromStr for Nearby {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::new(ErrorKind::InvalidInput, "weibo.nearby")
                .message("a point and its range are written LAT,LONG,RANGE")
                .with("text", text)
        };
        let parts: Vec<&str> = text.split(',').collect();
        let [latitude, longitude, range_m] = parts.as_slice() else {
            return Err(wrong());
        };
        let degrees = |text: &str| text.parse::<f64>().map_err(|error| wrong().cause(error));
        let range_m = range_m.parse().map_err(|error| wrong().cause(error))?;
        Self::new(degrees(latitude)?, degrees(longitude)?, range_m)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_point_is_read_as_it_is_written() {
        let point = Nearby::new(31.2304, -121.0, 500).unwrap();
        assert_eq!(point.to_string(), "31.2304,-121,500");
        assert_eq!(point.to_string().parse::<Nearby>().unwrap(), point);
    }

    #[test]
    fn the_offset_is_said_only_where_the_reference_system_is_known() {
        let offset = |crs| {
            let parameters = Nearby::new(31.0, 121.0, 500).unwrap().parameters(crs);
            let offset = parameters.into_iter().find(|(name, _)| *name == "offset");
            offset.map(|(_, value)| value)
        };
        assert_eq!(offset(None), None);
        assert_eq!(offset(Some(Crs::Wgs84)).as_deref(), Some("0"));
        assert_eq!(offset(Some(Crs::Gcj02)).as_deref(), Some("1"));
    }

    #[test]
    fn what_is_no_point_is_refused() {
        for text in [
            "",
            "31,121",
            "31,121,500,1",
            "91,121,500",
            "31,181,500",
            "NaN,121,500",
            "31,121,0",
            "31,121,11133",
        ] {
            assert!(text.parse::<Nearby>().is_err(), "{text}");
        }
    }
}
