//! What is down and mutes what hangs on it.

use std::collections::BTreeSet;

use super::{Incident, State};

/// How far a cause reaches from the name that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// That host.
    Host,
    /// That name and every name below it.
    Below,
}

/// Finding codes that say that a name is down as a whole.
struct Row {
    check: &'static str,
    codes: &'static [&'static str],
    reach: Reach,
    /// Checks whose ids begin so look at something that does not hang on it.
    spares: &'static [&'static str],
}

// A name is nothing without its registration, a host nothing without its address, a page nothing without
// its server: each row mutes what is below it and spares what is above, so that two causes never mute
// each other and the deepest one is always told.
const ROWS: &[Row] = &[
    Row {
        check: "domain-registration",
        codes: &["registration-expired", "registration-missing", "registration-pending-delete"],
        reach: Reach::Below,
        spares: &["ops-heartbeat"],
    },
    Row {
        check: "dns-resolution",
        codes: &["dnssec-broken"],
        reach: Reach::Below,
        spares: &["domain-", "ops-heartbeat"],
    },
    Row {
        check: "dns-resolution",
        codes: &["dns-host-unresolvable", "dns-alias-loop"],
        reach: Reach::Host,
        spares: &["domain-", "ops-heartbeat"],
    },
    Row {
        check: "web-uptime",
        codes: &["endpoint-down"],
        reach: Reach::Host,
        // What stands open was seen in an answer: the host answers, whatever one endpoint does.
        spares: &[
            "domain-",
            "dns-",
            "mail-",
            "ops-heartbeat",
            "secrets-",
            "web-rate-limits",
            "web-headers",
        ],
    },
];

/// Whether findings of this check can be causes.
pub(super) fn has_causes(check: &str) -> bool {
    ROWS.iter().any(|row| row.check == check)
}

/// One incident that mutes others.
struct Cause<'a> {
    incident: &'a Incident,
    row: &'static Row,
    hosts: BTreeSet<String>,
}

impl Cause<'_> {
    fn mutes(&self, check: &str) -> bool {
        check != self.row.check && !self.row.spares.iter().any(|area| check.starts_with(area))
    }

    fn reaches(&self, host: &str) -> bool {
        match self.row.reach {
            Reach::Host => self.hosts.contains(host),
            Reach::Below => self.hosts.iter().any(|name| {
                host.strip_suffix(name.as_str()).is_some_and(|rest| {
                    // `shop.example` is not below `op.example`.
                    rest.is_empty() || rest.ends_with('.')
                })
            }),
        }
    }
}

/// Everything that is down in one project, suspected or believed.
pub(super) struct Causes<'a>(Vec<Cause<'a>>);

impl<'a> Causes<'a> {
    /// Finds the causes among incidents.
    pub(super) fn among(incidents: impl IntoIterator<Item = &'a Incident>) -> Self {
        let causes = incidents.into_iter().filter_map(|incident| {
            if incident.state == State::Resolved {
                return None;
            }
            let key = &incident.key;
            let row = ROWS.iter().find(|row| {
                row.check == key.check && row.codes.iter().any(|code| *code == key.code)
            })?;
            let hosts = incident.members.values().filter_map(|member| host_of(&member.subject));
            Some(Cause { incident, row, hosts: hosts.collect() })
        });
        Self(causes.collect())
    }

    /// What an incident hangs on: every one of its members names a host that is down.
    pub(super) fn of(&self, incident: &Incident) -> Option<&'a Incident> {
        let apart = incident.key.code == Incident::BLIND || incident.more_members > 0;
        if apart || self.0.is_empty() || incident.members.is_empty() {
            return None;
        }
        let mut first = None;
        for member in incident.members.values() {
            let host = host_of(&member.subject)?;
            let mut causes = self.0.iter();
            let cause = causes
                .find(|cause| cause.mutes(&incident.key.check) && cause.reaches(&host))?
                .incident;
            first = first.or(Some(cause));
        }
        first
    }
}

