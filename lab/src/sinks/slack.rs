//! What a Slack incoming webhook refuses: the limits of Block Kit.

use std::collections::BTreeSet;

use serde_json::Value;

use super::server::Judgement;

/// Blocks of one message.
const BLOCKS: usize = 50;
/// Characters of a header.
const HEADER: usize = 150;
/// Characters of a section's text.
const SECTION: usize = 3_000;
/// Fields of a section.
const FIELDS: usize = 10;
/// Characters of a field.
const FIELD: usize = 2_000;
/// Elements of a context block.
const CONTEXT: usize = 10;
/// Elements of an actions block.
const ACTIONS: usize = 25;
/// Characters of a button's label.
const BUTTON: usize = 75;
/// Characters of a button's URL.
const URL: usize = 3_000;
/// Characters of a `block_id` or `action_id`.
const ID: usize = 255;
/// Characters of the text of a message.
const TEXT: usize = 40_000;

/// Judges a message.
pub(super) fn judge(body: &[u8]) -> Judgement {
    let invalid = |why: String| Judgement::refused(400, "invalid_payload", why);
    let message: Value = match serde_json::from_slice(body) {
        Ok(message @ Value::Object(_)) => message,
        Ok(_) => return invalid("the body is no JSON object".to_owned()),
        Err(error) => return invalid(format!("the body is no JSON: {error}")),
    };
    let text = message.get("text").and_then(Value::as_str).unwrap_or_default();
    if text.chars().count() > TEXT {
        return invalid(format!("text has over {TEXT} characters"));
    }
    let attachments = message.get("attachments").and_then(Value::as_array);
    let lists = std::iter::once(&message).chain(attachments.into_iter().flatten());
    let mut any = false;
    for list in lists.filter_map(|holder| holder.get("blocks")) {
        any = true;
        if let Err(why) = blocks(list) {
            return invalid(why);
        }
    }
    if text.is_empty() && !any {
        return Judgement::refused(400, "no_text", "neither text nor blocks");
    }
    Judgement::taken(200, "ok")
}

fn blocks(list: &Value) -> Result<(), String> {
    let blocks = list.as_array().ok_or("blocks is no list")?;
    at_most("blocks", blocks.len(), BLOCKS)?;
    let mut ids = BTreeSet::new();
    for (index, block) in blocks.iter().enumerate() {
        one(block).map_err(|why| format!("block {index}: {why}"))?;
        if let Some(id) = block.get("block_id") {
            let id = id.as_str().ok_or("block_id is no text")?;
            at_most("the characters of block_id", id.chars().count(), ID)?;
            if !ids.insert(id) {
                return Err(format!("block {index}: block_id {id} stands there twice"));
            }
        }
    }
    Ok(())
}

fn one(block: &Value) -> Result<(), String> {
    let kind = block.get("type").and_then(Value::as_str).ok_or("it has no type")?;
    match kind {
        "divider" => Ok(()),
        "header" => words(block.get("text"), &["plain_text"], HEADER),
        "section" => section(block),
        "context" => {
            let elements = list(block, "elements", CONTEXT)?;
            elements.iter().try_for_each(|element| match element.get("type") {
                Some(kind) if kind == "image" => image(element),
                _ => words(Some(element), &["mrkdwn", "plain_text"], SECTION),
            })
        }
        "actions" => list(block, "elements", ACTIONS)?.iter().try_for_each(button),
        "image" => image(block),
        other => Err(format!("{other:?} is no block of a message that the lab knows")),
    }
}

fn section(block: &Value) -> Result<(), String> {
    let text = block.get("text");
    let fields = block.get("fields");
    if text.is_none() && fields.is_none() {
        return Err("a section needs text or fields".to_owned());
    }
    if text.is_some() {
        words(text, &["mrkdwn", "plain_text"], SECTION)?;
    }
    if fields.is_some() {
        let fields = list(block, "fields", FIELDS)?;
        fields.iter().try_for_each(|f| words(Some(f), &["mrkdwn", "plain_text"], FIELD))?;
    }
    match block.get("accessory") {
        Some(accessory) if accessory.get("type").is_some_and(|kind| kind == "image") => {
            image(accessory)
        }
        Some(accessory) => button(accessory),
        None => Ok(()),
    }
}

