//! `[checks.ID]`: the options of a check, and when the agent runs it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use launchready_checks::contract::{Age, CheckMeta, Schedule as Suggested};
use launchready_checks::registry;
use serde_json::Value;

use super::order::out_of_order;
use super::policy::zone;
use super::reader::Reader;
use crate::config::file::WHEN;
use crate::incident::Policy;
use crate::schedule::{Cron, Schedule};

/// The tables of the checks, by id.
pub(super) type Checks = BTreeMap<String, CheckTable>;

/// The table of one check, with what is the agent's taken out of its options.
#[derive(Debug, Clone)]
pub(super) struct CheckTable {
    options: Value,
    schedule: Option<String>,
    every: Option<Age>,
    enabled: Option<bool>,
}

impl CheckTable {
    fn new(table: &Value) -> Self {
        let text = |name: &str| table.get(name).and_then(Value::as_str);
        let mut options = table.clone();
        if let Some(options) = options.as_object_mut() {
            options.retain(|name, _| !WHEN.contains(&name.as_str()));
        }
        Self {
            options,
            schedule: text("schedule").map(str::to_owned),
            every: text("every").and_then(|every| every.parse().ok()),
            enabled: table.get("enabled").and_then(Value::as_bool),
        }
    }

    /// When it runs, where the table says so; the other value is the key that says it.
    fn schedule(&self, zone: &TimeZone) -> Option<(Result<Schedule, String>, &'static str)> {
        if let Some(text) = &self.schedule {
            let cron = Cron::new(text, zone.clone());
            return Some((cron.map(Schedule::Cron).map_err(|e| e.to_string()), "schedule"));
        }
        self.every.map(|every| (Ok(Schedule::Every(every.0)), "every"))
    }
}

impl Reader<'_> {
    /// Options of the right shape can still be refused by their check, and a schedule by its limits.
    pub(super) fn checks(
        &mut self,
        tables: &BTreeMap<String, Value>,
        under: &Checks,
        policy: &Policy,
        key: &str,
    ) -> Checks {
        let zone = zone(policy);
        let mut checks = Checks::new();
        for (id, table) in tables {
            let Some(plugin) = registry::find(id) else { continue };
            let key = format!("{key}.{id}");
            let table = CheckTable::new(table);
            if let Err(error) = (plugin.build)(&table.options) {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                let text = source.unwrap_or_else(|| error.to_string());
                match nested(&text) {
                    Some((place, text)) => self.error(&format!("{key}.{place}"), text),
                    None => self.error(&key, text),
                }
            }
            let merged = over(under.get(id).map(|table| &table.options), &table.options);
            for (name, message) in out_of_order(&table.options, &merged, &(plugin.defaults)()) {
                self.error(&format!("{key}.{name}"), message);
            }
            if table.schedule.is_some() && table.every.is_some() {
                let message = "write either schedule or every, never both";
                self.error(&format!("{key}.every"), message);
            } else if let Some((schedule, name)) = table.schedule(&zone)
                && let Err(message) =
                    schedule.and_then(|schedule| slow_enough(&schedule, plugin.meta))
            {
                self.error(&format!("{key}.{name}"), message);
            }
            checks.insert(id.clone(), table);
        }
        checks
    }
}

/// A check that holds a list of tables names the key that is wrong, such as `command[1].timeout`, in front
/// of the sentence.
fn nested(text: &str) -> Option<(&str, &str)> {
    let (place, text) = text.split_once(": ")?;
    let (list, rest) = place.split_once('[')?;
    let (index, _) = rest.split_once(']')?;
    let is_key = |word: &str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    (is_key(list) && index.parse::<usize>().is_ok()).then_some((place, text))
}

/// No check is run more often than the other side bears.
fn slow_enough(schedule: &Schedule, meta: &CheckMeta) -> Result<(), String> {
    let (shortest, least) = (schedule.shortest(), meta.min_interval);
    if shortest >= least {
        return Ok(());
    }
    let (shortest, least) = (Age(shortest), Age(least));
    Err(format!(
        "{} may run every {least} at most, and this is every {shortest}; write every = \"{least}\" or longer",
        meta.id
    ))
}

