//! What the product's database says of a test checkout, read by SQL, and how it is taken back.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use launchready_checks::orders::Standing;
use launchready_checks::probe::{Database, Missing, ProbeError, RowQuery, TableRole};
use tokio::time::{Instant, sleep};

use super::stripe::Purchase;
use super::{Scene, Undo, UndoState};
use crate::connect::database::{Eraser, Leftover, Patience, ProjectDatabase};

/// How often the database is asked again.
const AGAIN: Duration = Duration::from_millis(100);
/// Columns by which an order of a checkout is known.
const KEYS: [&str; 3] = ["session", "payment_intent", "reference"];
/// What is not to happen is watched for at least so long.
const WATCH: Duration = Duration::from_secs(1);

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderRow {
    pub(super) id: Option<String>,
    pub(super) status: Option<String>,
    pub(super) amount: Option<String>,
    pub(super) currency: Option<String>,
}

impl OrderRow {
    /// Whether the buyer gets what was bought; nothing where the word for it may mean anything.
    pub(super) fn is_paid(&self) -> Option<bool> {
        // Without a column for it, the table holds paid orders alone.
        let Some(status) = &self.status else { return Some(true) };
        match Standing::of(status) {
            Standing::Paid => Some(true),
            Standing::Unpaid | Standing::Returned => Some(false),
            Standing::Unknown => None,
        }
    }
}

/// The database that the endpoint writes to.
pub(super) struct Rows {
    database: Arc<dyn Database>,
    keys: Vec<&'static str>,
    has: Vec<&'static str>,
    has_events: bool,
    settle: Duration,
}

impl Rows {
    /// Looks where the tables are.
    ///
    /// # Errors
    /// What is lacking, with the remedy.
    pub(super) async fn find(scene: &Scene<'_>) -> Result<Self, String> {
        let database = database(scene).map_err(|no| format!("{}: {}", no.reason, no.unlock))?;
        let shape = database.shape(TableRole::Orders).await.map_err(|error| error.to_string())?;
        let shape = shape.ok_or_else(|| {
            "no table of orders is configured: add [project.database.orders] with table = \"orders\"".to_owned()
        })?;
        let keys: Vec<_> = KEYS.into_iter().filter(|key| shape.has(key)).collect();
        if keys.is_empty() {
            return Err(format!(
                "{} has no column that names a checkout or a payment: say which it is, such as session = \
                 \"stripe_session_id\" under [project.database.orders]",
                shape.name
            ));
        }
        if !shape.has("created") {
            return Err(format!(
                "{} has no column that says when an order was made, so nobody could tell a row of the drill from one that                  was there before: say which it is, such as created = \"created_at\" under [project.database.orders]",
                shape.name
            ));
        }
        let has =
            ["status", "amount", "currency"].into_iter().filter(|one| shape.has(one)).collect();
        let events = database.shape(TableRole::Events).await.map_err(|error| error.to_string())?;
        let has_events = events.is_some_and(|events| events.has("id"));
        Ok(Self { database, keys, has, has_events, settle: scene.settle() })
    }

    /// Whether an order that knows nothing but its payment would be found.
    pub(super) fn sees_payments(&self) -> bool {
        self.keys.contains(&"payment_intent")
    }

    /// The orders of a checkout. A column that is there and empty comes as an empty text.
    pub(super) async fn orders(&self, purchase: &Purchase) -> Result<Vec<OrderRow>, ProbeError> {
        let mut found: Vec<OrderRow> = Vec::new();
        for key in &self.keys {
            let columns = ["id", "status", "amount", "currency"];
            let query = RowQuery::new(TableRole::Orders, &columns).among(key, purchase.keys());
            let mut rows = Vec::new();
            let mut take = |row: launchready_checks::probe::Row<'_>| {
                let text = |place| row.text(place).map(str::to_owned);
                let there =
                    |name, place| self.has.contains(&name).then(|| text(place).unwrap_or_default());
                rows.push(OrderRow {
                    id: text(0),
                    status: there("status", 1),
                    amount: there("amount", 2),
                    currency: there("currency", 3),
                });
            };
            self.database.rows(query, &mut take).await?;
            // The same order is known by each of its keys; two rows under one key are two.
            let known: Vec<Option<String>> = found.iter().map(|row| row.id.clone()).collect();
            found.extend(rows.into_iter().filter(|row| !known.contains(&row.id)));
            // Without an id of its own, a row cannot be told from itself under another key.
            if found.iter().any(|row| row.id.is_none()) {
                break;
            }
        }
        Ok(found)
    }

    /// How many rows there are of these events; nothing where no table of events is configured.
    pub(super) async fn events(&self, ids: Vec<String>) -> Result<Option<usize>, ProbeError> {
        if !self.has_events {
            return Ok(None);
        }
        let query = RowQuery::new(TableRole::Events, &["id"]).among("id", ids);
        let mut count = 0;
        self.database.rows(query, &mut |_| count += 1).await?;
        Ok(Some(count))
    }

    /// How often these orders were handed to the CRM; nothing where no such table is configured.
    pub(super) async fn synced(&self, orders: &[OrderRow]) -> Result<Option<usize>, ProbeError> {
        let shape = self.database.shape(TableRole::CrmSync).await?;
        if !shape.is_some_and(|shape| shape.has("order")) {
            return Ok(None);
        }
        let ids: Vec<String> = orders.iter().filter_map(|order| order.id.clone()).collect();
        let query = RowQuery::new(TableRole::CrmSync, &["order"]).among("order", ids);
        let mut count = 0;
        self.database.rows(query, &mut |_| count += 1).await?;
        Ok(Some(count))
    }

    /// Waits until a checkout has an order, and gives its orders and how long it took.
    pub(super) async fn wait(
        &self,
        purchase: &Purchase,
    ) -> Result<(Vec<OrderRow>, Duration), ProbeError> {
        let began = Instant::now();
        loop {
            let orders = self.orders(purchase).await?;
            if !orders.is_empty() || began.elapsed() >= self.settle {
                return Ok((orders, began.elapsed()));
            }
            sleep(AGAIN).await;
        }
    }

    /// Watches a checkout for what is not to happen, three times as long as its order took to appear, and
    /// gives its orders as they are then. It ends early with more orders than `most`.
    pub(super) async fn watch(
        &self,
        purchase: &Purchase,
        most: usize,
        usual: Duration,
    ) -> Result<Vec<OrderRow>, ProbeError> {
        let began = Instant::now();
        let until = (usual * 3).clamp(WATCH, self.settle.max(WATCH));
        loop {
            let orders = self.orders(purchase).await?;
            if orders.len() > most || began.elapsed() >= until {
                return Ok(orders);
            }
            sleep(AGAIN).await;
        }
    }
}

