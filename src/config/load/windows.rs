//! `[[maintenance]]`: work that is announced, once, weekly or by cron.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use launchready_checks::contract::Age;

use super::channels::read_hours;
use super::policy::zone;
use super::reader::Reader;
use crate::config::file::MaintenanceTable;
use crate::incident::{Policy, Window, WindowTimes};
use crate::schedule::Cron;

/// The ways of saying when.
const WAYS: &str = "write from and to, or weekly = \"Sun 02:00-04:00\", or cron = \"0 2 1 * *\" with \
                    length = \"2h\"";

const WEEKDAYS: [&str; 7] =
    ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

impl Reader<'_> {
    /// Announced work; local times are in the zone of `[defaults]`.
    pub(super) fn windows(
        &mut self,
        tables: &[MaintenanceTable],
        projects: &[&str],
        policy: &Policy,
    ) -> Vec<Window> {
        let zone = zone(policy);
        let mut windows = Vec::new();
        for (index, table) in tables.iter().enumerate() {
            let key = format!("maintenance[{index}]");
            if table.name.trim().is_empty() || table.name.chars().count() > 200 {
                self.error(&format!("{key}.name"), "write what is done, in 1 to 200 characters");
            }
            self.known_projects(&table.projects, projects, &key);
            if let Some(times) = self.times(table, &zone, &key) {
                let (name, projects) = (table.name.clone(), table.projects.clone());
                windows.push(Window { name, projects, times });
            }
        }
        windows
    }

    fn times(
        &mut self,
        table: &MaintenanceTable,
        zone: &TimeZone,
        key: &str,
    ) -> Option<WindowTimes> {
        let said = |way: bool| usize::from(way);
        let once = table.from.is_some() || table.to.is_some();
        let by_cron = table.cron.is_some() || table.length.is_some();
        if said(once) + said(table.weekly.is_some()) + said(by_cron) != 1 {
            self.error(key, format!("say once when it is: {WAYS}"));
            return None;
        }
        if let Some(text) = &table.weekly {
            let Some((cron, length)) = read_weekly(text, zone) else {
                let message = format!("{text:?} is no time of the week; write \"Sun 02:00-04:00\"");
                self.error(&format!("{key}.weekly"), message);
                return None;
            };
            return Some(WindowTimes::Cron { schedule: cron, length });
        }
        if by_cron {
            let (Some(text), Some(length)) = (&table.cron, table.length) else {
                self.error(key, "cron and length belong together; write both");
                return None;
            };
            let most = Age::days(7);
            let length = self.within(&format!("{key}.length"), length, Age::minutes(1), most);
            return match Cron::new(text, zone.clone()) {
                Ok(schedule) => Some(WindowTimes::Cron { schedule, length }),
                Err(error) => {
                    self.error(&format!("{key}.cron"), error);
                    None
                }
            };
        }
        let (Some(from), Some(to)) = (&table.from, &table.to) else {
            self.error(key, "from and to belong together; write both");
            return None;
        };
        let from = self.moment(from, zone, &format!("{key}.from"));
        let until = self.moment(to, zone, &format!("{key}.to"));
        let (from, to) = (from?, until?);
        if to <= from {
            self.error(&format!("{key}.to"), "it ends before it begins; write a later time");
        }
        Some(WindowTimes::Once { from, to })
    }

    fn moment(&mut self, text: &str, zone: &TimeZone, key: &str) -> Option<Timestamp> {
        let moment = read_moment(text, zone);
        if moment.is_none() {
            let message = format!(
                "{text:?} is no time; write \"2026-12-01T02:00:00+01:00\", or \"2026-12-01 02:00\" in \
                 defaults.timezone"
            );
            self.error(key, message);
        }
        moment
    }
}

/// A time with an offset, or a local one. A local time that comes twice is the first; one that summer
/// time leaves out is as much later.
fn read_moment(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let local: DateTime = text.parse().ok()?;
    Some(zone.to_ambiguous_zoned_datetime(local).compatible().ok()?.timestamp())
}

