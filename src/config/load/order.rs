//! Options of a check that go together: a warning never comes after the critical finding that it announces.

use launchready_checks::contract::{Age, Ratio};
use serde_json::Value;

/// Pairs whose names do not tell that they belong together: the critical bound and that of the warning.
const PAIRS: [(&str, &str); 2] =
    [("p95_critical", "api_p95_warning"), ("critical_hops", "max_hops")];

/// What is wrong with the bounds that somebody wrote, each with the key in the table at hand. A bound that nobody
/// wrote gives way to the other and is not asked. Which way is worse is that of the defaults.
pub(super) fn out_of_order(
    table: &Value,
    merged: &Value,
    defaults: &Value,
) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let keys = defaults.as_object().into_iter().flat_map(|all| all.keys());
    for critical in keys.filter(|name| name.contains("critical")) {
        let pair = PAIRS.iter().find(|(name, _)| name == critical).map(|(_, warning)| *warning);
        let same = critical.replace("critical", "warning");
        let names = [Some(same.as_str()), pair].into_iter().flatten();
        for warning in names {
            let of = |from: &Value, name: &str| from.get(name).and_then(number);
            let (Some(usual), Some(usual_critical)) =
                (of(defaults, warning), of(defaults, critical))
            else {
                continue;
            };
            let (Some(least), Some(most)) = (of(merged, warning), of(merged, critical)) else {
                continue;
            };
            let falls = usual > usual_critical;
            if least.total_cmp(&most).is_eq() || (least > most) == falls {
                continue;
            }
            // The line that is told is one of this table.
            let (name, other, side) = if table.get(warning).is_some() {
                (warning, critical.as_str(), if falls { "more" } else { "less" })
            } else {
                (critical.as_str(), warning, if falls { "less" } else { "more" })
            };
            let value = |name: &str| merged.get(name).map_or_else(String::new, Value::to_string);
            let message = format!(
                "the warning would come after the critical finding: {name} = {} beside {other} = {}; write {} or {side}",
                value(name),
                value(other),
                value(other)
            );
            wrong.push((name.to_owned(), message));
        }
    }
    wrong
}

/// A bound as a number, whatever its unit.
fn number(value: &Value) -> Option<f64> {
    let text = value.as_str();
    let age = text.and_then(|text| text.parse::<Age>().ok()).map(Age::seconds);
    let ratio = || text.and_then(|text| text.parse::<Ratio>().ok()).map(|ratio| ratio.0);
    value.as_f64().or(age).or_else(ratio)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::parse;

    fn wrong(text: &str) -> Vec<String> {
        let project = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";
        match parse(&format!("{project}{text}"), Path::new(".")) {
            Ok(_) => Vec::new(),
            Err(errors) => errors.to_string().lines().map(|line| line.trim().to_owned()).collect(),
        }
    }

    #[test]
    fn a_warning_that_comes_after_critical_is_refused_whichever_way_is_worse() {
        for (text, told) in [
            (
                "[checks.tls-certificate]\nwarning = \"7d\"\ncritical = \"21d\"\n",
                "line 5: checks.tls-certificate.warning: the warning would come after the critical finding: \
                 warning = \"7d\" beside critical = \"21d\"; write \"21d\" or more",
            ),
            (
                "[checks.web-uptime]\napi_p95_warning = \"5s\"\np95_critical = \"1s\"\n",
                "line 5: checks.web-uptime.api_p95_warning: the warning would come after the critical finding: \
                 api_p95_warning = \"5s\" beside p95_critical = \"1s\"; write \"1s\" or less",
            ),
            (
                "[checks.web-speed]\nperformance_warning = 40\nperformance_critical = 60\n",
                "line 5: checks.web-speed.performance_warning: the warning would come after the critical finding: \
                 performance_warning = 40 beside performance_critical = 60; write 60 or more",
            ),
            (
                "[checks.web-redirects]\nmax_hops = 6\ncritical_hops = 4\n",
                "line 5: checks.web-redirects.max_hops: the warning would come after the critical finding: \
                 max_hops = 6 beside critical_hops = 4; write 4 or less",
            ),
        ] {
            assert_eq!(wrong(text), [told]);
        }
    }

    #[test]
    fn a_project_is_held_to_what_stands_for_all_and_a_bound_by_default_gives_way() {
        let common = "[project.checks.tls-certificate]\ncritical = \"30d\"\n\
                      [checks.tls-certificate]\nwarning = \"28d\"\n";
        let errors = wrong(common);
        assert!(
            errors[0].starts_with("line 5: project[0].checks.tls-certificate.critical: ")
                && errors[0].ends_with("write \"28d\" or less"),
            "{errors:?}"
        );
        assert!(wrong("[checks.tls-certificate]\ncritical = \"30d\"\n").is_empty());
        let same = "[checks.tls-certificate]\nwarning = \"9d\"\ncritical = \"9d\"\n";
        assert!(wrong(same).is_empty());
    }

    #[test]
    fn what_a_check_never_does_cannot_be_asked_of_it() {
        for (text, told) in [
            ("[checks.web-uptime]\nsamples = 200\n", "samples: write a number from 1 to 20"),
            ("[checks.web-rate-limits]\nrequests = 5000\n", "write a number from 1 to 100"),
            ("[checks.web-speed]\nruns = 50\n", "runs: write a number from 1 to 5"),
            ("[checks.crm-contacts]\ncustomers = 9000\n", "write a number from 1 to 500"),
            (
                "[checks.web-speed]\npages = [\"/1\", \"/2\", \"/3\", \"/4\", \"/5\", \"/6\"]\n",
                "checks.web-speed.pages: write at most 4, not 6",
            ),
        ] {
            let errors = wrong(text);
            assert!(errors.len() == 1 && errors[0].starts_with("line 5: "), "{errors:?}");
            assert!(errors[0].ends_with(told), "{errors:?}");
        }
    }
}
