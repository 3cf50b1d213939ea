//! The port to the project's own database: its rows under agreed names, and its catalogue.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Catalogue, ProbeError, Walked};

/// A table that the config maps, by what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TableRole {
    /// What was sold.
    Orders,
    /// The provider's events that the product has taken.
    Events,
    /// What was handed to the CRM.
    CrmSync,
    /// Subscriptions of customers.
    Subscriptions,
    /// Requests for help.
    Tickets,
    /// Forms that were sent.
    Submissions,
}

impl TableRole {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Orders,
        Self::Events,
        Self::CrmSync,
        Self::Subscriptions,
        Self::Tickets,
        Self::Submissions,
    ];

    /// The key beside the columns of orders that says what a number in `amount` counts: `minor` (cents) or
    /// `major` (euros). Checks are given amounts in the minor unit either way.
    pub const AMOUNT_UNIT: &'static str = "amount_unit";

    /// The word of the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Events => "events",
            Self::CrmSync => "crm_sync",
            Self::Subscriptions => "subscriptions",
            Self::Tickets => "tickets",
            Self::Submissions => "submissions",
        }
    }

    /// The columns that a table of this role can have, under their agreed names, with the names under
    /// which they are usually found. The agreed name is itself a usual one.
    pub const fn columns(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Orders => &[
                ("id", &["order_id", "uuid"]),
                (
                    "session",
                    &[
                        "stripe_session_id",
                        "checkout_session_id",
                        "session_id",
                        "stripe_checkout_session_id",
                    ],
                ),
                (
                    "payment_intent",
                    &[
                        "payment_intent_id",
                        "stripe_payment_intent_id",
                        "stripe_payment_intent",
                        "payment_id",
                    ],
                ),
                ("reference", &["client_reference_id", "order_number", "order_ref"]),
                ("subscription", &["stripe_subscription_id", "subscription_id"]),
                ("customer", &["stripe_customer_id", "customer_id"]),
                ("email", &["customer_email", "buyer_email"]),
                ("amount", &["amount_total", "total", "amount_cents", "total_amount"]),
                ("currency", &["currency_code"]),
                ("status", &["state", "payment_status", "order_status"]),
                ("created", &["created_at", "inserted_at", "ordered_at"]),
                ("synced", &["crm_synced_at", "synced_at", "hubspot_synced_at"]),
            ],
            Self::Events => &[
                ("id", &["event_id", "stripe_event_id"]),
                ("type", &["event_type", "kind"]),
                ("status", &["state", "processing_status"]),
                ("created", &["event_created_at", "stripe_created_at", "created"]),
                ("received", &["received_at", "created_at", "inserted_at"]),
                ("processed", &["processed_at", "handled_at", "completed_at"]),
                ("error", &["error_message", "last_error"]),
            ],
            Self::CrmSync => &[
                ("id", &["sync_id"]),
                ("order", &["order_id"]),
                ("status", &["state", "result"]),
                ("at", &["created_at", "synced_at", "attempted_at"]),
                ("error", &["error_message", "last_error"]),
            ],
            Self::Subscriptions => &[
                ("id", &["subscription_id", "stripe_subscription_id"]),
                ("customer", &["stripe_customer_id", "customer_id"]),
                ("status", &["state"]),
                ("created", &["created_at", "started_at"]),
                ("ends", &["current_period_end", "ends_at", "expires_at"]),
            ],
            Self::Tickets => &[
                ("id", &["ticket_id"]),
                ("status", &["state"]),
                ("created", &["created_at", "inserted_at"]),
                ("waiting", &["waiting_since", "last_customer_message_at"]),
                ("replied", &["first_reply_at", "last_reply_at", "replied_at"]),
                ("assignee", &["assignee_id", "assigned_to", "owner_id"]),
                ("tags", &["labels", "queue"]),
                ("submission", &["submission_id", "request_id"]),
            ],
            Self::Submissions => &[
                ("id", &["submission_id", "request_id"]),
                ("created", &["created_at", "submitted_at"]),
                ("ticket", &["ticket_id"]),
                ("email", &["customer_email"]),
            ],
        }
    }
}

/// Where a table and its columns really are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableShape {
    /// The name, with its schema where it has one.
    pub name: String,
    /// The column by agreed name; what is not here does not exist.
    pub columns: BTreeMap<String, String>,
}

impl TableShape {
    /// Whether a column exists.
    pub fn has(&self, column: &str) -> bool {
        self.columns.contains_key(column)
    }
}

