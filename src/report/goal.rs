//! What each goal demands beyond a launch, as data: severities that are raised, and checks that must have looked.

use launchready_checks::contract::{Goal, Severity, Status, Unseen};

use super::{CheckReport, UnseenPart};

/// What one goal demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoalRules {
    /// The goal.
    pub goal: Goal,
    /// What a defect stands in the way of, after "blocks".
    pub of: &'static str,
    /// Finding codes with the severity that takes the place of a warning. A remark is never raised.
    pub raised: &'static [(&'static str, Severity)],
    /// Checks that must have looked, each with the word of `not_used` that excuses it.
    pub proven: &'static [(&'static str, Option<&'static str>)],
}

const C: Severity = Severity::Critical;

/// Every goal. A launch is what the handbook pages of the checks say.
pub const GOALS: [GoalRules; 3] = [
    GoalRules { goal: Goal::Launch, of: "the launch", raised: &[], proven: &[] },
    // A visitor who was paid for meets speed, redirects, uptime and the pages of the funnel.
    GoalRules {
        goal: Goal::PaidTraffic,
        of: "paid traffic",
        raised: &[
            ("page-performance-low", C),
            ("page-paint-late", C),
            ("page-blocked", C),
            ("page-interaction-slow", C),
            ("page-shifts", C),
            ("redirect-chain", C),
            ("two-canonical-hosts", C),
            ("redirect-drops-path", C),
            ("redirect-off-site", C),
            ("endpoint-unsteady", C),
            ("endpoint-error-rate", C),
            ("endpoint-slow", C),
            ("page-first-byte-slow", C),
            ("not-found-answers-ok", C),
            ("legal-page-missing", C),
            ("title-default", C),
            ("link-broken", C),
            ("mixed-content-passive", C),
        ],
        proven: &[
            ("web-redirects", None),
            ("web-uptime", None),
            ("web-pages", None),
            ("web-speed", None),
            ("stripe-webhooks", Some("stripe")),
        ],
    },
    // Whoever takes over needs what only people can sign, the way back, alerts that arrive, and the domain in
    // the right hands.
    GoalRules {
        goal: Goal::Handover,
        of: "the handover",
        raised: &[
            ("registration-expiring", C),
            ("registration-transfer-unlocked", C),
            ("dns-mail-policy-changed", C),
            ("dns-record-changed", C),
            ("heartbeat-unheard", C),
            ("attestation-missing", C),
            ("attestation-expired", C),
            ("attestation-rollback-slow", C),
            ("attestation-truth-scattered", C),
            ("alert-drill-missing", C),
        ],
        proven: &[
            ("domain-registration", None),
            ("dns-drift", None),
            ("ops-attestation", None),
            ("ops-alerting", None),
        ],
    },
];

/// The rules of a goal.
pub fn rules(goal: Goal) -> &'static GoalRules {
    GOALS.iter().find(|rules| rules.goal == goal).unwrap_or(&GOALS[0])
}

impl GoalRules {
    /// The severity that a finding of this code has for the goal.
    pub fn severity(&self, code: &str, own: Severity) -> Severity {
        let raised = self.raised.iter().find(|(raised, _)| *raised == code);
        match raised {
            Some((_, severity)) if own == Severity::Warning => *severity,
            _ => own,
        }
    }

    /// Gives the findings of a check the severities of the goal, and the check the status that follows.
    pub(super) fn judge(&self, check: &mut CheckReport) {
        for finding in &mut check.findings {
            let severity = self.severity(&finding.code, finding.severity);
            if severity != finding.severity && check.status == Status::Warn {
                check.status = Status::Fail;
            }
            finding.severity = severity;
        }
    }

    /// Whether a check must have looked, in a product that does not have the parts in `not_used`.
    fn demands(&self, id: &str, not_used: &[String]) -> bool {
        self.proven.iter().any(|(check, unless)| {
            *check == id && unless.is_none_or(|part| not_used.iter().all(|other| other != part))
        })
    }

    /// What a check did not see, as the goal has it: one that must have looked and did not blocks.
    pub(super) fn weigh(
        &self,
        check: &CheckReport,
        not_used: &[String],
        parts: Vec<UnseenPart>,
    ) -> Vec<UnseenPart> {
        let is_blind = matches!(check.status, Status::Skipped | Status::Unknown);
        if !is_blind || !self.demands(&check.id, not_used) {
            return parts;
        }
        let blocks = |part| UnseenPart { unseen: Unseen::Blocks, ..part };
        parts.into_iter().map(blocks).collect()
    }

    /// Checks that must have looked and were not even asked.
    pub(super) fn missing(&self, checks: &[CheckReport], not_used: &[String]) -> Vec<UnseenPart> {
        let was_asked = |id: &str| checks.iter().any(|check| check.id == id);
        let missing = self.proven.iter().map(|(id, _)| *id);
        let missing = missing.filter(|id| self.demands(id, not_used) && !was_asked(id));
        missing
            .map(|id| UnseenPart {
                of: id.to_owned(),
                part: format!("{id}, which the goal {} has to have proven", self.goal.as_str()),
                reason: "it was left out".to_owned(),
                unlock: format!("look with it: launchready explain {id}"),
                unseen: Unseen::Blocks,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use launchready_checks::registry;

    use super::*;

    #[test]
    fn every_rule_names_what_there_is_and_none_twice() {
        for rules in GOALS {
            let mut seen = BTreeSet::new();
            for (code, severity) in rules.raised {
                assert!(registry::find_code(code).is_some(), "{code}");
                assert!(seen.insert(code), "{code} twice");
                assert_eq!(*severity, Severity::Critical, "{code}");
            }
            for (id, part) in rules.proven {
                assert!(registry::find(id).is_some(), "{id}");
                let known =
                    |part: &&str| super::super::AREAS_BY_SETTING.iter().any(|a| a.0 == *part);
                assert!(part.as_ref().is_none_or(known), "{part:?}");
            }
        }
    }

    #[test]
    fn a_warning_is_raised_and_a_remark_never() {
        let paid = rules(Goal::PaidTraffic);
        assert_eq!(paid.severity("redirect-chain", Severity::Warning), Severity::Critical);
        assert_eq!(paid.severity("redirect-chain", Severity::Info), Severity::Info);
        assert_eq!(paid.severity("csp-missing", Severity::Warning), Severity::Warning);
        let launch = rules(Goal::Launch);
        assert_eq!(launch.severity("redirect-chain", Severity::Warning), Severity::Warning);
    }

    #[test]
    fn a_check_that_the_product_cannot_have_is_excused() {
        let paid = rules(Goal::PaidTraffic);
        assert!(paid.demands("stripe-webhooks", &[]));
        assert!(!paid.demands("stripe-webhooks", &["stripe".to_owned()]));
        assert!(paid.demands("web-speed", &["stripe".to_owned()]));
        assert!(!rules(Goal::Launch).demands("web-speed", &[]));
        let missing: Vec<_> = rules(Goal::Handover).missing(&[], &[]);
        assert_eq!(missing.len(), 4);
    }
}
