//! The report as JUnit XML, for the test view of a CI server.

use std::borrow::Cow;
use std::fmt::Write as _;

use launchready_checks::contract::{Severity, Status, Unseen};

use super::words;
use super::{CheckReport, FindingReport, Report, UnseenPart};

/// The suite of the areas that no check of this run looked at.
const AREAS: &str = "not-looked-at";

/// Draws the report: a suite for each area, a case for each check.
///
/// Readers of this format differ in how many failures of a case they show, so that a case has at
/// most one, named after its worst finding, with the text of all. It fails a case for what makes the
/// exit code 1 and for nothing else: a finding at or above `fail_on`, or what blocks by being unseen.
pub fn to_junit(report: &Report, fail_on: Severity) -> String {
    let report = &words::visible_report(report);
    let mut suites = Vec::new();
    let mut areas: Vec<&str> = Vec::new();
    for check in &report.checks {
        if !areas.contains(&check.area.as_str()) {
            areas.push(&check.area);
        }
    }
    for area in areas {
        let mine = report.checks.iter().filter(|check| check.area == area);
        suites.push(Suite::of(area, mine.map(|check| Case::of(check, report, fail_on))));
    }
    let is_area = |part: &&UnseenPart| !report.checks.iter().any(|check| check.id == part.of);
    let unseen: Vec<_> = report.not_checked.iter().filter(is_area).map(Case::unseen).collect();
    if !unseen.is_empty() {
        suites.push(Suite::of(AREAS, unseen));
    }
    let sum = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    _ = writeln!(
        out,
        "<testsuites name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">",
        attribute(&format!("{} {}", report.tool.name, report.domain)),
        sum(|suite| suite.cases.len()),
        sum(|suite| suite.count(Kind::Failure)),
        sum(|suite| suite.count(Kind::Error)),
        sum(|suite| suite.count(Kind::Skipped)),
        seconds(suites.iter().map(Suite::millis).sum())
    );
    for suite in &suites {
        suite.write(report, &mut out);
    }
    out.push_str("</testsuites>\n");
    out
}

/// What a case holds beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Failure,
    Error,
    Skipped,
}

impl Kind {
    const fn element(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Error => "error",
            Self::Skipped => "skipped",
        }
    }
}

#[derive(Debug)]
struct Ended {
    kind: Kind,
    code: String,
    message: String,
    text: String,
}

#[derive(Debug)]
struct Case {
    name: String,
    millis: u64,
    ended: Option<Ended>,
    notes: String,
}

impl Case {
    fn of(check: &CheckReport, report: &Report, fail_on: Severity) -> Self {
        let mut findings: Vec<_> = check.findings.iter().collect();
        findings.sort_by_key(|finding| finding.rank());
        let (live, quiet): (Vec<_>, Vec<_>) = findings
            .into_iter()
            .partition(|finding| finding.waived.is_none() && finding.severity >= fail_on);
        let text = |findings: &[&FindingReport]| {
            findings.iter().map(|finding| story(finding)).collect::<Vec<_>>().join("\n")
        };
        let mut notes = text(&quiet);
        for part in &check.not_checked {
            _ = writeln!(
                notes,
                "Not checked: {} ({}): {}\nUnlock: {}",
                part.part,
                words::unseen_word(part.unseen),
                part.reason,
                part.unlock
            );
        }
        Self {
            name: check.id.clone(),
            millis: check.duration_ms,
            ended: ended(check, blocks(check, report), &live, text(&live)),
            notes,
        }
    }

    /// An area without any check.
    fn unseen(part: &UnseenPart) -> Self {
        let ended = Ended {
            kind: if part.unseen == Unseen::Blocks { Kind::Error } else { Kind::Skipped },
            code: words::unseen_word(part.unseen).to_owned(),
            message: format!("{}: {}", part.part, part.reason),
            text: part.unlock.clone(),
        };
        Self { name: part.of.clone(), millis: 0, ended: Some(ended), notes: String::new() }
    }
}

/// Whether the verdict is no-go because of what this check did not see.
fn blocks(check: &CheckReport, report: &Report) -> bool {
    report.not_checked.iter().any(|part| part.of == check.id && part.unseen == Unseen::Blocks)
}

fn ended(
    check: &CheckReport,
    blocks: bool,
    live: &[&FindingReport],
    text: String,
) -> Option<Ended> {
    let reason = || {
        let unseen = check.not_checked.iter().map(|part| format!("{}: {}", part.part, part.reason));
        let reason = check.reason.clone();
        let reason = reason.unwrap_or_else(|| unseen.collect::<Vec<_>>().join("; "));
        format!("{}: {reason}", check.title)
    };
    let unlock = check.unlock.as_deref().unwrap_or_default();
    match (check.status, live) {
        (Status::Skipped, _) => Some(Ended {
            kind: Kind::Skipped,
            code: "skipped".to_owned(),
            message: reason(),
            text: unlock.to_owned(),
        }),
        (_, []) if blocks => Some(Ended {
            kind: Kind::Error,
            code: "unknown".to_owned(),
            message: reason(),
            text: unlock.to_owned(),
        }),
        (Status::Unknown, []) => Some(Ended {
            kind: Kind::Skipped,
            code: "unknown".to_owned(),
            message: reason(),
            text: unlock.to_owned(),
        }),
        (_, [worst, others @ ..]) => {
            let message = match others.len() {
                0 => worst.summary.clone(),
                more => format!("{} (and {more} more)", worst.summary),
            };
            Some(Ended { kind: Kind::Failure, code: worst.code.clone(), message, text })
        }
        (_, []) => None,
    }
}

