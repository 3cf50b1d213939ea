//! `[defaults]` and what a project says otherwise.

use std::time::Duration;

use jiff::tz::TimeZone;
use launchready_checks::contract::Age;

use super::reader::Reader;
use crate::config::file::PolicyTable;
use crate::incident::Policy;
use crate::schedule::read_zone;

/// The shortest time between two looks of any check.
const SHORTEST_LOOK: Age = Age::secs(5);

impl Reader<'_> {
    /// The rules of `base` with what `table` says otherwise.
    pub(super) fn policy(&mut self, base: &Policy, table: &PolicyTable, key: &str) -> Policy {
        let mut policy = base.clone();
        if let Some(zone) = &table.timezone {
            match read_zone(zone) {
                Ok(_) => policy.timezone.clone_from(zone),
                Err(error) => self.error(&format!("{key}.timezone"), error),
            }
        }
        policy.confirmations = table.confirmations.unwrap_or(base.confirmations);
        policy.recoveries = table.recoveries.unwrap_or(base.recoveries);
        policy.blind_runs = table.blind_runs.unwrap_or(base.blind_runs);
        if let Some(turns) = table.flap_turns {
            policy.flap_turns = usize::try_from(turns).unwrap_or(base.flap_turns);
        }
        let (minute, day) = (Age::minutes(1), Age::days(1));
        let times: [(&str, Option<Age>, &mut Duration, Age, Age); 7] = [
            ("look_again", table.look_again, &mut policy.look_again, SHORTEST_LOOK, Age::hours(1)),
            ("reminder", table.reminder, &mut policy.reminder, minute, Age::days(365)),
            ("group_wait", table.group_wait, &mut policy.group_wait, Age::secs(0), Age::hours(1)),
            (
                "first_look_wait",
                table.first_look_wait,
                &mut policy.first_look_wait,
                Age::secs(0),
                Age::hours(1),
            ),
            ("flap_window", table.flap_window, &mut policy.flap_window, minute, Age::days(7)),
            ("flap_calm", table.flap_calm, &mut policy.flap_calm, minute, Age::days(7)),
            ("blind_after", table.blind_after, &mut policy.blind_after, minute, Age::days(30)),
        ];
        for (name, given, place, least, most) in times {
            if let Some(given) = given {
                *place = self.within(&format!("{key}.{name}"), given, least, most);
            }
        }
        if let Some(after) = table.escalate_after {
            policy.escalate_after = after.0.map(|after| {
                self.within(&format!("{key}.escalate_after"), Age(after), minute, day)
            });
        }
        policy
    }
}

/// Zones that cannot be read are reported where they stand.
pub(super) fn zone(policy: &Policy) -> TimeZone {
    read_zone(&policy.timezone).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use std::path::Path;

    #[test]
    fn a_project_says_anew_what_differs_and_keeps_the_rest() {
        let text = "[defaults]\nconfirmations = 3\nreminder = \"6h\"\nescalate_after = \"30m\"\n\
                    [[project]]\nname = \"a\"\ndomain = \"a.example\"\nconfirmations = 1\n\
                    escalate_after = \"never\"\npublic = true\ntimezone = \"Europe/Berlin\"\n\
                    [[project]]\nname = \"b\"\ndomain = \"b.example\"\nflap_turns = 9\n";
        let config = parse(text, Path::new(".")).unwrap();
        let common = Policy {
            confirmations: 3,
            reminder: Duration::from_hours(6),
            escalate_after: Some(Duration::from_mins(30)),
            ..Policy::default()
        };
        let a = Policy {
            confirmations: 1,
            escalate_after: None,
            timezone: "Europe/Berlin".to_owned(),
            ..common.clone()
        };
        let b = Policy { flap_turns: 9, ..common };
        assert_eq!((&config.projects[0].watch.policy, config.projects[0].watch.public), (&a, true));
        assert_eq!(
            (&config.projects[1].watch.policy, config.projects[1].watch.public),
            (&b, false)
        );
        let book = config.agent().unwrap().book;
        assert_eq!(book.policies["a"], a);
        assert_eq!(book.policies["b"], b);
    }

    #[test]
    fn what_is_out_of_range_is_said_with_its_line() {
        let project = "[[project]]\nname = \"a\"\ndomain = \"a.example\"\n";
        for (line, part) in [
            ("timezone = \"Mars/Phobos\"", "timezone: \"Mars/Phobos\" is no time zone"),
            ("confirmations = 0", "confirmations: write a number from 1 to 100"),
            ("confirmations = -1", "confirmations: write a number from 1 to 100"),
            ("reminder = \"1s\"", "reminder: 1s is out of range; write 1m to 365d"),
            ("reminder = 2026-12-01", "reminder: \"2026-12-01\" cannot be read"),
            ("reminder = \"99999999999999999999d\"", "cannot be read"),
            ("escalate_after = \"soon\"", "or \"never\""),
            ("escalate_after = \"2d\"", "write 1m to 24h"),
            ("confirmation = 2", "did you mean \"confirmations\"?"),
        ] {
            for (text, place) in [
                (format!("[defaults]\n{line}\n"), "line 2: defaults."),
                (format!("{project}{line}\n"), "line 4: project[0]."),
            ] {
                let errors = parse(&text, Path::new(".")).unwrap_err().to_string();
                assert!(errors.contains(part) && errors.contains(place), "{text}: {errors}");
            }
        }
    }
}
