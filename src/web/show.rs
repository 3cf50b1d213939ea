//! Texts as HTML: whatever comes from outside is escaped here or by the template, and nowhere trusted.

use std::fmt;

use askama::Template;
use askama::filters::{Escaper as _, Html, HtmlSafe};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use launchready_checks::contract::{Severity, Status};

use super::fault::Fault;
use crate::incident::State;
use crate::report::{self, Verdict};

/// A text as it is written into HTML, also inside a quoted attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Html.write_escaped_str(f, self.0)
    }
}

impl HtmlSafe for Escaped<'_> {}

/// A text in which what stands between two backticks is code.
#[derive(Debug, Clone)]
pub(super) struct Prose(String);

impl Prose {
    pub(super) fn new(text: &str) -> Self {
        Self(report::prose(text))
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Prose {}

/// A text as one segment of a path or one value of a query: everything but letters, digits and `-._~`
/// is written in per cent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a>(pub(super) &'a str);

impl fmt::Display for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Segment<'_> {}

/// A coloured word with a sign, so that no meaning hangs on the colour alone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Badge {
    /// The class that colours it.
    pub(super) tone: &'static str,
    sign: &'static str,
    /// The word.
    pub(super) word: &'static str,
}

impl fmt::Display for Badge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tone, sign, word } = self;
        write!(
            f,
            "<span class=\"badge {tone}\"><span aria-hidden=\"true\">{sign}</span> {word}</span>"
        )
    }
}

impl HtmlSafe for Badge {}

impl From<Severity> for Badge {
    fn from(severity: Severity) -> Self {
        let (tone, sign) = match severity {
            Severity::Critical => ("critical", "◆"),
            Severity::Warning => ("warning", "▲"),
            Severity::Info => ("info", "●"),
        };
        Self { tone, sign, word: severity.as_str() }
    }
}

impl From<Status> for Badge {
    fn from(status: Status) -> Self {
        let (tone, sign) = match status {
            Status::Pass => ("pass", "✓"),
            Status::Warn => ("warning", "▲"),
            Status::Fail => ("critical", "◆"),
            Status::Unknown => ("unknown", "?"),
            Status::Skipped => ("quiet", "–"),
        };
        Self { tone, sign, word: status.as_str() }
    }
}

impl From<Verdict> for Badge {
    fn from(verdict: Verdict) -> Self {
        let (tone, sign) = match verdict {
            Verdict::Go => ("pass", "✓"),
            Verdict::GoWithConditions => ("warning", "▲"),
            Verdict::NoGo => ("critical", "◆"),
        };
        Self { tone, sign, word: verdict.title() }
    }
}

impl From<State> for Badge {
    fn from(state: State) -> Self {
        let (tone, sign) = match state {
            State::Suspected => ("quiet", "?"),
            State::Open => ("critical", "●"),
            State::Acknowledged => ("info", "◐"),
            State::Resolved => ("pass", "✓"),
        };
        Self { tone, sign, word: state.as_str() }
    }
}

impl Badge {
    /// A badge of its own.
    pub(super) const fn new(tone: &'static str, sign: &'static str, word: &'static str) -> Self {
        Self { tone, sign, word }
    }
}

/// `1 check`, `3 checks`.
pub(super) fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Draws a page. What would act on the reader's screen instead of being read, such as marks that turn
/// the direction of writing, is made visible in all of it at once.
pub(super) fn draw(page: &impl Template) -> Result<String, Fault> {
    let text = page.render().map_err(|error| {
        tracing::error!(%error, "a page could not be drawn");
        Fault::of_status(axum::http::StatusCode::INTERNAL_SERVER_ERROR)
    })?;
    Ok(report::visible(&text).into_owned())
}

/// A drawn page as an answer.
pub(super) fn answer(html: String) -> Response {
    let mut response = html.into_response();
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_leaves_its_place() {
        assert_eq!(Escaped("\"><script>'&").to_string(), "&#34;&#62;&#60;script&#62;&#39;&#38;");
        assert_eq!(Segment("a/b c?é").to_string(), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(Prose::new("run `a<b`").to_string(), "run <code>a&#60;b</code>");
    }

    #[test]
    fn a_badge_says_in_words_what_its_colour_says() {
        for status in Status::ALL {
            let badge = Badge::from(status).to_string();
            assert!(badge.contains(status.as_str()), "{badge}");
        }
    }
}
