//! Judges CAA records (RFC 8659) against the certificate in use.

use super::evidence::{CaaRecord, CaaSet, Evidence, HostView, Issuer};
use super::issuers::identifiers;
use super::{CAA, Cx};
use crate::contract::{Assessment, Severity, Unseen, in_days};
use crate::dns::providers;
use crate::probe::Seen;

/// Properties that a certificate authority knows (RFC 8659, RFC 9495, CA/Browser Forum): an unknown
/// one that is marked critical forbids everything.
const KNOWN_TAGS: [&str; 6] =
    ["issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone"];
/// Renewal is due when less than a third of a certificate's life is left.
const RENEWAL_PART: i64 = 3;

/// Judges every host with CAA records above it.
pub(super) fn judge(evidence: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let mut unknown: Vec<String> = Vec::new();
    let mut unseen: Option<(String, String)> = None;
    for host in &evidence.hosts.items {
        let issuer = match &host.issuer {
            Some(Seen::Ok(issuer)) => issuer,
            Some(Seen::Target(fault)) => {
                unseen.get_or_insert((host.name.clone(), fault.to_string()));
                continue;
            }
            Some(Seen::Agent(fault)) => {
                unseen.get_or_insert((host.name.clone(), fault.to_string()));
                continue;
            }
            None => {
                if let Some(fault) = lookup_fault(host) {
                    unseen.get_or_insert((host.name.clone(), fault));
                }
                continue;
            }
        };
        let at = if issuer.wildcard { &host.caa_above } else { &host.caa };
        let Seen::Ok(Some(at)) = at else { continue };
        let Some(set) = evidence.caa_sets.items.iter().find(|set| set.at == *at) else {
            unseen.get_or_insert((host.name.clone(), "too many sets of CAA records".to_owned()));
            continue;
        };
        match identifiers(&issuer.name) {
            None if restricts(set, issuer.wildcard) => unknown.push(issuer.name.clone()),
            // With more records than are kept the one that allows may be among the others.
            Some(by) if set.records.cut == 0 && !allows(set, issuer.wildcard, by) => {
                forbidden(evidence, host, set, issuer, by, cx, out);
            }
            None | Some(_) => {}
        }
    }
    if let Some((host, reason)) = unseen {
        out.not_checked(
            Unseen::Noted,
            "CAA records against the certificate in use",
            format!("{host}: {reason}"),
            "run it again once the host answers on port 443",
        );
    }
    unknown.sort();
    unknown.dedup();
    if let Some(first) = unknown.first() {
        out.not_checked(
            Unseen::Noted,
            "CAA records against an issuer that is not known",
            format!("it is not known which CAA identifier stands for {first:?}"),
            "look the identifier up with the issuer and compare it with the CAA records by hand",
        );
    }
}

/// A fault that hides whether there are CAA records, of a host that resolves.
fn lookup_fault(host: &HostView) -> Option<String> {
    host.look.ok().filter(|look| look.addresses > 0)?;
    match &host.caa {
        Seen::Ok(_) => None,
        Seen::Target(fault) => Some(fault.to_string()),
        Seen::Agent(fault) => Some(fault.to_string()),
    }
}

/// The records that decide: `issuewild` for a wildcard where there is one, else `issue`.
fn deciding(set: &CaaSet, wildcard: bool) -> Vec<&CaaRecord> {
    let of = |tag: &str| -> Vec<&CaaRecord> {
        set.records.items.iter().filter(|record| record.tag == tag).collect()
    };
    let wild = of("issuewild");
    if wildcard && !wild.is_empty() { wild } else { of("issue") }
}

fn unknown_critical(set: &CaaSet) -> bool {
    set.records.items.iter().any(|r| r.critical && !KNOWN_TAGS.contains(&r.tag.as_str()))
}

fn restricts(set: &CaaSet, wildcard: bool) -> bool {
    unknown_critical(set) || !deciding(set, wildcard).is_empty()
}

