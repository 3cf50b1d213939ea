//! The report as text for a terminal, wrapped at 100 columns or fewer, readable without colour.

use std::fmt::Write as _;

use launchready_checks::contract::{Severity, Status};
use textwrap::core::display_width;

use super::words::{self, GROUPS};
use super::{CheckReport, FindingReport, Report, UnseenPart, Verdict, fold};

/// How text is drawn.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    /// ANSI colours.
    pub colour: bool,
    /// Columns; used between 40 and 100.
    pub width: usize,
}

impl Default for Paint {
    fn default() -> Self {
        Self { colour: false, width: 80 }
    }
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "1;31";
const YELLOW: &str = "33";
const GREEN: &str = "32";
const CYAN: &str = "36";

/// The width of the labels in front of a finding's texts.
const LABEL: usize = 10;

/// Where labels begin.
const EDGE: usize = 3;

/// Where the title of a check stands in the list of all: right of its status and id.
const TITLE: usize = 37;

/// A report with more lines than this has scrolled its verdict away; few windows are taller.
const SCREEN: usize = 50;

impl Paint {
    fn on(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.on(BOLD, text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.on(DIM, text)
    }

    /// What is as it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.on(GREEN, text)
    }

    /// What is not.
    pub(crate) fn bad(self, text: &str) -> String {
        self.on(RED, text)
    }

    /// What is not known.
    pub(crate) fn doubtful(self, text: &str) -> String {
        self.on(YELLOW, text)
    }

    /// The lines of a text that stands right of an indent.
    pub(crate) fn lines(self, text: &str, indent: usize) -> Vec<String> {
        wrapped(text, self.columns().saturating_sub(indent))
    }

    fn columns(self) -> usize {
        self.width.clamp(40, 100)
    }

    /// Text after a label, wrapped so that it stays right of the label.
    fn labelled(self, label: &str, text: &str, out: &mut String) {
        let first = format!("   {label:<width$}", width = LABEL - EDGE);
        let next = " ".repeat(LABEL);
        for (index, line) in self.lines(text, LABEL).into_iter().enumerate() {
            // A URL that stays whole takes of the room below the label what it needs.
            let room = self.columns().saturating_sub(display_width(&line));
            let is_long = (EDGE..LABEL).contains(&room);
            let next = if is_long { " ".repeat(room) } else { next.clone() };
            // The label is painted after padding, because colours have no width.
            match (index, is_long) {
                (0, false) => _ = writeln!(out, "{}{line}", self.on(DIM, &first)),
                (0, true) => _ = writeln!(out, "{}\n{next}{line}", self.on(DIM, first.trim_end())),
                (_, _) => _ = writeln!(out, "{next}{line}"),
            }
        }
    }

    fn paragraph(self, indent: usize, text: &str, out: &mut String) {
        for line in self.lines(text, indent) {
            _ = writeln!(out, "{}{line}", " ".repeat(indent));
        }
    }

    /// A text right of a lead of `indent` columns, and behind it a remark in grey, which has lines of its own where
    /// the text leaves no room.
    fn remarked(self, lead: &str, indent: usize, text: &str, remark: &str, out: &mut String) {
        let lines = self.lines(text, indent);
        let end = lines.last().map_or(0, |line| display_width(line)) + indent;
        let has_room = end + 2 + display_width(remark) <= self.columns();
        let space = " ".repeat(indent);
        for (index, line) in lines.iter().enumerate() {
            let lead = if index == 0 { lead } else { space.as_str() };
            let is_last = index + 1 == lines.len();
            let tail = Some(remark).filter(|remark| is_last && has_room && !remark.is_empty());
            let tail = tail.map_or_else(String::new, |remark| format!("  {}", self.dim(remark)));
            _ = writeln!(out, "{lead}{line}{tail}");
        }
        if !has_room && !remark.is_empty() {
            for line in self.lines(remark, indent) {
                _ = writeln!(out, "{space}{}", self.dim(&line));
            }
        }
    }

    fn heading(self, text: &str, out: &mut String) {
        _ = writeln!(out, "\n{}", self.on(BOLD, text));
        _ = writeln!(out, "{}", self.on(DIM, &"─".repeat(text.chars().count())));
    }
}

/// Lines of at most `width` columns, broken at blanks alone: a URL, a host name, a date or a record
/// stays whole, so that it can be copied, and stands on a line of its own where it is longer.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let options = textwrap::Options::new(width.max(20))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation);
    let lines = text.lines().flat_map(|line| textwrap::wrap(line, &options));
    let lines: Vec<String> = lines.map(std::borrow::Cow::into_owned).collect();
    if lines.is_empty() { vec![String::new()] } else { lines }
}

