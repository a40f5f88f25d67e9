//! Labels for messages, from their first bytes: what a person would call them, the same in every
//! run. A label holds no values, only kinds: the command of a request, the status of an answer.

use std::collections::BTreeMap;

use regex::bytes::Regex;

/// How to read a label off the beginning of a message.
#[derive(Clone, Debug)]
pub enum Dissector {
    /// HTTP/1.x: method and path of a request, status of an answer.
    Http1,
    /// RESP (Redis): the command, with its subcommand where that is a word of the protocol; the
    /// kind of a reply.
    Resp,
    /// Lines of text: the first word.
    Lines,
    /// AMQP 0-9-1: the method of the first frame.
    Amqp,
    /// Frames that begin with their length.
    LengthPrefixed {
        /// Bytes of the length: 1, 2, 4 or 8.
        width: u8,
        /// True if its lowest byte comes first.
        little_endian: bool,
    },
    /// A number at a fixed place, which says what kind of message it is.
    Kind {
        /// Where it is, in bytes from the beginning.
        offset: u8,
        /// Its bytes: 1, 2, 4 or 8.
        width: u8,
        /// True if its lowest byte comes first.
        little_endian: bool,
        /// What kinds are called; others go by their number.
        names: BTreeMap<u64, String>,
    },
    /// A regular expression: its capture groups, or the whole match if it has none.
    Pattern(Regex),
    /// A regular expression, and what a message is called that it matches.
    Named(Regex, String),
}

/// One rule: where a dissector applies.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Only messages of connections to this port; every one if `None`.
    pub port: Option<u16>,
    /// How to read the label.
    pub dissector: Dissector,
}

/// Rules for labels and masks, in order: the first that finds a label wins.
#[derive(Clone, Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    masks: Vec<Regex>,
}

impl Default for Rules {
    /// Recognises HTTP/1.x and RESP on any port; masks numbers and long hexadecimal strings.
    fn default() -> Rules {
        let rule = |dissector| Rule { port: None, dissector };
        Rules::new(vec![rule(Dissector::Http1), rule(Dissector::Resp)], Vec::new())
    }
}

const WORD_LENGTH_MAX: usize = 48;

impl Rules {
    /// `masks` are parts that differ between runs (times, ids), beyond numbers and long
    /// hexadecimal strings, which always count as such.
    pub fn new(rules: Vec<Rule>, masks: Vec<Regex>) -> Rules {
        let built_in = Regex::new(r"(?-u)[0-9A-Fa-f]{8,}|[0-9]+").expect("a valid expression");
        let masks = masks.into_iter().chain([built_in]).collect();
        Rules { rules, masks }
    }

    /// The label of a message that begins with `bytes`.
    pub fn label(&self, port: Option<u16>, bytes: &[u8]) -> Option<String> {
        self.rules
            .iter()
            .filter(|rule| rule.port.is_none() || rule.port == port)
            .find_map(|rule| rule.dissector.label(bytes))
            .map(|label| String::from_utf8_lossy(&self.mask(label.as_bytes())).into_owned())
    }

    /// The message with what differs between runs replaced by `#`.
    pub fn mask(&self, bytes: &[u8]) -> Vec<u8> {
        self.masks.iter().fold(bytes.to_vec(), |text, mask| {
            mask.replace_all(&text, regex::bytes::NoExpand(b"#")).into_owned()
        })
    }

    /// FNV-1a digest of the masked message.
    pub fn digest(&self, bytes: &[u8]) -> u64 {
        self.mask(bytes).iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

impl Dissector {
    /// The label, if the message is of this protocol.
    pub fn label(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Dissector::Http1 => http1(bytes),
            Dissector::Resp => resp(bytes),
            Dissector::Lines => word(bytes),
            Dissector::Amqp => crate::amqp::label(bytes),
            Dissector::LengthPrefixed { width, little_endian } => {
                frame(bytes, *width, *little_endian)
            }
            Dissector::Kind { offset, width, little_endian, names } => {
                let (kind, _) = number(bytes.get(usize::from(*offset)..)?, *width, *little_endian)?;
                Some(names.get(&kind).cloned().unwrap_or_else(|| format!("kind {}", spelled(kind))))
            }
            Dissector::Pattern(pattern) => matched(pattern, bytes),
            Dissector::Named(pattern, name) => pattern.is_match(bytes).then(|| name.clone()),
        }
    }
}

fn line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let line = &bytes[..end];
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn text(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(WORD_LENGTH_MAX)].escape_ascii().to_string()
}

