//! Behind `PgBouncer` in transaction mode with one connection for everybody.

use launchready_checks::probe::{Database, ProbeError, RowQuery, TableRole, TargetFault};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Row as _};

use crate::cluster::{Cluster, DATABASE, LOOKER, PASSWORD, url_at};
use crate::look::{SHORT, open_with, orders, rows};

#[tokio::test]
async fn everything_works_behind_a_pooler_and_leaves_no_trace_in_its_connection() {
    let Some(mut cluster) = Cluster::start("pooler", &[]).await else { return };
    let Some((pooler, address)) = cluster.pooler("pooler") else { return };
    cluster
        .sql(
            "create table orders (id text primary key, status text); \
             insert into orders select n::text, 'paid' from generate_series(1, 5000) n; \
             grant select on orders to looker",
        )
        .await;
    let url = url_at(address, DATABASE);
    let look = || open_with(&url, "orders = { table = \"orders\" }", SHORT);
    let (one, other) = (look(), look());
    for _ in 0..3 {
        let (first, second) = tokio::join!(orders(&*one), orders(&*other));
        assert_eq!((first, second), (Ok(5000), Ok(5000)));
    }
    let some = RowQuery::new(TableRole::Orders, &["status"]).among("id", vec!["7".to_owned()]);
    assert_eq!(rows(&*one, some).await.unwrap().0, [[Some("paid".to_owned())]]);
    assert_eq!(other.facts().await.unwrap().user, LOOKER);
    assert_eq!(one.catalogue().await.unwrap().tables[0].name, "orders");
    let answer = other.ask("select count(*) from orders".to_owned()).await.unwrap();
    assert_eq!(answer.rows, [[Some("5000".to_owned())]]);
    assert!(one.ask("select 1; select 2".to_owned()).await.is_err());

    // Whoever has the connection next finds it as it was.
    let options = PgConnectOptions::new()
        .host("127.0.0.1")
        .port(address.port())
        .username(LOOKER)
        .password(PASSWORD)
        .database(DATABASE)
        .extra_float_digits(None);
    let mut next = options.connect().await.unwrap();
    let sql = "select current_setting('transaction_read_only') || ' ' || \
               current_setting('default_transaction_read_only') || ' ' || \
               current_setting('statement_timeout') || ' ' || \
               (select count(*) from pg_prepared_statements) || ' ' || \
               (select count(*) from pg_cursors)";
    let row = sqlx::raw_sql(sql).fetch_one(&mut next).await.unwrap();
    assert_eq!(row.try_get_unchecked::<String, _>(0).unwrap(), "off off 0 0 0");
    drop(next);

    cluster.down();
    let query = RowQuery::new(TableRole::Orders, &["id"]);
    let error = one.rows(query, &mut |_row| ()).await.unwrap_err();
    let told =
        matches!(&error, ProbeError::Target(TargetFault::Refused(_) | TargetFault::TimedOut(_)));
    assert!(told, "{error:?}");
    assert!(!error.to_string().contains("l00k"), "{error}");
    cluster.up();
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while orders(&*one).await != Ok(5000) {
        assert!(std::time::Instant::now() < deadline, "{:?}", orders(&*one).await);
        tokio::task::yield_now().await;
    }
    drop(pooler);
}

#[tokio::test]
async fn a_pooler_that_refuses_is_told_like_a_server() {
    let Some(cluster) = Cluster::start("pooler refuses", &[]).await else { return };
    let Some((_pooler, address)) = cluster.pooler("pooler refuses") else { return };
    for (url, part) in [
        (url_at(address, DATABASE).replace("please", "pleese"), "refuses user \"looker\""),
        (url_at(address, DATABASE).replace("looker", "nobody"), "refuses user \"nobody\""),
        (url_at(address, "shopp"), "has no database \"shopp\""),
    ] {
        let database = open_with(&url, "orders = { table = \"orders\" }", SHORT);
        let error = database.shape(TableRole::Orders).await.unwrap_err().to_string();
        assert!(error.contains(part) && !error.contains("l00k"), "{error}");
    }
}
