//! Each fault has its own cause and its own step, shows no password, and is over at the next look.

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use launchready::connect::database::Patience;
use launchready_checks::probe::{
    AgentFault, Database, ProbeError, RowQuery, TableRole, TargetFault,
};

use crate::cluster::{Cluster, DATABASE, LOOKER, PASSWORD, url_at};
use crate::look::{SHORT, open_with, orders};

const ORDERS: &str = "orders = { table = \"orders\" }";
const SHOP: &str = "create table orders (id text); insert into orders values ('o1'); \
                    grant select on orders to looker";

/// Waits until a question of the owner has this answer.
async fn until(cluster: &Cluster, sql: &str, answer: &str) {
    let deadline = Instant::now() + Duration::from_mins(1);
    while cluster.value(sql).await != answer {
        assert!(Instant::now() < deadline, "{sql} is never {answer}");
        tokio::task::yield_now().await;
    }
}

async fn fails(database: &dyn Database, part: &str) -> ProbeError {
    let query = RowQuery::new(TableRole::Orders, &["id"]);
    let error = database.rows(query, &mut |_row| ()).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(part), "{text}, not {part}");
    assert!(!text.contains(PASSWORD) && !text.contains("l00k"), "{text}");
    error
}

#[tokio::test]
async fn what_the_address_says_wrong_is_told_by_its_part() {
    let Some(cluster) = Cluster::start("addresses", &[]).await else { return };
    cluster.sql(SHOP).await;
    let (address, url) = (cluster.address, cluster.url());
    let look = |url: &str| open_with(url, ORDERS, SHORT);

    let error = fails(&*look(&url.replace("please", "pleese")), "refuses user \"looker\"").await;
    assert!(matches!(error, ProbeError::Agent(AgentFault::BadCredential(_))));
    let error = fails(&*look(&url.replace("looker", "nobody")), "refuses user \"nobody\"").await;
    assert!(matches!(error, ProbeError::Agent(AgentFault::BadCredential(_))));
    let error = fails(&*look(&url_at(address, "shopp")), "has no database \"shopp\"").await;
    assert!(matches!(error, ProbeError::Agent(AgentFault::Misconfigured(_))));
    let closed = crate::port::free_port();
    let error = fails(&*look(&url_at(closed, DATABASE)), "takes no connection").await;
    assert!(matches!(error, ProbeError::Target(TargetFault::Refused(_))));
    let nowhere = url.replace("127.0.0.1", "db.nowhere.invalid");
    let error = fails(&*look(&nowhere), "the host of PostgreSQL at db.nowhere.invalid").await;
    assert!(matches!(error, ProbeError::Target(TargetFault::Unresolvable(_))));
    let error = fails(&*look("postgres://looker:l00k/x@127.0.0.1/shop"), "is written as %23").await;
    assert!(matches!(error, ProbeError::Agent(AgentFault::Misconfigured(_))));
    // The privilege is granted, and the same port sees the rows.
    cluster.sql("revoke select on orders from looker").await;
    let database = look(&url);
    let error = fails(&*database, "permission denied for table orders").await;
    assert!(
        matches!(&error, ProbeError::Agent(AgentFault::Forbidden(text)) if text.contains("GRANT SELECT"))
    );
    cluster.sql("grant select on orders to looker").await;
    assert_eq!(orders(&*database).await, Ok(1));
}

