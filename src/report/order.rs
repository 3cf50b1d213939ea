//! The order of incidents in every list: that of the findings of a report.

use std::cmp::Reverse;

use launchready_checks::contract::{Severity, Urgency};
use launchready_checks::registry::place;

use crate::incident::{Incident, State};

/// Codes whose findings name a sum that is at risk. An incident keeps no sum, and a report puts these before
/// others that are as bad and as urgent.
const SUMS: [&str; 6] = [
    "checkout-without-order",
    "failed-payment-shown-as-paid",
    "order-active-after-reversal",
    "order-not-marked-paid",
    "order-without-payment",
    "payment-duplicated",
];

/// What lasts comes before what is over, and of it the worst, the most urgent, what has money at risk, the first
/// check of the registry, and the first subject. What is over keeps the order in which it stands.
pub fn incident_rank(incident: &Incident) -> impl Ord + use<> {
    let lasts = incident.state != State::Resolved;
    let weight: Option<(Severity, Urgency, bool)> = lasts.then(|| {
        let is_sum = SUMS.contains(&incident.key.code.as_str());
        (incident.severity, incident.urgency, is_sum)
    });
    let rest = lasts.then(|| {
        let key = &incident.key;
        let first = incident.members.values().map(|member| &member.subject).min();
        let subject = first.unwrap_or(&key.target).clone();
        (place(&key.check), subject, key.code.clone(), key.project.clone())
    });
    (Reverse((lasts, weight)), rest)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use launchready_checks::registry::find_code;

    use super::*;
    use crate::incident::IncidentKey;
    use crate::report::FindingReport;

    fn one(code: &str, target: &str) -> Incident {
        let (plugin, spec) = find_code(code).unwrap();
        let key = IncidentKey {
            project: "harbor".to_owned(),
            check: plugin.meta.id.to_owned(),
            code: code.to_owned(),
            target: target.to_owned(),
        };
        let mut incident = Incident::begin(key, Timestamp::UNIX_EPOCH);
        (incident.urgency, incident.severity) = (spec.urgency, spec.severity);
        incident.state = State::Open;
        incident
    }

    #[test]
    fn the_worst_comes_first_then_money_the_first_check_and_the_first_subject() {
        let mut over = one("checkout-without-order", "a");
        over.state = State::Resolved;
        let mut all = [
            over,
            one("csp-missing", "b"),
            one("spf-multiple", "b"),
            one("csp-missing", "a"),
            one("endpoint-down", "z"),
            one("checkout-without-order", "z"),
        ];
        all.sort_by_key(incident_rank);
        let order: Vec<_> = all.iter().map(|it| (&*it.key.code, &*it.key.target)).collect();
        let wanted = [
            ("checkout-without-order", "z"),
            ("endpoint-down", "z"),
            ("spf-multiple", "b"),
            ("csp-missing", "a"),
            ("csp-missing", "b"),
            ("checkout-without-order", "a"),
        ];
        assert_eq!(order, wanted);
    }

    #[test]
    fn incidents_stand_in_the_order_of_the_findings_of_which_they_are() {
        let of_sum = find_code("checkout-without-order").unwrap().1;
        let of_host = find_code("endpoint-down").unwrap().1;
        let sum = launchready_checks::contract::AtRisk {
            currency: "eur".to_owned(),
            amount_minor: 4_900,
            count: 1,
        };
        let money = FindingReport::new(of_sum.finding("z").at_risk(vec![sum]), String::new());
        let host = FindingReport::new(of_host.finding("z"), String::new());
        assert!(money.rank() < host.rank(), "the report tells money first");
        let (money, host) = (one("checkout-without-order", "z"), one("endpoint-down", "z"));
        assert!(incident_rank(&money) < incident_rank(&host), "and so does every list");
        assert!(SUMS.iter().all(|code| find_code(code).is_some()));
    }
}
