//! An audit that saw nothing of the product because of the machine that ran it: that is no no-go, nothing is known.

use launchready_checks::contract::{Status, Vantage};

use super::{CheckReport, Report};

/// What a cause of this machine begins with, as `AgentFault` says it.
const NO_RESOLVER: &str = "no resolver answered";
const NO_NETWORK: &str = "this machine has no network route";
const TIME_LIMIT: &str = "the time limit came first";

/// Areas whose checks read what this machine holds, or ask what is not the product.
const INWARD: [&str; 2] = ["ops", "external"];

/// Why nothing was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind {
    /// What happened, such as `no resolver answered: 127.0.0.1:1`.
    pub cause: String,
    /// The step that unlocks the look.
    pub unlock: String,
}

impl Blind {
    /// The one reason of a report that knows nothing.
    pub(super) fn headline(&self) -> String {
        format!("Nothing could be looked at from this machine: {}; {}.", self.cause, self.unlock)
    }
}

impl Report {
    /// Why nothing of the product was seen, where this machine is to blame.
    pub fn blind(&self) -> Option<Blind> {
        blind(&self.checks)
    }

    /// The words of the verdict, or that there is nothing to base one on.
    pub fn title(&self) -> &'static str {
        if self.blind().is_some() { "NOTHING IS KNOWN" } else { self.verdict.title() }
    }
}

/// Nothing is known where no check that looks at the product saw anything of it, and this machine is what kept most
/// of them from looking.
pub(super) fn blind(checks: &[CheckReport]) -> Option<Blind> {
    let mut looking: Vec<&CheckReport> = checks.iter().filter(|check| is_outward(check)).collect();
    if looking.is_empty() {
        looking = checks.iter().collect();
    }
    if looking.iter().any(|check| saw_something(check)) {
        return None;
    }
    looking.retain(|check| check.status == Status::Unknown);
    let ours: Vec<(&str, &str)> = looking.iter().filter_map(|check| own_fault(check)).collect();
    if ours.len() * 2 <= looking.len() {
        return None;
    }
    let as_often = |cause: &str| ours.iter().filter(|(other, _)| *other == cause).count();
    let (cause, unlock) = ours.iter().max_by_key(|(cause, _)| as_often(cause))?;
    Some(Blind { cause: (*cause).to_owned(), unlock: (*unlock).to_owned() })
}

fn is_outward(check: &CheckReport) -> bool {
    check.vantage != Vantage::Source && !INWARD.contains(&check.area.as_str())
}

fn saw_something(check: &CheckReport) -> bool {
    let looked = matches!(check.status, Status::Pass | Status::Warn | Status::Fail);
    looked || !check.findings.is_empty()
}

/// The cause of this machine that kept a check from looking, and the step that unlocks it.
fn own_fault(check: &CheckReport) -> Option<(&str, &str)> {
    let whole = check.reason.iter().map(|reason| (reason, check.unlock.as_deref()));
    let parts = check.not_checked.iter().map(|part| (&part.reason, Some(part.unlock.as_str())));
    whole.chain(parts).find_map(|(reason, unlock)| Some((own_cause(reason)?, unlock?)))
}

