//! A message in Block Kit, inside its limits.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::notify::message::{Message, Role, Section};

/// Blocks of a message (Slack's limit is 50).
const BLOCKS: usize = 50;
/// Characters of a section (Slack's limit is 3,000), with room for marks around them.
const SECTION: usize = 2_900;
/// Characters of a header (Slack's limit is 150).
const HEADER: usize = 150;
/// Characters of the line that a phone shows.
const LINE: usize = 600;
/// Incidents in full: each takes up to four blocks, and six are for the rest.
const IN_FULL: usize = 11;

/// The body of the request.
pub(super) fn payload(message: &Message) -> Value {
    let mut blocks = vec![header(message)];
    if let Some(stakes) = message.stakes {
        blocks.push(section(&format!("*{}*", escaped(stakes, SECTION)), None));
    }
    let paragraphs: Vec<String> =
        message.paragraphs.iter().map(|line| escaped(line, SECTION)).collect();
    blocks.extend(joined(&paragraphs, "\n", 10).into_iter().map(|text| section(&text, None)));
    let alone = message.sections.len() == 1;
    for part in message.sections.iter().take(IN_FULL) {
        incident(part, alone, &mut blocks);
    }
    let mut lines: Vec<String> = message.sections.iter().skip(IN_FULL).map(one_line).collect();
    lines.extend(message.list.iter().map(|item| {
        let title = link(&escaped(&item.title, 200), item.link.as_deref());
        let fix = item.fix.as_deref().map(|fix| format!("\n      To do: {}", escaped(fix, 300)));
        let what = escaped(&item.what, 200);
        format!("{} *{title}*: {what}{}", item.tone.sign(), fix.unwrap_or_default())
    }));
    if let Some(more) = &message.more {
        lines.push(escaped(more, SECTION));
    }
    let room = BLOCKS.saturating_sub(blocks.len() + 2);
    blocks.extend(joined(&lines, "\n", room).into_iter().map(|text| section(&text, None)));
    if let (Some(page), false) = (&message.page, alone) {
        blocks.push(json!({"type": "actions", "elements": [button("Open the page", page)]}));
    }
    let notes: Vec<String> = message.notes.iter().map(|note| escaped(note, LINE)).collect();
    blocks.push(context(&notes.join("\n")));
    let text = escaped(&format!("{} {}", message.tone.sign(), message.subject), LINE);
    json!({"text": text, "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

fn header(message: &Message) -> Value {
    let text = format!("{} {}: {}", message.tone.sign(), message.badge, message.headline);
    // A header holds plain text, in which nothing is escaped.
    let text = crate::notify::harmless::cut(&text, HEADER);
    json!({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": true}})
}

fn incident(part: &Section, alone: bool, blocks: &mut Vec<Value>) {
    let mut lines = Vec::new();
    if !alone {
        blocks.push(json!({"type": "divider"}));
        let badge = escaped(&part.badge, 100);
        lines.push(format!("{} *{badge}: {}*", part.tone.sign(), escaped(&part.title, 200)));
        lines.extend(part.stakes.map(|stakes| format!("_{}_", escaped(stakes, 200))));
    }
    lines.extend(part.point(Role::What).map(|point| texts(&point.lines, 1_400)));
    for role in [Role::Since, Role::Why] {
        lines.extend(part.point(role).map(|p| format!("*{}*: {}", p.label, texts(&p.lines, 500))));
    }
    let open = part.link.as_deref().map(|url| button("Details", url));
    blocks.push(section(&cut_lines(&lines), open));
    let mut doing = Vec::new();
    for role in [Role::Fix, Role::Undo] {
        doing
            .extend(part.point(role).map(|p| format!("*{}*\n{}", p.label, texts(&p.lines, 1_000))));
    }
    doing.extend(
        part.point(Role::Recheck)
            .map(|p| format!("*{}*\n```{}```", p.label, texts(&p.lines, 300).replace('`', "'"))),
    );
    if !doing.is_empty() {
        blocks.push(section(&cut_lines(&doing), None));
    }
    if let Some(seen) = part.point(Role::Seen) {
        let seen = texts(&seen.lines, 1_500).replace('`', "'");
        blocks.push(section(&format!("*What we saw*\n```{seen}```"), None));
    }
}

fn one_line(part: &Section) -> String {
    let title = link(&escaped(&part.title, 200), part.link.as_deref());
    let (badge, about) = (escaped(&part.badge, 100), escaped(&part.about, 160));
    format!("{} *{badge}: {title}* ({about})", part.tone.sign())
}

fn link(text: &str, url: Option<&str>) -> String {
    match url {
        // `|` and `>` would end the address.
        Some(url) if !url.contains(['|', '>', '<']) => format!("<{}|{text}>", escaped(url, LINE)),
        _ => text.to_owned(),
    }
}

fn button(text: &str, url: &str) -> Value {
    json!({"type": "button", "text": {"type": "plain_text", "text": text}, "url": url})
}

fn section(text: &str, accessory: Option<Value>) -> Value {
    let mut block = json!({"type": "section", "text": {"type": "mrkdwn", "text": text}});
    if let (Some(accessory), Some(block)) = (accessory, block.as_object_mut()) {
        block.insert("accessory".to_owned(), accessory);
    }
    block
}

fn context(text: &str) -> Value {
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})
}

fn texts(lines: &[String], limit: usize) -> String {
    escaped(&lines.join("\n"), limit)
}

/// Texts that are escaped already, as many as a section holds.
fn cut_lines(lines: &[String]) -> String {
    joined(lines, "\n", 1).pop().unwrap_or_else(|| "…".to_owned())
}

/// Texts put together into at most `sections` that each fit; the rest is counted.
fn joined(lines: &[String], between: &str, sections: usize) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let fits = all.last().is_some_and(|last| {
            last.chars().count() + line.chars().count() + between.len() <= SECTION
        });
        if fits {
            if let Some(last) = all.last_mut() {
                last.push_str(between);
                last.push_str(line);
            }
        } else if all.len() < sections {
            all.push(line.clone());
        } else {
            if let Some(last) = all.last_mut() {
                // Writing into a string cannot fail.
                _ = write!(last, "{between}and {} more", lines.len() - index);
            }
            break;
        }
    }
    all
}

/// `&`, `<` and `>` as Slack wants them; at most `limit` characters after that, never half an entity.
fn escaped(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut length = 0;
    for c in text.chars() {
        let piece = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        length += piece.len().max(1);
        if length >= limit {
            out.push('…');
            break;
        }
        if piece.is_empty() {
            out.push(c);
        } else {
            out.push_str(piece);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::draw;
    use crate::notify::sample;

    /// What Slack would refuse.
    fn check(payload: &Value) {
        let blocks = payload["blocks"].as_array().unwrap();
        assert!((1..=BLOCKS).contains(&blocks.len()), "{} blocks", blocks.len());
        for block in blocks {
            let length = |text: &Value| text.as_str().unwrap().chars().count();
            match block["type"].as_str().unwrap() {
                "header" => assert!((1..=150).contains(&length(&block["text"]["text"]))),
                "section" => assert!((1..=3_000).contains(&length(&block["text"]["text"]))),
                "context" => assert!((1..=3_000).contains(&length(&block["elements"][0]["text"]))),
                "actions" | "divider" => {}
                other => panic!("{other}"),
            }
        }
    }

    #[test]
    fn each_message_keeps_the_limits_of_block_kit() {
        for (name, notification, envelope) in sample::all() {
            let payload = payload(&draw(&notification, &envelope));
            check(&payload);
            insta::assert_json_snapshot!(format!("slack_{name}"), payload);
        }
    }

    #[test]
    fn two_hundred_incidents_of_hostile_length_keep_them_too() {
        let notification = sample::many(200, &"<!channel>&".repeat(200));
        let payload = payload(&draw(&notification, &sample::envelope()));
        check(&payload);
        assert!(!payload.to_string().contains("<!channel>"));
    }

    #[test]
    fn an_entity_is_never_cut() {
        assert_eq!(escaped("a&b", 99), "a&amp;b");
        assert_eq!(escaped("a&b", 6), "a…");
        assert_eq!(escaped("<b>", 99), "&lt;b&gt;");
    }
}
