//! What every drawn form shares: the order and the words, and text from outside made harmless.

use std::borrow::Cow;
use std::fmt::Write as _;

use jiff::Timestamp;
use launchready_checks::contract::{Area, AtRisk, Severity, Unseen, amount};
use launchready_checks::ops::hand_work as in_words;

use super::texts::{each_of_check, each_text};
use super::{CheckReport, Coverage, FindingReport, Report, UnseenPart};
use crate::clock::last_day;

/// The groups of findings in the order in which a reader should take them.
pub(crate) const GROUPS: [(Severity, &str); 3] = [
    (Severity::Critical, "Do this first"),
    (Severity::Warning, "Settle or accept these"),
    (Severity::Info, "Later"),
];

/// The order in which unseen parts are listed.
pub(super) const UNSEEN_ORDER: [Unseen; 3] = [Unseen::Blocks, Unseen::Condition, Unseen::Noted];

/// What an unseen part means for the verdict.
pub(crate) const fn unseen_word(unseen: Unseen) -> &'static str {
    match unseen {
        Unseen::Blocks => "blocks",
        Unseen::Condition => "condition",
        Unseen::Noted => "noted",
    }
}

/// The heading of an area: `dns` is `DNS`.
pub(super) fn area(word: &str) -> String {
    let found = Area::ALL.iter().find(|area| area.as_str() == word);
    found.map_or(word, |area| area.title()).to_owned()
}

/// How many findings nobody has accepted, and how many are waived. The verdict counts the former.
fn live_and_waived<'a>(findings: impl IntoIterator<Item = &'a FindingReport>) -> (usize, usize) {
    findings.into_iter().fold((0, 0), |(live, waived), finding| match finding.waived {
        None => (live + 1, waived),
        Some(_) => (live, waived + 1),
    })
}

/// The number in a heading: what the verdict counts, and beside it what is waived. `3`, `2, and 1 waived`, `1 waived`.
pub(crate) fn counted<'a>(findings: impl IntoIterator<Item = &'a FindingReport>) -> String {
    match live_and_waived(findings) {
        (live, 0) => live.to_string(),
        (0, waived) => format!("{waived} waived"),
        (live, waived) => format!("{live}, and {waived} waived"),
    }
}

/// The same of one check; `no finding` is empty, because most rows of a table have none.
pub(super) fn finding_count(check: &CheckReport) -> String {
    let plural = |count| if count == 1 { "" } else { "s" };
    match live_and_waived(&check.findings) {
        (0, 0) => String::new(),
        (live, 0) => format!("{live} finding{}", plural(live)),
        (0, waived) => format!("{waived} waived"),
        (live, waived) => format!("{live} finding{}, {waived} waived", plural(live)),
    }
}

/// That waived findings are shown and not counted, where there are any.
pub(crate) fn waived_note(report: &Report) -> Option<String> {
    let (_, waived) = live_and_waived(report.checks.iter().flat_map(|check| &check.findings));
    match waived {
        0 => None,
        1 => Some("1 finding is waived: it is shown below, and not counted above.".to_owned()),
        count => Some(format!(
            "{count} findings are waived: they are shown below, and not counted above."
        )),
    }
}

/// `9 of 10 checks run · 1 unknown · 0 skipped`.
pub(super) fn coverage(coverage: Coverage) -> String {
    format!(
        "{} of {} checks run · {} unknown · {} skipped",
        coverage.run,
        coverage.total(),
        coverage.unknown,
        coverage.skipped
    )
}

/// A time as a reader of a report wants it.
pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long the audit took, in seconds with one digit.
pub(super) fn took(report: &Report) -> String {
    let took = report.finished_at.duration_since(report.started_at);
    format!("{:.1} s", took.as_secs_f64().max(0.0))
}

/// The findings of one severity, most urgent first.
pub(crate) fn of_severity(
    report: &Report,
    severity: Severity,
) -> Vec<(&CheckReport, &FindingReport)> {
    let all = report.findings();
    all.into_iter().filter(|(_, finding)| finding.severity == severity).collect()
}

/// The unseen parts, what weighs most first.
pub(crate) fn unseen_parts(report: &Report) -> Vec<&UnseenPart> {
    UNSEEN_ORDER
        .iter()
        .flat_map(|wanted| report.not_checked.iter().filter(|part| part.unseen == *wanted))
        .collect()
}

