//! How the shared vocabulary stands in files. The shapes are spelled out here, so that a change of
//! the vocabulary's own serialization cannot change the files.

use linchpin_model::{Fault, FaultSet, Invariant, Outcome, Verdict};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A fault: `{"kind":"omit","from":"a","to":"b","at":1}` or `{"kind":"crash","node":"c","at":3}`.
#[derive(Serialize, Deserialize)]
struct WireFault {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    at: u32,
}

impl From<&Fault> for WireFault {
    fn from(fault: &Fault) -> Self {
        match fault {
            Fault::Omission { from, to, at } => Self {
                kind: "omit".to_owned(),
                from: Some(from.clone()),
                to: Some(to.clone()),
                node: None,
                at: *at,
            },
            Fault::Crash { node, at } => Self {
                kind: "crash".to_owned(),
                from: None,
                to: None,
                node: Some(node.clone()),
                at: *at,
            },
        }
    }
}

impl TryFrom<WireFault> for Fault {
    type Error = String;

    fn try_from(fault: WireFault) -> Result<Self, String> {
        let missing = |field: &str| format!("a fault of kind `{}` needs `{field}`", fault.kind);
        match fault.kind.as_str() {
            "omit" => Ok(Self::Omission {
                from: fault.from.clone().ok_or_else(|| missing("from"))?,
                to: fault.to.clone().ok_or_else(|| missing("to"))?,
                at: fault.at,
            }),
            "crash" => Ok(Self::Crash {
                node: fault.node.clone().ok_or_else(|| missing("node"))?,
                at: fault.at,
            }),
            other => Err(format!("unknown kind of fault `{other}`: expected `omit` or `crash`")),
        }
    }
}

pub(crate) mod faults {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        faults: &FaultSet,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(faults.iter().map(WireFault::from))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FaultSet, D::Error> {
        Vec::<WireFault>::deserialize(deserializer)?
            .into_iter()
            .map(|fault| Fault::try_from(fault).map_err(D::Error::custom))
            .collect()
    }
}

pub(crate) mod optional_fault {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        fault: &Option<Fault>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        fault.as_ref().map(WireFault::from).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Fault>, D::Error> {
        Option::<WireFault>::deserialize(deserializer)?
            .map(|fault| Fault::try_from(fault).map_err(D::Error::custom))
            .transpose()
    }
}

/// Names of the variants of an enumeration in files.
macro_rules! names {
    ($module:ident, $type:ident, $($variant:ident = $name:literal),+) => {
        pub(crate) mod $module {
            use super::*;

            pub(crate) fn serialize<S: Serializer>(
                value: &$type,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match value { $($type::$variant => $name),+ })
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<$type, D::Error> {
                match String::deserialize(deserializer)?.as_str() {
                    $($name => Ok($type::$variant),)+
                    other => Err(D::Error::unknown_variant(other, &[$($name),+])),
                }
            }
        }
    };
}

names!(
    outcome,
    Outcome,
    Good = "good",
    Bad = "bad",
    Vacuous = "vacuous",
    Inconclusive = "inconclusive"
);
names!(verdict, Verdict, Holds = "holds", Broken = "broken", Unknown = "unknown");
names!(invariant, Invariant, Implication = "implication", Baseline = "baseline", Good = "good");
