//! The headers of each host against the approved ones.

use url::Url;

use super::policy::Policy;
use super::{CHANGED, Evidence, Page};
use crate::contract::{Assessment, Fact, changes_of_both};

/// The protecting headers of each host, one line each.
pub(super) fn facts(evidence: &Evidence) -> Vec<Fact> {
    let pages = evidence.looks.iter().filter_map(|look| look.page.as_ref());
    let facts = pages.filter_map(|page| {
        let host = Url::parse(&page.url).ok()?.host_str()?.to_owned();
        Some(Fact::new(host, lines(page)))
    });
    facts.collect()
}

fn lines(page: &Page) -> Vec<String> {
    let plain = [
        ("Strict-Transport-Security", &page.hsts),
        ("X-Frame-Options", &page.frame_options),
        ("X-Content-Type-Options", &page.content_type_options),
        ("Referrer-Policy", &page.referrer_policy),
    ];
    let mut lines: Vec<String> = plain
        .into_iter()
        .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}: {value}")))
        .collect();
    lines.extend(page.policies.iter().flat_map(policy));
    if page.report_only {
        lines.push("Content-Security-Policy-Report-Only: is sent".to_owned());
    }
    lines
}

/// The parts of a policy that are kept. A nonce is new with each answer and a hash with each build, so that
/// only their being there is approved.
fn policy(policy: &Policy) -> Vec<String> {
    let place =
        if policy.in_meta { "meta Content-Security-Policy" } else { "Content-Security-Policy" };
    let text = |sources: &[String]| {
        let mut words: Vec<&str> = sources.iter().map(|source| stable(source)).collect();
        words.dedup();
        words.join(" ")
    };
    let parts = [("scripts", &policy.scripts), ("frame-ancestors", &policy.ancestors)];
    parts
        .into_iter()
        .filter_map(|(name, sources)| {
            sources.as_ref().map(|sources| format!("{place}, {name}: {}", text(sources)))
        })
        .collect()
}

fn stable(source: &str) -> &str {
    ["'nonce-", "'sha256-", "'sha384-", "'sha512-"]
        .into_iter()
        .find(|start| source.starts_with(start))
        .map_or(source, |start| start.trim_start_matches('\'').trim_end_matches('-'))
}

/// Compares the hosts that both looks have read.
pub(super) fn judge(evidence: &Evidence, baseline: &Evidence, out: &mut Assessment) {
    let (then, now) = (facts(baseline), facts(evidence));
    for change in changes_of_both(&then, &now) {
        out.find(
            change
                .finding(&CHANGED)
                .summary(format!(
                    "The security headers of {} differ from the approved baseline.",
                    change.subject
                ))
                .fix(change.rollback("(the headers of its pages, in the code or at the host)")),
        );
    }
}