/// A piece of one of our texts, in which backticks mark what is typed or copied as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Words.
    Plain(&'a str),
    /// What stood between two backticks on one line.
    Code(&'a str),
}

/// The pieces of a text; a backtick without its pair is a character like any other.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain = text;
    let mut from = 0;
    loop {
        let rest = plain.split_at_checked(from).map_or("", |(_, rest)| rest);
        let Some((before, after)) = rest.split_once('`') else { break };
        let code = after.split_once('`').map(|(code, _)| code);
        let Some(code) = code.filter(|code| !code.trim().is_empty() && !code.contains('\n')) else {
            from += before.len() + 1;
            continue;
        };
        let start = from + before.len();
        if let Some((words, marked)) = plain.split_at_checked(start) {
            pieces.extend(Some(Piece::Plain(words)).filter(|_| !words.is_empty()));
            pieces.push(Piece::Code(code));
            plain = marked.split_at_checked(code.len() + 2).map_or("", |(_, rest)| rest);
        }
        from = 0;
    }
    pieces.extend(Some(Piece::Plain(plain)).filter(|_| !plain.is_empty()));
    pieces
}

/// What a person decided about a finding.
pub(super) fn waiver(finding: &FindingReport) -> Option<String> {
    let waived = finding.waived.as_ref()?;
    let until = match last_day(waived.until) {
        Some(day) => format!("the end of {day} UTC"),
        None => minute(waived.until),
    };
    Some(format!("by {} until {until}: {}", waived.by, waived.reason))
}

/// The hand-work of a week in one line, where it was counted.
pub(crate) fn hand_work(report: &Report) -> Option<String> {
    let check = report.checks.iter().find(|check| check.id == "ops-busywork")?;
    in_words(&check.measurements, check.not_checked.is_empty())
}

/// `EUR 1234.50 in 7 payments`.
pub(crate) fn money(at_risk: &AtRisk) -> String {
    let payments = if at_risk.count == 1 { "payment" } else { "payments" };
    let amount = amount(&at_risk.currency, at_risk.amount_minor);
    format!("{amount} in {} {payments}", at_risk.count)
}

/// Shows what would act on the reader's screen instead of being read: control characters, marks
/// that turn the direction of writing (UAX #9) and characters without width. Line ends stay.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.replace("\r\n", "\n").chars() {
        if c == '\t' {
            out.push(' ');
        } else if acts(c) && c != '\n' {
            _ = write!(out, "‹U+{:04X}›", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn acts(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The report with every text made [`visible`].
pub(super) fn visible_report(report: &Report) -> Report {
    let mut report = report.clone();
    each_text(&mut report, &mut mend);
    report
}

/// The check with every text made [`visible`].
pub(super) fn visible_check(check: &CheckReport) -> CheckReport {
    let mut check = check.clone();
    each_of_check(&mut check, &mut mend);
    check
}

fn mend(text: &mut String) {
    if let Cow::Owned(mended) = visible(text) {
        *text = mended;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_screen_becomes_readable() {
        assert_eq!(visible("a\u{1b}[31mb"), "a‹U+001B›[31mb");
        assert_eq!(visible("exe\u{202e}gpj"), "exe‹U+202E›gpj");
        assert_eq!(visible("one\r\ntwo\tthree"), "one\ntwo three");
        assert!(matches!(visible("bücher\nshop"), Cow::Borrowed("bücher\nshop")));
    }

    #[test]
    fn backticks_mark_code_only_in_pairs_on_one_line() {
        use Piece::{Code, Plain};
        assert_eq!(pieces("plain"), [Plain("plain")]);
        assert_eq!(
            pieces("set `a` to `b`."),
            [Plain("set "), Code("a"), Plain(" to "), Code("b"), Plain(".")]
        );
        assert_eq!(pieces("one ` alone"), [Plain("one ` alone")]);
        assert_eq!(pieces("a `b\nc` d"), [Plain("a `b\nc` d")]);
        assert_eq!(pieces("``x`"), [Plain("`"), Code("x")]);
        assert_eq!(pieces("``"), [Plain("``")]);
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn what_is_waived_is_told_beside_what_the_verdict_counts() {
        let (_, spec) = launchready_checks::registry::find_code("csp-missing").unwrap();
        let live = FindingReport::new(spec.finding("a"), String::new());
        let mut waived = FindingReport::new(spec.finding("b"), String::new());
        let until = "2027-01-01T00:00:00Z".parse().unwrap();
        let (by, reason) = ("Ada".to_owned(), "later".to_owned());
        waived.waived = Some(crate::report::Waived { by, reason, until });
        let count = |all: &[&FindingReport]| counted(all.iter().copied());
        assert_eq!(count(&[]), "0");
        assert_eq!(count(&[&live, &live]), "2");
        assert_eq!(count(&[&live, &waived]), "1, and 1 waived");
        assert_eq!(count(&[&waived, &waived]), "2 waived");
    }

    #[test]
    fn an_amount_has_the_digits_of_its_currency() {
        let money = |currency: &str, amount_minor| {
            money(&AtRisk { currency: currency.to_owned(), amount_minor, count: 2 })
        };
        assert_eq!(money("eur", 123_405), "EUR 1234.05 in 2 payments");
        assert_eq!(money("jpy", 900), "JPY 900 in 2 payments");
        assert_eq!(money("kwd", -1_005), "KWD -1.005 in 2 payments");
    }
}
