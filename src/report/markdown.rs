//! The report as Markdown (GitHub's dialect), for a ticket, a wiki or a pull request.

use std::fmt::Write as _;

use super::words::{self, GROUPS, Piece, pieces};
use super::{CheckReport, FindingReport, Report, fold};

/// Draws the report.
pub fn to_markdown(report: &Report) -> String {
    let report = &words::visible_report(report);
    let mut out = String::new();
    head(report, &mut out);
    for (severity, title) in GROUPS {
        let mine = words::of_severity(report, severity);
        if mine.is_empty() {
            continue;
        }
        _ = writeln!(out, "## {title} ({})\n", mine.len());
        for (number, (check, finding)) in mine.into_iter().enumerate() {
            draw(number + 1, check, finding, &mut out);
        }
    }
    checks(report, &mut out);
    not_checked(report, &mut out);
    list("Who holds which account", &report.ownership, &mut out);
    _ = writeln!(
        out,
        "---\n\nMade by {} on {}, in {}. Fix the first finding, look again with its command, then take the next one.",
        escape(&format!("{} {}", report.tool.name, report.tool.version)),
        words::minute(report.finished_at),
        words::took(report)
    );
    out
}

fn head(report: &Report, out: &mut String) {
    _ = writeln!(out, "# {}: {}\n", escape(&report.domain), report.verdict.title());
    for reason in &report.verdict_reasons {
        _ = writeln!(out, "- {}", prose(reason));
    }
    let seen = report.coverage;
    _ = writeln!(
        out,
        "\n{} · goal {} · {} · {} passed · {} warned · {} failed\n",
        words::minute(report.finished_at),
        report.goal.as_str(),
        words::coverage(seen),
        seen.passed,
        seen.warned,
        seen.failed
    );
    let money: Vec<_> = report.money_at_risk.iter().map(words::money).collect();
    list("Money at risk", &money, out);
}

fn list(title: &str, items: &[String], out: &mut String) {
    if items.is_empty() {
        return;
    }
    _ = writeln!(out, "## {title}\n");
    for item in items {
        _ = writeln!(out, "- {}", escape(item));
    }
    out.push('\n');
}

fn draw(number: usize, check: &CheckReport, finding: &FindingReport, out: &mut String) {
    _ = writeln!(out, "### {number}. {}\n", prose(&one_line(&finding.summary)));
    _ = writeln!(
        out,
        "**{}** · {} · {} · {}\n",
        finding.severity.as_str().to_uppercase(),
        code(&check.id),
        code(&finding.code),
        code(&finding.subject)
    );
    if !finding.evidence.is_empty() {
        let seen = finding.evidence.join("\n");
        let fence = "`".repeat(longest_run(&seen).max(2) + 1);
        _ = writeln!(out, "**Saw**\n\n{fence}text\n{seen}\n{fence}\n");
    }
    labelled("Why", &finding.why, out);
    labelled("Fix", &finding.fix, out);
    labelled("Undo", &finding.undo, out);
    if let Some(text) = words::waiver(finding) {
        labelled("Waived", &text, out);
    }
    if let Some(since) = finding.since {
        labelled("Since", &words::minute(since), out);
    }
    _ = writeln!(out, "**Look again:** {}\n", code(&finding.recheck));
    _ = writeln!(
        out,
        "Fingerprint {} · more: {}\n",
        code(&finding.fingerprint),
        code(&finding.docs)
    );
}

/// A paragraph that keeps the line ends of its text.
fn labelled(label: &str, text: &str, out: &mut String) {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(prose).collect();
    if !lines.is_empty() {
        _ = writeln!(out, "**{label}:** {}\n", lines.join("\\\n"));
    }
}

fn checks(report: &Report, out: &mut String) {
    out.push_str("## Every check\n\n| Result | Check | What it looks at | Findings |\n");
    out.push_str("| --- | --- | --- | --- |\n");
    for row in fold::rows(report) {
        let title = match &row.reason {
            Some(reason) => format!("{} ({reason})", row.title),
            None => row.title.into_owned(),
        };
        _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            row.status.as_str(),
            escape(&one_line(&row.id)),
            escape(&one_line(&title)),
            row.findings
        );
    }
    out.push('\n');
}

fn not_checked(report: &Report, out: &mut String) {
    if report.not_checked.is_empty() {
        return;
    }
    out.push_str("## Not checked, and what unlocks it\n\n");
    for part in fold::unseen(report) {
        _ = writeln!(
            out,
            "- **{}** ({}, {}): {}",
            prose(&one_line(&part.part)),
            escape(&one_line(&part.of)),
            words::unseen_word(part.unseen),
            prose(&one_line(&part.reason))
        );
        if !part.unlock.is_empty() {
            _ = writeln!(out, "  → {}", prose(&one_line(&part.unlock)));
        }
    }
    out.push('\n');
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Text of which nothing is markup (`CommonMark` 0.31 §2.4; `$` starts mathematics on GitHub).
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    // Spaces in front would make a code block, and a mark at the start a list or a heading.
    let text = text.trim_start();
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    for (index, c) in text.chars().enumerate() {
        let starts = index == 0 && matches!(c, '#' | '+' | '-' | '=');
        let numbers = index == digits && digits > 0 && matches!(c, '.' | ')');
        if starts || numbers || marks(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.replace('\n', "\\\n")
}

/// Characters that are markup wherever they stand.
const fn marks(c: char) -> bool {
    matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '$' | '!')
}

/// A sentence in which nothing but a span between two backticks is markup.
fn prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for piece in pieces(text) {
        match piece {
            Piece::Plain(words) if out.is_empty() => out.push_str(&escape(words)),
            Piece::Plain(words) => {
                for c in words.chars() {
                    if marks(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
            Piece::Code(words) => out.push_str(&code(words)),
        }
    }
    out
}

/// A code span that no backtick in the text can end.
fn code(text: &str) -> String {
    let text = one_line(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(escape("<b>*x*</b> [a](b) | `c`"), r"\<b\>\*x\*\</b\> \[a\](b) \| \`c\`");
        assert_eq!(escape("# head"), r"\# head");
        assert_eq!(escape("    12. item"), r"12\. item");
        assert_eq!(escape("- item"), r"\- item");
        assert_eq!(escape("mail-spf of 2026."), "mail-spf of 2026.");
    }

    #[test]
    fn only_a_pair_of_backticks_is_markup_in_a_sentence() {
        assert_eq!(prose("Set `a_b` to *1*."), r"Set `a_b` to \*1\*.");
        assert_eq!(prose("- one ` of <b>"), r"\- one \` of \<b\>");
    }

    #[test]
    fn no_backtick_ends_a_code_span() {
        assert_eq!(code("plain"), "`plain`");
        assert_eq!(code("a``b`"), "``` a``b` ```");
    }
}