/// The host that a subject is about, in lower case: that of a URL, or the first word where it looks like
/// a name.
pub(super) fn host_of(subject: &str) -> Option<String> {
    let word = subject.split_whitespace().next()?;
    if word.contains("://") {
        let url = url::Url::parse(word).ok()?;
        return url.host_str().map(|host| host.trim_end_matches('.').to_lowercase());
    }
    let name = word.split(['/', ':', ',', ';']).next()?.trim_end_matches('.');
    name.contains('.').then(|| name.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample::{incident, member};
    use super::*;

    fn named(check: &str, code: &str, subjects: &[&str]) -> Incident {
        let mut incident = incident(check, code);
        incident.state = State::Open;
        incident.id = format!("inc_{code}");
        incident.members =
            subjects.iter().map(|subject| ((*subject).to_owned(), member(subject))).collect();
        incident
    }

    fn mutes(cause: &Incident, other: &Incident) -> bool {
        Causes::among([cause]).of(other).is_some()
    }

    #[test]
    fn every_cause_is_a_code_of_its_check() {
        for row in ROWS {
            let all = launchready_checks::registry::ALL;
            let check = all.iter().find(|check| check.meta.id == row.check).unwrap();
            for code in row.codes {
                assert!(check.meta.findings.iter().any(|spec| spec.code == *code), "{code}");
            }
        }
    }

    #[test]
    fn no_two_causes_mute_each_other() {
        for one in ROWS {
            for other in ROWS {
                let a = named(one.check, one.codes[0], &["harbor.example"]);
                let b = named(other.check, other.codes[0], &["harbor.example"]);
                assert!(!(mutes(&a, &b) && mutes(&b, &a)), "{} {}", one.check, other.check);
            }
        }
    }

    #[test]
    fn a_host_that_is_down_mutes_what_is_about_it_alone() {
        let down = named("web-uptime", "endpoint-down", &["https://app.harbor.example/checkout"]);
        let about = |subjects: &[&str]| named("tls-certificate", "certificate-expired", subjects);
        assert!(mutes(&down, &about(&["app.harbor.example"])));
        assert!(mutes(&down, &about(&["App.Harbor.example:443 of 203.0.113.7"])));
        assert!(!mutes(&down, &about(&["app.harbor.example", "harbor.example"])));
        assert!(!mutes(&down, &about(&["x.app.harbor.example"])));
        assert!(!mutes(&down, &about(&["order 17"])));
        assert!(!mutes(&down, &about(&[])));
        let mut many = about(&["app.harbor.example"]);
        many.more_members = 1;
        assert!(!mutes(&down, &many), "members that are not kept may be about anything");
        assert!(!mutes(&down, &named("secrets-files", "env-file", &["app.harbor.example"])));
        assert!(!mutes(&down, &named("web-rate-limits", "account-open", &["app.harbor.example"])));
        // The same check and what does not hang on a web server are told.
        assert!(!mutes(&down, &named("web-uptime", "endpoint-slow", &["app.harbor.example"])));
        assert!(!mutes(&down, &named("mail-spf", "spf-missing", &["app.harbor.example"])));
        // Resolved it mutes nothing; suspected it does.
        let mut over = down.clone();
        over.state = State::Resolved;
        assert!(!mutes(&over, &about(&["app.harbor.example"])));
        over.state = State::Suspected;
        assert!(mutes(&over, &about(&["app.harbor.example"])));
    }

    #[test]
    fn a_domain_that_is_gone_takes_every_name_below_along() {
        let gone = named("domain-registration", "registration-missing", &["harbor.example"]);
        let host = |name: &str| named("dns-resolution", "dns-host-unresolvable", &[name]);
        assert!(mutes(&gone, &host("harbor.example")));
        assert!(mutes(&gone, &host("api.harbor.example")));
        assert!(!mutes(&gone, &host("myharbor.example")));
        assert!(!mutes(&host("harbor.example"), &gone));
    }

    #[test]
    fn a_subject_names_a_host_in_many_ways() {
        assert_eq!(host_of("https://A.example:8443/x?y"), Some("a.example".to_owned()));
        assert_eq!(host_of("a.example."), Some("a.example".to_owned()));
        assert_eq!(host_of("a.example:443"), Some("a.example".to_owned()));
        assert_eq!(host_of("a.example MX"), Some("a.example".to_owned()));
        for none in ["", "  ", "cs_live_1", "://", "http://", "order 17"] {
            assert_eq!(host_of(none), None, "{none:?}");
        }
    }
}
