//! The report as Markdown (GitHub's dialect), in the thirteen parts of a handover, for a ticket, a wiki or a pull request.

use std::fmt::Write as _;

use launchready_checks::contract::Severity;

use super::handover::{self, Block, Part};
use super::words::{self, GROUPS, Piece, pieces};
use super::{CheckReport, FindingReport, Report, fold, rules};

/// Draws the report.
pub fn to_markdown(report: &Report) -> String {
    let report = &words::visible_report(report);
    let mut out = String::new();
    head(report, &mut out);
    part(&handover::affected(report), &mut out);
    first(report, &mut out);
    conditions(report, &mut out);
    checks(report, &mut out);
    not_checked(report, &mut out);
    for one in handover::last_parts(report) {
        part(&one, &mut out);
    }
    _ = writeln!(
        out,
        "---\n\nMade by {} on {}, in {}. Fix the first finding, look again with its command, then take the next one.",
        escape(&format!("{} {}", report.tool.name, report.tool.version)),
        words::minute(report.finished_at),
        words::took(report)
    );
    out
}

/// A part that is made of blocks.
fn part(part: &Part, out: &mut String) {
    _ = writeln!(out, "## {}. {}\n", part.number, part.title);
    for block in &part.blocks {
        draw_block(block, out);
    }
}

fn draw_block(block: &Block, out: &mut String) {
    match block {
        Block::Title(title) => _ = writeln!(out, "### {}\n", prose(title)),
        Block::Words(text) => _ = writeln!(out, "{}\n", prose(text)),
        Block::Items(items) => {
            for item in items {
                _ = writeln!(out, "- {}", prose(&one_line(item)));
            }
            out.push('\n');
        }
        Block::Table(head, rows) => {
            _ = writeln!(out, "| {} |", head.join(" | "));
            _ = writeln!(out, "| {} |", vec!["---"; head.len()].join(" | "));
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| in_cell(cell)).collect();
                _ = writeln!(out, "| {} |", cells.join(" | "));
            }
            out.push('\n');
        }
        Block::Lines(lines) => {
            for line in *lines {
                _ = writeln!(out, "- {}: \\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_\\_", prose(line));
            }
            out.push('\n');
        }
    }
}

/// A text in a cell: even within code a bar has to be escaped there.
fn in_cell(text: &str) -> String {
    let drawn = prose(&one_line(text));
    let mut out = String::with_capacity(drawn.len());
    let mut before = ' ';
    for c in drawn.chars() {
        if c == '|' && before != '\\' {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

fn first(report: &Report, out: &mut String) {
    let mine = words::of_severity(report, Severity::Critical);
    let count = words::counted(mine.iter().map(|(_, finding)| *finding));
    _ = writeln!(out, "## {} ({count})\n", handover::heading(3));
    if mine.is_empty() {
        _ = writeln!(out, "No finding blocks {}.\n", rules(report.goal).of);
    } else {
        out.push_str("| No. | What | Who | About |\n| --- | --- | --- | --- |\n");
        for (number, (check, finding)) in mine.iter().enumerate() {
            let (who, minutes) = handover::effort(&check.area, &finding.code);
            let what = in_cell(&finding.summary);
            _ = writeln!(out, "| {} | {what} | {who} | {minutes} min |", number + 1);
        }
        out.push('\n');
    }
    let never = handover::never(report);
    if !never.is_empty() {
        out.push_str("Meanwhile, do not:\n\n");
        draw_block(&Block::Items(never.into_iter().map(str::to_owned).collect()), out);
    }
    for (number, (check, finding)) in mine.into_iter().enumerate() {
        draw(&report.domain, number + 1, check, finding, "###", out);
    }
}

fn conditions(report: &Report, out: &mut String) {
    _ = writeln!(out, "## {}\n", handover::heading(4));
    let mut is_empty = true;
    for (severity, title) in GROUPS.into_iter().skip(1) {
        let mine = words::of_severity(report, severity);
        if mine.is_empty() {
            continue;
        }
        is_empty = false;
        let count = words::counted(mine.iter().map(|(_, finding)| *finding));
        _ = writeln!(out, "### {title} ({count})\n");
        for (number, (check, finding)) in mine.into_iter().enumerate() {
            draw(&report.domain, number + 1, check, finding, "####", out);
        }
    }
    if is_empty {
        out.push_str("Nothing is left to settle, and nothing for later.\n\n");
    }
}

fn head(report: &Report, out: &mut String) {
    _ = writeln!(out, "# {}: {}\n", escape(&report.domain), report.title());
    _ = writeln!(out, "## {}\n", handover::heading(1));
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
    if !money.is_empty() {
        _ = writeln!(out, "At risk: {}.\n", escape(&money.join(", ")));
    }
}

fn draw(
    domain: &str,
    number: usize,
    check: &CheckReport,
    finding: &FindingReport,
    marks: &str,
    out: &mut String,
) {
    _ = writeln!(out, "{marks} {number}. {}\n", prose(&one_line(&finding.summary)));
    _ = writeln!(
        out,
        "**{}** · {} · {} · {}\n",
        finding.severity.as_str().to_uppercase(),
        code(&check.id),
        code(&finding.code),
        code(&finding.subject)
    );
    if !finding.evidence.is_empty() {
        fenced("Saw", &finding.evidence.join("\n"), out);
    }
    labelled("Why", &finding.why, out);
    let (who, minutes) = handover::effort(&check.area, &finding.code);
    labelled(&format!("Fix ({who}, about {minutes} minutes)"), &finding.fix, out);
    labelled("Undo", &finding.undo, out);
    if let Some(text) = words::waiver(finding) {
        labelled("Waived", &text, out);
    }
    if let Some(since) = finding.since {
        labelled("Since", &words::minute(since), out);
    }
    _ = writeln!(out, "**Look again:** {}\n", code(&finding.recheck));
    fenced("To paste to an AI builder", &handover::instruction(domain, check, finding), out);
    _ = writeln!(
        out,
        "Fingerprint {} · more: {}\n",
        code(&finding.fingerprint),
        code(&finding.docs)
    );
}

/// A text that stays as it is, behind its label.
fn fenced(label: &str, text: &str, out: &mut String) {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    _ = writeln!(out, "**{label}**\n\n{fence}text\n{text}\n{fence}\n");
}

/// A paragraph that keeps the line ends of its text.
fn labelled(label: &str, text: &str, out: &mut String) {
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).map(prose).collect();
    if !lines.is_empty() {
        _ = writeln!(out, "**{label}:** {}\n", lines.join("\\\n"));
    }
}

fn checks(report: &Report, out: &mut String) {
    _ = writeln!(out, "## {}\n", handover::heading(5));
    out.push_str("| Area | Result | Check | What it saw |\n| --- | --- | --- | --- |\n");
    for check in &report.checks {
        _ = writeln!(
            out,
            "| {} | {} | {}: {} | {} |",
            escape(&words::area(&check.area)),
            check.status.as_str(),
            escape(&one_line(&check.id)),
            escape(&one_line(&check.title)),
            in_cell(&handover::proof(report, check))
        );
    }
    out.push('\n');
}

fn not_checked(report: &Report, out: &mut String) {
    _ = writeln!(out, "## {} ({})\n", handover::heading(6), report.not_checked.len());
    if report.not_checked.is_empty() {
        out.push_str("Everything was looked at.\n\n");
        return;
    }
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
