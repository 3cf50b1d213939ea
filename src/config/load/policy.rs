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
