//! The export, read back by a reader of EDN that is not ours.

mod common;

use edn_format::{Keyword, Parser, ParserOptions, Value as Edn};
use linchpin_history::{EdnForm, History, edn};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(text: &str) -> Vec<Edn> {
    Parser::from_iter(text.chars(), ParserOptions::default())
        .map(|each| each.expect("EDN"))
        .collect()
}

fn member(map: &Edn, name: &str) -> Option<Edn> {
    let Edn::Map(members) = map else { panic!("not a map: {map:?}") };
    members.get(&Edn::from(Keyword::from_name(name))).cloned()
}

fn keyword(name: &str) -> Option<Edn> {
    Some(Edn::from(Keyword::from_name(name)))
}

const HISTORY: &str = "7 invoke write x 1\n9 invoke cas x [1,2]\n7 info write x\n9 ok cas x\n7 invoke read x final\n7 ok read x 2";

#[test]
fn one_map_per_event_in_jepsens_words() {
    let events = read(&edn(&common::history(HISTORY), EdnForm::Jepsen).expect("exported"));
    assert_eq!(events.len(), 6);
    let all = |name: &str| -> Vec<Option<Edn>> {
        events.iter().map(|event| member(event, name)).collect()
    };
    let numbers = |numbers: [i64; 6]| numbers.map(|number| Some(Edn::Integer(number))).to_vec();
    assert_eq!(all("index"), numbers([0, 1, 2, 3, 4, 5]));
    // After an unknown outcome the process goes on under a new number, as in Jepsen.
    assert_eq!(all("process"), numbers([0, 1, 0, 1, 2, 2]));
    assert_eq!(
        all("type"),
        ["invoke", "invoke", "info", "ok", "invoke", "ok"].map(keyword).to_vec()
    );
    assert_eq!(all("f"), ["write", "cas", "write", "cas", "read", "read"].map(keyword).to_vec());
    assert_eq!(member(&events[4], "value"), Some(Edn::Nil));
    assert_eq!(member(&events[5], "value"), Some(Edn::Integer(2)));
    assert_eq!(
        member(&events[1], "value"),
        Some(Edn::Vector(vec![Edn::Integer(1), Edn::Integer(2)]))
    );
}

#[test]
fn elle_reads_transactions_of_one_step() {
    let history = common::history("0 invoke add x 1\n0 ok add x\n0 invoke read x\n0 ok read x [1]");
    let text = edn(&history, EdnForm::Elle).expect("exported");
    assert_eq!(
        text.lines().last().expect("a line"),
        "{:index 3, :type :ok, :process 0, :f :txn, :value [[:r \"x\" [1]]]}"
    );
    assert_eq!(read(&text).len(), 4);
    let error = edn(&common::history(HISTORY), EdnForm::Elle).expect_err("a cas");
    assert!(error.to_string().starts_with("line 2: Elle's transactions have no cas"), "{error}");
}

fn as_json(edn: &Edn) -> Value {
    match edn {
        Edn::Nil => Value::Null,
        Edn::Boolean(value) => json!(value),
        Edn::Integer(value) => json!(value),
        Edn::BigInt(value) => value.to_string().parse().expect("a number"),
        Edn::String(value) => json!(value),
        Edn::Vector(values) => values.iter().map(as_json).collect(),
        Edn::Map(members) => {
            let name = |name: &Edn| match name {
                Edn::String(name) => name.clone(),
                other => panic!("a name is no string: {other:?}"),
            };
            Value::Object(members.iter().map(|(key, value)| (name(key), as_json(value))).collect())
        }
        other => panic!("unexpected {other:?}"),
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[\\x00-\\x7f]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_survive_the_export(value in values(), key in any::<String>()) {
        let line = json!({"process": "p", "type": "invoke", "operation": "write", "key": key, "value": value});
        let history = History::parse(&format!("{line}\n")).expect("well-formed");
        let events = read(&edn(&history, EdnForm::Jepsen).expect("exported"));
        prop_assert_eq!(events.len(), 1);
        prop_assert_eq!(as_json(&member(&events[0], "value").expect("a value")), value);
        prop_assert_eq!(member(&events[0], "key"), Some(Edn::String(key)));
    }
}
