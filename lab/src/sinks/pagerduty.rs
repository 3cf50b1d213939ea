//! What the `PagerDuty` Events API v2 takes and refuses.

use serde_json::{Value, json};

use super::server::Judgement;

/// Characters of a summary.
const SUMMARY: usize = 1_024;
/// Characters of a `dedup_key`.
const DEDUP_KEY: usize = 255;

/// Judges an event.
pub(super) fn judge(body: &[u8], number: u64) -> Judgement {
    let event: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = errors(&event);
    if !errors.is_empty() {
        let why = errors.join("; ");
        let body = json!({
            "status": "invalid event", "message": "Event object is invalid", "errors": errors,
        });
        return Judgement::refused(400, body.to_string(), why);
    }
    let given = text(&event, "dedup_key").unwrap_or_default().to_owned();
    let key = if given.is_empty() { format!("lab-{number}") } else { given };
    let body = json!({"status": "success", "message": "Event processed", "dedup_key": key});
    Judgement::taken(202, body.to_string())
}

fn errors(event: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    if text(event, "routing_key").is_none_or(str::is_empty) {
        errors.push("'routing_key' is missing or blank".to_owned());
    }
    let key = text(event, "dedup_key").unwrap_or_default();
    if key.chars().count() > DEDUP_KEY {
        errors.push(format!("'dedup_key' is over {DEDUP_KEY} characters"));
    }
    match text(event, "event_action").unwrap_or_default() {
        "trigger" => match event.get("payload") {
            Some(payload) => errors.extend(payload_errors(payload)),
            None => errors.push("'payload' is missing or blank".to_owned()),
        },
        "acknowledge" | "resolve" => {
            if key.is_empty() {
                errors.push("'dedup_key' is missing or blank".to_owned());
            }
        }
        _ => errors.push("'event_action' is no trigger, acknowledge or resolve".to_owned()),
    }
    let links = event.get("links").map(Value::as_array);
    let link = |link: &Value| text(link, "href").is_some_and(|href| !href.is_empty());
    if links.is_some_and(|links| !links.is_some_and(|links| links.iter().all(link))) {
        errors.push("'links' is no list of links".to_owned());
    }
    errors
}

fn payload_errors(payload: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    for key in ["summary", "source"] {
        if text(payload, key).is_none_or(str::is_empty) {
            errors.push(format!("'payload.{key}' is missing or blank"));
        }
    }
    if text(payload, "summary").is_some_and(|summary| summary.chars().count() > SUMMARY) {
        errors.push(format!("'payload.summary' is over {SUMMARY} characters"));
    }
    let severity = text(payload, "severity").unwrap_or_default();
    if !["critical", "warning", "error", "info"].contains(&severity) {
        errors.push("'payload.severity' is no critical, warning, error or info".to_owned());
    }
    if let Some(time) = payload.get("timestamp") {
        let time = time.as_str().unwrap_or_default();
        if time.parse::<jiff::Timestamp>().is_err() {
            errors.push("'payload.timestamp' is no time".to_owned());
        }
    }
    errors
}

fn text<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Value {
        json!({
            "routing_key": "R0", "event_action": "trigger", "dedup_key": "harbor/tls",
            "payload": {"summary": "s", "source": "harbor.example", "severity": "critical",
                        "timestamp": "2026-09-15T12:00:00Z"},
            "links": [{"href": "https://watch.harbor.example/", "text": "incident"}],
        })
    }

    #[test]
    fn a_good_event_is_taken_with_its_key() {
        let judgement = judge(event().to_string().as_bytes(), 1);
        assert_eq!(judgement.status, 202);
        assert!(judgement.body.contains(r#""dedup_key":"harbor/tls""#));
        let resolve = br#"{"routing_key":"R0","event_action":"resolve","dedup_key":"k"}"#;
        assert_eq!(judge(resolve, 1).status, 202);
    }

    #[test]
    fn a_bad_event_says_what_is_wrong() {
        let changes = [
            ("/routing_key", json!("")),
            ("/event_action", json!("open")),
            ("/payload/severity", json!("fatal")),
            ("/payload/summary", json!("s".repeat(1_025))),
            ("/payload/timestamp", json!("yesterday")),
            ("/dedup_key", json!("k".repeat(256))),
            ("/links", json!([{"text": "x"}])),
        ];
        for (pointer, value) in changes {
            let mut event = event();
            *event.pointer_mut(pointer).unwrap() = value;
            let judgement = judge(event.to_string().as_bytes(), 1);
            assert_eq!(judgement.status, 400, "{pointer}");
            let key = pointer.rsplit('/').next().unwrap();
            assert!(judgement.refused.unwrap().contains(key), "{pointer}");
        }
        assert_eq!(judge(b"nonsense", 1).status, 400);
        assert_eq!(judge(br#"{"routing_key":"R","event_action":"resolve"}"#, 1).status, 400);
    }
}
