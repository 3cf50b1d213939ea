//! What stands out in a catalogue: the ways in which a stranger or any signed-in user reaches rows.

use serde::{Deserialize, Serialize};

use super::personal::is_personal;
use super::policy::{Way, holds, open, reads_user_metadata};
use crate::contract::Bounded;
use crate::probe::{Catalogue, CatalogueColumn, CataloguePolicy, CatalogueTable, CatalogueView};

/// The roles of people: whoever holds the public key, and whoever signed in.
pub(super) const PEOPLE: [&str; 2] = ["anon", "authenticated"];
/// The most bytes of all facts as JSON; evidence may take 64 KiB.
const BYTES: usize = 48 * 1024;
/// The most names that one fact keeps of each kind.
const NAMES: usize = 6;
/// The most characters of an expression that a fact keeps.
const TEXT: usize = 160;

/// What stands out; the worst first, because the rest may be cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// No row level security, and people hold a privilege.
    Unprotected,
    /// Policies without row level security.
    PoliciesOff,
    /// The table of users is shown.
    UsersExposed,
    /// A policy lets everybody write.
    WriteOpen,
    /// A policy relies on what users write about themselves.
    UserMetadata,
    /// A policy lets everybody read.
    ReadOpen,
    /// A view reads with the rights of its owner.
    OwnersView,
    /// A function acts with the rights of its owner, and strangers may call it.
    OwnersFunction,
    /// Row level security without a policy.
    NoPolicy,
    /// No row level security, and nobody holds a privilege.
    Unreachable,
    /// A foreign key without an index.
    UnindexedKey,
}

/// One thing that stands out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fact {
    pub(super) kind: Kind,
    pub(super) schema: String,
    pub(super) name: String,
    /// Who of [`PEOPLE`] is let through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) roles: Vec<String>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ways: Vec<String>,
    /// Names of policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) policies: Vec<String>,
    /// Personal columns, or those of the key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) columns: Vec<String>,
    /// The expression of the first policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    /// About how many rows there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<u64>,
    /// The view is materialised.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) materialised: bool,
}

impl Fact {
    fn new(kind: Kind, schema: &str, name: &str) -> Self {
        Self {
            kind,
            schema: schema.to_owned(),
            name: name.to_owned(),
            roles: Vec::new(),
            ways: Vec::new(),
            policies: Vec::new(),
            columns: Vec::new(),
            text: None,
            rows: None,
            materialised: false,
        }
    }

    fn of(kind: Kind, table: &CatalogueTable) -> Self {
        Self { rows: table.rows, ..Self::new(kind, &table.schema, &table.name) }
    }

    /// The table, view or function with its schema.
    pub(super) fn subject(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    fn with_policies<'a>(
        mut self,
        policies: impl IntoIterator<Item = &'a CataloguePolicy>,
    ) -> Self {
        for policy in policies {
            if self.text.is_none() {
                let text = policy.using.as_deref().or(policy.check.as_deref());
                self.text = text.map(|text| text.chars().take(TEXT).collect());
            }
            push(&mut self.policies, &policy.name);
        }
        self
    }
}