/// Draws the report.
pub fn to_terminal(report: &Report, paint: Paint) -> String {
    let report = &words::visible_report(report);
    let mut out = String::new();
    head(report, paint, &mut out);
    for (severity, title) in GROUPS {
        let mine = words::of_severity(report, severity);
        if mine.is_empty() {
            continue;
        }
        let count = words::counted(mine.iter().map(|(_, finding)| *finding));
        paint.heading(&format!("{title} ({count})"), &mut out);
        for (number, (check, finding)) in mine.iter().enumerate() {
            draw(number + 1, check, finding, paint, &mut out);
        }
    }
    checks(report, paint, &mut out);
    not_checked(report, paint, &mut out);
    if out.lines().count() > SCREEN {
        closing(report, paint, &mut out);
    }
    out
}

/// Draws one check: its findings, or why there are none.
pub fn check_to_terminal(report: &Report, check: &CheckReport, paint: Paint) -> String {
    let (report, check) = (&words::visible_report(report), &words::visible_check(check));
    let mut out = String::new();
    let (word, colour) = status_word(check.status);
    let lead = format!("{} ", paint.on(colour, word));
    let about = format!("{} of {}", check.title, check.target);
    paint.remarked(&lead, display_width(word) + 1, &check.id, &about, &mut out);
    if let Some(reason) = &check.reason {
        paint.labelled("Reason", reason, &mut out);
    }
    if let Some(unlock) = &check.unlock {
        paint.labelled("Unlock", unlock, &mut out);
    }
    let mut findings: Vec<_> = check.findings.iter().collect();
    findings.sort_by_key(|finding| finding.rank());
    for (number, finding) in findings.into_iter().enumerate() {
        draw(number + 1, check, finding, paint, &mut out);
    }
    if check.reason.is_none() {
        not_checked(report, paint, &mut out);
    }
    out
}

const fn status_word(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::Pass => ("pass", GREEN),
        Status::Warn => ("warn", YELLOW),
        Status::Fail => ("FAIL", RED),
        Status::Unknown => ("unknown", YELLOW),
        Status::Skipped => ("skipped", DIM),
    }
}

fn head(report: &Report, paint: Paint, out: &mut String) {
    let date = words::minute(report.finished_at);
    // The domain stays whole, however long it is.
    let domain = paint.on(BOLD, &report.domain);
    let fits = display_width(&report.domain) + 2 + display_width(&date) <= paint.columns();
    _ = writeln!(out, "{domain}{}{}", if fits { "  " } else { "\n" }, paint.on(DIM, &date));
    let line = format!("goal {} · {}", report.goal.as_str(), words::coverage(report.coverage));
    paint.paragraph(0, &line, out);
    let colour = verdict_colour(report);
    _ = writeln!(out, "\n  {}", paint.on(colour, report.title()));
    for reason in &report.verdict_reasons {
        // What goes on stands further right, so that each reason is seen to begin.
        for (index, line) in paint.lines(reason, 4).into_iter().enumerate() {
            _ = writeln!(out, "{}{line}", " ".repeat(if index == 0 { 2 } else { 4 }));
        }
    }
    for money in &report.money_at_risk {
        let line = format!("At risk: {}.", words::money(money));
        for line in paint.lines(&line, 2) {
            _ = writeln!(out, "  {}", paint.on(BOLD, &line));
        }
    }
}

fn verdict_colour(report: &Report) -> &'static str {
    if report.blind().is_some() {
        return YELLOW;
    }
    match report.verdict {
        Verdict::Go => GREEN,
        Verdict::GoWithConditions => YELLOW,
        Verdict::NoGo => RED,
    }
}

