//! One mail that was taken, and what stands in it.

use jiff::Timestamp;
use mail_parser::{Address, MessageParser, MimeHeaders as _, PartType};

/// What the conversation said about a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailEnvelope {
    /// The sender of the envelope; empty for a bounce.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// The name that the client gave.
    pub client: String,
    /// Who signed in.
    pub user: Option<String>,
    /// Whether the mail came over TLS.
    pub encrypted: bool,
}

/// One mail.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Counts from 1 and is never used again.
    pub number: u64,
    /// When it was taken, in the time of the mailbox.
    pub received: Timestamp,
    /// Whether the client was told that it was taken.
    pub acknowledged: bool,
    /// The conversation around it.
    pub envelope: MailEnvelope,
    /// The bytes as they were sent, without the dots that the protocol adds.
    pub raw: Vec<u8>,
    /// The subject, decoded.
    pub subject: String,
    /// The addresses of the From header.
    pub from: Vec<String>,
    /// The addresses of the To header.
    pub to: Vec<String>,
    /// The `Message-ID`, without angle brackets.
    pub message_id: Option<String>,
    /// The text part, decoded.
    pub text: Option<String>,
    /// The HTML part, decoded.
    pub html: Option<String>,
}

impl Mail {
    /// Reads the headers and parts; what cannot be read is empty.
    pub(super) fn read(
        number: u64,
        received: Timestamp,
        acknowledged: bool,
        envelope: MailEnvelope,
        raw: Vec<u8>,
    ) -> Self {
        let mut mail = Self {
            number,
            received,
            acknowledged,
            envelope,
            raw,
            subject: String::new(),
            from: Vec::new(),
            to: Vec::new(),
            message_id: None,
            text: None,
            html: None,
        };
        let Some(message) = MessageParser::default().parse(&mail.raw) else { return mail };
        let subject = message.subject().unwrap_or_default().to_owned();
        let (from, to) = (addresses(message.from()), addresses(message.to()));
        let message_id = message.message_id().map(str::to_owned);
        let (mut text, mut html) = (None, None);
        // Not the library's own bodies: it makes up a missing one from the other.
        for part in &message.parts {
            let attached = part.content_disposition().is_some_and(|d| d.ctype() == "attachment");
            match &part.body {
                PartType::Text(body) if text.is_none() && !attached => {
                    text = Some(body.to_string());
                }
                PartType::Html(body) if html.is_none() && !attached => {
                    html = Some(body.to_string());
                }
                _ => {}
            }
        }
        mail.subject = subject;
        mail.from = from;
        mail.to = to;
        mail.message_id = message_id;
        mail.text = text;
        mail.html = html;
        mail
    }

    /// The decoded value of the first header of this name.
    pub fn header(&self, name: &str) -> Option<String> {
        let message = MessageParser::default().parse(&self.raw)?;
        let raw = message.header_raw(name.to_owned())?;
        match message.header(name.to_owned()).and_then(|value| value.as_text()) {
            Some(text) => Some(text.to_owned()),
            None => Some(raw.trim().to_owned()),
        }
    }
}

fn addresses(of: Option<&Address<'_>>) -> Vec<String> {
    let all = of.into_iter().flat_map(Address::iter);
    all.filter_map(|address| address.address().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Mail {
        let envelope = MailEnvelope::default();
        Mail::read(1, Timestamp::UNIX_EPOCH, true, envelope, raw.replace('\n', "\r\n").into())
    }

    #[test]
    fn subjects_and_both_parts_are_decoded() {
        let mail = read(
            "From: =?utf-8?q?L=C3=A4unch?= <a@harbor.example>\nTo: b@x.example,\n c@x.example\n\
             Subject: =?utf-8?B?S8O8c3Rl?= is\n =?utf-8?Q?do?=\n =?utf-8?Q?wn?=\nMessage-ID: <inc-1@harbor.example>\n\
             X-Why: because\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=\"b\"\n\n\
             --b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
             caf=C3=A9 =\nis open\n--b\nContent-Type: text/html; charset=utf-8\n\
             Content-Transfer-Encoding: base64\n\nPGI+Y2Fmw6k8L2I+\n--b--\n",
        );
        assert_eq!(mail.subject, "Küste is down");
        assert_eq!(mail.from, ["a@harbor.example"]);
        assert_eq!(mail.to, ["b@x.example", "c@x.example"]);
        assert_eq!(mail.message_id.as_deref(), Some("inc-1@harbor.example"));
        assert_eq!(mail.text.as_deref().map(str::trim_end), Some("café is open"));
        assert_eq!(mail.html.as_deref(), Some("<b>café</b>"));
        assert_eq!(mail.header("x-why").as_deref(), Some("because"));
        assert_eq!(mail.header("x-none"), None);
    }

    #[test]
    fn a_plain_mail_has_no_html_and_nonsense_has_nothing() {
        let mail = read("Subject: one\n\nbody\n");
        assert_eq!((mail.text.as_deref(), mail.html), (Some("body\r\n"), None));
        assert_eq!(read("").subject, "");
    }
}
