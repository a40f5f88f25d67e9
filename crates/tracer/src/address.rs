//! Socket addresses, from the bytes a program or the kernel wrote.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::event::Address;

/// Parses a struct sockaddr.
pub(crate) fn parse(bytes: &[u8]) -> Address {
    let Some(family) = bytes.get(..2).map(|two| u16::from_ne_bytes([two[0], two[1]])) else {
        return Address::Unnamed;
    };
    let port = || bytes.get(2..4).map(|two| u16::from_be_bytes([two[0], two[1]]));
    let internet = |address: IpAddr| {
        port().map(|port| Address::Internet(SocketAddr::new(Address::canonical(address), port)))
    };
    let parsed = match i32::from(family) {
        libc::AF_UNSPEC => Some(Address::Unspecified),
        libc::AF_INET => bytes
            .get(4..8)
            .and_then(|four| <[u8; 4]>::try_from(four).ok())
            .and_then(|four| internet(IpAddr::V4(Ipv4Addr::from(four)))),
        libc::AF_INET6 => bytes
            .get(8..24)
            .and_then(|sixteen| <[u8; 16]>::try_from(sixteen).ok())
            .and_then(|sixteen| internet(IpAddr::V6(Ipv6Addr::from(sixteen)))),
        libc::AF_UNIX => Some(local(&bytes[2..])),
        _ => None,
    };
    parsed.unwrap_or(Address::Other(family))
}

fn local(name: &[u8]) -> Address {
    match name.first() {
        None => Address::Unnamed,
        // Abstract: every byte counts, NUL too.
        Some(0) if name.len() > 1 => Address::Local(format!("@{}", name[1..].escape_ascii())),
        Some(0) => Address::Unnamed,
        Some(_) => {
            let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
            Address::Local(String::from_utf8_lossy(&name[..end]).into_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_are_ipv4() {
        let mut bytes = vec![libc::AF_INET6 as u8, 0, 0x1f, 0x90, 0, 0, 0, 0];
        bytes.extend(Ipv4Addr::new(10, 0, 0, 7).to_ipv6_mapped().octets());
        bytes.extend([0; 4]);
        assert_eq!(parse(&bytes), Address::Internet("10.0.0.7:8080".parse().unwrap()));
    }

    #[test]
    fn unix_names() {
        let unix = |name: &[u8]| parse(&[&[libc::AF_UNIX as u8, 0], name].concat());
        assert_eq!(unix(b""), Address::Unnamed);
        assert_eq!(unix(b"/run/a\0junk"), Address::Local("/run/a".into()));
        assert_eq!(unix(b"\0a\0b"), Address::Local("@a\\x00b".into()));
        assert_eq!(parse(&[0, 0]), Address::Unspecified);
        assert_eq!(parse(&[2]), Address::Unnamed);
        assert_eq!(parse(&[2, 0, 1]), Address::Other(2));
    }
}
