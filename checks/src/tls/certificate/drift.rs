//! Who issues the certificate of each host, against the approved state.

use super::evidence::{Evidence, Handshake, HostSeen};
use super::spec::ISSUER_CHANGED;
use super::words;
use crate::contract::{Assessment, Fact, changes_of_both};
use crate::probe::Trust;

/// The organisations that issue for each host, at all its addresses.
pub(super) fn facts(evidence: &Evidence) -> Vec<Fact> {
    let facts = evidence.hosts.iter().filter_map(|host| {
        let issuers = issuers(host);
        // A platform takes the authority that it likes, and another one at the next renewal.
        let lines = match &host.platform {
            Some(platform) if !issuers.is_empty() => {
                vec![format!("issued as {platform} orders it")]
            }
            _ => issuers,
        };
        (!lines.is_empty()).then(|| Fact::new(&host.name, lines))
    });
    facts.collect()
}

fn issuers(host: &HostSeen) -> Vec<String> {
    let shakes = host.at.iter().flat_map(|at| at.shake.ok().into_iter().chain(&at.other));
    let trusted = |shake: &&Handshake| shake.trust == Trust::Trusted;
    let leaves = shakes.filter(trusted).filter_map(|shake| shake.leaf.as_ref());
    leaves.map(|leaf| format!("issued by {}", words::organisation(leaf))).collect()
}

/// Compares the hosts whose certificates both looks have read.
pub(super) fn judge(evidence: &Evidence, baseline: &Evidence, out: &mut Assessment) {
    let (then, now) = (facts(baseline), facts(evidence));
    for change in changes_of_both(&then, &now) {
        out.find(
            change
                .finding(&ISSUER_CHANGED)
                .summary(format!("Another authority issues the certificate of {} than was approved.", change.subject))
                .fix(format!(
                    "Ask whoever runs the host whether it was moved. If nobody knows, look up the certificates \
                     of {0} at https://crt.sh/?q={0}, change the passwords at the DNS provider and the host, and \
                     add a CAA record that names the approved authority. {1}",
                    change.subject,
                    change.rollback("(its certificate)")
                )),
        );
    }
}
