//! Questions of the user against PostgreSQL: numbers, and statements that the server refuses.

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Status};
use serde_json::json;

use crate::cluster::Cluster;
use crate::look::{SHORT, check_with, codes, open, open_with};

fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

#[tokio::test]
async fn a_query_of_the_user_is_held_against_its_ranges() {
    let Some(cluster) = Cluster::start("external-sql", &[]).await else { return };
    cluster
        .sql(
            "create table orders (id int, paid boolean); grant select on orders to looker; \
             insert into orders select n, n > 6 from generate_series(1, 100) n",
        )
        .await;
    let options = json!({"query": [
        {"name": "unpaid", "sql": "select count(*) from orders where not paid", "warning": "5", "critical": "6"},
        {"name": "share", "sql": "select avg(paid::int) from orders", "critical": "0.95:", "unit": "ratio",
         "severity": "warning"},
        {"name": "any", "sql": "select exists (select from orders) as any", "critical": "1:"},
    ]});
    let look = async || check_with("external-sql", &options, open(&cluster.url(), ""), now()).await;
    let found = look().await.unwrap();
    assert_eq!(codes(&found), ["query-critical", "query-warning"], "{found:?}");
    assert!(found.findings.iter().all(|found| found.severity == Severity::Warning));
    let values: Vec<_> = found
        .measurements
        .iter()
        .map(|value| (value.subject.as_deref().unwrap(), value.name.as_str(), value.value))
        .collect();
    assert_eq!(
        values,
        [("unpaid", "value", 6.0), ("share", "value-ratio", 0.94), ("any", "value", 1.0)]
    );
    cluster.sql("update orders set paid = false where id = 7").await;
    let found = look().await.unwrap();
    assert_eq!(found.status(), Status::Fail, "seven are critical: {found:?}");
    cluster.sql("update orders set paid = true").await;
    assert_eq!(look().await.unwrap().status(), Status::Pass);
}

#[tokio::test]
async fn what_the_server_refuses_is_an_error_of_the_config_with_its_words() {
    let Some(cluster) = Cluster::start("external-sql-refused", &[]).await else { return };
    cluster
        .sql(
            "create table orders (id int); insert into orders values (1), (2); \
             create function sneaky() returns int language plpgsql volatile security definer as \
             $$ begin delete from orders; return 0; end $$; \
             grant select, insert, delete on orders to looker",
        )
        .await;
    let words = [
        ("with gone as (delete from orders returning id) select count(*) from gone", "WITH"),
        ("select sneaky()", "read-only transaction"),
        ("select 1; delete from orders", "multiple commands"),
        ("select count(*) from order", "syntax error"),
        ("select count(*) from oders", "does not exist"),
    ];
    for (sql, says) in words {
        let options = json!({"query": [{"name": "bad", "sql": sql, "critical": "0"}]});
        let database = open_with(&cluster.url(), "", SHORT);
        let found = check_with("external-sql", &options, database, now()).await.unwrap();
        assert_eq!(found.status(), Status::Unknown, "{sql}: {found:?}");
        let [part] = found.not_checked.as_slice() else { panic!("{sql}: {found:?}") };
        let named =
            "the config does not fit: project.checks.external-sql.query of the name \"bad\"";
        assert!(part.reason.starts_with(named) && part.reason.contains(says), "{}", part.reason);
    }
    let options =
        json!({"query": [{"name": "rows", "sql": "select id from orders", "critical": "0"}]});
    let found =
        check_with("external-sql", &options, open(&cluster.url(), ""), now()).await.unwrap();
    assert_eq!(found.not_checked[0].reason, "it gives 2 rows");
    assert_eq!(cluster.value("select count(*)::text from orders").await, "2");
}
