//! A difference between audits, drawn.

use std::fmt::Write as _;

use super::words::{minute, visible};
use super::{Difference, Paint};

fn head(difference: &Difference) -> (String, String) {
    let (before, after) = difference.verdict;
    let verdict = if before == after {
        format!("{}, as before", after.title())
    } else {
        format!("{}, before {}", after.title(), before.title())
    };
    (
        format!(
            "{}  {} → {}",
            visible(&difference.domain),
            minute(difference.at.0),
            minute(difference.at.1)
        ),
        verdict,
    )
}

/// A difference for a terminal.
pub fn difference_to_terminal(difference: &Difference, paint: Paint) -> String {
    let (head, verdict) = head(difference);
    let mut out = format!("{}\n{verdict}\n", paint.bold(&head));
    for (title, list) in difference.lists() {
        if list.is_empty() {
            continue;
        }
        // Writing into a string cannot fail.
        _ = writeln!(out, "\n{}", paint.bold(&format!("{title} ({})", list.len())));
        for noted in list {
            let word = noted.severity.as_str().to_uppercase();
            _ = writeln!(out, "  {word} {} · {}", noted.check, noted.code);
            let note =
                if noted.note.is_empty() { String::new() } else { format!(" ({})", noted.note) };
            let text = format!("{}{note}", noted.summary);
            for line in paint.lines(&visible(&text), 4) {
                _ = writeln!(out, "    {line}");
            }
        }
    }
    if difference.lists().iter().all(|(_, list)| list.is_empty()) {
        out.push_str("\nNothing has changed.\n");
    }
    out
}

/// A difference for a ticket or a chat.
pub fn difference_to_markdown(difference: &Difference) -> String {
    let (head, verdict) = head(difference);
    let mut out = format!("# {head}\n\n{verdict}\n");
    for (title, list) in difference.lists() {
        if list.is_empty() {
            continue;
        }
        _ = writeln!(out, "\n## {title} ({})\n", list.len());
        for noted in list {
            let note =
                if noted.note.is_empty() { String::new() } else { format!(" ({})", noted.note) };
            let text = super::markdown::escape(&format!("{}{note}", noted.summary));
            _ = writeln!(out, "- **{}** `{}` {text}", noted.severity.as_str(), noted.code);
        }
    }
    if difference.lists().iter().all(|(_, list)| list.is_empty()) {
        out.push_str("\nNothing has changed.\n");
    }
    out
}