/// The database that the endpoint writes to.
fn database(scene: &Scene<'_>) -> Result<Arc<dyn Database>, Missing> {
    let mut settings = scene.accounts.clone();
    if let (Some(table), Some(url)) = (&mut settings.tables.database, &scene.table.database) {
        table.url = url.clone();
    }
    let roots = &scene.reach.extra_roots;
    Ok(Arc::new(ProjectDatabase::new(&settings, roots, Patience::default())?))
}

/// By how much the clock of the database may be behind this one.
const CLOCKS: SignedDuration = SignedDuration::from_mins(1);

/// The tables that a drill of payments fills.
const FILLED: [TableRole; 3] = [TableRole::Orders, TableRole::Events, TableRole::CrmSync];

/// The user that takes rows back.
fn eraser(scene: &Scene<'_>) -> Result<Eraser, String> {
    let Some(url) = &scene.table.undo_database else {
        return Err("nothing could be taken back: add undo_database = { env = \"NAME\" } under [project.drill], \
                    the address of the same database for a user that may delete rows of the mapped tables"
            .to_owned());
    };
    Eraser::new(scene.accounts, url, &scene.reach.extra_roots)
        .map_err(|no| format!("{}: {}", no.reason, no.unlock))
}

/// Why rows could not be taken back, with the remedy; nothing where they could.
pub(super) async fn cannot_erase(scene: &Scene<'_>) -> Option<String> {
    let eraser = match eraser(scene) {
        Ok(eraser) => eraser,
        Err(lack) => return Some(lack),
    };
    match eraser.refused(&FILLED).await {
        Ok(refused) if refused.is_empty() => None,
        Ok(refused) => Some(format!(
            "the user of undo_database may not delete from {0}: grant it, as in `GRANT SELECT, DELETE ON {0} TO \
             NAME`",
            refused.join(", ")
        )),
        Err(error) => Some(format!("undo_database: {error}")),
    }
}

/// Takes the rows of checkouts back, and looks that they are gone.
pub(super) async fn erase(scene: &Scene<'_>, purchases: &[Purchase]) -> Vec<Undo> {
    let since = scene.began.checked_sub(CLOCKS).unwrap_or(scene.began);
    let events = Leftover {
        table: TableRole::Events,
        columns: &["id"],
        keys: purchases.iter().flat_map(Purchase::event_ids).collect(),
        since: None,
    };
    let orders = Leftover {
        table: TableRole::Orders,
        columns: &KEYS,
        keys: purchases.iter().flat_map(Purchase::keys).collect(),
        since: Some(("created", since)),
    };
    let leftovers = [orders, events];
    let by_hand = |why: String| Undo {
        what: format!("rows of orders and events whose ids hold {}", scene.mark),
        state: UndoState::Left,
        how: format!("{why}; delete the rows whose keys hold {}", scene.mark),
    };
    let eraser = match eraser(scene) {
        Ok(eraser) => eraser,
        Err(lack) => return vec![by_hand(lack)],
    };
    let erased = match eraser.erase(&leftovers).await {
        Ok(erased) => erased,
        Err(error) => return vec![by_hand(error.to_string())],
    };
    let mut undone: Vec<Undo> = erased
        .into_iter()
        .map(|(table, count)| Undo {
            what: format!("{count} row{} of {table}", if count == 1 { "" } else { "s" }),
            state: UndoState::Done,
            how: "deleted".to_owned(),
        })
        .collect();
    match still_there(scene, purchases).await {
        Ok(0) => {}
        Ok(left) => undone.push(by_hand(format!(
            "{left} rows are still there: a policy may hide them from the user of undo_database, or your handler wrote the \
             mark into rows that were there before, which are yours and were changed"
        ))),
        Err(error) => undone.push(by_hand(error)),
    }
    undone
}

async fn still_there(scene: &Scene<'_>, purchases: &[Purchase]) -> Result<usize, String> {
    let rows = Rows::find(scene).await?;
    let mut left = 0;
    for purchase in purchases {
        let said = |error: ProbeError| error.to_string();
        left += rows.orders(purchase).await.map_err(said)?.len();
        left += rows.events(purchase.event_ids()).await.map_err(said)?.unwrap_or(0);
    }
    Ok(left)
}