#[tokio::test]
async fn a_server_that_stops_refuses_hangs_or_only_reads_is_told_and_seen_again() {
    let Some(mut cluster) = Cluster::start("stopped servers", &[]).await else { return };
    cluster.sql(SHOP).await;
    let database = open_with(&cluster.url(), ORDERS, SHORT);
    assert_eq!(orders(&*database).await, Ok(1));

    cluster.down();
    let error = fails(&*database, "takes no connection; see whether it runs").await;
    assert!(matches!(error, ProbeError::Target(TargetFault::Refused(_))));
    cluster.up();
    assert_eq!(orders(&*database).await, Ok(1));

    // Stopped by a signal it takes connections and says nothing.
    let pid = std::fs::read_to_string(cluster.data().join("postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().to_owned();
    let signal = |name: &str| {
        let mut kill = Command::new("sh");
        assert!(kill.args(["-c", &format!("kill -s {name} {pid}")]).status().unwrap().success());
    };
    let fresh = open_with(&cluster.url(), ORDERS, SHORT);
    signal("STOP");
    let error = fails(&*fresh, "takes no connection in time").await;
    assert!(matches!(error, ProbeError::Target(TargetFault::TimedOut(_))));
    signal("CONT");
    assert_eq!(orders(&*fresh).await, Ok(1));

    cluster.sql(&format!("alter database {DATABASE} set default_transaction_read_only = on")).await;
    assert_eq!(orders(&*open_with(&cluster.url(), ORDERS, SHORT)).await, Ok(1));
}

#[tokio::test]
async fn a_server_without_room_is_told_and_seen_again() {
    let Some(cluster) = Cluster::start("no room", &[]).await else { return };
    cluster.sql(SHOP).await;
    cluster.sql(&format!("alter role {LOOKER} connection limit 1")).await;
    let (first, second) =
        (open_with(&cluster.url(), ORDERS, SHORT), open_with(&cluster.url(), ORDERS, SHORT));
    assert_eq!(orders(&*first).await, Ok(1));
    let error = fails(&*second, "has no room: too many connections for role").await;
    assert!(matches!(error, ProbeError::Target(TargetFault::Refused(_))));
    drop(first);
    let held = "select count(*)::text from pg_stat_activity where usename = 'looker'";
    until(&cluster, held, "0").await;
    assert_eq!(orders(&*second).await, Ok(1));
}

#[tokio::test]
async fn a_question_that_is_slow_or_killed_is_told_and_seen_again() {
    let Some(cluster) = Cluster::start("slow servers", &[]).await else { return };
    cluster.sql(SHOP).await;
    cluster
        .sql(
            "create view slow as select 'x' as id from (select pg_sleep(60)) as wait; \
             create view long as select n::text as id, case when n > 1000 then pg_sleep(0.1)::text end as wait \
             from generate_series(1, 100000) as n; grant select on slow, long to looker",
        )
        .await;
    let impatient = Patience { rows: Duration::from_secs(1), ..SHORT };
    let slow = open_with(&cluster.url(), "orders = { table = \"slow\" }", impatient);
    let error = fails(&*slow, "took too long").await;
    assert!(matches!(error, ProbeError::Target(TargetFault::TimedOut(_))));

    let tables = "orders = { table = \"long\", status = \"wait\" }";
    let database = open_with(&cluster.url(), tables, SHORT);
    let walk = tokio::spawn({
        let database = Arc::clone(&database);
        async move {
            let mut seen = 0_u64;
            let query = RowQuery::new(TableRole::Orders, &["id", "status"]);
            (database.rows(query, &mut |_row| seen += 1).await, seen)
        }
    });
    let running = "select count(*)::text from pg_stat_activity where usename = 'looker' \
                   and query like 'COPY%' and wait_event = 'PgSleep'";
    until(&cluster, running, "1").await;
    cluster
        .value(
            "select count(pg_terminate_backend(pid))::text from pg_stat_activity where usename = 'looker'",
        )
        .await;
    let (walked, seen) = walk.await.unwrap();
    let error = walked.unwrap_err();
    assert!(matches!(&error, ProbeError::Target(TargetFault::Refused(_))), "{error:?}");
    assert!(seen < 100_000, "{seen}");

    // The same port, once the view is quick.
    cluster.sql("create or replace view long as select n::text as id, null::text as wait from generate_series(1, 5) as n").await;
    assert_eq!(orders(&*database).await, Ok(5));
}
