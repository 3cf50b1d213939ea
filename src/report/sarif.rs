//! The report as SARIF 2.1.0, for GitHub code scanning and other viewers of results.

use std::fmt::Write as _;

use launchready_checks::contract::{Area, Severity, Unseen};
use launchready_checks::registry;
use serde_json::{Value, json};

use super::words;
use super::{CheckReport, FindingReport, Report, UnseenPart};

/// The schema that OASIS publishes with the standard.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The descriptor of everything that was not looked at.
const NOT_CHECKED: &str = "not-checked";

/// Draws the report: a rule for each code that the checks could have found, a result for each
/// finding, a notification for each part that was not looked at.
pub fn to_sarif(report: &Report) -> String {
    let report = &words::visible_report(report);
    let rules = rules(report);
    let results: Vec<_> = report
        .findings()
        .into_iter()
        .map(|(check, finding)| result(report, check, finding, &rules))
        .collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "rules": rules.into_iter().map(|rule| rule.descriptor).collect::<Vec<_>>(),
                "notifications": [{
                    "id": NOT_CHECKED,
                    "shortDescription": { "text": "A part that was not looked at" },
                    "fullDescription": {
                        "text": "What could not be seen is neither good nor bad; the message says what unlocks it."
                    },
                }],
            }},
            "automationDetails": { "id": format!("launchready/{}/", report.project) },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "startTimeUtc": report.started_at,
                "endTimeUtc": report.finished_at,
                "toolExecutionNotifications":
                    words::unseen_parts(report).into_iter().map(notification).collect::<Vec<_>>(),
            }],
            "properties": {
                "project": report.project,
                "domain": report.domain,
                "goal": report.goal,
                "verdict": report.verdict,
                "verdictReasons": report.verdict_reasons,
                "coverage": report.coverage,
            },
            "results": results,
        }],
    });
    format!("{log:#}\n")
}

struct Rule {
    code: String,
    descriptor: Value,
}

/// The rules of the checks that were asked for. A code that this version does not know, from a
/// report of another version, gets its rule from the finding.
fn rules(report: &Report) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for check in &report.checks {
        let specs = registry::find(&check.id).map_or(&[][..], |plugin| plugin.meta.findings);
        for spec in specs {
            rules.push(rule(check, spec.code, spec.severity, spec.title, spec.why));
        }
        for finding in &check.findings {
            if !rules.iter().any(|rule| rule.code == finding.code) {
                let title = format!("Found by {}", check.title);
                rules.push(rule(check, &finding.code, finding.severity, &title, &finding.why));
            }
        }
    }
    rules
}

fn rule(check: &CheckReport, code: &str, severity: Severity, title: &str, why: &str) -> Rule {
    let area = Area::ALL.into_iter().find(|area| area.as_str() == check.area);
    let more = format!("launchready explain {code}");
    let descriptor = json!({
        "id": code,
        "shortDescription": { "text": plain(title) },
        "fullDescription": { "text": plain(why) },
        "help": {
            "text": plain(&format!(
                "{why}\n\nThe check {} ({}) finds it. How to fix it and how to undo the fix: {more}",
                check.id, check.title
            )),
            "markdown": format!(
                "{}\n\nThe check `{}` ({}) finds it. How to fix it and how to undo the fix: `{more}`",
                markdown(why), check.id, markdown(&check.title)
            ),
        },
        "defaultConfiguration": { "level": level(severity) },
        "properties": {
            "tags": ["launch-readiness", check.area, check.id],
            "area": area.map_or_else(|| check.area.clone(), |area| area.title().to_owned()),
            "vantage": check.vantage,
            "problem.severity": match severity {
                Severity::Critical => "error",
                Severity::Warning => "warning",
                Severity::Info => "recommendation",
            },
        },
    });
    Rule { code: code.to_owned(), descriptor }
}

fn result(report: &Report, check: &CheckReport, finding: &FindingReport, rules: &[Rule]) -> Value {
    let index = rules.iter().position(|rule| rule.code == finding.code);
    let mut result = json!({
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": plain(&message(finding)) },
        "locations": [{
            "physicalLocation": {
                "artifactLocation": { "uri": place(report) },
                "region": { "startLine": 1 },
            },
            "logicalLocations": [{
                "name": finding.subject,
                "fullyQualifiedName": finding.subject,
                "kind": "resource",
            }],
        }],
        "partialFingerprints": { "launchready/v1": finding.fingerprint },
        "properties": {
            "check": check.id,
            "target": check.target,
            "severity": finding.severity,
            "urgency": finding.urgency,
            "recheck": finding.recheck,
        },
    });
    if let (Some(waived), Some(result)) = (words::waiver(finding), result.as_object_mut()) {
        let accepted = json!({
            "kind": "external",
            "status": "accepted",
            "justification": format!("Accepted {waived}"),
        });
        result.insert("suppressions".to_owned(), json!([accepted]));
    }
    result
}

/// GitHub takes a result only with a place in a file, by a relative address. The config is the file
/// that names the product; without one the domain stands for it.
fn place(report: &Report) -> String {
    let path = report.config.as_deref().unwrap_or(&report.domain);
    let path = path.strip_prefix("./").unwrap_or(path);
    let absolute = if path.starts_with('/') { "file://" } else { "" };
    path.bytes().fold(absolute.to_owned(), |mut uri, byte| {
        // RFC 3986 §3.3: what a path may hold as it is; a colon could be read as a scheme.
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            _ = write!(uri, "%{byte:02X}");
        }
        uri
    })
}

/// What a viewer shows of a finding.
fn message(finding: &FindingReport) -> String {
    format!(
        "{}\n\nSaw:\n{}\n\nWhy: {}\n\nFix: {}\n\nUndo: {}\n\nLook again: {}",
        finding.summary,
        finding.evidence.join("\n"),
        finding.why,
        finding.fix,
        finding.undo,
        finding.recheck
    )
}

fn notification(part: &UnseenPart) -> Value {
    let unlock = match part.unlock.as_str() {
        "" => String::new(),
        unlock => format!("\nUnlock: {unlock}"),
    };
    json!({
        "descriptor": { "id": NOT_CHECKED, "index": 0 },
        "level": match part.unseen {
            Unseen::Blocks => "error",
            Unseen::Condition => "warning",
            Unseen::Noted => "note",
        },
        "message": {
            "text": plain(&format!("{} ({}): {}{unlock}", part.part, part.of, part.reason))
        },
        "properties": { "of": part.of, "unseen": part.unseen },
    })
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// A plain-text message that holds no link (§3.11.6 makes one of `[text](target)`).
fn plain(text: &str) -> String {
    text.replace("](", "] (")
}

/// Our own sentences as Markdown: they hold record names and tags, but no markup.
fn markdown(text: &str) -> String {
    super::markdown::escape(text)
}
