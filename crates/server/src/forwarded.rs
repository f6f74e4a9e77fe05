//! Who sent a request, also behind proxies: RFC 7239, and X-Forwarded-For.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use axum::http::HeaderMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The address that a request came from.
///
/// Without a trusted peer that is the peer, whatever the headers say. Behind trusted proxies it is
/// the rightmost hop that is not one of them; from a malformed entry on nothing is believed and the
/// last trusted hop counts.
pub(crate) fn source(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let peer = peer.to_canonical();
    if !covered(trusted, peer) {
        return peer;
    }
    let forwarded = headers.contains_key("forwarded");
    let listed = headers.contains_key("x-forwarded-for");
    let by_forwarded = || walk(peer, hops(headers, "forwarded", forwarded_for), trusted);
    let by_list = || walk(peer, hops(headers, "x-forwarded-for", Some), trusted);
    match (forwarded, listed) {
        (false, false) => peer,
        (true, false) => by_forwarded(),
        (false, true) => by_list(),
        // A proxy writes one of the two and passes the other on as the client sent it, so where
        // they disagree one of them is the client's invention.
        (true, true) => {
            let (a, b) = (by_forwarded(), by_list());
            if a == b { a } else { peer }
        }
    }
}

/// Every element of a list header that may be repeated, the last one first.
fn hops<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
    address: fn(&'a str) -> Option<&'a str>,
) -> impl Iterator<Item = Option<IpAddr>> + 'a {
    let lines: Vec<&str> =
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.rsplit(','))
        .map(move |hop| address(hop.trim()).and_then(parse_hop))
}

fn walk(peer: IpAddr, hops: impl Iterator<Item = Option<IpAddr>>, trusted: &[Cidr]) -> IpAddr {
    let mut last = peer;
    for hop in hops {
        match hop {
            None => return last,
            Some(address) if covered(trusted, address) => last = address,
            Some(address) => return address,
        }
    }
    last
}

// RFC 7239 §4: pairs are divided by semicolons, names are case-insensitive, values may be quoted.
fn forwarded_for(element: &str) -> Option<&str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| value.trim().trim_matches('"'))
    })
}

/// An address with or without a port; RFC 7239 §6 puts IPv6 in brackets.
fn parse_hop(text: &str) -> Option<IpAddr> {
    let bare = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => match text.split_once(':') {
            Some((v4, port)) if !port.contains(':') => v4,
            _ => text,
        },
    };
    bare.parse().ok().map(|address: IpAddr| address.to_canonical())
}

fn covered(trusted: &[Cidr], address: IpAddr) -> bool {
    trusted.iter().any(|block| block.contains(address))
}

/// A block of addresses: `10.0.0.0/8`, `fd00::/8`, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cidr {
    base: IpAddr,
    bits: u8,
}

impl Cidr {
    /// Whether `address` lies in it. An IPv4 address mapped to IPv6 counts as IPv4.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let rest = 32 - u32::from(self.bits);
                let differ = u32::from(base) ^ u32::from(address);
                differ.checked_shr(rest).unwrap_or(0) == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let rest = 128 - u32::from(self.bits);
                let differ = u128::from(base) ^ u128::from(address);
                differ.checked_shr(rest).unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("\"{text}\" is not an address block: write it like \"10.0.0.0/8\" or \"::1\"")
        };
        let (base, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let base: IpAddr = base.parse().map_err(|_| wrong())?;
        let all = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(all), str::parse).map_err(|_| wrong())?;
        if bits > all { Err(wrong()) } else { Ok(Self { base, bits }) }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.bits)
    }
}

impl Serialize for Cidr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cidr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Cidr {
    fn schema_name() -> Cow<'static, str> {
        "Cidr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "cidr" })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn from(peer: &str, trusted: &[&str], headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).expect("a header value"));
        }
        let trusted: Vec<Cidr> = trusted.iter().map(|t| t.parse().expect("a block")).collect();
        source(peer.parse().expect("an address"), &map, &trusted).to_string()
    }

    #[test]
    fn headers_of_strangers_are_ignored() {
        let spoofed = [("x-forwarded-for", "9.9.9.9"), ("forwarded", "for=9.9.9.9")];
        assert_eq!(from("203.0.113.7", &[], &spoofed), "203.0.113.7");
        assert_eq!(from("203.0.113.7", &["10.0.0.0/8"], &spoofed), "203.0.113.7");
    }

    #[test]
    fn the_rightmost_untrusted_hop_counts() {
        let trusted = ["10.0.0.0/8", "::1"];
        let list = [("x-forwarded-for", "1.1.1.1, 198.51.100.4:443, 10.0.0.9")];
        assert_eq!(from("10.0.0.1", &trusted, &list), "198.51.100.4");
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "2.2.2.2")];
        assert_eq!(from("::ffff:10.0.0.1", &trusted, &lines), "2.2.2.2");
        let six =
            [("forwarded", "for=1.1.1.1, For=\"[2001:db8::7]:4711\";proto=https;by=10.0.0.1")];
        assert_eq!(from("::1", &trusted, &six), "2001:db8::7");
        assert_eq!(
            from("10.0.0.1", &trusted, &[("x-forwarded-for", "10.0.0.3, 10.0.0.2")]),
            "10.0.0.3"
        );
        assert_eq!(from("10.0.0.1", &trusted, &[]), "10.0.0.1");
    }

    #[test]
    fn malformed_hops_stop_at_the_last_trusted_one() {
        let trusted = ["10.0.0.0/8"];
        for value in ["unknown", "", "1.1.1.1, _hidden", "1.1.1.1, 300.1.1.1", "1.1.1.1,"] {
            assert_eq!(
                from("10.0.0.1", &trusted, &[("x-forwarded-for", value)]),
                "10.0.0.1",
                "{value:?}"
            );
        }
        assert_eq!(from("10.0.0.1", &trusted, &[("x-forwarded-for", "?, 10.0.0.5")]), "10.0.0.5");
        assert_eq!(from("10.0.0.1", &trusted, &[("forwarded", "by=10.0.0.1")]), "10.0.0.1");
    }

    #[test]
    fn a_client_that_adds_the_other_header_gains_nothing() {
        let both = [("forwarded", "for=9.9.9.9"), ("x-forwarded-for", "198.51.100.4")];
        assert_eq!(from("10.0.0.1", &["10.0.0.0/8"], &both), "10.0.0.1");
    }

    #[test]
    fn blocks() {
        let all: Cidr = "0.0.0.0/0".parse().expect("a block");
        assert!(all.contains("8.8.8.8".parse().expect("an address")));
        assert!(!all.contains("2001:db8::1".parse().expect("an address")));
        let half: Cidr = "fd00::/8".parse().expect("a block");
        assert!(half.contains("fd12::1".parse().expect("an address")));
        for wrong in ["", "10.0.0.0/33", "::/129", "10.0.0/8", "x/8", "10.0.0.0/"] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong:?} must be refused");
        }
    }
}
