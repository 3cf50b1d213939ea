//! Customers who wait: 12 and 24 hours, the 90th percentile, an acknowledgement within 60 seconds.

use launchready_checks::contract::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ago, first, measured, told};

const HOUR: i64 = 3_600;

/// Conversations that wait, by how long.
fn waiting(ages: &[i64]) -> Vec<Value> {
    let one = |(nth, age): (usize, &i64)| {
        json!({
            "id": nth.to_string(), "created": ago(30 * 86_400 + 60), "waiting_since": ago(*age),
            "assigned": true, "tags": ["question"], "origin": "customer",
        })
    };
    ages.iter().enumerate().map(one).collect()
}

proptest! {
    #[test]
    fn each_wait_is_judged_to_the_second(
        ages in prop::collection::vec(
            prop_oneof![
                Just(12 * HOUR - 60), Just(24 * HOUR - 60), Just(24 * HOUR + 60),
                12 * HOUR - 2..=12 * HOUR + 2, 24 * HOUR - 2..=24 * HOUR + 2, 0..HOUR,
            ],
            1..40,
        ),
    ) {
        // A young closed one proves that the desk is seen.
        let closed = json!([{ "id": "c", "created": ago(2 * HOUR), "origin": "hand" }]);
        let found =
            first("support-backlog", json!({ "desk": { "open": waiting(&ages), "closed": closed } }));
        let late = |bound: i64| ages.iter().filter(|age| **age > bound).count();
        let (severity, bound) = match (late(12 * HOUR), late(24 * HOUR)) {
            (0, _) => (None, 0),
            (warned, 0) => (Some(Severity::Warning), warned),
            (_, late) => (Some(Severity::Critical), late),
        };
        let wanted: Vec<_> =
            severity.map(|severity| ("support-customer-waiting", severity)).into_iter().collect();
        prop_assert_eq!(told(&found), wanted);
        if let Some(finding) = found.findings.first() {
            let begins = if bound == 1 { "1 customer has".to_owned() } else { format!("{bound} customers have") };
            prop_assert!(finding.summary.starts_with(&begins), "{} of {:?}", finding.summary, ages);
        }
        let mut sorted = ages.clone();
        sorted.sort_unstable();
        // The smallest wait that at least nine in ten do not exceed.
        let p90 = sorted[(sorted.len() * 9).div_ceil(10) - 1];
        let seconds = |age: i64| f64::from(i32::try_from(age).unwrap());
        prop_assert_eq!(measured(&found, "waiting-p90"), Some(seconds(p90)));
        prop_assert_eq!(measured(&found, "oldest-waiting"), Some(seconds(sorted[sorted.len() - 1])));
    }

    #[test]
    fn an_acknowledgement_has_sixty_seconds_and_is_not_asked_for_before(
        requests in prop::collection::vec((55_i64..=70, prop::option::of(55_i64..=65)), 1..8),
    ) {
        let open: Vec<_> = requests.iter().enumerate().map(|(nth, (age, _))| json!({
            "id": nth.to_string(), "created": ago(*age), "assigned": true, "tags": ["question"],
            "origin": "customer",
        })).collect();
        let answers: Vec<_> = requests.iter().enumerate().map(|(nth, (age, after))| json!({
            "id": nth.to_string(), "at": after.map(|after| ago(age - after)),
        })).collect();
        let world = json!({ "desk": { "open": open, "acknowledgement": answers } });
        let late = requests
            .iter()
            .filter(|(age, after)| *age > 60 && after.is_none_or(|after| after > 60))
            .count();
        let wanted: &[_] =
            if late > 0 { &[("support-acknowledgement-late", Severity::Warning)] } else { &[] };
        let found = first("support-backlog", world);
        prop_assert_eq!(told(&found), wanted);
        if let Some(finding) = found.findings.first() {
            prop_assert!(finding.summary.starts_with(&format!("{late} of the ")), "{}", finding.summary);
        }
    }
}
