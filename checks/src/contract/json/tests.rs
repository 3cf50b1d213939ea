//! What is read here is what `serde_json` reads, but for a struct that is an array.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{MOST_VALUES, from_slice, from_str, from_value, has_more_values};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Plain,
    Named(String),
    Pair(u8, i64),
    Shaped { size: u32 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
enum Beside {
    Nothing,
    Number(u16),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
enum Within {
    Off,
    On { since: i64 },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Wrapped(f64);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    flag: bool,
    letter: char,
    small: i8,
    large: u64,
    signed: i64,
    #[serde(default)]
    text: Option<String>,
    bytes: Vec<u8>,
    kinds: Vec<Kind>,
    beside: Beside,
    within: Within,
    either: Either,
    wrapped: Wrapped,
    nothing: (),
    unit: Unit,
    pair: (u8, String),
    by_number: BTreeMap<i16, bool>,
    by_kind: BTreeMap<Kind, u8>,
    any: Value,
}

fn something() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(|it: f64| Value::from(it)),
        "[a-z ]{0,6}".prop_map(Value::from),
        Just(Value::from("plain")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("plain|named|pair|shaped|size|[a-z0-9]{1,3}", inner, 0..4)
                .prop_map(|it| it.into_iter().collect()),
        ]
    })
}

/// A whole with one of its members, or what is within one, put to something else.
fn nearly() -> impl Strategy<Value = Value> {
    let within = ["plain", "named", "pair", "shaped", "number", "nothing", "on", "off"];
    (0..18_usize, 0..4_usize, prop::sample::select(within.to_vec()), something()).prop_map(
        |(at, how, name, put)| {
            let mut value = whole();
            let members = value.as_object_mut().unwrap();
            let key = members.keys().nth(at).unwrap().clone();
            let put = match how {
                0 => json!({ name: put }),
                1 => json!({ "kind": name, "detail": put, "state": name, "since": put }),
                2 => json!([name, put]),
                _ => put,
            };
            members.insert(key, put);
            value
        },
    )
}

fn whole() -> Value {
    json!({
        "flag": true, "letter": "ä", "small": -3, "large": u64::MAX, "signed": i64::MIN, "text": null,
        "bytes": [0, 255], "kinds": ["plain", { "named": "one" }, { "pair": [1, -2] }, { "shaped": { "size": 7 } }],
        "beside": { "kind": "number", "detail": 9 }, "within": { "state": "on", "since": 5 }, "either": "or",
        "wrapped": 1.5, "nothing": null, "unit": null, "pair": [1, "two"], "by_number": { "-4": true },
        "by_kind": { "plain": 2 }, "any": { "deep": [1, { "er": null }] },
    })
}

#[test]
fn every_shape_of_serde_is_read() {
    let value = whole();
    let read: Whole = from_value(&value).unwrap();
    assert_eq!(read, serde_json::from_value::<Whole>(value.clone()).unwrap());
    assert_eq!(serde_json::to_value(&read).unwrap(), value);
    assert_eq!(from_str::<Whole>(&value.to_string()).unwrap(), read);
}

proptest! {
    #[test]
    fn what_is_read_and_what_is_refused_is_that_of_serde_json(value in nearly()) {
        match (from_value::<Whole>(&value), serde_json::from_value::<Whole>(value.clone())) {
            (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, theirs),
            (Err(_), Err(_)) => {}
            (Err(ours), Ok(_)) if ours.to_string().starts_with("a list instead of") => {}
            (ours, theirs) => prop_assert!(false, "{}: {:?} and {:?}", value, ours, theirs),
        }
    }
}

#[test]
fn a_struct_is_an_object_and_no_array_of_its_fields() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is not to be read")]
    struct Two {
        one: u8,
        two: u8,
    }
    assert!(serde_json::from_str::<Two>("[1, 2]").is_ok(), "that is why");
    let error = from_str::<Two>("[1, 2]").unwrap_err().to_string();
    assert_eq!(error, "a list instead of struct Two");
    let error = from_str::<Vec<Two>>("[{\"one\":1,\"two\":null}]").unwrap_err().to_string();
    assert_eq!(error, "null instead of u8 at [0].two");
}

#[test]
fn an_error_says_where_and_quotes_neither_a_value_nor_a_name_that_the_other_side_chose() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is not to be read")]
    struct Page {
        data: Vec<Item>,
        #[serde(default)]
        by_name: BTreeMap<String, u8>,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "it is not to be read")]
    struct Item {
        created: u64,
        #[serde(default)]
        kind: Option<Kind>,
        #[serde(default)]
        at: Option<jiff::Timestamp>,
    }
    let odd = "ada@customers.example";
    for (page, said) in [
        (json!({ "data": odd }), "a string instead of a sequence at data"),
        (
            json!({ "data": [{ "created": 1 }, { "created": odd }] }),
            "a string instead of u64 at data[1].created",
        ),
        (
            json!({ "data": [{ "created": -7_301_301 }] }),
            "an integer that is not u64 at data[0].created",
        ),
        (
            json!({ "data": [{ "created": 1, "kind": odd }] }),
            "a string that is none of plain, named, pair, shaped at data[0].kind",
        ),
        (
            json!({ "data": [{ "created": 1, "at": odd }] }),
            "a value that cannot be read at data[0].at",
        ),
        (json!({ "data": [], "by_name": { odd: 300 } }), "an integer that is not u8 at by_name.*"),
        (json!({ "data": [{}] }), "missing field `created` at data[0]"),
    ] {
        let error = from_value::<Page>(&page).unwrap_err();
        assert_eq!(error.to_string(), said);
        let again = from_str::<Page>(&page.to_string()).unwrap_err();
        assert_eq!(again.to_string(), said);
    }
    let error = from_value::<u8>(&json!(odd)).unwrap_err();
    assert_eq!(error.quoting(), format!("invalid type: string \"{odd}\", expected u8"));
}

#[test]
fn what_has_more_values_than_memory_should_hold_is_refused_before_it_is_parsed() {
    let list = |count: usize| format!("[{}0]", "0,".repeat(count - 1));
    let values: Vec<u8> = from_str(&list(MOST_VALUES - 1)).unwrap();
    assert_eq!(values.len(), MOST_VALUES - 1);
    let error = from_str::<Value>(&list(MOST_VALUES)).unwrap_err();
    assert_eq!(error.to_string(), "it has more than 200000 values");
    let error = from_str::<()>(&format!("{{{}\"a\":1}}", "\"a\":1,".repeat(MOST_VALUES)));
    assert!(error.is_err(), "it counts as it stands");
    let text = json!({ "a": "[,{\"\\".repeat(MOST_VALUES) }).to_string();
    assert!(!has_more_values(text.as_bytes(), 3), "nothing within a text is a value");
    assert!(from_str::<Value>(&text).is_ok());
}

#[test]
fn what_is_no_json_is_refused_and_so_is_what_is_nested_without_end() {
    assert!(from_slice::<Value>(b"{\"a\":\xff}").is_err());
    assert!(from_str::<Value>("{\"a\":1} 2").is_err());
    assert!(from_str::<Value>(&"[".repeat(100_000)).is_err());
}
