//! Which addresses may be called: a URL within a post is somebody else's word, and must not lead into the network that the fetcher runs in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// Whether an address lies in the public internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let is_shared = a == 100 && (64..128).contains(&b);
    let is_protocol = a == 192 && b == 0 && c == 0;
    let is_benchmark = a == 198 && (b == 18 || b == 19);
    let is_special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        // 0.0.0.0/8 is this host, 240.0.0.0/4 is reserved and holds the broadcast address.
        || a == 0
        || a >= 240;
    !(is_special || is_shared || is_protocol || is_benchmark)
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    if let Some(inner) = embedded_v4(ip) {
        return is_public_v4(inner);
    }
    let segments = ip.segments();
    let is_unique_local = segments[0] & 0xfe00 == 0xfc00;
    let is_link_local = segments[0] & 0xffc0 == 0xfe80;
    let is_site_local = segments[0] & 0xffc0 == 0xfec0;
    let is_documentation = segments[0] == 0x2001 && segments[1] == 0x0db8;
    !(ip.is_loopback()
        || ip.is_unspecified()
        || ip.is_multicast()
        || is_unique_local
        || is_link_local
        || is_site_local
        || is_documentation)
}

/// The address of version 4 that one of version 6 stands for: mapped, compatible, translated (64:ff9b::/96) or 6to4.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = ip.segments();
    let halves = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    let is_wrapped = matches!(
        s,
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0x64, 0xff9b, 0, 0, 0, 0, _, _]
    );
    if is_wrapped && !ip.is_loopback() && !ip.is_unspecified() {
        return Some(halves(s[6], s[7]));
    }
    (s[0] == 0x2002).then(|| halves(s[1], s[2]))
}

/// Why a URL may not be called, as far as that can be told without looking up its host.
pub(super) fn refusal(url: &Url, allow_private: bool) -> Option<&'static str> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some("refused: not an address of the web");
    }
    let ip = match url.host() {
        None => return Some("refused: the URL names no host"),
        Some(Host::Domain(_)) => return None,
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
    };
    (!allow_private && !is_public(ip)).then_some(PRIVATE)
}

pub(super) const PRIVATE: &str = "refused: the host is not in the public internet";

/// Looks up hosts and leaves out what is not public. The address that was judged is the one that is called.
#[derive(Debug)]
pub(super) struct PublicOnly;

/// A host that has addresses, none of them public.
#[derive(Debug, thiserror::Error)]
#[error("the host is not in the public internet")]
pub(super) struct NotPublic;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Addrs = Box::new(public_of(found.collect())?.into_iter());
            Ok(addresses)
        })
    }
}

/// Those of a host's addresses that may be called: a name may stand for public and other ones at once.
fn public_of(mut addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotPublic> {
    let has_any = !addresses.is_empty();
    addresses.retain(|address| is_public(address.ip()));
    match addresses.is_empty() && has_any {
        true => Err(NotPublic),
        false => Ok(addresses),
    }
}

/// Whether an error comes from a host that is not public.
pub(super) fn is_not_public(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<NotPublic>() {
            return true;
        }
        next = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_not_public() {
        for ip in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "198.18.0.1",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn what_is_public() {
        for ip in [
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "2a03:2880:f003::1",
            "::ffff:93.184.216.34",
        ] {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn of_a_host_with_several_addresses_the_public_ones_are_called() {
        let addresses = |ips: &[&str]| -> Vec<SocketAddr> {
            let address = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 443);
            ips.iter().map(address).collect()
        };
        let mixed = [
            "127.0.0.1",
            "93.184.216.34",
            "::ffff:10.0.0.1",
            "2a03:2880::1",
        ];
        let called = public_of(addresses(&mixed)).unwrap();
        assert_eq!(called, addresses(&["93.184.216.34", "2a03:2880::1"]));
        assert!(public_of(addresses(&["10.0.0.1", "::1"])).is_err());
        assert_eq!(
            public_of(Vec::new()).unwrap(),
            [],
            "an unknown host is not a private one"
        );
    }

    #[test]
    fn urls_are_judged_by_scheme_and_literal_address() {
        let judge = |url: &str| refusal(&Url::parse(url).unwrap(), false);
        assert_eq!(judge("https://scontent.cdninstagram.com/a.jpg"), None);
        assert_eq!(judge("http://127.0.0.1:9200/_search"), Some(PRIVATE));
        assert_eq!(judge("http://2130706433/"), Some(PRIVATE), "one number");
        assert_eq!(judge("http://0x7f.1/"), Some(PRIVATE), "hexadecimal");
        assert_eq!(judge("http://[::1]/"), Some(PRIVATE));
        assert_eq!(judge("http://[::ffff:127.0.0.1]/"), Some(PRIVATE), "mapped");
        assert!(judge("ftp://host/a.jpg").is_some());
        assert!(judge("data:image/png;base64,AA").is_some());
        let local = Url::parse("http://127.0.0.1:9000/a.jpg").unwrap();
        assert_eq!(refusal(&local, true), None);
    }
}