fn allows(set: &CaaSet, wildcard: bool, identifiers: &[&str]) -> bool {
    let records = deciding(set, wildcard);
    !unknown_critical(set)
        && (records.is_empty()
            || records
                .iter()
                .any(|record| identifiers.contains(&issuer_of(&record.value).as_str())))
}

/// The issuer's identifier: what stands before the parameters.
fn issuer_of(value: &str) -> String {
    let name = value.split_once(';').map_or(value, |(name, _)| name);
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

fn forbidden(
    evidence: &Evidence,
    host: &HostView,
    set: &CaaSet,
    issuer: &Issuer,
    identifiers: &[&str],
    cx: &Cx<'_>,
    out: &mut Assessment,
) {
    let provider = providers::of_all(evidence.servers.items.iter().map(|s| s.name.as_str()));
    let life = issuer.not_after.as_second().saturating_sub(issuer.not_before.as_second());
    let left = issuer.not_after.as_second().saturating_sub(cx.now.as_second());
    let renewing = left < life / RENEWAL_PART;
    let severity = if renewing { Severity::Critical } else { Severity::Warning };
    let ends = if left > 0 {
        format!("it runs out {}", in_days(issuer.not_after, cx.now))
    } else {
        "it has run out".to_owned()
    };
    let (name, at) = (&host.name, &set.at);
    let identifier = identifiers.first().copied().unwrap_or_default();
    let tag = if issuer.wildcard && set.records.items.iter().any(|r| r.tag == "issuewild") {
        "issuewild"
    } else {
        "issue"
    };
    let records = set.records.items.iter().map(|record| {
        let flags = if record.critical { 128 } else { 0 };
        format!("{at} CAA {flags} {} \"{}\"", record.tag, record.value)
    });
    let who = organisation(&issuer.name);
    let fix = if unknown_critical(set) {
        format!(
            "At {provider}, delete the CAA record of {at} with the flag 128 whose property no issuer knows."
        )
    } else {
        format!("At {provider}, add the record `{at}. CAA 0 {tag} \"{identifier}\"`.")
    };
    out.find(
        CAA.finding(name)
            .at(severity)
            .summary(format!(
                "The CAA records of {at} forbid {who}, whose certificate {name} uses; {ends}."
            ))
            .saw_all(records)
            .saw(format!("issuer: {}", issuer.name))
            .fix(fix)
            .undo(format!("Put the CAA records of {at} back as they are shown above.")),
    );
}

/// The organisation in a distinguished name, or all of it.
fn organisation(name: &str) -> &str {
    name.split(", ").find_map(|part| part.strip_prefix("O=")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::contract::Bounded;

    fn set(records: &[(&str, &str)]) -> CaaSet {
        let records = records.iter().map(|(tag, value)| CaaRecord {
            critical: false,
            tag: (*tag).to_owned(),
            value: (*value).to_owned(),
        });
        CaaSet { at: "harbor.com".to_owned(), records: Bounded::keep(records, 10) }
    }

    #[test]
    fn issue_and_issuewild_are_told_apart() {
        let both =
            set(&[("issue", "letsencrypt.org; validationmethods=dns-01"), ("issuewild", ";")]);
        assert!(allows(&both, false, &["letsencrypt.org"]));
        assert!(!allows(&both, true, &["letsencrypt.org"]));
        assert!(!allows(&both, false, &["pki.goog"]));
        let plain = set(&[("issue", "pki.goog")]);
        assert!(allows(&plain, true, &["pki.goog"]));
        assert!(allows(&set(&[("iodef", "mailto:x")]), false, &["pki.goog"]));
        assert!(!allows(&set(&[("issue", ";")]), false, &["pki.goog"]));
    }

    #[test]
    fn an_unknown_critical_property_forbids_everything() {
        let mut strange = set(&[("tbs", "x"), ("issue", "pki.goog")]);
        strange.records.items[0].critical = true;
        assert!(!allows(&strange, false, &["pki.goog"]));
    }

    proptest! {
        #[test]
        fn any_value_can_be_read(value in any::<String>()) {
            let name = issuer_of(&value);
            prop_assert!(!name.contains(';'));
        }
    }
}
