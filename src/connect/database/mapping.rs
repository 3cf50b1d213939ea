//! Where the tables and columns of the config really are, checked against what the database has.

use std::collections::BTreeMap;

use launchready_checks::probe::{AgentFault, ProbeError, TableRole, TableShape};

/// Names at least this alike are suggested.
const ALIKE: f64 = 0.6;

/// A table or view that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relation {
    /// Its schema; nothing in SQLite.
    pub(super) schema: String,
    /// Its name.
    pub(super) name: String,
    /// How the server numbers it.
    pub(super) id: u32,
    /// Its place in the path of schemas that are searched; nothing for others.
    pub(super) path: Option<u32>,
}

impl Relation {
    /// The name with its schema, for people.
    pub(super) fn shown(&self) -> String {
        if self.schema.is_empty() {
            self.name.clone()
        } else {
            format!("{}.{}", self.schema, self.name)
        }
    }
}

/// How a column is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// A number with decimals.
    Decimal,
    /// A number that may have decimals or not.
    Number,
    /// A time with its zone.
    Zoned,
    /// A time without a zone, which is UTC.
    Unzoned,
    /// A day, which begins in UTC.
    Day,
    /// Anything else.
    Other,
}

/// A column that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    /// Its name.
    pub(super) name: String,
    /// How it is read.
    pub(super) kind: Kind,
}

/// What a number in the amount column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// The smallest coin, as Stripe counts.
    Minor,
    /// The currency itself, with decimals.
    Major,
}

/// A table of the config and where it is.
#[derive(Debug, Clone)]
pub(super) struct Mapped {
    /// The table.
    pub(super) relation: Relation,
    /// Columns by agreed name.
    pub(super) columns: BTreeMap<&'static str, Column>,
    /// What the amount column counts, where there is one.
    pub(super) unit: Unit,
}

impl Mapped {
    /// What checks are told.
    pub(super) fn shape(&self) -> TableShape {
        let columns = self.columns.iter();
        TableShape {
            name: self.relation.shown(),
            columns: columns.map(|(name, real)| ((*name).to_owned(), real.name.clone())).collect(),
        }
    }
}

/// One table of the config.
pub(super) type Wanted = BTreeMap<String, String>;

fn wrong(role: TableRole, key: &str, what: &str) -> ProbeError {
    let key = format!("project.database.{}.{key}", role.as_str());
    AgentFault::Misconfigured(format!("{key}: {what}")).into()
}

/// The nearest of some names.
fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> String {
    let lower = name.to_lowercase();
    let near = among
        .map(|known| (strsim::jaro_winkler(&lower, &known.to_lowercase()), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    near.map_or_else(String::new, |(_, known)| format!("; the nearest is {known:?}"))
}

/// The relation that the config names: `table`, or `schema.table`.
pub(super) fn table<'a>(
    role: TableRole,
    wanted: &Wanted,
    relations: &'a [Relation],
) -> Result<&'a Relation, ProbeError> {
    let name = wanted.get("table").map(String::as_str).unwrap_or_default();
    let first = relations
        .iter()
        .filter(|known| known.name == name && known.path.is_some())
        .min_by_key(|known| known.path);
    // A name may hold a dot itself.
    if let Some(found) = first.or_else(|| relations.iter().find(|known| known.shown() == name)) {
        return Ok(found);
    }
    let mut elsewhere = relations.iter().filter(|known| known.name == name);
    match (elsewhere.next(), elsewhere.next()) {
        (Some(only), None) => Ok(only),
        (Some(one), Some(other)) => {
            let what = format!(
                "several tables are called {name:?}; say which, such as {:?} or {:?}",
                one.shown(),
                other.shown()
            );
            Err(wrong(role, "table", &what))
        }
        (None, _) => {
            let shown: Vec<_> = relations.iter().map(Relation::shown).collect();
            let names = relations.iter().map(|known| known.name.as_str());
            let near = if name.contains('.') {
                nearest(name, shown.iter().map(String::as_str))
            } else {
                nearest(name, names)
            };
            let what = format!("the database shows no table {name:?} to this user{near}");
            Err(wrong(role, "table", &what))
        }
    }
}

/// The columns of a table under their agreed names: those that the config names, and others under their
/// usual names.
pub(super) fn columns(
    role: TableRole,
    wanted: &Wanted,
    relation: &Relation,
    columns: &[Column],
) -> Result<Mapped, ProbeError> {
    let mut found = BTreeMap::new();
    for (agreed, usual) in role.columns() {
        if let Some(name) = wanted.get(*agreed) {
            let real = columns.iter().find(|column| column.name == *name).ok_or_else(|| {
                let near = nearest(name, columns.iter().map(|column| column.name.as_str()));
                let what = format!("{} has no column {name:?}{near}", relation.shown());
                wrong(role, agreed, &what)
            })?;
            found.insert(*agreed, real.clone());
            continue;
        }
        let taken = |column: &Column| {
            wanted.iter().any(|(key, name)| key != "table" && *name == column.name)
        };
        let names = in_order(role, agreed, usual);
        let real = names.iter().find_map(|name| {
            let same = |column: &&Column| plain(&column.name) == plain(name) && !taken(column);
            columns.iter().find(same)
        });
        if let Some(real) = real {
            found.insert(*agreed, real.clone());
        }
    }
    let unit = match found.get("amount") {
        Some(amount) => unit(role, wanted, relation, amount)?,
        None => Unit::Minor,
    };
    Ok(Mapped { relation: relation.clone(), columns: found, unit })
}

/// The names under which a column is looked for. The provider's id comes before the table's own.
fn in_order<'a>(role: TableRole, agreed: &'a str, usual: &'a [&'a str]) -> Vec<&'a str> {
    let foreign = matches!(role, TableRole::Events | TableRole::Subscriptions) && agreed == "id";
    let mut names: Vec<_> = std::iter::once(agreed).chain(usual.iter().copied()).collect();
    if foreign {
        names.reverse();
    }
    names
}

/// `stripeSessionId` and `stripe_session_id` are the same name.
fn plain(name: &str) -> String {
    name.chars().filter(|sign| *sign != '_').flat_map(char::to_lowercase).collect()
}

/// What a number in the amount column counts: said, or seen from its type.
fn unit(
    role: TableRole,
    wanted: &Wanted,
    relation: &Relation,
    amount: &Column,
) -> Result<Unit, ProbeError> {
    match wanted.get(TableRole::AMOUNT_UNIT).map(String::as_str) {
        Some("minor") => return Ok(Unit::Minor),
        Some("major") => return Ok(Unit::Major),
        Some(other) => {
            let what = format!("{other:?} is neither \"minor\" (cents) nor \"major\" (euros)");
            return Err(wrong(role, TableRole::AMOUNT_UNIT, &what));
        }
        None => {}
    }
    let name = plain(&amount.name);
    if amount.kind == Kind::Whole || name.contains("cents") || name.contains("minor") {
        return Ok(Unit::Minor);
    }
    if amount.kind == Kind::Decimal {
        return Ok(Unit::Major);
    }
    let what = format!(
        "the type of {}.{} does not tell what it counts; say amount_unit = \"minor\" (cents) or \"major\" \
         (euros)",
        relation.shown(),
        amount.name
    );
    Err(wrong(role, TableRole::AMOUNT_UNIT, &what))
}

#[cfg(test)]
#[path = "mapping_tests.rs"]
mod tests;
