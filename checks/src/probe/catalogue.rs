//! What a PostgreSQL or SQLite database says about itself: tables, keys, policies, privileges.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The catalogue of a database, of the schemas that the product uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// The schemas that were read.
    pub schemas: Vec<String>,
    /// The schemas that the API shows to browsers, where the database says so.
    pub exposed: Option<Vec<String>>,
    /// The roles that exist, of `anon`, `authenticated` and `service_role`.
    pub roles: BTreeSet<String>,
    /// Tables, without those of extensions.
    pub tables: Vec<CatalogueTable>,
    /// Views and materialised views.
    pub views: Vec<CatalogueView>,
    /// Functions that a client could call: without those of extensions and those that return a trigger.
    pub functions: Vec<CatalogueFunction>,
    /// What was left out because there was too much of it.
    pub cut: bool,
}

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogueTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Row level security is on.
    pub rls: bool,
    /// Columns.
    pub columns: Vec<CatalogueColumn>,
    /// Policies.
    pub policies: Vec<CataloguePolicy>,
    /// What roles may do.
    pub grants: Vec<CatalogueGrant>,
    /// Column lists that are unique over all rows: primary keys and whole unique indices.
    pub unique: Vec<Vec<String>>,
    /// Columns that are first in some index.
    pub indexed: Vec<Vec<String>>,
    /// Foreign keys.
    pub foreign_keys: Vec<ForeignKey>,
    /// About how many rows it holds, where the database knows.
    pub rows: Option<u64>,
}

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogueColumn {
    /// Its name.
    pub name: String,
    /// Its type, such as `text` or `timestamp with time zone`.
    pub kind: String,
}

/// One policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CataloguePolicy {
    /// Its name.
    pub name: String,
    /// `SELECT`, `INSERT`, `UPDATE`, `DELETE` or `ALL`.
    pub command: String,
    /// The roles that it is for; `public` is everybody.
    pub roles: Vec<String>,
    /// It allows; otherwise it restricts what others allow.
    pub permissive: bool,
    /// Which rows are seen.
    pub using: Option<String>,
    /// Which rows may be written.
    pub check: Option<String>,
}

/// What one role may do with a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogueGrant {
    /// The role.
    pub role: String,
    /// `SELECT`, `INSERT`, `UPDATE`, `DELETE`, `TRUNCATE`.
    pub privileges: Vec<String>,
}

/// A reference to another table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForeignKey {
    /// The columns.
    pub columns: Vec<String>,
    /// The table that they lead to, with its schema.
    pub to: String,
}

/// One view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogueView {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// It asks with the rights of whoever reads it.
    pub security_invoker: bool,
    /// It is materialised.
    pub materialised: bool,
    /// Columns.
    pub columns: Vec<CatalogueColumn>,
    /// What roles may do.
    pub grants: Vec<CatalogueGrant>,
    /// The tables that it reads, with their schemas.
    pub reads: Vec<String>,
}

/// One function.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CatalogueFunction {
    /// Its schema.
    pub schema: String,
    /// Its name with the types of its arguments.
    pub signature: String,
    /// It runs with the rights of its owner.
    pub security_definer: bool,
    /// The roles that may call it.
    pub callers: Vec<String>,
}