/// The cause of this machine in a reason, without what was asked for, so that it is the same for every check.
pub(super) fn own_cause(reason: &str) -> Option<&str> {
    if reason.contains(NO_NETWORK) {
        return Some(NO_NETWORK);
    }
    let at = [NO_RESOLVER, TIME_LIMIT].into_iter().find_map(|begin| reason.find(begin))?;
    let cause = reason.get(at..)?;
    let end = [" asked for ", "; "].into_iter().filter_map(|end| cause.find(end)).min();
    Some(cause.get(..end.unwrap_or(cause.len()))?.trim_end_matches(':'))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use launchready_checks::contract::{Age, History, Target};
    use launchready_checks::probe::AgentFault;
    use launchready_checks::registry;

    use super::*;
    use crate::engine::{AuditRecord, Outcome, RunRecord};
    use crate::report::{Paint, Verdict, build, redact, to_html, to_markdown, to_terminal};

    /// A report of all checks of which none could look, for a reason that depends on the check.
    fn report(config: Option<&str>, fault: impl Fn(&str) -> AgentFault) -> Report {
        let at = "2026-11-23T09:00:00Z".parse().unwrap();
        let runs = registry::ALL.iter().map(|plugin| {
            let fault = fault(plugin.meta.id);
            let (cause, unlock) = (fault.to_string(), fault.unlock().to_owned());
            RunRecord {
                id: plugin.meta.id.to_owned(),
                evidence_version: 1,
                options: serde_json::Value::Null,
                duration_ms: 0,
                outcome: Outcome::Unknown { cause, unlock },
                baseline: None,
                previous: None,
                history: History::default(),
                carry: None,
            }
        });
        build(&AuditRecord {
            version: "0.0.0".to_owned(),
            started_at: at,
            finished_at: at,
            target: Target { domain: "harbor.example".to_owned(), ..Target::default() },
            not_used: Vec::new(),
            waivers: Vec::new(),
            handover: None,
            recheck: "launchready check {id}".to_owned(),
            config: config.map(str::to_owned),
            clock_behind_s: None,
            runs: runs.collect(),
        })
    }

    fn no_resolver(id: &str) -> AgentFault {
        AgentFault::NoResolver(format!("127.0.0.1:1 asked for {id}.harbor.example"))
    }

    #[test]
    fn without_a_resolver_one_line_says_that_nothing_is_known_and_what_to_type() {
        let offline = report(None, no_resolver);
        let wanted = "Nothing could be looked at from this machine: no resolver answered: 127.0.0.1:1; name a \
                      resolver that answers, such as --resolver 1.1.1.1.";
        assert_eq!(offline.verdict_reasons, [wanted]);
        assert_eq!(offline.verdict, Verdict::NoGo, "not knowing is never passing");
        let text = to_terminal(&offline, Paint { colour: false, width: 100 });
        assert!(text.contains("\n  NOTHING IS KNOWN\n") && !text.contains("NO-GO"), "{text}");
        let told = text.matches("no resolver answered").count();
        assert!(told <= 5, "the cause is told {told} times:\n{text}");
        assert!(to_markdown(&offline).starts_with("# harbor.example: NOTHING IS KNOWN\n"));
        assert!(to_html(&offline).contains("<h2 id=\"verdict\">NOTHING IS KNOWN</h2>"));
        assert!(offline.in_short().starts_with("NOTHING IS KNOWN: no resolver answered"));
        let shared = redact(&offline);
        assert_eq!(shared.title(), "NOTHING IS KNOWN");
        assert_eq!(shared.verdict_reasons, [wanted]);
    }

    #[test]
    fn where_there_is_a_config_the_step_names_its_key() {
        let reasons = report(Some("launchready.toml"), no_resolver).verdict_reasons.concat();
        assert!(reasons.contains("such as network.resolvers = [\"1.1.1.1\"]."), "{reasons}");
    }

    #[test]
    fn a_time_limit_and_a_lost_route_leave_nothing_known_either() {
        let limit = format!("{} of the audit", Age(Duration::from_millis(1)));
        let late = report(None, |_| AgentFault::TimeLimit(limit.clone())).blind().unwrap();
        assert_eq!(late.cause, format!("the time limit came first: {limit}"));
        assert!(late.unlock.contains("--time-limit"), "{late:?}");
        let cut = report(None, |id| AgentFault::NoNetwork(id.to_owned())).blind().unwrap();
        assert_eq!(cut.cause, NO_NETWORK);
    }

    #[test]
    fn what_somebody_else_refuses_or_one_check_has_seen_is_no_fault_of_this_machine() {
        let refused = report(None, |_| AgentFault::BadCredential("401".to_owned()));
        assert_eq!((refused.blind(), refused.title()), (None, "NO-GO"));
        let mut one = report(None, no_resolver);
        let place = one.checks.iter().position(|check| check.id == "mail-spf").unwrap();
        one.checks[place].status = Status::Warn;
        assert_eq!(one.blind(), None);
        // What stands on this machine was seen all the same, and says nothing of the product.
        let mut signed = report(None, no_resolver);
        let place = signed.checks.iter().position(|check| check.id == "ops-attestation").unwrap();
        signed.checks[place].status = Status::Pass;
        assert!(signed.blind().is_some());
    }

    #[test]
    fn a_cause_of_this_machine_is_found_in_a_longer_reason() {
        let url = "https://harbor.example/: no resolver answered: 192.0.2.1 asked for harbor.example; once";
        assert_eq!(own_cause(url), Some("no resolver answered: 192.0.2.1"));
        assert_eq!(
            own_cause("no resolver answered: asked for a.example"),
            Some("no resolver answered")
        );
        assert_eq!(own_cause("Stripe answers 500"), None);
        for (fault, cause) in [
            (AgentFault::NoNetwork("192.0.2.1:443".to_owned()), NO_NETWORK),
            (AgentFault::NoResolver(String::new()), NO_RESOLVER),
            (AgentFault::TimeLimit(String::new()), TIME_LIMIT),
        ] {
            assert!(own_cause(&fault.to_string()).unwrap().starts_with(cause), "{fault}");
        }
    }
}
