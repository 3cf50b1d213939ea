//! Part 3: who can do a fix and how long it takes about, and what nobody should do meanwhile.

use launchready_checks::contract::Severity;

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
            any(&|check, _| ["stripe", "orders", "webhook"].contains(&check.area.as_str())),
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

#[cfg(test)]
mod tests {
    use launchready_checks::registry;

    use super::*;

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
