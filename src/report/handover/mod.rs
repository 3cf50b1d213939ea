//! The parts of the handover report that are not findings, as blocks which each form draws in its own way.

mod accounts;
mod affected;
mod alerts;
mod calendar;
mod changes;
mod first;
mod instruction;
mod proof;
mod runbooks;
mod sign_off;

use super::Report;

pub(super) use first::{effort, never, repeats_later};
pub(super) use instruction::instruction;
pub(super) use proof::{as_at, proof};

/// A piece of a part. Texts are of our own or [`visible`](super::visible), with backticks around what is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// A heading within the part.
    Title(String),
    /// A paragraph.
    Words(String),
    /// A list.
    Items(Vec<String>),
    /// A table. On a narrow screen each row stands below the last, each cell behind its heading.
    Table(&'static [&'static str], Vec<Vec<String>>),
    /// Lines that are filled in by hand.
    Lines(&'static [&'static str]),
}

/// One of the thirteen parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Its number.
    pub(super) number: u32,
    /// The id of its heading.
    pub(super) id: &'static str,
    /// Its heading.
    pub(super) title: &'static str,
    /// What it says.
    pub(super) blocks: Vec<Block>,
}

/// The title and id of each part, in order.
pub(super) const TITLES: [(&str, &str); 13] = [
    ("verdict", "Verdict"),
    ("affected", "Money and people affected"),
    ("first", "Do this first"),
    ("conditions", "Conditions and later"),
    ("checks", "Every check, with proof"),
    ("unseen", "Not checked, and what unlocks it"),
    ("ownership", "Who holds which account"),
    ("secrets", "Secrets, without their values"),
    ("alerts", "What is watched, and who is told"),
    ("runbooks", "Runbooks for the first 15 minutes"),
    ("changes", "Changes, and how each is undone"),
    ("calendar", "The first 72 hours, and the calendar"),
    ("sign-off", "Sign-off"),
];

/// The heading of a part: `3. Do this first`.
pub(super) fn heading(number: usize) -> String {
    let title = TITLES.get(number.saturating_sub(1)).map_or("", |(_, title)| title);
    format!("{number}. {title}")
}

/// Part 2.
pub(super) fn affected(report: &Report) -> Part {
    part(2, affected::blocks(report))
}

/// Parts 7 to 13.
pub(super) fn last_parts(report: &Report) -> Vec<Part> {
    vec![
        part(7, accounts::owners(report)),
        part(8, accounts::secrets(report)),
        part(9, alerts::blocks(report)),
        part(10, runbooks::blocks()),
        part(11, changes::blocks(report)),
        part(12, calendar::blocks(report)),
        part(13, sign_off::blocks(report)),
    ]
}

fn part(number: u32, blocks: Vec<Block>) -> Part {
    let index = usize::try_from(number).unwrap_or(1).saturating_sub(1);
    let (id, title) = TITLES.get(index).copied().unwrap_or_default();
    Part { number, id, title, blocks }
}

/// A paragraph.
fn words(text: impl Into<String>) -> Block {
    Block::Words(text.into())
}

/// What a part says that only a config could fill.
fn without_config(what: &str) -> Block {
    words(format!(
        "Not known: this audit had no config. {what} Write one with `launchready config example > launchready.toml` \
         and audit with `--config launchready.toml`."
    ))
}

/// A day.
fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
