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
        Outcome::Unknown => paint.doubtful("UNKNOWN ID"),
        Outcome::Unseen => paint.doubtful("NOT LOOKED AT"),
    };
    _ = writeln!(out, "\n  {word}");
    paragraph(2, &chain.in_short, paint, &mut out);
    for next in chain.next.iter().flat_map(|next| next.lines()) {
        paragraph(2, &format!("→ {next}"), paint, &mut out);
    }
    let title = match chain.outcome {
        Outcome::Unknown => "Where it was looked for",
        Outcome::Whole | Outcome::Broken | Outcome::Unseen => "The chain",
    };
    let rule = "─".repeat(title.chars().count());
    _ = writeln!(out, "\n{}\n{}", paint.bold(title), paint.dim(&rule));
    for link in &chain.links {
        // What to do about the first broken link, or about an id that nobody knows, stands above.
        let is_told = match chain.outcome {
            Outcome::Unknown => link.state.is_broken(),
            Outcome::Unseen => link.next == chain.next,
            Outcome::Whole | Outcome::Broken => {
                chain.broken == Some(link.part) && link.next == chain.next
            }
        };
        one(link, is_told, paint, &mut out);
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