fn http1(bytes: &[u8]) -> Option<String> {
    const METHODS: [&str; 9] =
        ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    let first = line(bytes);
    let mut words = first.split(|byte| *byte == b' ');
    let head = words.next()?;
    if head.starts_with(b"HTTP/1.") {
        let status = words.next().filter(|status| status.len() == 3)?;
        // Spelled out, so that masking numbers does not take it for one.
        let class = match status[0] {
            b'1' => "informational",
            b'2' => "success",
            b'3' => "redirect",
            b'4' => "client error",
            b'5' => "server error",
            _ => return None,
        };
        return Some(format!("HTTP {class}"));
    }
    let method = METHODS.iter().find(|method| method.as_bytes() == head)?;
    let target = words.next()?;
    let path = target.split(|byte| *byte == b'?').next().unwrap_or(target);
    words.next().filter(|version| version.starts_with(b"HTTP/1."))?;
    Some(format!("{method} {}", text(path)))
}

/// Commands whose first argument is a subcommand, not a value.
const CONTAINERS: [&str; 16] = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY",
    "MODULE", "OBJECT", "PUBSUB", "REPLCONF", "SCRIPT", "SENTINEL", "SLOWLOG",
];

fn resp(bytes: &[u8]) -> Option<String> {
    let kind = *bytes.first()?;
    let first = line(bytes);
    let rest = first.get(1..)?;
    let number = || std::str::from_utf8(rest).ok()?.parse::<i64>().ok();
    match kind {
        b'+' | b'-' => {
            let word = rest.split(|byte| !byte.is_ascii_alphanumeric()).next()?;
            let shown = word.iter().all(u8::is_ascii_uppercase) && !word.is_empty();
            shown.then(|| format!("{}{}", char::from(kind), text(word)))
        }
        b':' => number().map(|_| "integer".into()),
        b'$' => number().map(|length| if length < 0 { "null".into() } else { "bulk".into() }),
        b'*' => {
            let count = number()?;
            let mut at = first.len() + 2;
            let mut word = || {
                let header = line(bytes.get(at..)?);
                let length: usize =
                    std::str::from_utf8(header.strip_prefix(b"$")?).ok()?.parse().ok()?;
                let start = at + header.len() + 2;
                at = start + length + 2;
                let word = bytes.get(start..start + length)?;
                let is_word = !word.is_empty()
                    && word.iter().all(|byte| byte.is_ascii_alphabetic() || b"-_.".contains(byte));
                is_word.then(|| text(word).to_ascii_uppercase())
            };
            if count < 1 {
                return Some("array".into());
            }
            let Some(command) = word() else { return Some("array".into()) };
            match CONTAINERS.contains(&command.as_str()).then(word).flatten() {
                Some(subcommand) => Some(format!("{command} {subcommand}")),
                None => Some(command),
            }
        }
        _ => None,
    }
}

fn word(bytes: &[u8]) -> Option<String> {
    let first = line(bytes).split(u8::is_ascii_whitespace).find(|word| !word.is_empty())?;
    first.is_ascii().then(|| text(first))
}

/// A number of so many bytes, and what comes after it.
fn number(bytes: &[u8], width: u8, little_endian: bool) -> Option<(u64, &[u8])> {
    if !matches!(width, 1 | 2 | 4 | 8) {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(usize::from(width))?;
    let mut number = number.to_vec();
    if little_endian {
        number.reverse();
    }
    Some((number.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)), rest))
}

