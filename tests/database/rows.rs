//! One suite of rows over both engines.

use launchready_checks::probe::{Database, Row, RowQuery, TableRole};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::cluster::Cluster;
use crate::look::{open, rows};

const TABLES: &str = "orders = { table = \"orders\" }\ncrm_sync = { table = \"crm_sync_log\" }\n";

/// Statements that both engines understand, but for the types of the columns.
fn shop(time: &str, number: &str) -> String {
    format!(
        "create table orders (id text primary key, \"stripeSessionId\" text, total {number}, currency text, \
         status text, created_at {time}, note text);
         insert into orders values ('o1', 'cs_1', 49.00, 'eur', 'paid', '2026-11-20 10:00:00+01:00', 'x');
         insert into orders values ('o2', 'it''s \\ \"two\"', 900, 'jpy', 'paid', '2026-11-20T09:30:00.5Z', 'x');
         insert into orders values ('o3', 'cs_1', 1.005, 'kwd', 'paid', '2026-11-21 00:00:00+00:00', 'x');
         insert into orders values ('o4', null, null, null, null, null, null);
         create table crm_sync_log (id integer primary key, order_id text, status text, created_at {time});
         insert into crm_sync_log values (1, 'o1', 'ok', '2026-11-20 10:00:00+00:00');
         insert into crm_sync_log values (2, 'gone', 'ok', '2026-11-20 10:00:00+00:00');
         insert into crm_sync_log values (3, 'gone', 'ok', '2026-11-20 10:00:00+00:00');
         insert into crm_sync_log values (4, null, 'ok', '2026-11-20 10:00:00+00:00');"
    )
}

async fn suite(database: &dyn Database) {
    let shape = database.shape(TableRole::Orders).await.unwrap().unwrap();
    assert_eq!(shape.columns["session"], "stripeSessionId");
    assert!(!shape.has("email") && shape.has("amount"));
    assert!(database.shape(TableRole::Tickets).await.unwrap().is_none());

    let columns = ["id", "session", "amount", "email"];
    let (all, walked) = rows(database, RowQuery::new(TableRole::Orders, &columns)).await.unwrap();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        all,
        [
            [some("o1"), some("cs_1"), some("4900"), None],
            [some("o2"), some("it's \\ \"two\""), some("900"), None],
            [some("o3"), some("cs_1"), some("1005"), None],
            [some("o4"), None, None, None],
        ]
    );
    assert_eq!((walked.entries, walked.cut), (4, false));

    let mut times = Vec::new();
    let query = RowQuery::new(TableRole::Orders, &["created", "id"]);
    let mut told = |row: Row<'_>| times.push(row.time(0).map(|at| at.to_string()));
    database.rows(query, &mut told).await.unwrap();
    times.sort();
    assert_eq!(
        times,
        [
            None,
            some("2026-11-20T09:00:00Z"),
            some("2026-11-20T09:30:00.5Z"),
            some("2026-11-21T00:00:00Z"),
        ]
    );

    let ids = async |query: RowQuery| {
        let (rows, walked) = rows(database, query).await.unwrap();
        (rows.into_iter().flatten().flatten().collect::<Vec<_>>().join(" "), walked.cut)
    };
    let query = || RowQuery::new(TableRole::Orders, &["id"]);
    for (since, found) in [
        ("2026-11-20T09:30:00.5Z", "o2 o3"),
        ("2026-11-20T09:30:00.501Z", "o3"),
        ("2026-11-20T09:00:00Z", "o1 o2 o3"),
    ] {
        assert_eq!(ids(query().since("created", since.parse().unwrap())).await.0, found, "{since}");
    }
    let values = ["cs_1", "it's \\ \"two\"", "x' OR '1'='1", "\\' OR 1=1 --"];
    let values = || values.map(str::to_owned).to_vec();
    assert_eq!(ids(query().among("session", values())).await.0, "o1 o2 o3");
    assert_eq!(ids(query().among("session", values()[2..].to_vec())).await.0, "");
    assert_eq!(ids(query().among("session", Vec::new())).await.0, "");
    let limited = RowQuery { limit: Some(4), ..query() };
    assert!(!ids(limited).await.1);
    let limited = RowQuery { limit: Some(3), ..query() };
    assert!(ids(limited).await.1);

    let repeated = database.repeated(TableRole::Orders, "session").await.unwrap();
    assert_eq!((repeated.values, repeated.total), (vec![("cs_1".to_owned(), 2)], 1));
    let none = database.repeated(TableRole::Orders, "id").await.unwrap();
    assert_eq!((none.values.len(), none.total), (0, 0));
    let strays =
        database.strays((TableRole::CrmSync, "order"), (TableRole::Orders, "id")).await.unwrap();
    assert_eq!((strays.values, strays.rows, strays.of), (vec!["gone".to_owned()], 2, 3));

    let error = rows(database, query().since("synced", "2026-11-20T09:00:00Z".parse().unwrap()));
    let error = error.await.unwrap_err();
    assert!(error.contains("project.database.orders.synced"), "{error}");
}

