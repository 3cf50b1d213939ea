//! A message as HTML that mail programs draw: tables, inline styles, light and dark.

use askama::Template;
use askama::filters::{Escaper as _, Html};

use crate::notify::message::{Message, Point, Role, Tone};

/// The page of a letter.
///
/// # Errors
/// When the template cannot be written, which a string does not refuse.
pub(super) fn page(message: &Message) -> Result<String, askama::Error> {
    let alone = message.sections.len() == 1;
    Page { message, alone }.render()
}

#[derive(Template)]
#[template(path = "email.html")]
struct Page<'a> {
    message: &'a Message,
    alone: bool,
}

impl Tone {
    /// The colour on light ground; each has at least 4.5 : 1 against white (WCAG 2.2, 1.4.3).
    const fn light(self) -> &'static str {
        match self {
            Self::Critical => "#a1171b",
            Self::Warning => "#7d4800",
            Self::Info => "#1b4f86",
            Self::Quiet => "#5c5851",
            Self::Good => "#1a6537",
        }
    }

    /// The name of its class, which dark mode gives another colour.
    const fn class(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Quiet => "quiet",
            Self::Good => "good",
        }
    }
}

impl Point {
    fn is_code(&self) -> bool {
        matches!(self.role, Role::Seen | Role::Recheck)
    }

    fn is_fix(&self) -> bool {
        self.role == Role::Fix
    }
}

/// A text as HTML: escaped, lines kept, and what stands between two backticks as code.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut pieces = text.split('`').peekable();
    let mut code = false;
    while let Some(piece) = pieces.next() {
        // A backtick without its pair is a character like any other.
        let opens = code && pieces.peek().is_some();
        if opens {
            out.push_str(CODE);
        } else if code {
            out.push('`');
        }
        // Writing into a string cannot fail.
        _ = Html.write_escaped_str(&mut out, piece);
        if opens {
            out.push_str("</code>");
        }
        code = !code;
    }
    out.replace('\n', "<br>")
}

/// Code inside a sentence.
const CODE: &str = "<code class=\"well\" style=\"font-family:ui-monospace,Menlo,Consolas,monospace;\
                    font-size:14px;background:#f3f0ea;padding:1px 4px;word-break:break-word\">";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::draw;
    use crate::notify::sample;

    #[test]
    fn each_message_is_a_page_without_anything_from_elsewhere() {
        for (name, notification, envelope) in sample::all() {
            let page = page(&draw(&notification, &envelope)).unwrap();
            for outside in ["<img", "<script", "src=", "@import", "url("] {
                assert!(!page.contains(outside), "{name} holds {outside}");
            }
            insta::assert_snapshot!(format!("html_{name}"), page);
        }
    }

    #[test]
    fn hostile_text_is_text() {
        let notification = sample::many(1, "<script>alert(1)</script>");
        let page = page(&draw(&notification, &sample::envelope())).unwrap();
        assert!(!page.contains("<script") && page.contains("script"), "{page}");
    }

    #[test]
    fn what_stands_between_backticks_is_code() {
        let shown = |text: &str| prose(text).replace(CODE, "[").replace("</code>", "]");
        assert_eq!(shown("set `a<b` and `c`"), "set [a&#60;b] and [c]");
        assert_eq!(shown("one ` alone\nnext"), "one ` alone<br>next");
        assert_eq!(shown("`a` then ` alone"), "[a] then ` alone");
    }
}
