//! The database of the lab's shop: a file of SQLite that the shop's webhook writes as the world's clock
//! goes on.

mod rows;
mod tables;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tokio::sync::Mutex;

use crate::data;
use crate::error::LabError;
use crate::plan::Plan;
use crate::sales::{Sales, SalesPlan};
use crate::web::Clock;

/// The file in the lab's folder.
const FILE: &str = "shop.db";
/// How often the shop looks whether something was sold.
const LOOK: Duration = Duration::from_millis(50);

/// The shop, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShopPlan {
    /// The plain sale that was last made so many seconds before the world began was handled and has no order.
    pub without_order_s: Vec<i64>,
    /// The plain sale that was last made so many seconds before the world began has two orders.
    pub duplicate_s: Vec<i64>,
    /// So many events of the last minutes failed.
    pub failed_events: u32,
    /// So many events of the last hour were taken and never finished.
    pub stuck_events: u32,
    /// Seconds between the making of an event and its arrival.
    pub lag_s: i64,
    /// Nothing but the number of a row is unique.
    pub no_unique: bool,
    /// The log of the CRM leads to orders without a foreign key.
    pub no_foreign_key: bool,
    /// So many rows of the log of the CRM lead to an order that is not there.
    pub stray_rows: u32,
    /// One in so many orders never reached the CRM; none where it is 0.
    pub crm_failed_each: u64,
    /// The CRM was never told of the plain order that was made so many seconds before the world began.
    pub crm_unheard_s: Vec<i64>,
    /// Types of events that the shop takes and does nothing with.
    pub deaf_to: Vec<String>,
}

impl Default for ShopPlan {
    fn default() -> Self {
        Self {
            without_order_s: Vec::new(),
            duplicate_s: Vec::new(),
            failed_events: 0,
            stuck_events: 0,
            lag_s: 2,
            no_unique: false,
            no_foreign_key: false,
            stray_rows: 0,
            crm_failed_each: 0,
            crm_unheard_s: Vec::new(),
            deaf_to: Vec::new(),
        }
    }
}

/// What is sold and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Facts {
    plan: ShopPlan,
    sales: SalesPlan,
    /// Sales that the provider never told of, as `without_order_s`.
    lost_s: Vec<i64>,
    /// Sales that were paid twice, as the provider has it.
    paid_twice_s: Vec<i64>,
    start: Timestamp,
}

impl Facts {
    /// The facts of a world that has a shop.
    fn of(plan: &Plan, start: Timestamp) -> Result<Option<Self>, LabError> {
        let Some(shop) = &plan.shop else { return Ok(None) };
        let stripe = plan.api.get("stripe").map(|api| &api.table);
        let part = |name: &str| stripe.and_then(|table| table.get(name));
        let sales = part("sales").map(|value| data::of("api.stripe", value)).transpose()?;
        let ages = |name: &str| -> Result<Vec<i64>, LabError> {
            let ages = part(name).map(|value| data::of("api.stripe", value)).transpose()?;
            Ok(ages.unwrap_or_default())
        };
        Ok(Some(Self {
            plan: shop.clone(),
            sales: sales.unwrap_or_default(),
            lost_s: ages("lost_s")?,
            paid_twice_s: ages("paid_twice_s")?,
            start,
        }))
    }

    fn sales(&self) -> Sales {
        Sales { plan: self.sales.clone(), start: self.start }
    }
}

/// The file and who writes it.
#[derive(Debug)]
struct Writer {
    connection: SqliteConnection,
    facts: Option<Facts>,
    /// Everything up to this second is written.
    written: i64,
    /// When the rows that stay recent were written last.
    renewed: i64,
}

/// The shop's database. It is written as long as the lab runs.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    path: PathBuf,
    start: Timestamp,
    clock: Clock,
    writer: Arc<Mutex<Option<Writer>>>,
}

impl Shop {
    /// A shop in a folder; nothing is written before there is something to sell.
    pub(crate) fn new(folder: &Path, start: Timestamp, clock: Clock) -> Self {
        Self { path: folder.join(FILE), start, clock, writer: Arc::default() }
    }

    /// Makes the shop what a plan says. What is already so stays.
    pub(crate) async fn enter(&self, plan: &Plan) -> Result<(), LabError> {
        let facts = Facts::of(plan, self.start)?;
        let mut writer = self.writer.lock().await;
        if facts == writer.as_ref().and_then(|writer| writer.facts.clone()) {
            return Ok(());
        }
        let wrong = |source| LabError::Shop { path: self.path.clone(), source };
        if writer.is_none() {
            *writer = Some(Writer::open(&self.path).await.map_err(wrong)?);
        }
        let Some(writer) = writer.as_mut() else { return Ok(()) };
        writer.facts = facts;
        writer.make(self.clock.now()).await.map_err(wrong)
    }

    /// Writes what has been sold, again and again.
    pub(crate) async fn run(self) {
        let mut tick = tokio::time::interval(LOOK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tick.tick().await;
            let now = self.clock.now();
            if let Some(writer) = self.writer.lock().await.as_mut()
                && let Err(error) = writer.go_on(now).await
            {
                tracing::debug!(%error, "the shop could not write");
            }
        }
    }
}

