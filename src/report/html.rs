//! The report as one HTML file, in the thirteen parts of a handover: no script, nothing fetched, and it prints well.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use askama::Template;
use askama::filters::{Escaper as _, Html};
use launchready_checks::contract::{Severity, Status};
use regex::Regex;

use super::handover::{self, Block, Part, TITLES};
use super::words::{self, GROUPS, Piece, pieces};
use super::{CheckReport, FindingReport, Report, UnseenPart, Verdict, fold, rules};

/// Draws the report.
pub fn to_html(report: &Report) -> String {
    to_page(report, &[])
}

/// The same as a page among others, with links to them, each with its address and words.
pub fn to_page(report: &Report, links: &[(String, &str)]) -> String {
    let report = &words::visible_report(report);
    let groups = GROUPS.iter().filter_map(|(severity, title)| Group::of(report, *severity, title));
    let mut groups: Vec<_> = groups.collect();
    mark_first(&mut groups);
    let (first, rest): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| group.severity == Severity::Critical);
    let lines = fold::unseen(report);
    let mut told = HashSet::new();
    let unseen: Vec<_> = lines
        .iter()
        .map(|line| {
            let part: &UnseenPart = line;
            (part, words::unseen_word(part.unseen), told.insert(part.of.as_str()))
        })
        .collect();
    let page = Page {
        report,
        links,
        tone: match (report.verdict, report.blind()) {
            (Verdict::Go, None) => "go",
            (Verdict::GoWithConditions, _) | (_, Some(_)) => "conditions",
            (Verdict::NoGo, None) => "no-go",
        },
        of: rules(report.goal).of,
        date: words::minute(report.finished_at),
        began: words::minute(report.started_at),
        took: words::took(report),
        first: first.into_iter().next(),
        rest,
        never: handover::never(report),
        areas: areas(report, &told),
        unseen,
        money: report.money_at_risk.iter().map(words::money).collect(),
        affected: handover::affected(report),
        parts: handover::last_parts(report),
    };
    // The template writes into a string, which takes everything.
    page.render().unwrap_or_default()
}

/// What the template reads; everything that it prints is escaped.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    links: &'a [(String, &'a str)],
    tone: &'static str,
    of: &'static str,
    date: String,
    began: String,
    took: String,
    first: Option<Group<'a>>,
    rest: Vec<Group<'a>>,
    never: Vec<&'static str>,
    areas: Vec<(String, Vec<Row<'a>>)>,
    /// Each with what it weighs, and whether it is the first line of what it is about.
    unseen: Vec<(&'a UnseenPart, &'static str, bool)>,
    money: Vec<String>,
    affected: Part,
    parts: Vec<Part>,
}

/// The checks by area, in the order of the report; `told` is what part 6 has lines about.
fn areas<'a>(report: &'a Report, told: &HashSet<&str>) -> Vec<(String, Vec<Row<'a>>)> {
    let mut areas: Vec<(String, Vec<Row<'a>>)> = Vec::new();
    for check in &report.checks {
        let row = Row::of(report, check, told);
        match areas.last_mut() {
            Some((area, rows)) if *area == check.area => rows.push(row),
            _ => areas.push((check.area.clone(), vec![row])),
        }
    }
    for (area, _) in &mut areas {
        *area = words::area(area);
    }
    areas
}

/// A block as HTML; a heading in it is of the third level.
fn block(block: &Block) -> String {
    let mut out = String::new();
    match block {
        Block::Title(title) => push(&mut out, "<h3>", title, "</h3>"),
        Block::Words(text) => push(&mut out, "<p>", text, "</p>"),
        Block::Items(items) => {
            out.push_str("<ul>");
            for item in items {
                push(&mut out, "<li>", item, "</li>");
            }
            out.push_str("</ul>");
        }
        Block::Table(head, rows) => {
            out.push_str("<table class=\"facts\"><thead><tr>");
            for title in *head {
                push(&mut out, "<th scope=\"col\">", title, "</th>");
            }
            out.push_str("</tr></thead><tbody>");
            for row in rows {
                out.push_str("<tr>");
                for (title, cell) in head.iter().zip(row) {
                    let class = if cell == "–" { " class=\"none\"" } else { "" };
                    push(&mut out, &format!("<td{class} data-label=\"{title}\">"), cell, "</td>");
                }
                out.push_str("</tr>");
            }
            out.push_str("</tbody></table>");
        }
        Block::Lines(lines) => {
            out.push_str("<ul class=\"lines\">");
            for line in *lines {
                push(&mut out, "<li>", line, "</li>");
            }
            out.push_str("</ul>");
        }
    }
    out
}

/// A day, which stays on one line.
static DAY: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\b\d{4}-\d\d-\d\d\b").ok());

fn push(out: &mut String, open: &str, text: &str, close: &str) {
    out.push_str(open);
    let drawn = prose(text);
    match &*DAY {
        Some(day) => out.push_str(&day.replace_all(&drawn, "<span class=\"day\">$0</span>")),
        None => out.push_str(&drawn),
    }
    out.push_str(close);
    out.push('\n');
}

/// A text as HTML: escaped, and what stands between two backticks as code.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for piece in pieces(text) {
        // Writing into a string cannot fail.
        _ = match piece {
            Piece::Plain(words) => Html.write_escaped_str(&mut out, words),
            Piece::Code(words) => {
                out.push_str("<code>");
                let written = Html.write_escaped_str(&mut out, words);
                out.push_str("</code>");
                written
            }
        };
    }
    out
}

