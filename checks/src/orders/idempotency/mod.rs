//! `orders-idempotency`: see `idempotency.md`.

mod collect;
mod judge;
mod keys;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx, Need,
    Schedule, Target, Vantage,
};
use crate::probe::{DatabaseFacts, Probes};

const EVENT_ID: FindingSpec = FindingSpec::critical(
    "event-id-not-unique",
    "The database takes the same event twice",
    "The payment provider sends an event again whenever it is not sure that it arrived; without a unique \
     id each one ships, credits or refunds once more.",
)
.blocks();
const SESSION: FindingSpec = FindingSpec::warning(
    "order-session-not-unique",
    "The database takes two orders for one checkout",
    "Two handlers that run at the same time both see no order and both write one; the customer gets two \
     confirmations and the books are wrong.",
);
const NO_EVENTS: FindingSpec = FindingSpec::warning(
    "events-table-missing",
    "Nothing remembers which events were handled",
    "Whether an event was handled, failed or came twice cannot be told by anybody, and a lost payment is \
     found by the customer who complains.",
);
const PARENT: FindingSpec = FindingSpec::warning(
    "row-parent-missing",
    "Rows lead to rows that are not there",
    "What hangs on a row that is gone is found by no report and belongs to nobody.",
);
const KEY: FindingSpec = FindingSpec::warning(
    "parent-without-foreign-key",
    "The database does not guard what its rows lead to",
    "A row can be deleted while others still lead to it, and a wrong id is taken without a word.",
);
const POWER: FindingSpec = FindingSpec::warning(
    "database-user-can-write",
    "launchready's database user can change data",
    "Whoever gets hold of this address can change or delete your customers' orders, and an audit needs \
     nothing of that.",
);
const PLAIN: FindingSpec = FindingSpec::warning(
    "database-connection-plain",
    "The connection to the database is not encrypted",
    "Whoever sits between here and the database reads the password and every row.",
);

/// Ids that are listed in evidence.
const LISTED: usize = 200;
/// Parent columns that are listed.
const KEYS_LISTED: usize = 100;

/// Whether the database itself keeps events and orders from being handled twice.
#[derive(Debug)]
pub struct Idempotency;

/// `orders-idempotency` has no options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

/// A column that has to be unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Guard {
    /// Its name in the database.
    column: String,
    /// It is.
    unique: bool,
}

/// A table and those of its columns one of which has to be unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Guarded {
    /// The table.
    table: String,
    /// The columns; none where the table has none of them.
    guards: Vec<Guard>,
    /// The catalogue knows it as a table, and not as a view.
    known: bool,
}

/// Rows that lead nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Orphans {
    /// The table and column that lead.
    from: String,
    /// The table that they lead to.
    to: String,
    /// Ids that are not there.
    values: Bounded<String>,
    /// Rows that hold one of them.
    rows: u64,
    /// Rows that hold an id at all.
    of: u64,
}

/// A column that leads to another table, by its name, without a foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Loose {
    /// The table.
    table: String,
    /// The column.
    column: String,
    /// The table that it leads to.
    to: String,
    /// The key of that table.
    key: String,
}

/// A part that could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Hidden {
    part: String,
    cause: String,
    unlock: String,
}

/// What the catalogue says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    facts: DatabaseFacts,
    events: Option<Guarded>,
    orders: Option<Guarded>,
    /// Tables that look like one of events, where the config names none.
    candidates: Bounded<String>,
    orphans: Vec<Orphans>,
    loose: Bounded<Loose>,
    hidden: Vec<Hidden>,
    /// There were more tables than are read.
    cut: bool,
}

impl Check for Idempotency {
    const META: CheckMeta = CheckMeta {
        id: "orders-idempotency",
        area: Area::Orders,
        title: "What the database guards by itself",
        vantage: Vantage::Database,
        findings: &[EVENT_ID, SESSION, NO_EVENTS, PARENT, KEY, POWER, PLAIN],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(6)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_mins(2),
        needs: &[Need::Setting("project.database")],
        evidence_version: 1,
        doc: include_str!("../idempotency.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let database = probes.accounts.database.get()?;
        Ok((collect::collect(database).await.map_err(CheckError::unseen)?, ()))
    }

    fn assess(evidence: &Evidence, _cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence)
    }
}
