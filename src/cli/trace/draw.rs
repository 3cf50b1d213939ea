//! The chain as text for a terminal, readable without colour.

use std::fmt::Write as _;

use crate::app::trace::{Chain, Link, Outcome, State};
use crate::report::{Paint, visible};

/// What stands below a link stands right of its sign.
const INDENT: usize = 4;

/// Draws the chain.
pub(super) fn draw(chain: &Chain, paint: Paint) -> String {
    let mut out = String::new();
    let date = minute(chain.looked_at);
    _ = writeln!(out, "{}", paint.bold(&visible(&chain.reference)));
    let about = format!("{} of {} · looked at {date}", chain.kind.as_str(), chain.project);
    paragraph(0, &about, paint, &mut out);
    let word = match chain.outcome {
        Outcome::Whole => paint.good("WHOLE"),
        Outcome::Broken => paint.bad("BROKEN"),
        Outcome::Unseen => paint.doubtful("NOT LOOKED AT"),
    };
    _ = writeln!(out, "\n  {word}");
    paragraph(2, &chain.in_short, paint, &mut out);
    if let Some(next) = &chain.next {
        paragraph(2, &format!("→ {next}"), paint, &mut out);
    }
    _ = writeln!(out, "\n{}\n{}", paint.bold("The chain"), paint.dim("─────────"));
    for link in &chain.links {
        // What to do about the first broken link stands above.
        let is_told = chain.broken == Some(link.part) || chain.outcome == Outcome::Unseen;
        one(link, is_told && link.next == chain.next, paint, &mut out);
    }
    out
}

fn one(link: &Link, next_is_told: bool, paint: Paint, out: &mut String) {
    let word = format!("{:<13}", link.state.as_str());
    let (sign, word) = match link.state {
        State::There => ("✓", paint.good(&word)),
        State::Missing | State::Wrong => ("✗", paint.bad(&word)),
        State::Waiting => ("…", paint.doubtful(&word)),
        State::NotDue => ("–", paint.dim(&word)),
        State::NotLookedAt => ("?", paint.doubtful(&word)),
    };
    let title = format!("{:<20}", link.part.title());
    let at = link.at.map(|at| paint.dim(&minute(at))).unwrap_or_default();
    _ = writeln!(out, "{}", format!("{sign} {} {word} {at}", paint.bold(&title)).trim_end());
    paragraph(INDENT, &link.says, paint, out);
    if !link.ids.is_empty() {
        for line in paint.lines(&visible(&link.ids.join(", ")), INDENT) {
            _ = writeln!(out, "{}{}", " ".repeat(INDENT), paint.dim(&line));
        }
    }
    if let Some(next) = link.next.as_ref().filter(|_| !next_is_told) {
        paragraph(INDENT, &format!("→ {next}"), paint, out);
    }
}

fn paragraph(indent: usize, text: &str, paint: Paint, out: &mut String) {
    for line in paint.lines(&visible(text), indent) {
        _ = writeln!(out, "{}{line}", " ".repeat(indent));
    }
}

fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
