//! A message as a letter: headers, text and HTML.

use std::collections::BTreeSet;
use std::time::SystemTime;

use lettre::Message as Letter;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use super::html;
use crate::notify::message::{Message, text};
use crate::notify::{Envelope, NotifyError};
use crate::store::Notification;

/// Incidents whose threads a letter belongs to; a header is a line of bounded length.
const THREADS: usize = 10;

/// Writes the letter. It is the same on every try, its Message-ID and boundary included.
pub(super) fn write(
    message: &Message,
    notification: &Notification,
    envelope: &Envelope,
    from: &Mailbox,
    to: &[Mailbox],
) -> Result<Letter, NotifyError> {
    let broken = |why: String| NotifyError::Permanent {
        reason: "invalid",
        why,
        remedy: "check the addresses of this channel".to_owned(),
    };
    let domain = from.email.domain();
    let html = html::page(message).map_err(|error| broken(error.to_string()))?;
    let mut letter = Letter::builder()
        .from(from.clone())
        .subject(&message.subject)
        .message_id(Some(format!("<{}@{domain}>", token(&envelope.id))))
        .date(SystemTime::try_from(notification.at).unwrap_or(SystemTime::UNIX_EPOCH));
    for to in to {
        letter = letter.to(to.clone());
    }
    let threads = threads(notification, domain);
    if let Some(first) = threads.first() {
        letter = letter.in_reply_to(first.clone()).references(threads.join(" "));
    }
    for (name, value) in [
        // RFC 3834: no holiday reply comes back.
        ("Auto-Submitted", "auto-generated".to_owned()),
        ("X-Auto-Response-Suppress", "All".to_owned()),
        ("List-Id", list_id(&notification.project, domain)),
    ] {
        let name = HeaderName::new_from_ascii(name.to_owned());
        let name = name.map_err(|error| broken(error.to_string()))?;
        letter = letter.raw_header(HeaderValue::new(name, value));
    }
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", token(&envelope.id)))
        .singlepart(SinglePart::plain(text(message)))
        .singlepart(SinglePart::html(html));
    letter.multipart(parts).map_err(|error| broken(error.to_string()))
}

/// What every letter about an incident refers to, so that a mail program puts them together: one
/// invented first letter for each incident, which nobody has to have.
fn threads(notification: &Notification, domain: &str) -> Vec<String> {
    let ids: BTreeSet<&str> =
        notification.told.iter().map(|told| told.incident.id.as_str()).collect();
    ids.into_iter().take(THREADS).map(|id| format!("<{}@{domain}>", token(id))).collect()
}

/// RFC 2919: a name and an identifier, by which a mail program sorts.
fn list_id(project: &str, domain: &str) -> String {
    let label =
        if project.is_empty() { "all".to_owned() } else { token(project).to_ascii_lowercase() };
    format!("launchready {label} <{label}.launchready.{domain}>")
}

/// The characters that may stand in an identifier of a header; others become `-`.
fn token(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    text.chars().take(80).map(safe).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::draw;
    use crate::notify::sample;

    #[test]
    fn each_letter_is_the_same_on_every_try_and_has_short_lines_only() {
        for (name, notification, envelope) in sample::all() {
            let write = |attempt| {
                let envelope = Envelope { attempt, ..envelope.clone() };
                let message = draw(&notification, &envelope);
                let from = "launchready <launchready@harbor.example>".parse().unwrap();
                let to = ["founder@harbor.example".parse().unwrap()];
                write(&message, &notification, &envelope, &from, &to).unwrap().formatted()
            };
            let letter = write(1);
            assert_eq!(letter, write(7), "{name}");
            // RFC 5322 2.1.1: at most 998 characters a line.
            for line in letter.split(|byte| *byte == b'\n') {
                assert!(line.len() <= 998, "{name}: {}", String::from_utf8_lossy(line));
            }
            let letter = String::from_utf8(letter).unwrap();
            let (head, _) = letter.split_once("\r\n\r\n").unwrap();
            insta::assert_snapshot!(format!("headers_{name}"), head.replace("\r\n", "\n"));
        }
    }

    #[test]
    fn a_name_from_outside_cannot_add_a_header() {
        let (_, mut notification, envelope) = sample::all().remove(0);
        notification.project = "a\r\nBcc: x@y.example".to_owned();
        notification.told[0].incident.title = "b\r\nBcc: x@y.example".to_owned();
        let message = draw(&notification, &envelope);
        let from: Mailbox = "launchready@harbor.example".parse().unwrap();
        let letter =
            write(&message, &notification, &envelope, &from, std::slice::from_ref(&from)).unwrap();
        let letter = String::from_utf8(letter.formatted()).unwrap();
        let (head, _) = letter.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    }
}