impl Writer {
    async fn open(path: &Path) -> Result<Self, sqlx::Error> {
        let connection = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            // Whoever reads sees the shop before or after a change, and waits for neither.
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off)
            .foreign_keys(false)
            .disable_statement_logging()
            .connect()
            .await?;
        Ok(Self { connection, facts: None, written: i64::MIN, renewed: i64::MIN })
    }

    /// Writes everything anew.
    async fn make(&mut self, now: Timestamp) -> Result<(), sqlx::Error> {
        let mut sql = String::from("BEGIN IMMEDIATE;\n");
        sql.push_str(tables::DROP);
        if let Some(facts) = &self.facts {
            sql.push_str(&tables::create(&facts.plan));
            rows::write(facts, i64::MIN, now, &mut sql);
            rows::strays(facts, now, &mut sql);
            rows::renew(&facts.plan, now, &mut sql);
        }
        sql.push_str("COMMIT;");
        self.execute(sql).await?;
        (self.written, self.renewed) = (now.as_second(), now.as_second());
        Ok(())
    }

    /// Writes what has happened since.
    async fn go_on(&mut self, now: Timestamp) -> Result<(), sqlx::Error> {
        let Some(facts) = &self.facts else { return Ok(()) };
        let second = now.as_second();
        let mut sql = String::new();
        if second > self.written {
            rows::write(facts, self.written, now, &mut sql);
        }
        let renews = second - self.renewed >= rows::RENEWED_S && rows::stays_recent(&facts.plan);
        if renews {
            rows::renew(&facts.plan, now, &mut sql);
        }
        if !sql.is_empty() {
            self.execute(format!("BEGIN IMMEDIATE;\n{sql}COMMIT;")).await?;
        }
        self.written = second.max(self.written);
        if renews {
            self.renewed = second;
        }
        Ok(())
    }

    async fn execute(&mut self, sql: String) -> Result<(), sqlx::Error> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await;
        if done.is_err() {
            // What was begun is not left half done.
            drop(sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await);
        }
        done.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;
    use crate::World;

    async fn counts(path: &Path) -> Vec<i64> {
        let options = SqliteConnectOptions::new().filename(path).read_only(true);
        let mut reader = options.connect().await.unwrap();
        let sql = "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM stripe_events), \
                   (SELECT count(*) FROM crm_sync_log), (SELECT count(*) FROM subscriptions), \
                   (SELECT count(*) FROM stripe_events WHERE status = 'failed'), \
                   (SELECT count(*) FROM (SELECT 1 FROM orders GROUP BY stripe_session_id HAVING count(*) > 1))";
        let row = sqlx::raw_sql(sql).fetch_one(&mut reader).await.unwrap();
        (0..row.len()).map(|place| row.get(place)).collect()
    }

    fn world(shop: &str) -> Plan {
        let text = format!(
            "project = {{}}\nzone = {{}}\nname_server = {{}}\nresolver = {{}}\n\
             [api.stripe]\nsales = {{ every_s = 1200, days = 2 }}\n[shop]\n{shop}"
        );
        World::from_toml(&text).unwrap().plan().unwrap()
    }

    #[tokio::test]
    async fn the_shop_has_an_order_for_each_sale_and_goes_on_with_the_clock() {
        let folder = tempfile::tempdir().unwrap();
        let start: Timestamp = "2026-11-20T09:00:30Z".parse().unwrap();
        // Nothing happens by itself: the clock is asked once, at the start.
        let shop = Shop::new(folder.path(), start, Clock::new(start, 1.0));
        shop.enter(&world("")).await.unwrap();
        let first = counts(&shop.path).await;
        assert_eq!((first[0], first[2], first[4], first[5]), (144, 144, 0, 0));
        assert!(first[1] > 144 && first[3] > 10, "{first:?}");
        let later = start + jiff::SignedDuration::from_hours(1);
        shop.writer.lock().await.as_mut().unwrap().go_on(later).await.unwrap();
        let second = counts(&shop.path).await;
        assert_eq!(second[0], 147);
        // Writing the same hour again changes nothing.
        shop.writer.lock().await.as_mut().unwrap().go_on(later).await.unwrap();
        assert_eq!(counts(&shop.path).await, second);
    }

    #[tokio::test]
    async fn what_is_wrong_is_in_the_rows_and_can_be_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let start: Timestamp = "2026-11-20T09:00:30Z".parse().unwrap();
        let shop = Shop::new(folder.path(), start, Clock::new(start, 1.0));
        shop.enter(&world(
            "without_order_s = [7200, 86400]\nduplicate_s = [3600]\nfailed_events = 5",
        ))
        .await
        .unwrap();
        let broken = counts(&shop.path).await;
        assert_eq!((broken[0], broken[4], broken[5]), (143, 5, 1));
        let later = start + jiff::SignedDuration::from_hours(5);
        shop.writer.lock().await.as_mut().unwrap().go_on(later).await.unwrap();
        // What stays recent is moved and not added to.
        assert_eq!(counts(&shop.path).await[4], 5);
        shop.enter(&world("")).await.unwrap();
        let healthy = counts(&shop.path).await;
        assert_eq!((healthy[0], healthy[4], healthy[5]), (144, 0, 0));
    }
}
