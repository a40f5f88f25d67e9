//! Is a node ready? Found without talking to it, so that looking changes nothing in the trace.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// True if somebody in the network namespace of `process` listens on `port` (TCP) or is bound to
/// it (UDP), at an address that `own` reaches.
pub(crate) fn listens(process: i32, port: u16, own: IpAddr) -> bool {
    const LISTEN: &str = "0A";
    const BOUND: &str = "07";
    [("tcp", LISTEN), ("tcp6", LISTEN), ("udp", BOUND), ("udp6", BOUND)].iter().any(
        |(protocol, state)| {
            let path = format!("/proc/{process}/net/{protocol}");
            let table = fs::read_to_string(path).unwrap_or_default();
            table.lines().skip(1).any(|line| is_at(line, state, port, own))
        },
    )
}

/// A line of /proc/net/tcp and its kin: number, local address:port in hexadecimal, remote one,
/// state, ...
fn is_at(line: &str, state: &str, port: u16, own: IpAddr) -> bool {
    let mut fields = line.split_whitespace().skip(1);
    let (Some(local), Some(_), Some(found)) = (fields.next(), fields.next(), fields.next()) else {
        return false;
    };
    let Some((address, number)) = local.rsplit_once(':') else { return false };
    if found != state || u16::from_str_radix(number, 16) != Ok(port) {
        return false;
    }
    let words: Option<Vec<u32>> = (0..address.len() / 8)
        .map(|word| u32::from_str_radix(&address[word * 8..word * 8 + 8], 16).ok())
        .collect();
    match words.as_deref() {
        Some([four]) => {
            let four = Ipv4Addr::from(four.to_ne_bytes());
            four.is_unspecified() || own == IpAddr::V4(four)
        }
        // Any address, or an IPv4 address mapped into IPv6.
        Some([0, 0, 0, 0]) => true,
        Some([0, 0, _, four]) => own == IpAddr::V4(Ipv4Addr::from(four.to_ne_bytes())),
        _ => false,
    }
}

/// True if a line of one of these files matches.
pub(crate) fn printed(files: &[&Path], pattern: &regex::bytes::Regex) -> bool {
    files.iter().any(|file| {
        let text = fs::read(file).unwrap_or_default();
        text.split(|byte| *byte == b'\n').any(|line| pattern.is_match(line))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, UdpSocket};

    #[test]
    fn listeners_are_found() {
        let own = std::process::id() as i32;
        let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let elsewhere = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
        let tcp = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        assert!(listens(own, port, here) && !listens(own, port, elsewhere));
        drop(tcp);
        assert!(!listens(own, port, here));
        let udp = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
        assert!(listens(own, udp.local_addr().unwrap().port(), elsewhere));
        if let Ok(six) = TcpListener::bind(("::", 0)) {
            assert!(listens(own, six.local_addr().unwrap().port(), here));
        }
        if let Ok(mapped) = TcpListener::bind("[::ffff:127.0.0.9]:0") {
            let port = mapped.local_addr().unwrap().port();
            assert!(listens(own, port, elsewhere) && !listens(own, port, here));
        }
    }
}