/// The checks that the agent runs, in the order of the registry. A schedule of the project replaces that
/// for all projects, which in its turn replaces the check's own.
pub(super) fn schedules(
    common: &Checks,
    own: &Checks,
    policy: &Policy,
) -> Vec<(&'static str, Schedule)> {
    let zone = zone(policy);
    let mut schedules = Vec::new();
    for plugin in registry::ALL {
        let tables = [own.get(plugin.meta.id), common.get(plugin.meta.id)];
        let mut tables = tables.into_iter().flatten();
        let enabled = tables.clone().find_map(|table| table.enabled);
        if enabled == Some(false) {
            continue;
        }
        let said = tables.find_map(|table| table.schedule(&zone)).and_then(|(said, _)| said.ok());
        schedules.push((plugin.meta.id, said.unwrap_or_else(|| suggested(plugin.meta))));
    }
    schedules
}

/// The schedule that the check suggests.
pub(in crate::config) fn suggested(meta: &CheckMeta) -> Schedule {
    match meta.default_schedule {
        Suggested::Every(interval) => Schedule::Every(interval),
    }
}

/// The tables for all projects, with the options that a project without tables of its own has: thousands
/// of projects share them.
pub(super) struct Common {
    pub(super) tables: Checks,
    options: Arc<BTreeMap<String, Value>>,
}

impl Common {
    pub(super) fn new(tables: Checks) -> Self {
        let options = Arc::new(options(&tables, &Checks::new()));
        Self { tables, options }
    }

    /// The options of a project with these tables of its own.
    pub(super) fn options_with(&self, own: &Checks) -> Arc<BTreeMap<String, Value>> {
        if own.is_empty() {
            return Arc::clone(&self.options);
        }
        Arc::new(options(&self.tables, own))
    }
}

/// Options of the project over those for all projects, key by key.
fn options(common: &Checks, own: &Checks) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> =
        common.iter().map(|(id, table)| (id.clone(), table.options.clone())).collect();
    for (id, table) in own {
        let merged = over(all.get(id), &table.options);
        all.insert(id.clone(), merged);
    }
    all
}

