//! What a form or a program sends, read and bounded.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};

use super::fault::Fault;
use super::guard::Caller;
use super::session;
use crate::incident::Said;

/// The most fields of a form.
const FIELDS: usize = 32;

/// A form that holds the token of its session.
#[derive(Debug, Clone, Default)]
pub(super) struct Filled(BTreeMap<String, String>);

impl<S: Send + Sync> FromRequest<S> for Filled {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let token = request.extensions().get::<Caller>().map(|caller| caller.token.clone());
        let filled = Plain::from_request(request, state).await?.0;
        let sent = filled.text("csrf");
        match token.filter(|token| !token.is_empty()) {
            Some(token) if session::same(&token, sent) => Ok(filled),
            _ => Err(Fault::forbidden(
                "The form is not from this session.",
                "Load the page again, sign in if it asks you to, and send the form once more.",
            )),
        }
    }
}

/// A form without a token: the one that signs in.
#[derive(Debug, Clone)]
pub(super) struct Plain(pub(super) Filled);

impl<S: Send + Sync> FromRequest<S> for Plain {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|refused| Fault::of_status(refused.status()))?;
        let pairs = url::form_urlencoded::parse(&body).take(FIELDS);
        Ok(Self(Filled(
            pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        )))
    }
}

impl Filled {
    /// A form that is shown with these fields filled in.
    pub(super) fn of<const N: usize>(fields: [(&str, &str); N]) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }

    /// A field without the blanks around it; empty where it is absent.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.trim())
    }

    /// Whether a field holds this word.
    pub(super) fn is(&self, name: &str, word: &str) -> bool {
        self.text(name) == word
    }

    /// A field that is optional.
    pub(super) fn some(&self, name: &str) -> Option<String> {
        Some(self.text(name)).filter(|text| !text.is_empty()).map(str::to_owned)
    }
}

/// The most characters of a name.
const NAME: usize = Said::Name.most();
/// The most characters of a reason or a note.
pub(super) const NOTE: usize = Said::Reason.most();

/// Who did something, as they call themselves: the page has one password, so it knows no names.
pub(super) fn by(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    bounded(if text.is_empty() { "somebody on the page" } else { text }, "name", NAME)
}

/// A text that is not too long.
pub(super) fn bounded(text: &str, what: &str, most: usize) -> Result<String, Fault> {
    let text = text.trim();
    if text.chars().count() > most {
        return Err(Fault::bad(
            format!("The {what} is too long."),
            format!("Write at most {most} characters."),
        ));
    }
    Ok(text.to_owned())
}

/// Who or why, where that has to be there.
pub(super) fn needed(text: &str, what: Said) -> Result<String, Fault> {
    what.read(text).map_err(|refused| {
        let (wrong, wanted) = refused.parts();
        Fault::bad(sentence(&wrong), sentence(&wanted))
    })
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The lengths that a silence may be asked for on the page.
pub(super) const SILENCES: [(&str, &str, i64); 4] =
    [("1h", "1 hour", 1), ("4h", "4 hours", 4), ("1d", "1 day", 24), ("7d", "7 days", 168)];

/// When a silence of one of [`SILENCES`] ends.
pub(super) fn silence_end(length: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let known = SILENCES.iter().find(|(name, _, _)| *name == length);
    known
        .and_then(|(_, _, hours)| now.checked_add(SignedDuration::from_hours(*hours)).ok())
        .ok_or_else(|| Fault::bad("A silence needs a length.", "Choose one: 1h, 4h, 1d or 7d."))
}

/// A date such as `2026-12-31`, as its end in UTC; it lies ahead.
pub(super) fn date_end(text: &str, now: Timestamp) -> Result<Timestamp, Fault> {
    let wrong = || {
        Fault::bad(
            "That is no date that lies ahead.",
            "Write the last day on which it holds, such as 2027-03-31.",
        )
    };
    let date: jiff::civil::Date = text.trim().parse().map_err(|_source| wrong())?;
    let end = date
        .at(23, 59, 59, 0)
        .to_zoned_datetime(jiff::tz::TimeZone::UTC)
        .map_err(|_source| wrong())?;
    Some(end.timestamp()).filter(|end| *end > now).ok_or_else(wrong)
}

/// The body of a request of the API. What is no JSON of the right shape is refused with the reason.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

impl<T: serde::de::DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, state: &S) -> Result<Self, Fault> {
        axum::Json::<T>::from_request(request, state).await.map(|json| Self(json.0)).map_err(
            |refused| match refused.status() {
                status @ (StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) => {
                    Fault::new(status, refused.body_text(), "Mend the body, and send it again.")
                }
                status => Fault::of_status(status),
            },
        )
    }
}
