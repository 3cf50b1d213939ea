//! Every code of the checks that live on the database alone, against PostgreSQL.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::CheckError;

use crate::cluster::Cluster;
use crate::look::{SHORT, check, codes, open, open_with};

const SUPABASE: &str = include_str!("../fixtures/database/supabase.sql");
const TABLES: &str = "orders = { table = \"orders\" }\nevents = { table = \"stripe_events\" }\n\
                      crm_sync = { table = \"crm_sync_log\" }\n";

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// So long before the checks run, as the database writes it.
fn ago(seconds: i64) -> String {
    (now() - SignedDuration::from_secs(seconds)).to_string()
}

/// Events, each with its age, how it stands, and its lag.
fn events(name: &str, status: &str, count: u32, age: i64, lag: i64) -> String {
    format!(
        "insert into stripe_events select '{name}' || n, 'checkout.session.completed', '{status}', \
         '{}', '{}', case when '{status}' = 'processing' then null else '{}'::timestamptz end, null \
         from generate_series(1, {count}) n;",
        ago(age + lag),
        ago(age),
        ago(age)
    )
}

#[tokio::test]
async fn every_code_of_webhook_processing_is_found_and_goes_away() {
    let Some(cluster) = Cluster::start("webhook-processing", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    cluster.sql("grant select on all tables in schema public to looker").await;
    let url = cluster.url();
    let look = async |sql: String| {
        cluster.sql("truncate stripe_events").await;
        cluster.sql(&sql).await;
        let found = check("webhook-processing", open(&url, TABLES), now()).await.unwrap();
        codes(&found).join(" ")
    };
    let healthy = events("good", "processed", 400, 3_000, 2);
    assert_eq!(look(healthy.clone()).await, "");
    for (age, count, found) in [
        (599, 4, "webhook-failures"),
        (599, 3, ""),
        (601, 4, ""),
        (3_600, 4, ""),
        (3_600, 5, "webhook-error-rate"),
    ] {
        let sql = healthy.clone() + &events("bad", "failed", count, age, 2);
        assert_eq!(look(sql).await, found, "{count} failures {age} s ago");
    }
    for (age, found) in [(600, ""), (601, "webhook-stuck")] {
        let sql = healthy.clone() + &events("open", "processing", 1, age, 2);
        assert_eq!(look(sql).await, found, "open for {age} s");
    }
    for (lag, found) in [(60, ""), (61, "webhook-lag")] {
        assert_eq!(
            look(events("late", "processed", 40, 3_000, lag)).await,
            found,
            "late by {lag} s"
        );
    }
}

#[tokio::test]
async fn every_code_of_orders_idempotency_is_found_and_goes_away() {
    let Some(cluster) = Cluster::start("orders-idempotency", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    cluster.sql("grant select on all tables in schema public to looker").await;
    let url = cluster.url();
    let look = async |tables: &str| {
        let found = check("orders-idempotency", open(&url, tables), now()).await.unwrap();
        assert!(found.not_checked.is_empty(), "{:?}", found.not_checked);
        codes(&found).join(" ")
    };
    assert_eq!(look(TABLES).await, "");
    let order =
        "insert into crm_sync_log (order_id) values ('00000000-0000-0000-0000-000000000001')";
    for (change, back, found) in [
        (
            "alter table stripe_events drop constraint stripe_events_pkey",
            "alter table stripe_events add primary key (event_id)",
            "event-id-not-unique",
        ),
        (
            "drop index orders_session",
            "create unique index on orders (stripe_session_id)",
            "order-session-not-unique",
        ),
        (
            "alter table crm_sync_log drop constraint crm_sync_log_order_id_fkey",
            "select 1",
            "parent-without-foreign-key",
        ),
        (
            &format!(
                "insert into orders default values; insert into crm_sync_log (order_id) select id from orders; {order}"
            ),
            "delete from crm_sync_log; alter table crm_sync_log add foreign key (order_id) references orders",
            "parent-without-foreign-key row-parent-missing",
        ),
        (
            "grant delete on orders to looker",
            "revoke delete on orders from looker",
            "database-user-can-write",
        ),
    ] {
        cluster.sql(change).await;
        assert_eq!(look(TABLES).await, found, "{change}");
        cluster.sql(back).await;
    }
    assert_eq!(look(TABLES).await, "");
    cluster.sql("alter table stripe_events rename to inbox").await;
    assert_eq!(look("orders = { table = \"orders\" }").await, "events-table-missing");
}

#[tokio::test]
async fn a_database_that_does_not_answer_makes_a_check_unknown_and_the_next_run_sees_it() {
    let Some(mut cluster) = Cluster::start("unknown", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    cluster.sql("grant select on all tables in schema public to looker").await;
    cluster.sql(&events("good", "processed", 60, 300, 2)).await;
    let url = cluster.url();
    let look = async |id: &str| check(id, open_with(&url, TABLES, SHORT), now()).await;
    cluster.down();
    for id in ["webhook-processing", "orders-idempotency"] {
        let error = look(id).await.unwrap_err();
        let CheckError::Unknown { cause, unlock } = &error else { panic!("{id}: {error:?}") };
        assert!(cause.contains("takes no connection") && !unlock.is_empty(), "{error:?}");
    }
    cluster.up();
    for id in ["webhook-processing", "orders-idempotency"] {
        assert!(look(id).await.unwrap().findings.is_empty());
    }
    let wrong = TABLES.replace("stripe_events", "stripe_event");
    let error = check("webhook-processing", open(&url, &wrong), now()).await.unwrap_err();
    let CheckError::Unknown { cause, unlock } = &error else { panic!("{error:?}") };
    assert!(cause.contains("the nearest is \"stripe_events\""), "{cause}");
    assert_eq!(unlock, "correct the setting that is named");
}
