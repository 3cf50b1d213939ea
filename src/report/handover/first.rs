//! Part 3: who can do a fix and how long it takes about, and what nobody should do meanwhile.

use launchready_checks::contract::Severity;

use super::super::{CheckReport, FindingReport, Report};

/// Who can do a fix in an area, and about how many minutes it takes somebody who knows the place. Estimates
/// of ours: they order the work and promise nothing.
const EFFORT: [(&str, &str, u32); 15] = [
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

/// Who can do a fix, and about how many minutes it takes.
pub(in crate::report) fn effort(area: &str) -> (&'static str, u32) {
    let found = EFFORT.iter().find(|(known, _, _)| *known == area);
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
