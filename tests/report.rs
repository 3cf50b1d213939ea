//! One report in six forms: the same findings in each, and nothing from outside becomes markup.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use launchready::report::{
    Paint, Report, to_html, to_json, to_junit, to_markdown, to_sarif, to_terminal,
};
use launchready_checks::contract::Severity;
use quick_xml::events::Event;
use regex::Regex;
use serde_json::Value;

fn sample() -> Report {
    serde_json::from_str(include_str!("fixtures/report/sample.json")).unwrap()
}

fn forms(report: &Report) -> [(&'static str, String); 6] {
    [
        ("terminal", to_terminal(report, Paint { colour: false, width: 100 })),
        ("json", to_json(report)),
        ("markdown", to_markdown(report)),
        ("html", to_html(report)),
        ("sarif", to_sarif(report)),
        ("junit", to_junit(report, Severity::Warning)),
    ]
}

fn form(name: &str) -> String {
    forms(&sample()).into_iter().find(|(form, _)| *form == name).unwrap().1
}

/// The letters and digits alone: what escaping and wrapping leave as it is.
fn letters(text: &str) -> String {
    let text = ["&lt;", "&gt;", "&quot;", "&amp;", "&apos;", "&#60;", "&#62;", "&#34;", "&#38;"]
        .iter()
        .fold(text.to_owned(), |text, entity| text.replace(entity, ""));
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[test]
fn every_form_holds_every_finding() {
    let report = sample();
    for (name, text) in forms(&report) {
        let text = letters(&text);
        for (_, finding) in report.findings() {
            for part in [&finding.code, &finding.subject, &finding.fingerprint] {
                assert!(text.contains(&letters(part)), "{name} lacks {part}");
            }
        }
        for part in &report.not_checked {
            assert!(text.contains(&letters(&part.part)), "{name} lacks {}", part.part);
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    assert_eq!(forms(&sample()), forms(&sample()));
}

#[test]
fn every_form_looks_as_it_did() {
    for (name, text) in forms(&sample()) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots/report");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

#[test]
fn no_form_for_people_holds_a_character_that_acts_on_the_screen() {
    for name in ["terminal", "markdown", "html", "sarif", "junit"] {
        let text = form(name);
        let acting = |c: &char| {
            (c.is_control() && *c != '\n') || "\u{202e}\u{2066}\u{2069}\u{200b}".contains(*c)
        };
        assert_eq!(text.chars().find(acting), None, "{name}");
        assert!(text.contains("‹U+202E›"), "{name} shows what it replaced");
    }
}

#[test]
fn html_holds_the_elements_of_its_template_and_fetches_nothing() {
    let html = form("html");
    let tag = Regex::new(r"<(/?)([a-zA-Z0-9!]+)([^>]*)>").unwrap();
    let mut names: Vec<&str> = Vec::new();
    for found in tag.captures_iter(&html) {
        let (name, attributes) = (found.get(2).unwrap().as_str(), found[3].to_owned());
        names.push(name);
        for danger in [" src", "onerror", "srcset", "style=", "http://", "https://", "javascript:"]
        {
            assert!(!attributes.contains(danger), "<{name}{attributes}>");
        }
        if let Some((_, target)) = attributes.split_once("href=\"") {
            assert!(target.starts_with('#'), "<{name}{attributes}>");
        }
    }
    let known = "!doctype a article body code dd div dl dt footer h1 h2 h3 h4 head header html li main meta nav p pre \
                 section span strong style table tbody td th thead time title tr ul";
    for name in names {
        assert!(known.split(' ').any(|known| known == name), "<{name}> is not of the template");
    }
    let style = html.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
    assert!(!style.contains("url(") && !style.contains("@import"));
    assert_eq!(html.matches('<').count(), tag.find_iter(&html).count(), "no stray <");
}

#[test]
fn html_has_a_language_a_title_and_headings_in_order() {
    let html = form("html");
    assert!(html.contains("<html lang=\"en\">"));
    assert!(html.contains("<title>NO-GO · harbor.example · launch readiness</title>"));
    let heading = Regex::new("<h([1-6])").unwrap();
    let mut last = 0;
    for found in heading.captures_iter(&html) {
        let level: u32 = found[1].parse().unwrap();
        assert!(level <= last + 1, "h{level} after h{last}");
        last = level;
    }
    let target = Regex::new("(?:href=\"#|aria-labelledby=\")([^\"]+)\"").unwrap();
    for found in target.captures_iter(&html) {
        assert!(html.contains(&format!("id=\"{}\"", &found[1])), "{} exists", &found[1]);
    }
}

/// The targets of the links in the table of all checks, each of which is there once.
fn led(html: &str) -> Vec<String> {
    let table = html.split_once("<table class=\"checks\">").unwrap().1;
    let table = table.split_once("</table>").unwrap().0;
    let link = Regex::new("<a href=\"#([^\"]+)\">").unwrap();
    let led: Vec<String> = link.captures_iter(table).map(|found| found[1].to_owned()).collect();
    for target in &led {
        assert_eq!(html.matches(&format!(" id=\"{target}\"")).count(), 1, "{target}");
    }
    led
}

#[test]
fn the_table_of_all_checks_leads_to_what_the_page_says_of_each() {
    let html = form("html");
    let targets =
        ["check-sample-mail", "check-sample-web", "unseen-sample-unknown", "unseen-sample-skipped"];
    assert_eq!(led(&html), targets, "of a check that passed there is no more to read");
    assert!(html.contains("<article class=\"finding critical\" id=\"check-sample-mail\">"));
    assert!(html.contains("<li id=\"unseen-sample-unknown\"><p><strong>Name servers</strong>"));
}

#[test]
fn checks_that_wait_for_one_account_lead_to_the_line_of_that_account() {
    let mut report = sample();
    let skipped = report.checks.last_mut().unwrap();
    skipped.unlock = Some("add [project.stripe] to the config".to_owned());
    let mut other = skipped.clone();
    other.id = "sample-other".to_owned();
    report.checks.push(other);
    let targets = led(&to_html(&report));
    assert_eq!(targets[3..], ["unseen-stripe", "unseen-stripe"]);
}

#[test]
fn markdown_keeps_evidence_inside_its_fence() {
    let text = form("markdown");
    let mut open: Option<String> = None;
    let mut outside = String::new();
    for line in text.lines() {
        let fence: String = line.chars().take_while(|c| *c == '`').collect();
        match &open {
            Some(wanted) if line == wanted.as_str() => open = None,
            Some(_) => {}
            None if fence.len() >= 3 => {
                assert_eq!(line, format!("{fence}text"), "only the template opens a fence");
                open = Some(fence);
            }
            None => {
                outside.push_str(line);
                outside.push('\n');
            }
        }
    }
    assert_eq!(open, None, "every fence is closed");
    let span = Regex::new(r"(^|[^\\])`[^`\n]+`").unwrap();
    let outside = span.replace_all(&outside, "$1");
    let bare = Regex::new(r"(^|[^\\])(<[a-z/!]|\]\()").unwrap();
    assert_eq!(bare.find(&outside).map(|found| found.as_str()), None, "no markup outside a fence");
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    // Each row has as many cells as the head of its table.
    let mut head = None;
    let mut rows = 0;
    for line in text.lines() {
        if !line.starts_with("| ") || !outside.contains(line) {
            head = None;
            continue;
        }
        let wanted = *head.get_or_insert_with(|| cells(line));
        assert_eq!(cells(line), wanted, "{line}");
        rows += 1;
    }
    assert!(rows > 20, "only {rows} rows were found");
}

#[test]
fn junit_is_well_formed_and_its_counts_are_true() {
    let xml = form("junit");
    let mut reader = quick_xml::Reader::from_str(&xml);
    reader.config_mut().check_end_names = true;
    let (mut cases, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    let mut totals = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => break,
            Event::Start(element) | Event::Empty(element) => {
                let attributes: Vec<_> = element.attributes().map(Result::unwrap).collect();
                match element.name().as_ref() {
                    "testcase" => cases += 1,
                    "failure" => failures += 1,
                    "error" => errors += 1,
                    "skipped" => skipped += 1,
                    "testsuites" => {
                        let number = |name: &str| {
                            let found = attributes.iter().find(|a| a.key.as_ref() == name);
                            found.unwrap().value.to_string()
                        };
                        totals = ["tests", "failures", "errors", "skipped"].map(number).to_vec();
                    }
                    "testsuite" | "properties" | "property" | "system-out" => {}
                    other => panic!("<{other}>"),
                }
            }
            _ => {}
        }
    }
    assert_eq!(totals, [cases, failures, errors, skipped].map(|count: u32| count.to_string()));
    // The waived finding, the note and what is not proven either way fail nothing.
    assert_eq!((cases, failures, errors, skipped), (6, 1, 1, 2));
}

#[test]
fn junit_fails_a_case_only_for_what_makes_the_exit_code_1() {
    let mut report = sample();
    for check in &mut report.checks {
        check.findings.retain(|finding| finding.severity < Severity::Critical);
    }
    let failures = |fail_on| to_junit(&report, fail_on).matches("<failure ").count();
    assert_eq!((failures(Severity::Critical), failures(Severity::Warning)), (0, 1));
}

#[test]
fn json_gives_the_report_back() {
    let report = sample();
    let back: Report = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(back, report);
    let value: Value = serde_json::from_str(&form("json")).unwrap();
    assert_eq!(value["schema_version"], 1);
}
