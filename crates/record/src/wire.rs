//! How the shared vocabulary stands in files. The shapes are spelled out here, so that a change of
//! the vocabulary's own serialization cannot change the files.

use linchpin_model::{Fault, FaultSet, InputValue, Invariant, Outcome, Verdict};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A fault: `{"kind":"omit","from":"a","to":"b","at":1}`, `{"kind":"delay",...,"by":2}`,
/// `{"kind":"crash","node":"c","at":3}`, `{"kind":"recover","node":"c","at":5}` or
/// `{"kind":"input","relation":"write","row":["a",7],"at":3}`.
#[derive(Default, Serialize, Deserialize)]
struct WireFault {
    kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    node: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    relation: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    row: Option<Vec<WireValue>>,
    at: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<u32>,
}

/// A column of an input.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum WireValue {
    Integer(i64),
    Text(String),
}

impl From<&Fault> for WireFault {
    fn from(fault: &Fault) -> Self {
        let at = fault.at();
        let of = |kind: &str| Self { kind: kind.to_owned(), at, ..Self::default() };
        match fault {
            Fault::Omission { from, to, .. } => {
                Self { from: Some(from.clone()), to: Some(to.clone()), ..of("omit") }
            }
            Fault::Delay { from, to, by, .. } => Self {
                from: Some(from.clone()),
                to: Some(to.clone()),
                by: Some(*by),
                ..of("delay")
            },
            Fault::Crash { node, .. } => Self { node: Some(node.clone()), ..of("crash") },
            Fault::Recovery { node, .. } => Self { node: Some(node.clone()), ..of("recover") },
            Fault::Input { relation, row, .. } => {
                let value = |value: &InputValue| match value {
                    InputValue::Integer(integer) => WireValue::Integer(*integer),
                    InputValue::String(text) => WireValue::Text(text.clone()),
                };
                let row = row.iter().map(value).collect();
                Self { relation: Some(relation.clone()), row: Some(row), ..of("input") }
            }
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
            "delay" => Ok(Self::Delay {
                from: fault.from.clone().ok_or_else(|| missing("from"))?,
                to: fault.to.clone().ok_or_else(|| missing("to"))?,
                at: fault.at,
                by: fault.by.ok_or_else(|| missing("by"))?,
            }),
            "recover" => Ok(Self::Recovery {
                node: fault.node.clone().ok_or_else(|| missing("node"))?,
                at: fault.at,
            }),
            "input" => {
                let value = |value: WireValue| match value {
                    WireValue::Integer(integer) => InputValue::Integer(integer),
                    WireValue::Text(text) => InputValue::String(text),
                };
                let row = fault.row.clone().ok_or_else(|| missing("row"))?;
                Ok(Self::Input {
                    relation: fault.relation.clone().ok_or_else(|| missing("relation"))?,
                    row: row.into_iter().map(value).collect(),
                    at: fault.at,
                })
            }
            other => Err(format!(
                "unknown kind of fault `{other}`: expected `omit`, `delay`, `crash`, `recover` or \
                 `input`"
            )),
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

pub(crate) mod inputs {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        inputs: &[Vec<Fault>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let wire = |input: &Vec<Fault>| input.iter().map(WireFault::from).collect::<Vec<_>>();
        serializer.collect_seq(inputs.iter().map(wire))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Vec<Fault>>, D::Error> {
        let ways = |input: Vec<WireFault>| input.into_iter().map(Fault::try_from).collect();
        let inputs = Vec::<Vec<WireFault>>::deserialize(deserializer)?;
        inputs.into_iter().map(ways).collect::<Result<_, _>>().map_err(D::Error::custom)
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

pub(crate) mod optional_verdict {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Named(#[serde(with = "super::verdict")] Verdict);

    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Verdict>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.map(Named).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Verdict>, D::Error> {
        Ok(Option::<Named>::deserialize(deserializer)?.map(|named| named.0))
    }
}
