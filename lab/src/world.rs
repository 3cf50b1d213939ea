//! A scenario with the defects that are planted in it.

use std::collections::BTreeSet;

use serde::Deserialize;
use toml::{Table, Value};

use crate::data;
use crate::error::LabError;
use crate::plan::Plan;

/// The names of the scenarios and their data.
pub const SCENARIOS: [(&str, &str); 2] = [
    ("healthy", include_str!("../scenarios/healthy.toml")),
    ("hostile", include_str!("../scenarios/hostile.toml")),
];

/// The scenario that is `healthy` with every defect planted.
const BROKEN: &str = "broken";

const DEFECTS: &str = include_str!("../scenarios/defects.toml");
const OUTAGES: &str = include_str!("../scenarios/outages.toml");

/// One defect as data: a change of the world.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// Its name.
    pub name: String,
    /// What a founder would say about it, in one sentence.
    pub about: String,
    /// The change, in the shape of the world.
    ///
    /// A table is merged and a value replaces. A key that ends in `+` appends to a list, in `^`
    /// puts in front of it, and in `-` takes out the entries that begin with the given texts,
    /// each of which has to be there.
    pub world: Table,
}

#[derive(Deserialize)]
struct Catalogue {
    defect: Vec<Defect>,
}

/// A scenario and the defects that are planted in it.
#[derive(Debug, Clone)]
pub struct World {
    base: Table,
    catalogue: Vec<Defect>,
    /// Defects that hide others, which is why `broken` has none of them.
    outages: Vec<Defect>,
    planted: BTreeSet<String>,
}

impl World {
    /// The world of this name: `healthy`, `broken` (healthy with every defect) or `hostile`.
    ///
    /// # Errors
    /// An unknown name, or data that cannot be read.
    pub fn load(scenario: &str) -> Result<Self, LabError> {
        let name = if scenario == BROKEN { "healthy" } else { scenario };
        let text = SCENARIOS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| LabError::NoScenario(scenario.to_owned()))?
            .1;
        let mut world = Self::parse(name, text, DEFECTS, OUTAGES)?;
        if scenario == BROKEN {
            world.planted = world.catalogue.iter().map(|defect| defect.name.clone()).collect();
        }
        Ok(world)
    }

    /// A world from other data, for tests that need one of their own.
    ///
    /// # Errors
    /// Data that cannot be read.
    pub fn from_toml(text: &str) -> Result<Self, LabError> {
        Self::parse("the scenario", text, "defect = []", "defect = []")
    }

    fn parse(part: &str, text: &str, defects: &str, outages: &str) -> Result<Self, LabError> {
        let base = data::table(part, text)?;
        let catalogue: Catalogue = data::read("defects", defects)?;
        let outages: Catalogue = data::read("outages", outages)?;
        let (catalogue, outages) = (catalogue.defect, outages.defect);
        Ok(Self { base, catalogue, outages, planted: BTreeSet::new() })
    }

    /// Plants one more defect.
    ///
    /// # Errors
    /// An unknown name.
    pub fn with(mut self, defect: &str) -> Result<Self, LabError> {
        self.known(defect)?;
        self.planted.insert(defect.to_owned());
        Ok(self)
    }

    /// Takes a defect out.
    ///
    /// # Errors
    /// An unknown name.
    pub fn without(mut self, defect: &str) -> Result<Self, LabError> {
        self.known(defect)?;
        self.planted.remove(defect);
        Ok(self)
    }

    /// The world with a change of its own, in the shape of a defect's: what an owner does, such as publishing
    /// a record.
    ///
    /// # Errors
    /// A change that fits nowhere.
    pub fn changed(mut self, change: &str) -> Result<Self, LabError> {
        let change = data::table("the change", change)?;
        merge(&mut self.base, &change).map_err(LabError::Plan)?;
        Ok(self)
    }

    /// The same world, in which each outside system tells of [people](crate::PEOPLE) beside everything that it
    /// answers.
    #[must_use]
    pub fn with_people(mut self) -> Self {
        let people = Table::from_iter([("people".to_owned(), Value::Boolean(true))]);
        let apis = self.base.get_mut("api").and_then(Value::as_table_mut);
        let tables = apis.into_iter().flatten().filter_map(|(_, api)| api.as_table_mut());
        for api in tables {
            let faults = api.entry("fault").or_insert_with(|| Value::Array(Vec::new()));
            faults.as_array_mut().into_iter().for_each(|all| all.push(people.clone().into()));
        }
        self
    }

    /// The defects of `broken`: none hides or causes what another one does.
    pub fn defects(&self) -> &[Defect] {
        &self.catalogue
    }

    /// The defects that can be planted beside those: whole hosts that fail, and hide what else is wrong.
    pub fn outages(&self) -> &[Defect] {
        &self.outages
    }

    /// What a defect or outage is about, in one sentence.
    pub fn about(&self, name: &str) -> Option<&str> {
        self.every().find(|defect| defect.name == name).map(|defect| defect.about.as_str())
    }

    fn every(&self) -> impl Iterator<Item = &Defect> {
        self.catalogue.iter().chain(&self.outages)
    }

    /// The world with everything planted that can be, which shows every address it may ever have.
    pub(crate) fn everything(&self) -> Self {
        let planted = self.every().map(|defect| defect.name.clone()).collect();
        Self { planted, ..self.clone() }
    }

    /// The defects that are planted.
    pub fn planted(&self) -> impl Iterator<Item = &Defect> {
        self.every().filter(|defect| self.planted.contains(&defect.name))
    }

    /// The world with its defects, in the order of the catalogue.
    ///
    /// # Errors
    /// A change that fits nowhere, or a result that is no world.
    pub fn plan(&self) -> Result<Plan, LabError> {
        let mut world = self.base.clone();
        for defect in self.planted() {
            merge(&mut world, &defect.world)
                .map_err(|message| LabError::Plan(format!("defect {}: {message}", defect.name)))?;
        }
        let mut plan: Plan = data::of("the world", &world)?;
        for (name, site) in &mut plan.site {
            for edit in std::mem::take(&mut site.edits) {
                let mut found = false;
                for route in site.routes.iter_mut().filter(|route| route.path == edit.path) {
                    found |= route.body.contains(&edit.find);
                    route.body = route.body.replace(&edit.find, &edit.put);
                }
                if !found {
                    return Err(LabError::Plan(format!(
                        "site {name}: no body of {} contains {:?}",
                        edit.path, edit.find
                    )));
                }
            }
        }
        Ok(plan)
    }

    fn known(&self, name: &str) -> Result<(), LabError> {
        if self.every().any(|defect| defect.name == name) {
            return Ok(());
        }
        Err(LabError::NoDefect(name.to_owned()))
    }
}

