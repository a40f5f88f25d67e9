//! Patterns and how often they were met.

use linchpin_tracker::dissect::Rules;
use linchpin_tracker::live::{Moment, MomentKind};

use crate::fault::{Count, Kind, Name, Pattern, wildcard};

/// Something that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Happening {
    pub(crate) kind: Kind,
    /// Which node of the cluster.
    pub(crate) node: usize,
    pub(crate) peer: Option<usize>,
    /// What a message says; of a file, its path.
    pub(crate) label: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) connection: u32,
    /// Of a file: it lies in the node's data directory, or the node has none.
    pub(crate) in_data: bool,
}

impl Happening {
    /// A moment, with its nodes as the cluster counts them.
    pub(crate) fn of(moment: &Moment, node: usize, peer: Option<usize>) -> Happening {
        let kind = match moment.kind {
            MomentKind::Send => Kind::Send,
            MomentKind::Receive => Kind::Receive,
            MomentKind::Connect => Kind::Connect,
            MomentKind::Accept => Kind::Accept,
            MomentKind::Close => Kind::Close,
            MomentKind::Sync => Kind::Sync,
            MomentKind::Start => Kind::Start,
            MomentKind::Exit => Kind::Exit,
        };
        Happening {
            kind,
            node,
            peer,
            label: moment.label.clone(),
            port: moment.port,
            connection: moment.connection,
            in_data: true,
        }
    }

    /// As a pattern would name it, without the number.
    pub(crate) fn pattern(&self, nodes: &[String]) -> Pattern {
        let name = |node: usize| Name::new(nodes.get(node).map_or("?", String::as_str));
        let peer = self.peer.map_or_else(|| Name::new("outside"), name);
        // Ports the kernel chose differ between runs (ip_local_port_range).
        let port = self.port.filter(|port| !(32_768..=60_999).contains(port));
        Pattern {
            kind: self.kind,
            node: name(self.node),
            peer: self.kind.on_link().then_some(peer),
            label: self.label.as_ref().map(Name::new),
            port: if self.kind.on_link() { port } else { None },
            connection: None,
            count: Count::Nth(1),
        }
    }
}

/// A pattern, and how many events have matched it.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) pattern: Pattern,
    pub(crate) seen: u32,
    /// It counts nothing before this other one, which stands before it, has met its event.
    pub(crate) since: Option<usize>,
    /// Counts calls that begin, not what they return: receives and accepts that are to fail.
    pub(crate) calls: bool,
}

impl Watch {
    /// Labels are masked as those of messages are.
    pub(crate) fn new(pattern: &Pattern, rules: &Rules) -> Watch {
        let mut pattern = pattern.clone();
        if let (Kind::Send | Kind::Receive, Some(label)) = (pattern.kind, &mut pattern.label) {
            let masked = rules.mask(label.text.as_bytes());
            label.text = String::from_utf8_lossy(&masked).into_owned();
        }
        Watch { pattern, seen: 0, since: None, calls: false }
    }

    pub(crate) fn matches(&self, happening: &Happening, nodes: &[String]) -> bool {
        let pattern = &self.pattern;
        let named = |name: &Name, node: Option<usize>| {
            let known = node.and_then(|node| nodes.get(node));
            match known {
                Some(known) => name.matches(known),
                None => name.text == "*",
            }
        };
        let file = matches!(pattern.kind, Kind::Sync) || pattern.kind.on_files();
        let labelled = match (&pattern.label, &happening.label) {
            (None, _) => !pattern.kind.on_files() || happening.in_data,
            (Some(label), Some(text)) if file => on_path(&label.text, text),
            (Some(label), Some(text)) => wildcard(&label.text, text),
            (Some(_), None) => false,
        };
        pattern.kind == happening.kind
            && named(&pattern.node, Some(happening.node))
            && pattern.peer.as_ref().is_none_or(|peer| named(peer, happening.peer))
            && labelled
            && pattern.port.is_none_or(|port| happening.port == Some(port))
            && pattern.connection.is_none_or(|number| happening.connection == number)
    }

    /// True if the event that is meant has come.
    pub(crate) fn is_met(&self) -> bool {
        match self.pattern.count {
            Count::Nth(wanted) => self.seen >= wanted,
            Count::Every => self.seen > 0,
        }
    }

    /// True if this is the event that is meant.
    pub(crate) fn is_meant(&self, number: u32) -> bool {
        match self.pattern.count {
            Count::Nth(wanted) => number == wanted,
            Count::Every => true,
        }
    }
}

/// A path pattern means the whole path, or the last parts of it.
fn on_path(pattern: &str, path: &str) -> bool {
    let path = path.strip_suffix(" (deleted)").unwrap_or(path);
    let tails = path.match_indices('/').map(|(index, _)| &path[index + 1..]);
    wildcard(pattern, path) || tails.into_iter().any(|tail| wildcard(pattern, tail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_matched_by_their_end() {
        for (pattern, expected) in [
            ("log", true),
            ("data/log", true),
            ("/srv/data/log", true),
            ("*.log", false),
            ("l*g", true),
            ("data", false),
            ("data/*", true),
        ] {
            assert_eq!(on_path(pattern, "/srv/data/log"), expected, "{pattern}");
        }
        assert!(on_path("log", "/data/log (deleted)"));
    }
}
