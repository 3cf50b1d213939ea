//! `[checks.ID]`: the options of a check, and when the agent runs it.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use launchready_checks::contract::{Age, CheckMeta, Schedule as Suggested};
use launchready_checks::registry;
use serde_json::Value;

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
                self.error(&key, source.unwrap_or_else(|| error.to_string()));
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

/// Options of the project over those for all projects, key by key.
pub(super) fn options(common: &Checks, own: &Checks) -> BTreeMap<String, Value> {
    let mut all: BTreeMap<String, Value> =
        common.iter().map(|(id, table)| (id.clone(), table.options.clone())).collect();
    for (id, table) in own {
        match (all.get_mut(id), &table.options) {
            (Some(Value::Object(common)), Value::Object(own)) => {
                common.extend(own.clone());
            }
            _ => {
                all.insert(id.clone(), table.options.clone());
            }
        }
    }
    all
}