fn button(button: &Value) -> Result<(), String> {
    if button.get("type").is_none_or(|kind| kind != "button") {
        return Err("the element is no button".to_owned());
    }
    words(button.get("text"), &["plain_text"], BUTTON)?;
    for (key, limit) in [("url", URL), ("action_id", ID), ("value", 2_000)] {
        if let Some(text) = button.get(key) {
            let text = text.as_str().ok_or_else(|| format!("{key} is no text"))?;
            at_most(&format!("the characters of {key}"), text.chars().count(), limit)?;
        }
    }
    Ok(())
}

fn image(image: &Value) -> Result<(), String> {
    for key in ["image_url", "alt_text"] {
        let text = image.get(key).and_then(Value::as_str).unwrap_or_default();
        if text.is_empty() {
            return Err(format!("an image needs {key}"));
        }
    }
    Ok(())
}

/// A text object of one of these types that is neither empty nor too long.
fn words(object: Option<&Value>, kinds: &[&str], limit: usize) -> Result<(), String> {
    let object = object.ok_or("text is missing")?;
    let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
    if !kinds.contains(&kind) {
        return Err(format!("text of the type {kind:?} is not allowed here"));
    }
    let text = object.get("text").and_then(Value::as_str).unwrap_or_default();
    if text.is_empty() {
        return Err("text is empty".to_owned());
    }
    at_most("the characters of text", text.chars().count(), limit)
}

fn list<'a>(block: &'a Value, key: &str, limit: usize) -> Result<&'a [Value], String> {
    let list =
        block.get(key).and_then(Value::as_array).ok_or_else(|| format!("{key} is missing"))?;
    if list.is_empty() {
        return Err(format!("{key} is empty"));
    }
    at_most(key, list.len(), limit)?;
    Ok(list)
}

fn at_most(what: &str, count: usize, limit: usize) -> Result<(), String> {
    if count > limit { Err(format!("{what}: {count}, over {limit}")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(message: &Value) -> (u16, String) {
        let judgement = judge(message.to_string().as_bytes());
        (judgement.status, judgement.body)
    }

    fn section(text: &str) -> Value {
        json!({"type": "section", "text": {"type": "mrkdwn", "text": text}})
    }

    #[test]
    fn a_message_inside_the_limits_is_ok() {
        let message = json!({"text": "down", "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": "h".repeat(150)}},
            section(&"s".repeat(3_000)),
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "f"}]},
            {"type": "divider", "block_id": "d"},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "c"}]},
            {"type": "actions", "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Open"}, "url": "https://a.example/"}
            ]},
        ]});
        assert_eq!(answer(&message), (200, "ok".to_owned()));
        assert_eq!(answer(&json!({"text": "x"})), (200, "ok".to_owned()));
        let attached = json!({"attachments": [{"color": "#f00", "blocks": [section("a")]}]});
        assert_eq!(answer(&attached), (200, "ok".to_owned()));
    }

    #[test]
    fn what_breaks_a_limit_is_refused() {
        let many = |count: usize| vec![section("x"); count];
        let field = json!({"type": "mrkdwn", "text": "f"});
        for blocks in [
            json!(many(51)),
            json!([section(&"s".repeat(3_001))]),
            json!([section("")]),
            json!([{"type": "section"}]),
            json!([{"type": "header", "text": {"type": "plain_text", "text": "h".repeat(151)}}]),
            json!([{"type": "header", "text": {"type": "mrkdwn", "text": "h"}}]),
            json!([{"type": "section", "fields": vec![field; 11]}]),
            json!([{"type": "divider", "block_id": "x"}, {"type": "divider", "block_id": "x"}]),
            json!([{"type": "divider", "block_id": "x".repeat(256)}]),
            json!([{"type": "context", "elements": []}]),
            json!([{"type": "actions", "elements": [{"type": "link"}]}]),
            json!([{"type": "table"}]),
            json!({}),
        ] {
            let message = json!({"text": "x", "blocks": blocks});
            assert_eq!(answer(&message), (400, "invalid_payload".to_owned()), "{message}");
        }
        assert_eq!(answer(&json!({})), (400, "no_text".to_owned()));
        assert_eq!(answer(&json!([])), (400, "invalid_payload".to_owned()));
    }
}