/// `Sun 02:00-04:00`, also with several days as `Sat,Sun` or `Mon-Fri`.
fn read_weekly(text: &str, zone: &TimeZone) -> Option<(Cron, Duration)> {
    let (days, hours) = text.trim().split_once(char::is_whitespace)?;
    let (from, to) = read_hours(hours.trim())?;
    let mut short = String::new();
    for part in days.split_inclusive([',', '-']) {
        let name = part.trim_end_matches([',', '-']).to_ascii_lowercase();
        let day = WEEKDAYS.iter().find(|day| name.len() >= 3 && day.starts_with(&name))?;
        short.push_str(day.get(..3)?);
        short.push_str(part.get(name.len()..)?);
    }
    let cron = format!("{} {} * * {short}", from % 60, from / 60);
    let minutes = (i32::from(to) - i32::from(from)).rem_euclid(24 * 60);
    let length = Duration::from_mins(u64::try_from(minutes).ok()?);
    Some((Cron::new(&cron, zone.clone()).ok()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use std::path::Path;

    fn windows(text: &str) -> Vec<Window> {
        let config = parse(text, Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"));
        config.agent().unwrap().book.windows
    }

    fn errors(table: &str) -> String {
        let text = format!("[[maintenance]]\nname = \"Move\"\n{table}");
        parse(&text, Path::new(".")).unwrap_err().to_string()
    }

    #[test]
    fn work_is_announced_once_with_an_offset_or_in_the_zone_of_the_defaults() {
        let zone = "[defaults]\ntimezone = \"Europe/Berlin\"\n";
        for times in [
            "from = \"2026-12-01T22:00:00+01:00\"\nto = \"2026-12-02T01:00:00Z\"\n",
            "from = \"2026-12-01 22:00\"\nto = \"2026-12-02T02:00:00\"\n",
            "from = 2026-12-01T22:00:00\nto = 2026-12-02 02:00:00\n",
        ] {
            let all = windows(&format!("{zone}[[maintenance]]\nname = \"Move\"\n{times}"));
            let (from, to) = ("2026-12-01T21:00:00Z", "2026-12-02T01:00:00Z");
            let times = WindowTimes::Once { from: from.parse().unwrap(), to: to.parse().unwrap() };
            assert_eq!(all, [Window { name: "Move".into(), projects: Vec::new(), times }]);
        }
    }

    #[test]
    fn work_of_each_week_may_span_midnight_and_several_days() {
        let next = |weekly: &str| {
            let text = format!("[[maintenance]]\nname = \"Backup\"\nweekly = \"{weekly}\"\n");
            let WindowTimes::Cron { schedule, length } = windows(&text).remove(0).times else {
                panic!("by cron")
            };
            // 2026-11-24 is a Tuesday.
            let next = schedule.after("2026-11-24T12:00:00Z".parse().unwrap()).unwrap();
            (next.to_string(), length.as_secs() / 60)
        };
        assert_eq!(next("Sun 02:00-04:00"), ("2026-11-29T02:00:00Z".to_owned(), 120));
        assert_eq!(next("saturday 23:30-00:15"), ("2026-11-28T23:30:00Z".to_owned(), 45));
        assert_eq!(next("Mon,Wed 1:05-24:00"), ("2026-11-25T01:05:00Z".to_owned(), 1375));
        assert_eq!(next("Mon-Fri 12:00-12:30"), ("2026-11-25T12:00:00Z".to_owned(), 30));
    }

    #[test]
    fn work_by_cron_has_a_length() {
        let text = "[[maintenance]]\nname = \"Update\"\ncron = \"0 2 1 * *\"\nlength = \"2h\"\n";
        let WindowTimes::Cron { schedule, length } = windows(text).remove(0).times else {
            panic!("by cron")
        };
        assert_eq!((schedule.text(), length), ("0 2 1 * *", Duration::from_hours(2)));
    }

    #[test]
    fn times_that_cannot_be_are_said_with_what_to_write() {
        for (table, part) in [
            ("", "say once when it is: write from and to"),
            ("weekly = \"Sun 02:00-04:00\"\ncron = \"0 2 1 * *\"\nlength = \"2h\"\n", "say once"),
            ("from = \"2026-12-01 22:00\"\n", "from and to belong together"),
            ("cron = \"0 2 1 * *\"\n", "cron and length belong together"),
            ("cron = \"0 2 1 *\"\nlength = \"2h\"\n", "line 3: maintenance[0].cron"),
            ("cron = \"0 2 1 * *\"\nlength = \"8d\"\n", "write 1m to 7d"),
            ("weekly = \"Sn 02:00-04:00\"\n", "line 3: maintenance[0].weekly"),
            ("weekly = \"Sun-Mon 02:00-04:00\"\nprojects = [\"x\"]\n", "no project \"x\""),
            ("from = \"soon\"\nto = \"2026-12-01\"\n", "\"soon\" is no time"),
            ("from = \"2026-12-02 01:00\"\nto = \"2026-12-01 22:00\"\n", "ends before it begins"),
        ] {
            let errors = errors(table);
            assert!(errors.contains(part), "{table}: {errors}");
        }
    }
}
