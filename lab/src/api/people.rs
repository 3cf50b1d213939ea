//! What outside systems tell of people and nobody asked for: names, addresses, phone numbers and words.

use serde_json::Value;

/// What stands beside everything that a fake answers where `people = true`: the name of a field, and what it
/// holds. None of it may ever be kept, shown or sent.
pub const PEOPLE: [(&str, &str); 12] = [
    ("first_name", "Firstname-of-a-customer-f31c"),
    ("last_name", "Lastname-of-a-customer-a90e"),
    ("display_name", "Displayname-of-a-customer-77d2"),
    ("email", "mail-of-a-customer-4be1@private.example"),
    ("from_address", "sender-of-a-ticket-19c8@private.example"),
    ("phone", "+441632960461"),
    ("mobile", "01632 960 772"),
    ("street", "Street-of-a-customer-5d07"),
    ("subject", "Subject-of-a-ticket-c6a4"),
    ("body", "Body-of-a-ticket-from-person-e22b"),
    ("preview", "Preview-of-a-ticket-803f"),
    ("note", "Note-about-a-customer-b1d9"),
];

/// Puts people beside everything of an answer that is JSON; what stands there stays as it is.
pub(super) fn beside(body: &str) -> String {
    let Ok(mut value) = serde_json::from_str(body) else { return body.to_owned() };
    put(&mut value);
    value.to_string()
}

fn put(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.values_mut().for_each(put);
            for (name, text) in PEOPLE {
                map.entry(name).or_insert_with(|| Value::from(text));
            }
        }
        Value::Array(all) => all.iter_mut().for_each(put),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_stand_beside_everything_and_change_nothing() {
        let told = beside(r#"{"id":1,"email":null,"all":[{"id":2}],"none":[]}"#);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["email"], Value::Null);
        assert_eq!(told["all"][0]["phone"], "+441632960461");
        assert_eq!(told["none"], serde_json::json!([]));
        assert_eq!(beside("<html>"), "<html>");
    }
}