/// The verdict again, where the reader of a long report is.
fn closing(report: &Report, paint: Paint, out: &mut String) {
    let verdict = format!("{}.", report.in_short());
    let found = report.checks.iter().any(|check| !check.findings.is_empty());
    let first = if found { "The first finding is at the top." } else { "" };
    let lines = paint.lines(&verdict, 0);
    let end = lines.last().map_or(0, |line| display_width(line));
    let colour = verdict_colour(report);
    let painted: Vec<_> = lines.iter().map(|line| paint.on(colour, line)).collect();
    let gap = match end + 1 + display_width(first) {
        _ if !found => "",
        columns if columns <= paint.columns() => " ",
        _ => "\n",
    };
    _ = writeln!(out, "\n{}{gap}{first}", painted.join("\n"));
}

fn draw(
    number: usize,
    check: &CheckReport,
    finding: &FindingReport,
    paint: Paint,
    out: &mut String,
) {
    let (word, colour) = match finding.severity {
        Severity::Critical => ("CRITICAL", RED),
        Severity::Warning => ("WARNING", YELLOW),
        Severity::Info => ("INFO", CYAN),
    };
    _ = writeln!(
        out,
        "\n{number}. {} {}",
        paint.on(colour, word),
        paint.on(DIM, &format!("{} · {}", check.id, finding.code))
    );
    paint.paragraph(3, &finding.summary, out);
    for (index, line) in finding.evidence.iter().enumerate() {
        paint.labelled(if index == 0 { "Saw" } else { "" }, line, out);
    }
    paint.labelled("Why", &finding.why, out);
    paint.labelled("Fix", &finding.fix, out);
    paint.labelled("Undo", &finding.undo, out);
    if let Some(text) = words::waiver(finding) {
        paint.labelled("Waived", &text, out);
    }
    paint.labelled("Again", &finding.recheck, out);
    paint.labelled("About", &format!("{} · {}", finding.subject, finding.fingerprint), out);
}

fn checks(report: &Report, paint: Paint, out: &mut String) {
    paint.heading("Every check", out);
    for row in fold::rows(report) {
        let (word, colour) = status_word(row.status);
        let word = paint.on(colour, &format!("{word:<8}"));
        let lead = format!("  {word} {:<25} ", row.id);
        paint.remarked(&lead, TITLE, &row.title, &row.findings, out);
    }
}

fn not_checked(report: &Report, paint: Paint, out: &mut String) {
    if report.not_checked.is_empty() {
        return;
    }
    paint.heading("Not checked, and what unlocks it", out);
    for part in fold::unseen(report) {
        one_part(&part, paint, out);
    }
}

fn one_part(part: &UnseenPart, paint: Paint, out: &mut String) {
    let weight = words::unseen_word(part.unseen);
    let text = format!("- {} ({}, {weight}): {}", part.part, part.of, part.reason);
    let mut lines = wrapped(&text, paint.columns() - 4).into_iter();
    _ = writeln!(out, "  {}", lines.next().unwrap_or_default());
    for line in lines {
        _ = writeln!(out, "    {line}");
    }
    if !part.unlock.is_empty() {
        paint.paragraph(4, &format!("→ {}", part.unlock), out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_url_stays_whole_and_takes_the_room_below_its_label() {
        let drawn = |text: &str| {
            let mut out = String::new();
            Paint { colour: false, width: 40 }.labelled("Saw", text, &mut out);
            out
        };
        assert_eq!(
            drawn("https://a.example/30-characters"),
            "   Saw\n         https://a.example/30-characters\n"
        );
        let url = format!("https://a.example/{}", "x".repeat(18));
        assert_eq!(
            drawn(&format!("one {url} two")),
            format!("   Saw    one\n    {url}\n          two\n")
        );
        assert_eq!(drawn("https://a.example/here"), "   Saw    https://a.example/here\n");
    }

    #[test]
    fn a_remark_stands_behind_its_text_where_there_is_room_and_below_it_where_not() {
        let paint = Paint { colour: false, width: 40 };
        let drawn = |text: &str, remark: &str| {
            let mut out = String::new();
            paint.remarked("  FAIL  ", 8, text, remark, &mut out);
            out
        };
        assert_eq!(drawn("Sender policy", "2 findings"), "  FAIL  Sender policy  2 findings\n");
        assert_eq!(drawn("Sender policy", ""), "  FAIL  Sender policy\n");
        assert_eq!(
            drawn("Customers who wait for it", "12 findings"),
            "  FAIL  Customers who wait for it\n        12 findings\n"
        );
        assert_eq!(
            drawn("Customers who wait for an answer of yours", "1 waived"),
            "  FAIL  Customers who wait for an answer\n        of yours  1 waived\n"
        );
    }
}
