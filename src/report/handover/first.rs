//! Part 3: who can do a fix and how long it takes about, and what nobody should do meanwhile.

use launchready_checks::contract::{Severity, Status};

use super::super::{CheckReport, FindingReport, Report};

/// An area or a code, who can do the fix, and about how many minutes it takes somebody who knows the place.
/// Estimates of ours: they order the work and promise nothing.
type Effort = (&'static str, &'static str, u32);

/// By area.
const EFFORT: [Effort; 15] = [
    ("domain", "founder, at the registrar", 15),
    ("dns", "founder, at the DNS provider", 15),
    ("mail", "founder, at the DNS provider", 20),
    ("tls", "engineer, at the host", 30),
    ("web", "AI builder or engineer", 30),
    ("secrets", "founder rotates the key, AI builder removes it", 30),
    ("stripe", "founder, in the Stripe dashboard", 20),
    ("orders", "engineer", 60),
    ("webhook", "engineer", 60),
    ("supabase", "AI builder, checked by an engineer", 30),
    ("crm", "founder, in the CRM", 30),
    ("support", "founder, in the help desk", 20),
    ("automation", "founder, in the automation", 20),
    ("ops", "whoever runs the product", 30),
    ("external", "whoever wrote the question", 30),
];

/// By code, where others mend it than what else is found in its area.
const OF_CODES: [Effort; 13] = [
    ("edge-origin-unencrypted", CLOUDFLARE, 15),
    ("edge-origin-unverified", CLOUDFLARE, 15),
    ("edge-https-optional", CLOUDFLARE, 5),
    ("edge-development-mode", CLOUDFLARE, 5),
    ("edge-dnssec-pending", "whoever has the Cloudflare account, and the registrar's", 15),
    ("edge-paused", CLOUDFLARE, 5),
    ("webhook-blocked-at-edge", "whoever has the account of the edge network", 20),
    (
        "exposed-backup",
        "engineer takes the file away, founder changes the passwords and keys in it",
        60,
    ),
    ("exposed-debug-page", "engineer, at the host", 30),
    ("exposed-admin-page", "AI builder, checked by an engineer", 60),
    ("exposed-directory-listing", "engineer, at the host", 15),
    ("bundle-source-map", "AI builder or engineer", 15),
    ("source-service-role-in-function", "AI builder, checked by an engineer", 60),
];
const CLOUDFLARE: &str = "whoever has the Cloudflare account";

/// Who can do a fix, and about how many minutes it takes.
pub(in crate::report) fn effort(area: &str, code: &str) -> (&'static str, u32) {
    let of_code = OF_CODES.iter().find(|(known, _, _)| *known == code);
    let found = of_code.or_else(|| EFFORT.iter().find(|(known, _, _)| *known == area));
    found.map_or(("engineer", 30), |(_, who, minutes)| (who, *minutes))
}

/// What not to do meanwhile, as far as the findings make it a temptation.
pub(in crate::report) fn never(report: &Report) -> Vec<&'static str> {
    let live = |(_, finding): &(&CheckReport, &FindingReport)| finding.waived.is_none();
    let findings: Vec<_> = report.findings().into_iter().filter(live).collect();
    let any = |test: &dyn Fn(&CheckReport, &FindingReport) -> bool| {
        findings.iter().any(|(check, finding)| test(check, finding))
    };
    let in_area =
        |area: &'static str| move |check: &CheckReport, _: &FindingReport| check.area == area;
    let rules: [(bool, &str); 6] = [
        (
            any(&|_, finding| finding.severity == Severity::Critical),
            "Do not pay for visitors, and announce no date, until this part is empty.",
        ),
        (
            any(&in_area("supabase")),
            "Do not turn row level security off to make an error go away: write the policy that is missing.",
        ),
        (
            any(&in_area("secrets")),
            "Do not only delete a key that has leaked: it is in the history and in caches. Rotate it.",
        ),
        (
            !repeats_are_safe(&report.checks) && any(&|check, _| moves_money(check)),
            "Do not resend events or refund by hand before `launchready check orders-idempotency` passes: a repeat \
             may charge or ship twice.",
        ),
        (
            any(&in_area("mail")),
            "Do not send a campaign while the mail records are wrong: a bad name as a sender stays for weeks.",
        ),
        (any(&in_area("tls")), "Do not ask customers to click a certificate warning away."),
    ];
    rules.into_iter().filter(|(holds, _)| *holds).map(|(_, text)| text).collect()
}