/// The findings of one severity.
struct Group<'a> {
    title: &'static str,
    severity: Severity,
    count: String,
    cards: Vec<Card<'a>>,
}

impl<'a> Group<'a> {
    fn of(report: &'a Report, severity: Severity, title: &'static str) -> Option<Self> {
        let mine = words::of_severity(report, severity);
        let count = words::counted(mine.iter().map(|(_, finding)| *finding));
        let mut cards: Vec<_> =
            mine.into_iter().map(|(check, finding)| Card::of(report, check, finding)).collect();
        mark_repeats(&mut cards);
        (!cards.is_empty()).then_some(Self { title, severity, count, cards })
    }
}

/// Marks the first card of each check, to which the table of all checks leads.
fn mark_first(groups: &mut [Group<'_>]) {
    let mut led = HashSet::new();
    for card in groups.iter_mut().flat_map(|group| &mut group.cards) {
        let check = card.check;
        card.is_first = led.insert(check.id.as_str());
    }
}

/// One finding.
struct Card<'a> {
    check: &'a CheckReport,
    is_first: bool,
    finding: &'a FindingReport,
    seen: String,
    since: Option<String>,
    waived: Option<String>,
    who: &'static str,
    minutes: u32,
    instruction: String,
    /// The number of the card of the list that says the same before it: on paper it stands there alone.
    why_at: Option<usize>,
    fix_at: Option<usize>,
    undo_at: Option<usize>,
}

/// A text with fewer characters is as short as the words that lead to another one.
const WORTH: usize = 60;

/// Marks what an earlier card says word for word.
fn mark_repeats(cards: &mut [Card<'_>]) {
    let (mut whys, mut fixes, mut undos) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (index, card) in cards.iter_mut().enumerate() {
        let finding = card.finding;
        card.why_at = said_at(&mut whys, &finding.why, index + 1);
        card.fix_at = said_at(&mut fixes, &finding.fix, index + 1);
        card.undo_at = said_at(&mut undos, &finding.undo, index + 1);
    }
}

/// The number of the card that has said a text before.
fn said_at<'t>(said: &mut HashMap<&'t str, usize>, text: &'t str, number: usize) -> Option<usize> {
    let first = *said.entry(text).or_insert(number);
    (first < number && text.chars().count() > WORTH).then_some(first)
}

impl<'a> Card<'a> {
    fn of(report: &Report, check: &'a CheckReport, finding: &'a FindingReport) -> Self {
        let (who, minutes) = handover::effort(&check.area, &finding.code);
        Self {
            who,
            minutes,
            instruction: handover::instruction(&report.domain, check, finding),
            check,
            is_first: false,
            finding,
            seen: finding.evidence.join("\n"),
            since: finding.since.map(words::minute),
            waived: words::waiver(finding),
            why_at: None,
            fix_at: None,
            undo_at: None,
        }
    }
}

/// One check in the table.
struct Row<'a> {
    check: &'a CheckReport,
    tone: &'static str,
    proof: String,
    /// The id of the place that says more of it.
    to: Option<String>,
}

impl<'a> Row<'a> {
    fn of(report: &Report, check: &'a CheckReport, told: &HashSet<&str>) -> Self {
        let tone = match check.status {
            Status::Pass => "pass",
            Status::Fail => "critical",
            Status::Warn | Status::Unknown => "warning",
            Status::Skipped => "quiet",
        };
        Self { check, tone, proof: handover::proof(report, check), to: details(check, told) }
    }

    /// Whether it is one line on paper: it passed whole, or part 6 says why it was not looked at.
    fn is_folded(&self) -> bool {
        match self.check.status {
            Status::Pass => self.check.findings.is_empty() && self.check.not_checked.is_empty(),
            Status::Skipped | Status::Unknown => self.check.reason.is_some(),
            Status::Warn | Status::Fail => false,
        }
    }
}

/// Where the page says more of a check: at its first finding, or in the line of part 6 that is about it or
/// about the account that it waits for.
fn details(check: &CheckReport, told: &HashSet<&str>) -> Option<String> {
    if !check.findings.is_empty() {
        return Some(format!("check-{}", check.id));
    }
    let about = [Some(check.id.as_str()), fold::setting(check)];
    let of = about.into_iter().flatten().find(|of| told.contains(*of))?;
    Some(format!("unseen-{of}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_card_says_is_told_once_on_paper() {
        let mut said = HashMap::new();
        let (long, other) = ("a long text of a fix ".repeat(4), "another text ".repeat(6));
        assert_eq!(said_at(&mut said, &long, 1), None);
        assert_eq!(said_at(&mut said, &other, 2), None);
        assert_eq!(said_at(&mut said, &long, 3), Some(1));
        assert_eq!(said_at(&mut said, &other, 4), Some(2));
        assert_eq!([5, 6].map(|number| said_at(&mut said, "Remove it.", number)), [None, None]);
    }
}
