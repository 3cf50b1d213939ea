//! The thirteen parts in each form, and what may not stand in any of them.

use regex::Regex;

use crate::world::report;

const PARTS: [&str; 13] = [
    "1. Verdict",
    "2. Money and people affected",
    "3. Do this first",
    "4. Conditions and later",
    "5. Every check, with proof",
    "6. Not checked, and what unlocks it",
    "7. Who holds which account",
    "8. Secrets, without their values",
    "9. What is watched, and who is told",
    "10. Runbooks for the first 15 minutes",
    "11. Changes, and how each is undone",
    "12. The first 72 hours, and the calendar",
    "13. Sign-off",
];

/// That all parts are there, each once as a heading and in order.
pub(crate) fn in_order(text: &str, before: &str) {
    let mut rest = text;
    for part in PARTS {
        let heading = format!("{before}{part}");
        let (_, after) =
            rest.split_once(&heading).unwrap_or_else(|| panic!("{heading} is missing"));
        rest = after;
    }
}

/// What must not be there: a secret of the lab, and an address of a customer.
pub(crate) fn harmless(text: &str) {
    let key = launchready_lab::stripe_key_of_the_bundle();
    assert!(!text.contains(&key), "a key of Stripe");
    let shapes = Regex::new(
        r"(?:sk|rk)_live_[A-Za-z0-9]{20}|whsec_[A-Za-z0-9]{20}|sbp_[a-z0-9]{20}|sb_secret_[A-Za-z0-9]{10}|eyJ[A-Za-z0-9_-]{20}",
    );
    let found = shapes.unwrap().find(text).map(|found| found.as_str());
    assert_eq!(found, None, "the shape of a secret");
    // Mailboxes of the product itself may be named: where reports go, and who reads the desk.
    let mail = Regex::new(r"[A-Za-z0-9._+-]+@([a-z0-9.-]+\.[a-z]{2,})").unwrap();
    for found in mail.captures_iter(text) {
        assert!(found[1].ends_with("harbor.example"), "the address {}", &found[0]);
        assert!(!found[0].starts_with("buyer"), "the address {}", &found[0]);
    }
}

#[test]
fn every_part_is_there_in_both_forms_and_for_both_scenarios() {
    // The list of parts names them too.
    let without = Regex::new("(?s)<nav.*?</nav>|<style>.*?</style>").unwrap();
    let tag = Regex::new("<[^>]*>").unwrap();
    for scenario in ["healthy", "broken"] {
        let markdown = report(scenario, &["--format", "markdown"]);
        in_order(&markdown, "## ");
        harmless(&markdown);
        let html = report(scenario, &["--format", "html"]);
        let heading = without.replace_all(&html, "");
        let heading = tag.replace_all(&heading, "").into_owned();
        in_order(&heading, "");
        harmless(&heading);
        for text in [&markdown, &heading] {
            assert!(text.contains("To paste to an AI builder") == (scenario == "broken"));
            assert!(text.contains("Last drill (") && !text.contains(". (skipped)"), "{scenario}");
            // Names and dates of those who signed.
            assert!(text.contains("Bo, 20"), "who signed, and when");
            for word in
                ["stripe.key", "Stripe: Developers", "the domain registration runs out", "every 1m"]
            {
                assert!(text.contains(word), "{scenario}: {word}");
            }
        }
    }
}

#[test]
fn an_instruction_says_what_where_and_when_it_is_done() {
    let text = report("broken", &["--format", "markdown", "--only", "mail-spf"]);
    let instruction = text.split_once("**To paste to an AI builder**\n\n```text\n").unwrap().1;
    let instruction = instruction.split_once("\n```").unwrap().0;
    for part in [
        "Mend one defect of harbor.example",
        "Where: ",
        "Change: ",
        "Undo: ",
        "Done when: launchready ",
    ] {
        assert!(instruction.contains(part), "{part}: {instruction}");
    }
    assert!(!instruction.contains('`'));
}

#[test]
fn what_is_shared_names_nobody_and_the_same_thing_by_the_same_word() {
    let signed = Regex::new(r"\b(?:Ada|Bo)\b").unwrap();
    for format in ["markdown", "html", "json", "terminal"] {
        let text = report("broken", &["--format", format, "--redact"]);
        let lower = text.to_lowercase();
        assert!(!lower.contains("harbor"), "{format}: {}", around(&lower, "harbor"));
        for word in ["abcdefghijklmnopqrst", "203.0.113.", "104.18.", "76.76.21.21", "acct_1"] {
            assert!(!lower.contains(word), "{format}: {}", around(&lower, word));
        }
        assert_eq!(signed.find(&text).map(|found| around(&text, found.as_str())), None, "{format}");
        assert!(text.contains("host-1") && text.contains("host-2"), "{format}");
    }
    let markdown = report("broken", &["--format", "markdown", "--redact"]);
    in_order(&markdown, "## ");
    // Finding codes, words of the handbook and places to click stay readable.
    for word in ["spf-too-many-lookups", "launchready check", "attestation-expired"] {
        assert!(markdown.contains(word), "{word}");
    }
}

fn around(text: &str, word: &str) -> String {
    let at = text.find(word).unwrap_or_default();
    let from = text.floor_char_boundary(at.saturating_sub(80));
    text[from..text.floor_char_boundary(at + 80)].to_owned()
}