/// The check that proves that an event which comes twice does nothing twice.
const REPEATS: &str = "orders-idempotency";
/// What a fix says, in lower case, that has an event or a payment go out once more.
const AGAIN: [&str; 4] = ["resend", "refund it", "refund one", "refund the buyer"];

fn repeats_are_safe(checks: &[CheckReport]) -> bool {
    checks.iter().any(|check| check.id == REPEATS && check.status == Status::Pass)
}

fn moves_money(check: &CheckReport) -> bool {
    ["stripe", "orders", "webhook"].contains(&check.area.as_str())
}

/// Says in each fix that has something sent or paid once more what must hold before, as [`never`] does: who reads
/// one card alone would else do what the report warns of. `recheck` is the command that looks again, with `{id}`.
pub(in crate::report) fn repeats_later(checks: &mut [CheckReport], recheck: &str) {
    if repeats_are_safe(checks) {
        return;
    }
    let command = recheck.replacen("{id}", REPEATS, 1);
    for check in checks.iter_mut().filter(|check| moves_money(check) && check.id != REPEATS) {
        for finding in &mut check.findings {
            let fix = finding.fix.to_lowercase();
            if AGAIN.iter().any(|word| fix.contains(word)) {
                finding.fix = format!(
                    "Not before `{command}` passes: until then a repeat may charge or ship twice. \
                     After that: {}",
                    finding.fix
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use launchready_checks::registry;

    use super::*;

    fn check(id: &str, status: Status, finding: Option<(&str, &str)>) -> CheckReport {
        let meta = registry::find(id).unwrap().meta;
        let finding = finding.map(|(code, fix)| {
            let finding = registry::find_code(code).unwrap().1.finding("pi_1").fix(fix);
            FindingReport::new(finding, String::new())
        });
        CheckReport {
            id: id.to_owned(),
            title: meta.title.to_owned(),
            area: meta.area.as_str().to_owned(),
            target: "harbor.example".to_owned(),
            vantage: meta.vantage,
            status,
            reason: None,
            unlock: None,
            duration_ms: 1,
            evidence_sha256: None,
            measurements: Vec::new(),
            not_checked: Vec::new(),
            findings: finding.into_iter().collect(),
        }
    }

    #[test]
    fn a_fix_that_sends_again_says_what_must_pass_before() {
        let fixes = |repeats: Option<Status>| -> Vec<String> {
            let again = "search for pi_1 and press Resend; else refund the buyer";
            let mut checks = vec![
                check(
                    "orders-orphaned-checkouts",
                    Status::Fail,
                    Some(("checkout-without-order", again)),
                ),
                check(
                    "stripe-account",
                    Status::Fail,
                    Some(("stripe-charges-disabled", "Do what it asks.")),
                ),
                check("mail-spf", Status::Fail, Some(("spf-missing", "In Resend, open Domains."))),
            ];
            checks.extend(repeats.map(|status| check(REPEATS, status, None)));
            repeats_later(&mut checks, "launchready check {id}");
            let all = checks.into_iter().flat_map(|check| check.findings);
            all.map(|finding| finding.fix).collect()
        };
        for repeats in [None, Some(Status::Fail), Some(Status::Unknown), Some(Status::Skipped)] {
            let [again, other, mail] = fixes(repeats).try_into().unwrap();
            assert!(
                again.starts_with("Not before `launchready check orders-idempotency` passes: ")
                    && again.ends_with(
                        "After that: search for pi_1 and press Resend; else refund the buyer"
                    ),
                "{again}"
            );
            assert_eq!(
                (other.as_str(), mail.as_str()),
                ("Do what it asks.", "In Resend, open Domains.")
            );
        }
        assert!(fixes(Some(Status::Pass))[0].starts_with("search for"));
        assert!(registry::find(REPEATS).is_some());
    }

    #[test]
    fn codes_that_others_mend_exist() {
        for (code, _, _) in OF_CODES {
            assert!(registry::find_code(code).is_some(), "{code}");
        }
    }

    #[test]
    fn a_dump_is_taken_away_and_a_setting_of_cloudflare_is_for_who_has_the_account() {
        let (who, _) = effort("secrets", "exposed-backup");
        assert!(who.contains("takes the file away") && who.contains("passwords"), "{who}");
        assert_eq!(effort("web", "edge-origin-unverified").0, CLOUDFLARE);
        assert_eq!(effort("web", "csp-missing").0, "AI builder or engineer");
        assert_eq!(effort("secrets", "bundle-secret"), effort("secrets", "exposed-env-file"));
        assert_eq!(effort("of nobody", "unknown"), ("engineer", 30));
    }
}