#[tokio::test]
async fn rows_come_the_same_from_postgresql() {
    let Some(cluster) = Cluster::start("rows", &[]).await else { return };
    cluster.sql(&shop("timestamptz", "numeric(12,3)")).await;
    cluster.sql("grant select on all tables in schema public to looker").await;
    suite(&*open(&cluster.url(), TABLES)).await;
    // A server that takes a backslash for a sign of its own.
    cluster.sql("alter role looker set standard_conforming_strings = off").await;
    suite(&*open(&cluster.url(), TABLES)).await;
}

#[tokio::test]
async fn rows_come_the_same_from_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut writer = options.connect().await.unwrap();
    let sql = shop("text", "decimal(12,3)");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut writer).await.unwrap();
    suite(&*open(&format!("sqlite:{}", path.display()), TABLES)).await;
}

#[tokio::test]
async fn times_and_amounts_of_other_types_are_read() {
    let Some(cluster) = Cluster::start("types", &[]).await else { return };
    cluster
        .sql(
            "create table orders (id bigint, total integer, currency char(3), created_at bigint);
             insert into orders values (1, 4900, 'EUR', 1763629200), (2, 900, 'JPY', 1763629200000);
             create table events (id text, received_at timestamp(3), created date, processed boolean);
             insert into events values ('e1', '2026-11-20 09:00', '2026-11-20', true);
             create table tickets (id uuid, created_at text);
             insert into tickets values (null, '2026-11-20T10:00:00+01:00'), (null, ' ');
             grant select on all tables in schema public to looker",
        )
        .await;
    let tables = "orders = { table = \"orders\" }\nevents = { table = \"events\" }\n\
                  tickets = { table = \"tickets\" }\n";
    let database = open(&cluster.url(), tables);
    let read = async |role, columns: &[&'static str]| {
        let (rows, _) = rows(&*database, RowQuery::new(role, columns)).await.unwrap();
        rows.into_iter()
            .map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        read(TableRole::Orders, &["id", "amount", "created"]).await,
        ["1 4900 2025-11-20T09:00:00.000000Z", "2 900 2025-11-20T09:00:00.000000Z"]
    );
    assert_eq!(
        read(TableRole::Events, &["received", "created", "processed"]).await,
        ["2026-11-20T09:00:00.000000Z 2026-11-20T00:00:00Z true"]
    );
    assert_eq!(read(TableRole::Tickets, &["created"]).await, ["", "2026-11-20T09:00:00.000000Z"]);
    let since = "2026-11-20T09:00:00Z".parse().unwrap();
    let query = RowQuery::new(TableRole::Tickets, &["created"]).since("created", since);
    assert_eq!(rows(&*database, query).await.unwrap().1.entries, 1);
    let query = RowQuery::new(TableRole::Events, &["id"]).since("processed", since);
    let error = rows(&*database, query).await.unwrap_err();
    assert!(error.contains("holds no time"), "{error}");
    cluster.sql("insert into tickets values (null, 'a@b.example, yesterday')").await;
    let query = RowQuery::new(TableRole::Tickets, &["created"]);
    let error = rows(&*database, query).await.unwrap_err();
    assert!(error.contains("cannot read a value") && !error.contains("a@b"), "{error}");
}

/// The memory that the process has needed at most, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

async fn walk_a_million(database: &dyn Database) {
    assert_eq!(database.shape(TableRole::Orders).await.unwrap().unwrap().columns.len(), 4);
    let (before, began) = (peak(), std::time::Instant::now());
    let (mut rows, mut paid) = (0_u64, 0_i64);
    let query = RowQuery::new(TableRole::Orders, &["id", "session", "amount", "created"]);
    let walked = database
        .rows(query, &mut |row| {
            rows += 1;
            paid += row.integer(2).unwrap();
        })
        .await
        .unwrap();
    println!("a million rows in {:?}, {} KiB more", began.elapsed(), peak() - before);
    assert_eq!((walked.entries, rows, paid), (1_000_000, 1_000_000, 4_900_000_000));
    assert!(peak() - before < 16 * 1024, "{} KiB", peak() - before);
}

#[tokio::test]
async fn a_million_rows_of_postgresql_need_no_more_memory_than_one() {
    let Some(cluster) = Cluster::start("a million rows", &[]).await else { return };
    cluster
        .sql(
            "create view orders as select 'order-' || n as id, 'cs_live_' || md5(n::text) as session, \
             4900 as amount, now() - n * interval '1 second' as created from generate_series(1, 1000000) as n; \
             grant select on orders to looker",
        )
        .await;
    walk_a_million(&*open(&cluster.url(), "orders = { table = \"orders\" }")).await;
}

#[tokio::test]
async fn a_million_rows_of_sqlite_need_no_more_memory_than_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut writer = options.connect().await.unwrap();
    sqlx::raw_sql(
        "create table orders (id text, session text, amount integer, created integer); \
         insert into orders with recursive numbers(n) as (select 1 union all select n + 1 from numbers \
         where n < 1000000) select 'order-' || n, 'cs_live_' || n, 4900, 1763629200 - n from numbers",
    )
    .execute(&mut writer)
    .await
    .unwrap();
    drop(writer);
    walk_a_million(&*open(
        &format!("sqlite:{}", path.display()),
        "orders = { table = \"orders\" }",
    ))
    .await;
}