/// Everything about one finding, as text.
fn story(finding: &FindingReport) -> String {
    let mut out = format!(
        "{} {} {} [{}]\n{}\n",
        finding.severity.as_str().to_uppercase(),
        finding.code,
        finding.subject,
        finding.fingerprint,
        finding.summary
    );
    let mut line = |label: &str, text: &str| {
        for (index, part) in text.lines().enumerate() {
            let label = if index == 0 { label } else { "" };
            _ = writeln!(out, "  {label:<7} {part}");
        }
    };
    line("Saw", &finding.evidence.join("\n"));
    line("Why", &finding.why);
    line("Fix", &finding.fix);
    line("Undo", &finding.undo);
    if let Some(text) = words::waiver(finding) {
        line("Waived", &text);
    }
    line("Again", &finding.recheck);
    out
}

#[derive(Debug)]
struct Suite {
    name: String,
    cases: Vec<Case>,
}

impl Suite {
    fn of(name: &str, cases: impl IntoIterator<Item = Case>) -> Self {
        Self { name: name.to_owned(), cases: cases.into_iter().collect() }
    }

    fn count(&self, kind: Kind) -> usize {
        let is = |case: &&Case| case.ended.as_ref().is_some_and(|ended| ended.kind == kind);
        self.cases.iter().filter(is).count()
    }

    fn millis(&self) -> u64 {
        self.cases.iter().map(|case| case.millis).fold(0, u64::saturating_add)
    }

    fn write(&self, report: &Report, out: &mut String) {
        _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\" timestamp=\"{}\">",
            attribute(&self.name),
            self.cases.len(),
            self.count(Kind::Failure),
            self.count(Kind::Error),
            self.count(Kind::Skipped),
            seconds(self.millis()),
            report.started_at.strftime("%Y-%m-%dT%H:%M:%S")
        );
        out.push_str("    <properties>\n");
        for (name, value) in [
            ("project", report.project.as_str()),
            ("goal", report.goal.as_str()),
            ("verdict", report.verdict.title()),
            ("version", &report.tool.version),
        ] {
            _ = writeln!(out, "      <property name=\"{name}\" value=\"{}\"/>", attribute(value));
        }
        out.push_str("    </properties>\n");
        for case in &self.cases {
            self.write_case(case, report, out);
        }
        out.push_str("  </testsuite>\n");
    }

    fn write_case(&self, case: &Case, report: &Report, out: &mut String) {
        _ = write!(
            out,
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"",
            attribute(&case.name),
            attribute(&format!("{}.{}", report.project, self.name)),
            seconds(case.millis)
        );
        if case.ended.is_none() && case.notes.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push_str(">\n");
        if let Some(ended) = &case.ended {
            let element = ended.kind.element();
            // A skipped case has no type in this format.
            let kind = match ended.kind {
                Kind::Skipped => String::new(),
                Kind::Failure | Kind::Error => format!(" type=\"{}\"", attribute(&ended.code)),
            };
            let (message, text) = (attribute(&ended.message), content(&ended.text));
            _ = writeln!(out, "      <{element}{kind} message=\"{message}\">{text}</{element}>");
        }
        if !case.notes.is_empty() {
            _ = writeln!(out, "      <system-out>{}</system-out>", content(&case.notes));
        }
        out.push_str("    </testcase>\n");
    }
}

fn seconds(millis: u64) -> String {
    format!("{}.{:03}", millis / 1000, millis % 1000)
}

/// Text between tags.
fn content(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        out.push_str(&escaped(c));
        out
    })
}

/// Text between quotes, where a reader would otherwise turn line ends into spaces.
fn attribute(text: &str) -> String {
    content(text).replace('\n', "&#10;").replace('\t', "&#9;")
}

/// One character of a document (XML 1.0 §2.2 says which ones there may be).
fn escaped(c: char) -> Cow<'static, str> {
    match c {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&apos;".into(),
        '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
            c.to_string().into()
        }
        _ => "\u{fffd}".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_an_element_or_an_attribute() {
        assert_eq!(content("]]></failure>&\u{0}"), "]]&gt;&lt;/failure&gt;&amp;\u{fffd}");
        assert_eq!(attribute("a\"\nb"), "a&quot;&#10;b");
    }
}
