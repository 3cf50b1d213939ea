//! A message as plain text: the alternative of an email, and the detail of a page.

use super::{Message, Role, Section};

/// Lines are broken at words here, as RFC 5322 2.1.1 asks of a letter.
const WIDTH: usize = 76;

/// The whole message.
pub(crate) fn text(message: &Message) -> String {
    let mut out = String::new();
    push(&mut out, "", &message.badge.to_uppercase());
    push(&mut out, "", &message.headline);
    if let Some(stakes) = message.stakes {
        push(&mut out, "", stakes);
    }
    for line in &message.paragraphs {
        out.push('\n');
        push(&mut out, "", line);
    }
    let alone = message.sections.len() == 1 && message.more.is_none();
    for section in &message.sections {
        out.push('\n');
        if !alone {
            out.push_str(&"-".repeat(WIDTH));
            out.push('\n');
            push(&mut out, "", &format!("{}: {}", section.badge, section.title));
            if let Some(stakes) = section.stakes {
                push(&mut out, "", stakes);
            }
            out.push('\n');
        }
        out.push_str(&section_text(section));
    }
    if !message.list.is_empty() {
        out.push('\n');
    }
    for item in &message.list {
        push(&mut out, "", &format!("{}: {}", item.badge, item.title));
        push(&mut out, "    ", &item.what);
        if let Some(fix) = &item.fix {
            out.push_str("    To do: ");
            out.push_str(fix);
            out.push('\n');
        }
    }
    if let Some(more) = &message.more {
        out.push('\n');
        push(&mut out, "", more);
    }
    if let (Some(page), false) = (&message.page, alone) {
        out.push_str("\nOpen the page: ");
        out.push_str(page);
        out.push('\n');
    }
    out.push_str("\n-- \n");
    for note in &message.notes {
        push(&mut out, "", note);
    }
    out
}

/// One incident.
fn section_text(section: &Section) -> String {
    let mut out = String::new();
    for point in &section.points {
        out.push_str(point.label);
        out.push('\n');
        for line in &point.lines {
            match point.role {
                // What is copied stays on one line.
                Role::Fix | Role::Undo | Role::Recheck | Role::Seen => {
                    for line in line.lines() {
                        out.push_str("    ");
                        out.push_str(line);
                        out.push('\n');
                    }
                }
                _ => push(&mut out, "    ", line),
            }
        }
    }
    if let Some(link) = &section.link {
        out.push_str("Details\n    ");
        out.push_str(link);
        out.push('\n');
    }
    out
}

fn push(out: &mut String, indent: &str, text: &str) {
    let options = textwrap::Options::new(WIDTH)
        .initial_indent(indent)
        .subsequent_indent(indent)
        // A record or an address is copied whole.
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .break_words(false);
    for line in text.lines() {
        out.push_str(&textwrap::fill(line, &options));
        out.push('\n');
    }
}
