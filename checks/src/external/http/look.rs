//! One request, and which of its conditions the answer does not meet.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HttpQuestion;
use crate::contract::json;
use crate::external::question::{cut, rounded};
use crate::external::value::number;
use crate::probe::{Http, HttpAnswer, HttpRequest, Seen, Trust};

/// The most bytes of a body that are read: 1 MiB.
const BODY: usize = 1024 * 1024;
/// The most characters of a value that is named.
const SHOWN: usize = 80;

/// What an answer was like. Of the body only what was asked for is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Look {
    /// Its status.
    pub(super) status: u16,
    /// The conditions that it does not meet, one sentence each.
    pub(super) unmet: Vec<String>,
    /// The number at the place that the question names.
    pub(super) number: Option<f64>,
    /// Why there is none.
    pub(super) no_number: Option<String>,
    /// From the request to the last byte.
    pub(super) duration_ms: f64,
}

/// Asks, and holds the answer against the conditions.
pub(super) async fn look_at(asked: &HttpQuestion, http: &dyn Http) -> Seen<Look> {
    let timeout = u64::try_from(asked.timeout.0.as_millis()).unwrap_or(u64::MAX);
    let request = HttpRequest::get(&asked.url)
        .at_most(BODY)
        .unshared()
        .within_ms(timeout)
        .chosen_by_the_user();
    Seen::from(http.send(request).await).map(|answer| Look::new(asked, &answer))
}

impl Look {
    fn new(asked: &HttpQuestion, answer: &HttpAnswer) -> Self {
        let mut unmet = Vec::new();
        if let Some(trust) = &answer.trust
            && *trust != Trust::Trusted
        {
            unmet.push(format!("a browser would not trust its certificate: {}", untrusted(trust)));
        }
        let right = if asked.status.is_empty() {
            (200..300).contains(&answer.status)
        } else {
            asked.status.contains(&answer.status)
        };
        if !right {
            unmet.push(format!(
                "it answers {}, and should {}",
                answer.status,
                wanted(&asked.status)
            ));
        }
        headers(asked, answer, &mut unmet);
        if !asked.body.is_empty() && !answer.text().contains(&asked.body) {
            unmet.push(format!("its body does not contain {:?}", cut(&asked.body, SHOWN)));
        }
        let mut look = Self {
            status: answer.status,
            unmet,
            number: None,
            no_number: None,
            duration_ms: rounded(answer.timings.total_ms),
        };
        if !asked.json.is_empty() || asked.value.is_some() {
            look.json(asked, answer);
        }
        look
    }

    fn json(&mut self, asked: &HttpQuestion, answer: &HttpAnswer) {
        let read = if answer.body_cut {
            Err(format!("it is longer than {} KiB", BODY / 1024))
        } else {
            json::value(&answer.body).map_err(|_error| "it is none".to_owned())
        };
        let value = match read {
            Ok(value) => value,
            Err(why) => {
                self.unmet.push(format!("its body cannot be read as JSON: {why}"));
                return;
            }
        };
        for condition in &asked.json {
            let (path, found) = (&condition.path, condition.path.find(&value));
            let met = match (&condition.equals, found) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(wanted), Some(found)) => wanted.is(found),
            };
            if !met {
                let found = found.map_or("nothing".to_owned(), shown);
                let wanted = condition.equals.as_ref().map_or("something".to_owned(), |wanted| {
                    serde_json::to_string(wanted).unwrap_or_default()
                });
                self.unmet
                    .push(format!("{path} is {found}, and should be {}", cut(&wanted, SHOWN)));
            }
        }
        if let Some(path) = &asked.value {
            match path.find(&value).map(of_json) {
                Some(Some(number)) => self.number = Some(number),
                Some(None) => self.no_number = Some(format!("what stands at {path} is no number")),
                None => self.no_number = Some(format!("there is nothing at {path}")),
            }
        }
    }
}

fn headers(asked: &HttpQuestion, answer: &HttpAnswer, unmet: &mut Vec<String>) {
    for (name, wanted) in &asked.header {
        let name = name.to_ascii_lowercase();
        let wanted = wanted.to_ascii_lowercase();
        let mut values = answer.all(&name);
        if answer.header(&name).is_none() {
            unmet.push(format!("it has no header {name}"));
        } else if !values.any(|value| value.to_ascii_lowercase().contains(&wanted)) {
            unmet.push(format!("its header {name} does not contain {:?}", cut(&wanted, SHOWN)));
        }
    }
}

fn untrusted(trust: &Trust) -> &str {
    match trust {
        Trust::Trusted => "it would",
        Trust::Expired => "it has run out",
        Trust::NotYetValid => "it is not valid yet",
        Trust::NameMismatch => "it is for other names",
        Trust::SelfSigned => "it signed itself",
        Trust::Incomplete => "an intermediate is missing",
        Trust::UnknownIssuer => "nobody knows its issuer",
        Trust::Revoked => "it is revoked",
        Trust::Other(reason) => reason,
    }
}

fn wanted(statuses: &[u16]) -> String {
    if statuses.is_empty() {
        return "with 200 to 299".to_owned();
    }
    let words: Vec<_> = statuses.iter().map(ToString::to_string).collect();
    format!("with {}", words.join(" or "))
}

/// What was found, in short; a text is not written out, because nobody knows what it is.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("another text of {} characters", text.chars().count()),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A number; a list counts as the number of its items, and a text as the number that it is.
fn of_json(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::Bool(truth) => Some(if *truth { 1.0 } else { 0.0 }),
        Value::String(text) => number(text),
        Value::Array(items) => Some(items.len() as f64),
        Value::Null | Value::Object(_) => None,
    }
}
