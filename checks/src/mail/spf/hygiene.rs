//! Judges the text of a record of one's own: what is long, idle, twice, or glued together.

use super::answers::Texts;
use super::findings;
use super::proposal;
use super::record::{Kind, Record, is_term};
use crate::contract::{Assessment, FindingSpec};

const RESTORE: &str = "Put the old text of the TXT record back.";

/// Judges the only record of `name`.
pub(super) fn judge(name: &str, texts: &Texts, record_bytes: usize, out: &mut Assessment) {
    let text = texts.only().unwrap_or_default();
    let line = format!("{name} TXT {text}");
    let record = Record::parse(&text);
    if let Some(strings) = texts.records.first() {
        glued(name, strings, out);
    }
    if texts.bytes > record_bytes {
        out.find(
            findings::TOO_LONG
                .finding(name)
                .summary(format!(
                    "The SPF record of {name} has {} bytes; more than {record_bytes} may not fit into a \
                     plain answer.",
                    texts.bytes
                ))
                .saw(&line)
                .fix(format!(
                    "Move part of the terms into a record of its own, such as _spf.{name}, and write \
                     include:_spf.{name} in their place; or remove what is no longer used."
                ))
                .undo(RESTORE),
        );
    }
    let add = |out: &mut Assessment, spec: FindingSpec, summary: String, dropped: &[&str]| {
        out.find(
            spec.finding(name)
                .summary(summary)
                .saw(&line)
                .fix(format!(
                    "Replace the record: {name} TXT \"{}\".",
                    proposal::without(&text, dropped)
                ))
                .undo(RESTORE),
        );
    };
    if let Some(ptr) = record.mechanisms().find(|term| term.kind == Kind::Ptr) {
        let summary = format!("The SPF record of {name} uses “{}”.", ptr.text);
        add(out, findings::PTR, summary, &[&ptr.text]);
    }
    behind_all(name, &line, &text, &record, out);
    let all_at = record.all_at().unwrap_or(usize::MAX);
    if all_at != usize::MAX
        && let Some(redirect) = record.terms.iter().find(|term| term.kind == Kind::Redirect)
    {
        let target = redirect.text.split_once('=').map_or("", |(_, target)| target);
        let all = record.terms.get(all_at).map_or("all", |all| all.text.as_str());
        out.find(
            findings::REDIRECT_IGNORED
                .finding(name)
                .summary(format!("In the SPF record of {name} “{}” is ignored because of “{all}”.", redirect.text))
                .saw(&line)
                .fix(format!(
                    "If the senders of {target} may send, write “include:{target}” before “{all}” and \
                     remove “{}”; else just remove it.",
                    redirect.text
                ))
                .undo(RESTORE),
        );
    }
    let reached: Vec<&str> = record.mechanisms().map(|term| term.text.as_str()).collect();
    let twice: Vec<&str> = reached
        .iter()
        .enumerate()
        .filter(|(at, text)| reached.iter().take(*at).any(|e| plain(e) == plain(text)))
        .map(|(_, text)| *text)
        .collect();
    if let Some(first) = twice.first() {
        let summary = match twice.len() {
            1 => format!("“{first}” stands twice in the SPF record of {name}."),
            n => {
                format!("{n} terms stand twice in the SPF record of {name}, among them “{first}”.")
            }
        };
        add(out, findings::DUPLICATE, summary, &twice);
    }
}

/// A term as it compares: `+a` is `a`.
fn plain(term: &str) -> String {
    term.strip_prefix('+').unwrap_or(term).to_ascii_lowercase()
}

fn behind_all(name: &str, line: &str, text: &str, record: &Record, out: &mut Assessment) {
    let Some(at) = record.all_at() else { return };
    let all = record.terms.get(at).map_or("all", |all| all.text.as_str());
    let idle: Vec<&str> = record
        .terms
        .iter()
        .skip(at + 1)
        .filter(|term| term.kind.is_mechanism())
        .map(|term| term.text.as_str())
        .collect();
    let Some(first) = idle.first() else { return };
    // All of them move in front of `all`, except a second `all`.
    let moved: Vec<&str> =
        idle.iter().copied().filter(|term| !term.to_ascii_lowercase().ends_with("all")).collect();
    let kept = proposal::without(text, &idle);
    let mended = kept
        .split(' ')
        .flat_map(|word| {
            if word == all {
                [moved.join(" "), word.to_owned()]
            } else {
                [String::new(), word.to_owned()]
            }
        })
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    out.find(
        findings::AFTER_ALL
            .finding(name)
            .summary(format!(
                "In the SPF record of {name} “{first}” stands behind “{all}” and is ignored."
            ))
            .saw(line)
            .saw(format!("ignored: {}", idle.join(" ")))
            .fix(format!("Replace the record: {name} TXT \"{mended}\"."))
            .undo(RESTORE),
    );
}

/// The words that come about where two strings of a record meet without a blank and each side is a
/// term by itself; a term that was only split in two is joined rightly.
fn seams(strings: &[String]) -> Vec<(String, String)> {
    let mut seams = Vec::new();
    let mut before = String::new();
    for string in strings {
        let tail = before.rsplit(' ').next().unwrap_or_default();
        let head = string.split(' ').next().unwrap_or_default();
        if is_term(tail) && is_term(head) {
            seams.push((tail.to_owned(), head.to_owned()));
        }
        before.push_str(string);
    }
    seams
}

/// The words that are glued together in the only record.
pub(super) fn glued_words(texts: &Texts) -> Vec<String> {
    let strings = texts.records.first().map_or(&[][..], Vec::as_slice);
    seams(strings).into_iter().map(|(tail, head)| format!("{tail}{head}")).collect()
}

fn glued(name: &str, strings: &[String], out: &mut Assessment) {
    let seams = seams(strings);
    let Some((tail, head)) = seams.first() else { return };
    let mut mended = strings.concat();
    for (tail, head) in &seams {
        mended = mended.replacen(&format!("{tail}{head}"), &format!("{tail} {head}"), 1);
    }
    out.find(
        findings::JOINED
            .finding(name)
            .summary(format!("In the SPF record of {name} “{tail}” and “{head}” run together as “{tail}{head}”."))
            .saw_all(strings.iter().map(|string| format!("{name} TXT string \"{string}\"")))
            .fix(format!(
                "Write the record with a blank between them: {name} TXT \"{mended}\". If the DNS provider \
                 asks for several strings, end each but the last with a blank."
            ))
            .undo(RESTORE),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(strings: &[&str]) -> Vec<String> {
        let records = vec![strings.iter().map(|s| (*s).to_owned()).collect()];
        glued_words(&Texts { records, ..Texts::default() })
    }

    #[test]
    fn only_two_whole_terms_are_said_to_run_together() {
        assert_eq!(
            words(&["v=spf1 include:a.com", "include:b.com -all"]),
            ["include:a.cominclude:b.com"]
        );
        assert_eq!(words(&["v=spf1 include:a.com", "~all"]), ["include:a.com~all"]);
        assert!(words(&["v=spf1 ip4:", "192.0.2.5 -all"]).is_empty());
        assert!(words(&["v=spf1 include:_spf.goo", "gle.com ~all"]).is_empty());
        assert!(words(&["v=spf1 mx ", "include:b.com -all"]).is_empty());
        assert!(words(&["v=spf1 mx", " include:b.com -all"]).is_empty());
    }
}
