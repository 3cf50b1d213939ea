//! The report as one HTML file: no script, nothing fetched, and it prints well.

use std::borrow::Cow;

use askama::Template;
use askama::filters::{Escaper as _, Html};
use launchready_checks::contract::{Severity, Status};

use super::words::{self, GROUPS, Piece, pieces};
use super::{CheckReport, FindingReport, Report, UnseenPart, Verdict, fold};

/// Draws the report.
pub fn to_html(report: &Report) -> String {
    let report = &words::visible_report(report);
    let groups = GROUPS.iter().filter_map(|(severity, title)| Group::of(report, *severity, title));
    let page = Page {
        report,
        tone: match report.verdict {
            Verdict::Go => "go",
            Verdict::GoWithConditions => "conditions",
            Verdict::NoGo => "no-go",
        },
        date: words::minute(report.finished_at),
        began: words::minute(report.started_at),
        took: words::took(report),
        groups: groups.collect(),
        rows: fold::rows(report).into_iter().map(Row::of).collect(),
        checks: report.checks.len(),
        unseen: fold::unseen(report)
            .into_iter()
            .map(|part| {
                let weight = words::unseen_word(part.unseen);
                (part, weight)
            })
            .collect(),
        money: report.money_at_risk.iter().map(words::money).collect(),
    };
    // The template writes into a string, which takes everything.
    page.render().unwrap_or_default()
}

/// What the template reads; everything that it prints is escaped.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    tone: &'static str,
    date: String,
    began: String,
    took: String,
    groups: Vec<Group<'a>>,
    rows: Vec<Row<'a>>,
    /// How many checks the rows stand for.
    checks: usize,
    unseen: Vec<(Cow<'a, UnseenPart>, &'static str)>,
    money: Vec<String>,
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
    cards: Vec<Card<'a>>,
}

impl<'a> Group<'a> {
    fn of(report: &'a Report, severity: Severity, title: &'static str) -> Option<Self> {
        let mine = words::of_severity(report, severity);
        let cards: Vec<_> =
            mine.into_iter().map(|(check, finding)| Card::of(check, finding)).collect();
        (!cards.is_empty()).then_some(Self { title, severity, cards })
    }
}

/// One finding.
struct Card<'a> {
    check: &'a CheckReport,
    finding: &'a FindingReport,
    seen: String,
    since: Option<String>,
    waived: Option<String>,
}

impl<'a> Card<'a> {
    fn of(check: &'a CheckReport, finding: &'a FindingReport) -> Self {
        Self {
            check,
            finding,
            seen: finding.evidence.join("\n"),
            since: finding.since.map(words::minute),
            waived: words::waiver(finding),
        }
    }
}

/// One line of the table: a check, or those that wait for the same account.
struct Row<'a> {
    row: fold::Row<'a>,
    tone: &'static str,
}

impl<'a> Row<'a> {
    fn of(row: fold::Row<'a>) -> Self {
        let tone = match row.status {
            Status::Pass => "pass",
            Status::Fail => "critical",
            Status::Warn | Status::Unknown => "warning",
            Status::Skipped => "quiet",
        };
        Self { row, tone }
    }
}