fn frame(bytes: &[u8], width: u8, little_endian: bool) -> Option<String> {
    let (length, body) = number(bytes, width, little_endian)?;
    // The kind of many framed protocols is the first byte of the body.
    match body.first() {
        _ if length == 0 => Some("empty frame".into()),
        Some(kind) => Some(format!("frame kind {}", letters(*kind))),
        None => Some("frame".into()),
    }
}

/// A number in letters, which masks leave alone, two for each byte.
fn spelled(number: u64) -> String {
    let bytes = number.to_be_bytes();
    let first = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
    bytes[first..].iter().map(|byte| letters(*byte)).collect()
}

/// A byte in letters, which masks leave alone.
fn letters(byte: u8) -> String {
    [byte >> 4, byte & 15].iter().map(|half| char::from(b'a' + half)).collect()
}

fn matched(pattern: &Regex, bytes: &[u8]) -> Option<String> {
    let captures = pattern.captures(bytes)?;
    let groups: Vec<String> =
        captures.iter().skip(1).flatten().map(|group| text(group.as_bytes())).collect();
    if groups.is_empty() {
        return captures.get(0).map(|whole| text(whole.as_bytes()));
    }
    Some(groups.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        let rules = Rules::default();
        let label = |bytes: &str| rules.label(None, bytes.as_bytes()).unwrap_or("none".into());
        for (bytes, expected) in [
            ("GET /users/17?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /users/#"),
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP server error"),
            ("GET the door", "none"),
            ("*3\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\nv\r\n", "SET"),
            ("*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$2\r\n14\r\n", "REPLCONF ACK"),
            ("*2\r\n$4\r\n1234\r\n$1\r\nx\r\n", "array"),
            ("+OK\r\n", "+OK"),
            ("-ERR wrong\r\n", "-ERR"),
            ("$-1\r\n", "null"),
            ("$5\r\nhello\r\n", "bulk"),
            (":12\r\n", "integer"),
            ("\u{0}\u{1}", "none"),
            ("", "none"),
        ] {
            assert_eq!(label(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn rules_apply_to_their_port_in_order() {
        let pattern = Regex::new(r"^(\w+) key=(\w+)").unwrap();
        let rules = Rules::new(
            vec![
                Rule { port: Some(7), dissector: Dissector::Pattern(pattern) },
                Rule {
                    port: Some(8),
                    dissector: Dissector::LengthPrefixed { width: 4, little_endian: false },
                },
                Rule {
                    port: Some(9),
                    dissector: Dissector::Kind {
                        offset: 1,
                        width: 2,
                        little_endian: true,
                        names: BTreeMap::from([(258, "PROPOSAL".to_owned())]),
                    },
                },
                Rule {
                    port: Some(10),
                    dissector: Dissector::Named(
                        Regex::new(r"(?s-u)^[0-9a-f]+\r\n\x00{7}\x01").unwrap(),
                        "AppEntries".to_owned(),
                    ),
                },
                Rule { port: None, dissector: Dissector::Lines },
            ],
            vec![Regex::new("colou?r").unwrap()],
        );
        assert_eq!(rules.label(Some(7), b"put key=color9 v").as_deref(), Some("put ##"));
        assert_eq!(rules.label(Some(8), b"\0\0\0\x02\x21a").as_deref(), Some("frame kind cb"));
        assert_eq!(rules.label(Some(9), b"x\x02\x01").as_deref(), Some("PROPOSAL"));
        assert_eq!(rules.label(Some(9), b"x\x03\x01y").as_deref(), Some("kind abad"));
        assert_eq!(rules.label(Some(9), b"x\0\0").as_deref(), Some("kind aa"));
        let entries = b"2a\r\n\0\0\0\0\0\0\0\x01\0";
        assert_eq!(rules.label(Some(10), entries).as_deref(), Some("AppEntries"));
        assert_eq!(rules.label(Some(10), &entries[..11]).as_deref(), Some("#a"));
        assert_eq!(rules.label(None, b" put key=a").as_deref(), Some("put"));
        assert_eq!(rules.digest(b"at 17: deadbeef01"), rules.digest(b"at 9: 0123456789"));
        assert_ne!(rules.digest(b"at 17: a"), rules.digest(b"at 17: b"));
    }
}