fn over(common: Option<&Value>, own: &Value) -> Value {
    let mut merged = own.clone();
    if let (Some(Value::Object(common)), Value::Object(merged)) = (common, &mut merged) {
        for (name, value) in common {
            merged.entry(name).or_insert_with(|| value.clone());
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Project, parse};
    use std::path::Path;
    use std::time::Duration;

    const HARBOR: &str = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";

    fn project(text: &str) -> Project {
        let mut config = parse(text, Path::new(".")).unwrap_or_else(|errors| panic!("{errors}"));
        config.projects.remove(0)
    }

    fn errors(text: &str) -> String {
        parse(text, Path::new(".")).unwrap_err().to_string()
    }

    fn when(project: &Project, id: &str) -> Option<Schedule> {
        let found = project.watch.schedules.iter().find(|(known, _)| *known == id);
        found.map(|(_, schedule)| schedule.clone())
    }

    #[test]
    fn the_keys_of_the_agent_are_no_option_of_any_check() {
        for plugin in registry::ALL {
            let schema = (plugin.schema)().to_value();
            for key in WHEN {
                let taken = schema.pointer(&format!("/properties/{key}"));
                assert!(taken.is_none(), "{} has an option {key}", plugin.meta.id);
            }
            let text =
                format!("{HARBOR}[checks.{}]\nevery = \"30d\"\nenabled = true\n", plugin.meta.id);
            let project = project(&text);
            let month = Schedule::Every(Duration::from_hours(720));
            assert_eq!(when(&project, plugin.meta.id), Some(month), "{}", plugin.meta.id);
            let own = format!("{HARBOR}[project.checks.{}]\nenabled = false\n", plugin.meta.id);
            let project = self::project(&own);
            assert_eq!(when(&project, plugin.meta.id), None);
            assert_eq!(project.watch.schedules.len() + 1, registry::ALL.len());
            let options = project.options_of(plugin.meta.id);
            assert!((plugin.build)(&options).is_ok(), "{}: {options}", plugin.meta.id);
        }
    }

    #[test]
    fn checks_run_as_they_suggest_in_the_order_of_the_registry() {
        let project = project(HARBOR);
        let ids: Vec<_> = project.watch.schedules.iter().map(|(id, _)| *id).collect();
        let known: Vec<_> = registry::ALL.iter().map(|plugin| plugin.meta.id).collect();
        assert_eq!(ids, known);
        let minute = Schedule::Every(Duration::from_mins(1));
        assert_eq!(when(&project, "web-uptime"), Some(minute));
    }

    #[test]
    fn a_project_wins_key_by_key_and_its_zone_is_that_of_its_schedules() {
        let text = "[checks.mail-spf]\nschedule = \"0 7 * * *\"\nrecord_bytes = 400\nenabled = false\n\
                    [[project]]\nname = \"a\"\ndomain = \"a.example\"\ntimezone = \"Asia/Tokyo\"\n\
                    [project.checks.mail-spf]\nenabled = true\nvoid_lookups = 1\n\
                    [[project]]\nname = \"b\"\ndomain = \"b.example\"\n\
                    [[project]]\nname = \"c\"\ndomain = \"c.example\"\n\
                    [project.checks.mail-spf]\nevery = \"2h\"\nenabled = true\n";
        let config = parse(text, Path::new(".")).unwrap();
        let [a, b, c] = config.projects.as_slice() else { panic!("three projects") };
        let seven = when(a, "mail-spf").unwrap();
        let next = seven.after("2026-11-24T12:00:00Z".parse().unwrap(), 0.0);
        assert_eq!(next.to_string(), "2026-11-24T22:00:00Z");
        let options = serde_json::json!({"record_bytes": 400, "void_lookups": 1});
        assert_eq!(a.options_of("mail-spf"), options);
        assert_eq!(when(b, "mail-spf"), None);
        assert_eq!(when(c, "mail-spf"), Some(Schedule::Every(Duration::from_hours(2))));
    }

    #[test]
    fn a_schedule_that_cannot_be_is_one_error_with_its_line() {
        for (text, part) in [
            (
                "[checks.mail-spf]\nevery = \"10m\"\nschedule = \"*/10 * * * *\"\n",
                "line 2: checks.mail-spf.every: write either schedule or every, never both",
            ),
            (
                "[checks.mail-spf]\nevery = \"1m\"\n",
                "line 2: checks.mail-spf.every: mail-spf may run every 5m at most, and this is every 1m",
            ),
            (
                "[checks.mail-spf]\nschedule = \"*/2 * * * *\"\n",
                "line 2: checks.mail-spf.schedule: mail-spf may run every 5m at most",
            ),
            ("[checks.mail-spf]\nschedule = \"hourly\"\n", "no five-field cron"),
            ("[checks.mail-spf]\nevery = \"often\"\n", "\"often\" cannot be read"),
            ("[checks.mail-spf]\nenabled = \"no\"\n", "write true or false"),
            (
                "[[checks.external-command.command]]\nname = \"a\"\ncommand = [\"/a\"]\n\
                 [[checks.external-command.command]]\nname = \"b\"\ncommand = [\"sh\", \"-c\"]\n",
                "line 6: checks.external-command.command[1].command: \"sh\" is no absolute path",
            ),
            (
                "[checks.external-sql]\nquery = [{ name = \"a\", sql = \"select 1\" }]\n",
                "line 2: checks.external-sql.query[0].warning: say when the number is wrong",
            ),
            (
                "[[checks.external-http.request]]\nname = \"a\"\nurl = \"https://me:word@a.example/\"\n",
                "line 3: checks.external-http.request[0].url: a user and a password never stand",
            ),
            (
                "[[checks.external-http.request]]\nname = \"a\"\nurl = \"https://a.example/\"\n\
                 [[checks.external-http.request]]\nname = \"a\"\nurl = \"https://a.example/\"\n",
                "line 5: checks.external-http.request[1].name: \"a\" stands here twice",
            ),
            (
                "[[checks.external-sql.query]]\nname = \"a\"\nsql = \"select 1\"\nwarning = \"10\"\ncritical = \"9e9\"\n",
                "line 5: checks.external-sql.query[0].critical: \"9e9\" cannot be read; write a range",
            ),
            (
                "[checks.external-command]\nevery = \"9s\"\n",
                "line 2: checks.external-command.every: external-command may run every 10s at most",
            ),
            ("[checks.mail-spf]\nscedule = \"* * * * *\"\n", "did you mean \"schedule\"?"),
            (
                &format!("{HARBOR}[project.checks.mail-spf]\nevery = \"0s\"\n"),
                "line 5: project[0].checks.mail-spf.every",
            ),
        ] {
            let errors = errors(text);
            assert!(errors.contains(part), "{text}: {errors}");
            assert_eq!(errors.lines().count(), 1, "{errors}");
        }
    }
}