fn push(names: &mut Vec<String>, name: &str) {
    if names.len() < NAMES && !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

fn personal(columns: &[CatalogueColumn]) -> Vec<String> {
    let personal = columns.iter().filter(|column| is_personal(&column.name, &column.kind));
    personal.take(NAMES).map(|column| column.name.clone()).collect()
}

/// What people may do with something, by its grants alone.
fn granted(table: &CatalogueTable, people: &[&str]) -> (Vec<String>, Vec<String>) {
    let (mut roles, mut ways) = (Vec::new(), Vec::new());
    for role in people {
        for way in [Way::Select].into_iter().chain(Way::WRITES) {
            if holds(table, role, way) {
                push(&mut roles, role);
                push(&mut ways, way.as_str());
            }
        }
    }
    (roles, ways)
}

/// Everything that stands out in the schemas that the API shows, the worst first.
pub(super) fn facts(catalogue: &Catalogue, exposed: &[String]) -> Bounded<Fact> {
    let is_shown = |schema: &str| exposed.iter().any(|shown| shown == schema);
    let people: Vec<&str> =
        PEOPLE.into_iter().filter(|role| catalogue.roles.contains(*role)).collect();
    let mut facts = Vec::new();
    if is_shown("auth") {
        facts.push(Fact::new(Kind::UsersExposed, "auth", "users"));
    }
    for table in catalogue.tables.iter().filter(|table| is_shown(&table.schema)) {
        of_table(table, &people, &mut facts);
    }
    for view in catalogue.views.iter().filter(|view| is_shown(&view.schema)) {
        facts.extend(of_view(view, &people));
    }
    for function in &catalogue.functions {
        let callers = &function.callers;
        let open = callers.iter().any(|caller| caller == "anon" || caller == "public");
        if is_shown(&function.schema) && function.security_definer && open {
            let mut fact = Fact::new(Kind::OwnersFunction, &function.schema, &function.signature);
            for caller in callers {
                push(&mut fact.roles, caller);
            }
            facts.push(fact);
        }
    }
    facts.sort_by(|a, b| (a.kind, &a.schema, &a.name).cmp(&(b.kind, &b.schema, &b.name)));
    bounded(facts)
}

/// As many facts as evidence has room for.
fn bounded(facts: Vec<Fact>) -> Bounded<Fact> {
    let mut left = BYTES;
    let mut kept = Bounded::default();
    for fact in facts {
        let bytes = serde_json::to_string(&fact).map_or(BYTES, |text| text.len() + 1);
        if kept.cut == 0 && bytes <= left {
            left -= bytes;
            kept.items.push(fact);
        } else {
            kept.cut += 1;
        }
    }
    kept
}

fn of_table(table: &CatalogueTable, people: &[&str], facts: &mut Vec<Fact>) {
    if table.rls {
        of_policies(table, people, facts);
    } else {
        let (roles, ways) = granted(table, people);
        let kind = match (table.policies.is_empty(), ways.is_empty()) {
            (false, _) => Kind::PoliciesOff,
            (true, false) => Kind::Unprotected,
            (true, true) => Kind::Unreachable,
        };
        let columns = personal(&table.columns);
        let fact = Fact { roles, ways, columns, ..Fact::of(kind, table) };
        facts.push(fact.with_policies(&table.policies));
    }
    for key in &table.foreign_keys {
        let is_covered = table.indexed.iter().chain(&table.unique).any(|index| {
            let first = index.get(..key.columns.len());
            first.is_some_and(|first| key.columns.iter().all(|column| first.contains(column)))
        });
        if !is_covered && !key.columns.is_empty() {
            let columns = key.columns.iter().take(NAMES).cloned().collect();
            let text = Some(key.to.clone());
            facts.push(Fact { columns, text, ..Fact::of(Kind::UnindexedKey, table) });
        }
    }
}

fn of_policies(table: &CatalogueTable, people: &[&str], facts: &mut Vec<Fact>) {
    if table.policies.is_empty() {
        facts.push(Fact::of(Kind::NoPolicy, table));
        return;
    }
    let metadata: Vec<_> = table.policies.iter().filter(|p| reads_user_metadata(p)).collect();
    if !metadata.is_empty() {
        facts.push(Fact::of(Kind::UserMetadata, table).with_policies(metadata));
    }
    let mut read = Fact::of(Kind::ReadOpen, table);
    let mut written = Fact::of(Kind::WriteOpen, table);
    for role in people {
        for way in [Way::Select].into_iter().chain(Way::WRITES) {
            let policies =
                if holds(table, role, way) { open(table, role, way) } else { Vec::new() };
            if policies.is_empty() {
                continue;
            }
            let fact = if way == Way::Select { &mut read } else { &mut written };
            push(&mut fact.roles, role);
            push(&mut fact.ways, way.as_str());
            *fact = fact.clone().with_policies(policies);
        }
    }
    let columns = personal(&table.columns);
    if !written.roles.is_empty() {
        // One policy for every way is one defect: what it lets read is part of it.
        let same = read.policies.iter().all(|name| written.policies.contains(name));
        if same && !read.roles.is_empty() {
            written.ways.insert(0, Way::Select.as_str().to_owned());
            read.roles.clear();
        }
        facts.push(Fact { columns: columns.clone(), ..written });
    }
    if !read.roles.is_empty() {
        facts.push(Fact { columns, ..read });
    }
}

fn of_view(view: &CatalogueView, people: &[&str]) -> Option<Fact> {
    let reads = |role: &str| {
        view.grants.iter().any(|grant| {
            (grant.role == role || grant.role.eq_ignore_ascii_case("public"))
                && grant.privileges.iter().any(|one| one.eq_ignore_ascii_case("SELECT"))
        })
    };
    let roles: Vec<String> =
        people.iter().filter(|role| reads(role)).map(|role| (*role).to_owned()).collect();
    // A view that asks with the reader's rights is held by the policies below it.
    if roles.is_empty() || (view.security_invoker && !view.materialised) {
        return None;
    }
    let users = view.reads.iter().any(|table| table == "auth.users");
    let kind = if users { Kind::UsersExposed } else { Kind::OwnersView };
    Some(Fact {
        roles,
        columns: personal(&view.columns),
        materialised: view.materialised,
        ..Fact::new(kind, &view.schema, &view.name)
    })
}
