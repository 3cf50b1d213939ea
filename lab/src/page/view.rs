//! The HTML of the page.

use std::fmt::Write as _;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::pace::Pace;
use crate::{Mail, Received, SinkKind, Sinks};

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1d2730;--soft:#5a6672;--line:#d9dfe5;--paper:#fff;--tint:#f5f7f9;--sea:#0b5c8a;--bad:#b3261e}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9fadba;--line:#2f3a44;--paper:#12181e;--tint:#1a222a;--sea:#7cc4ee;--bad:#ff8a80}}
*{box-sizing:border-box}body{margin:0;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
main{max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:0 0 1rem}a{color:var(--sea)}.soft,time{color:var(--soft)}.bad{color:var(--bad)}
ol{list-style:none;margin:1.5rem 0 0;padding:0;border-top:1px solid var(--line)}li{border-bottom:1px solid var(--line)}
li a{display:grid;grid-template-columns:5.5rem 6rem 1fr;gap:0 1rem;padding:.75rem .25rem;color:inherit;text-decoration:none}
li a:hover,li a:focus-visible{background:var(--tint)}li strong{font-weight:600;overflow-wrap:anywhere}li small{grid-column:3;color:var(--soft);font-size:.875rem;overflow-wrap:anywhere}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.125rem 1rem;margin:1rem 0 0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
dl+.soft{margin:1rem 0 0}.both{display:grid;grid-template-columns:minmax(0,1fr);gap:0 1.5rem}
@media(min-width:64rem){.both{grid-template-columns:minmax(0,1fr) minmax(0,43rem)}.both section:only-child{grid-column:1/-1}}
iframe{width:100%;height:40rem;border:1px solid var(--line);border-radius:.5rem;background:#fff}
pre{margin:0;padding:1rem;border:1px solid var(--line);border-radius:.5rem;background:var(--tint);font:14px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
@media(max-width:40rem){li a{grid-template-columns:1fr auto}li strong,li small{grid-column:1/-1}}";

/// The list of everything, newest first. It loads itself again every few seconds.
pub(super) fn list(mails: &[Arc<Mail>], sinks: &Sinks, pace: Pace) -> String {
    let mut entries: Vec<(Timestamp, String)> =
        mails.iter().map(|mail| mail_entry(mail, pace)).collect();
    for kind in [SinkKind::Slack, SinkKind::Webhook, SinkKind::PagerDuty] {
        entries.extend(sinks.requests(kind).iter().map(|one| received_entry(one, pace)));
    }
    // What came at the same time stays in its order.
    entries.sort_by_key(|(at, _)| *at);
    let list: String = entries.iter().rev().map(|(_, entry)| entry.as_str()).collect();
    let count = entries.len();
    let beats = sinks.received(SinkKind::DeadMan);
    let beat = beats.last().map_or_else(
        || "no dead-man ping yet".to_owned(),
        |last| format!("last dead-man ping at {}", pace.clock(last.at)),
    );
    let body = if entries.is_empty() {
        "<p>Nothing was sent yet. This page loads itself again every five seconds.</p>".to_owned()
    } else {
        format!("<ol>{list}</ol>")
    };
    let one = if count == 1 { "message" } else { "messages" };
    document(
        "Sent by launchready",
        "<meta http-equiv=\"refresh\" content=\"5\">",
        &format!(
            "<h1>Sent by launchready</h1><p class=\"soft\">{count} {one}, newest first; {beat}. \
             Nothing of this has left the machine. {}</p>{body}",
            pace.words()
        ),
    )
}

fn mail_entry(mail: &Arc<Mail>, pace: Pace) -> (Timestamp, String) {
    let about = format!("to {}", mail.envelope.to.join(", "));
    let link = format!("/mail/{}", mail.number);
    (mail.received, entry(&link, &pace.clock(mail.received), "mail", &mail.subject, &about))
}

fn received_entry(one: &Arc<Received>, pace: Pace) -> (Timestamp, String) {
    let about = match (&one.refused, one.taken) {
        (Some(why), _) => format!("refused: {why}"),
        (None, true) => String::new(),
        (None, false) => "not taken".to_owned(),
    };
    let link = format!("/message/{}", one.number);
    (one.at, entry(&link, &pace.clock(one.at), one.kind.as_str(), &summary(one), &about))
}

fn entry(link: &str, time: &str, kind: &str, title: &str, about: &str) -> String {
    let title = escape(title);
    let small =
        if about.is_empty() { String::new() } else { format!("<small>{}</small>", escape(about)) };
    format!(
        "<li><a href=\"{link}\"><time>{time}</time><span class=\"soft\">{kind}</span><strong>{title}</strong>{small}</a></li>"
    )
}

/// What a message says in one line.
fn summary(one: &Received) -> String {
    let json = one.json();
    let text = |pointer: &str| json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let found = match one.kind {
        SinkKind::Slack => text("/text"),
        SinkKind::Webhook => text("/data/subject").or_else(|| text("/type")),
        SinkKind::PagerDuty => text("/payload/summary").or_else(|| text("/event_action")),
        SinkKind::DeadMan => None,
    };
    let line = found.unwrap_or_else(|| one.path.clone());
    line.lines().next().unwrap_or_default().to_owned()
}

/// One mail: its headers, its HTML in a frame that can do nothing, its text beside it.
pub(super) fn mail(mail: &Mail, pace: Pace) -> String {
    let told = if mail.acknowledged {
        String::new()
    } else {
        "<p class=\"bad\">The sender was not told that this mail was taken.</p>".to_owned()
    };
    let facts = [
        ("From", mail.from.join(", ")),
        ("To", mail.envelope.to.join(", ")),
        ("Received", pace.full(mail.received)),
        ("Message-ID", mail.message_id.clone().unwrap_or_default()),
        ("Encrypted", if mail.envelope.encrypted { "yes" } else { "no" }.to_owned()),
    ];
    let mut parts = String::new();
    if let Some(html) = &mail.html {
        let html = escape(html);
        let _written = write!(
            parts,
            "<section><h2>As a mail program shows it</h2><iframe sandbox=\"\" \
             title=\"The mail\" srcdoc=\"{html}\"></iframe></section>"
        );
    }
    if let Some(text) = &mail.text {
        let text = escape(text);
        let _written = write!(parts, "<section><h2>As text</h2><pre>{text}</pre></section>");
    }
    let subject = if mail.subject.is_empty() { "(no subject)" } else { &mail.subject };
    let heading = escape(subject);
    let facts = definitions(&facts);
    document(
        subject,
        "",
        &format!(
            "<p><a href=\"/\">All messages</a></p><h1>{heading}</h1>{told}{facts}\
             <p class=\"soft\">{}</p><div class=\"both\">{parts}</div>",
            pace.words()
        ),
    )
}

/// One message of a sink: what it says, and its body.
pub(super) fn received(one: &Received, pace: Pace) -> String {
    let answer = match (one.status, one.taken) {
        (Some(status), _) => status.to_string(),
        (None, true) => "taken, and the sender was not told".to_owned(),
        (None, false) => "none".to_owned(),
    };
    let header = |name: &str| one.headers.get(name).cloned().unwrap_or_default();
    let facts = [
        ("Where", one.kind.as_str().to_owned()),
        ("Received", pace.full(one.at)),
        ("Answer", answer),
        ("Refused", one.refused.clone().unwrap_or_default()),
        ("webhook-id", header("webhook-id")),
    ];
    let json = one.json();
    let body = if json.is_null() {
        one.text()
    } else {
        serde_json::to_string_pretty(&json).unwrap_or_default()
    };
    let mut words = Vec::new();
    if one.kind == SinkKind::Slack {
        collect_text(&json, &mut words);
    }
    let mut parts = String::new();
    if !words.is_empty() {
        let words = escape(&words.join("\n\n"));
        let _written = write!(parts, "<section><h2>Its words</h2><pre>{words}</pre></section>");
    }
    let title = summary(one);
    let (heading, body, facts) = (escape(&title), escape(&body), definitions(&facts));
    document(
        &title,
        "",
        &format!(
            "<p><a href=\"/\">All messages</a></p><h1>{heading}</h1>{facts}<p class=\"soft\">{}</p>\
             <div class=\"both\">{parts}<section><h2>As it was sent</h2><pre>{body}</pre></section></div>",
            pace.words()
        ),
    )
}

/// A page that says one thing.
pub(super) fn message(text: &str) -> String {
    document(text, "", &format!("<h1>{}</h1><p><a href=\"/\">All messages</a></p>", escape(text)))
}

/// Every text of a block, in its order. The depth is bounded by what the parser reads.
fn collect_text(value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            let blocks = object.iter().filter(|(key, _)| *key != "text");
            if let (Some(Value::String(text)), true) =
                (object.get("text"), object.contains_key("type"))
            {
                words.push(text.clone());
            } else if let Some(text) = object.get("text").filter(|text| text.is_object()) {
                collect_text(text, words);
            }
            blocks.for_each(|(_, inner)| collect_text(inner, words));
        }
        Value::Array(list) => list.iter().for_each(|inner| collect_text(inner, words)),
        _ => {}
    }
}

fn definitions(facts: &[(&str, String)]) -> String {
    let mut list = String::from("<dl>");
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        let _written = write!(list, "<dt>{name}</dt><dd>{}</dd>", escape(value));
    }
    list + "</dl>"
}

fn document(title: &str, head: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">{head}\
         <style>{STYLE}</style></head><body><main>{body}</main></body></html>"
    )
}

/// Text that can stand in an element and in an attribute with double quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}