/// Merges a change into a table.
pub(crate) fn merge(into: &mut Table, change: &Table) -> Result<(), String> {
    // What goes is gone before anything comes, so that a line can be replaced by a similar one.
    let (goes, comes): (Vec<_>, Vec<_>) = change.iter().partition(|(key, _)| key.ends_with('-'));
    for (key, value) in goes.into_iter().chain(comes) {
        let (name, operation) = match key.strip_suffix(['+', '^', '-']) {
            Some(name) => (name, key.chars().next_back()),
            None => (key.as_str(), None),
        };
        match (operation, value) {
            (None, Value::Table(change)) => {
                let entry = into.entry(name).or_insert_with(|| Value::Table(Table::new()));
                match entry {
                    Value::Table(table) => merge(table, change)?,
                    other => *other = Value::Table(change.clone()),
                }
            }
            (None, Value::Array(_)) if into.get(name).is_some_and(is_list_of_tables) => {
                return Err(format!("{name} is a list of tables; add to it with {name}+"));
            }
            (None, value) => {
                into.insert(name.to_owned(), value.clone());
            }
            (Some(operation), Value::Array(values)) => {
                let entry = into.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                let Value::Array(list) = entry else { return Err(format!("{name} is no list")) };
                match operation {
                    '+' => list.extend(values.iter().cloned()),
                    '^' => list.splice(0..0, values.iter().cloned()).for_each(drop),
                    _ => take_out(list, values).map_err(|e| format!("{name}: {e}"))?,
                }
            }
            (Some(_), _) => return Err(format!("{key} needs a list")),
        }
    }
    Ok(())
}

/// A second defect that replaced such a list would take out what a first one put in.
fn is_list_of_tables(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(Value::is_table))
}

fn take_out(list: &mut Vec<Value>, beginnings: &[Value]) -> Result<(), String> {
    for beginning in beginnings.iter().filter_map(Value::as_str) {
        let before = list.len();
        list.retain(|entry| !entry.as_str().is_some_and(|entry| begins(entry, beginning)));
        if list.len() == before {
            return Err(format!("nothing begins with {beginning:?}"));
        }
    }
    Ok(())
}

/// Whether a line begins with these words, whatever the number of blanks; the time to live of a
/// record may be left out.
pub(crate) fn begins(line: &str, beginning: &str) -> bool {
    let line: Vec<&str> = line.split_whitespace().collect();
    let wanted: Vec<&str> = beginning.split_whitespace().collect();
    let mut without_ttl = line.clone();
    if without_ttl.get(1).is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit())) {
        without_ttl.remove(1);
    }
    line.starts_with(&wanted) || without_ttl.starts_with(&wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn a_change_merges_appends_prepends_and_takes_out() {
        let mut world = table("a = { b = 1, c = 2 }\nlist = ['@ 300 TXT \"x\"', '@ 300 MX 1 m']");
        merge(&mut world, &table("a = { b = 3 }\n'list+' = ['end']\n'list^' = ['start']")).unwrap();
        merge(&mut world, &table("'list+' = ['@ 60 TXT \"y\"']\n'list-' = ['@ TXT']")).unwrap();
        let wanted =
            "a = { b = 3, c = 2 }\nlist = ['start', '@ 300 MX 1 m', 'end', '@ 60 TXT \"y\"']";
        assert_eq!(world, table(wanted));
    }

    #[test]
    fn taking_out_what_is_not_there_and_replacing_what_others_share_are_errors() {
        let mut world = table("list = ['a']");
        assert!(merge(&mut world, &table("'list-' = ['b']")).is_err());
        let mut world = table("routes = [{ path = '/' }]");
        assert!(merge(&mut world, &table("routes = []")).is_err());
    }

    #[test]
    fn every_world_can_be_planned_with_each_defect_alone_and_with_all() {
        let healthy = World::load("healthy").unwrap();
        healthy.plan().unwrap();
        World::load("broken").unwrap().plan().unwrap();
        World::load("hostile").unwrap().plan().unwrap();
        for defect in healthy.every() {
            let one = healthy.clone().with(&defect.name).unwrap();
            one.plan().unwrap_or_else(|e| panic!("{}: {e}", defect.name));
            let rest = World::load("broken").unwrap().without(&defect.name).unwrap();
            rest.plan().unwrap_or_else(|e| panic!("without {}: {e}", defect.name));
        }
    }

    #[test]
    fn names_are_unique_and_unknown_ones_are_errors() {
        let healthy = World::load("healthy").unwrap();
        healthy.everything().plan().unwrap();
        let names: BTreeSet<_> = healthy.every().map(|defect| &defect.name).collect();
        assert_eq!(names.len(), healthy.every().count());
        assert!(healthy.with("no-such-defect").is_err());
        assert!(World::load("no-such-scenario").is_err());
    }
}