/// What the database is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DatabaseFacts {
    /// `postgresql` or `sqlite`.
    pub engine: String,
    /// Such as `17.2`.
    pub version: String,
    /// The user that looks.
    pub user: String,
    /// What the user could change, such as `insert on public.orders` or `superuser`; at most 20. Nothing for
    /// a file that is opened for reading.
    pub may_change: Vec<String>,
    /// The connection is encrypted, or never leaves the machine.
    pub encrypted: bool,
}

/// The rows that are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowQuery {
    /// The table.
    pub table: TableRole,
    /// Columns by agreed name, in the order in which they come; one that does not exist comes as nothing.
    pub columns: Vec<&'static str>,
    /// Only rows whose column, a time, is this or later. It has to exist.
    pub since: Option<(&'static str, Timestamp)>,
    /// Only rows whose column is one of these texts; at most [`KEYS`]. It has to exist.
    pub among: Option<(&'static str, Vec<String>)>,
    /// No more rows than these.
    pub limit: Option<u64>,
}

/// The most values of [`RowQuery::among`].
pub const KEYS: usize = 1_000;

impl RowQuery {
    /// Every row of a table.
    pub fn new(table: TableRole, columns: &[&'static str]) -> Self {
        Self { table, columns: columns.to_vec(), since: None, among: None, limit: None }
    }

    /// Only rows whose time is this or later.
    #[must_use]
    pub fn since(self, column: &'static str, at: Timestamp) -> Self {
        Self { since: Some((column, at)), ..self }
    }

    /// Only rows whose column is one of these.
    #[must_use]
    pub fn among(self, column: &'static str, values: Vec<String>) -> Self {
        Self { among: Some((column, values)), ..self }
    }
}

/// One row: the columns of the query in their order, as text; times as RFC 3339 in UTC.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a>(pub &'a [Option<&'a str>]);

impl<'a> Row<'a> {
    /// A column as text.
    pub fn text(&self, place: usize) -> Option<&'a str> {
        self.0.get(place).copied().flatten()
    }

    /// A column as a whole number. An amount with decimals is none.
    pub fn integer(&self, place: usize) -> Option<i64> {
        self.text(place)?.trim().parse().ok()
    }

    /// A column as a time.
    pub fn time(&self, place: usize) -> Option<Timestamp> {
        self.text(place)?.parse().ok()
    }
}

/// Values that stand in more than one row.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Repeated {
    /// Each value with the number of its rows, in the order of the values; at most 200.
    pub values: Vec<(String, u64)>,
    /// How many such values there are in all.
    pub total: u64,
}

/// Values that name a row of another table that is not there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strays {
    /// Such values, in their order; at most 200.
    pub values: Vec<String>,
    /// How many rows hold one.
    pub rows: u64,
    /// How many rows hold a value at all.
    pub of: u64,
}

/// Told each row. A row lives as long as the call.
pub type VisitRow<'a> = &'a mut (dyn for<'r> FnMut(Row<'r>) + Send);

/// The answer to a question that the user wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SqlAnswer {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// At most 200 rows, each value as text.
    pub rows: Vec<Vec<Option<String>>>,
    /// There were more rows.
    pub cut: bool,
}

/// Asks the project's database, in a transaction that only reads.
///
/// A refusal to connect is the database's fault; a wrong password, a missing privilege and a mapping
/// that does not fit are the agent's.
pub trait Database: Send + Sync {
    /// What it is, and what the user that looks could change.
    fn facts(&self) -> Answer<'_, Result<DatabaseFacts, ProbeError>>;

    /// Where a table of the config really is; `None` where the config names none. A name that does not exist
    /// is an error that suggests the nearest.
    fn shape(&self, table: TableRole) -> Answer<'_, Result<Option<TableShape>, ProbeError>>;

    /// Walks over rows, in no fixed order, in one snapshot.
    fn rows<'a>(
        &'a self,
        query: RowQuery,
        visit: VisitRow<'a>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// The values that stand in more than one row of a table, in a column that exists.
    fn repeated(
        &self,
        table: TableRole,
        column: &'static str,
    ) -> Answer<'_, Result<Repeated, ProbeError>>;

    /// The values of a column that stand in no row of another table: a column that exists, of a table of the
    /// config, and the one that it leads to.
    fn strays(
        &self,
        from: (TableRole, &'static str),
        to: (TableRole, &'static str),
    ) -> Answer<'_, Result<Strays, ProbeError>>;

    /// Tables, keys, policies and privileges.
    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>>;

    /// The answer to one statement that only reads.
    fn ask(&self, sql: String) -> Answer<'_, Result<SqlAnswer, ProbeError>>;
}
