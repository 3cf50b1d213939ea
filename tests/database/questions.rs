//! A question of the user reads, or is refused by the server itself.

use launchready_checks::probe::{AgentFault, Database, ProbeError, TargetFault};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::cluster::Cluster;
use crate::look::{SHORT, open, open_with};

#[tokio::test]
async fn a_question_to_postgresql_changes_nothing() {
    let Some(cluster) = Cluster::start("questions", &[]).await else { return };
    cluster
        .sql(
            "create table orders (id text); insert into orders select n::text from generate_series(1, 300) n; \
             create function sneaky() returns text language plpgsql volatile security definer as \
             $$ begin delete from orders; return 'gone'; end $$; \
             grant select, delete, insert on orders to looker",
        )
        .await;
    let database = open_with(&cluster.url(), "", SHORT);
    let answer =
        database.ask("select 1 as one, null as none, 'a;b' as \"it's\" -- done;".to_owned());
    let answer = answer.await.unwrap();
    assert_eq!(answer.columns, ["one", "none", "it's"]);
    assert_eq!(answer.rows, [[Some("1".to_owned()), None, Some("a;b".to_owned())]]);
    let answer = database.ask("select id from orders;".to_owned()).await.unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (200, true));
    let answer = database.ask("with x as (select 1) table x".to_owned()).await.unwrap();
    assert_eq!((answer.rows.len(), answer.cut), (1, false));
    for sql in [
        "with gone as (delete from orders returning id) select * from gone",
        "select sneaky()",
        "select 1; delete from orders",
        "delete from orders",
        "commit",
        "set transaction read write",
        "select nextval('none')",
        "prepare later as delete from orders",
        "select * from nowhere",
        "selec 1",
        "",
    ] {
        let error = database.ask(sql.to_owned()).await.unwrap_err();
        let refused = matches!(&error, ProbeError::Agent(AgentFault::Misconfigured(_)));
        assert!(refused, "{sql}: {error:?}");
    }
    let error = database.ask("select pg_read_file('/etc/passwd')".to_owned()).await.unwrap_err();
    assert!(matches!(&error, ProbeError::Agent(AgentFault::Forbidden(_))), "{error:?}");
    let error = database.ask("select pg_sleep(60)".to_owned()).await.unwrap_err();
    assert!(matches!(&error, ProbeError::Target(TargetFault::TimedOut(_))), "{error:?}");
    assert_eq!(cluster.value("select count(*)::text from orders").await, "300");
}

#[tokio::test]
async fn a_question_to_sqlite_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut writer = options.connect().await.unwrap();
    sqlx::raw_sql("create table orders (id text); insert into orders values ('o1')")
        .execute(&mut writer)
        .await
        .unwrap();
    let other = folder.path().join("other.db");
    let database = open(&format!("sqlite:{}", path.display()), "");
    let answer = database.ask("select id, ';' as x from orders -- y".to_owned()).await.unwrap();
    assert_eq!(answer.rows, [[Some("o1".to_owned()), Some(";".to_owned())]]);
    for sql in [
        "delete from orders".to_owned(),
        "select 1; delete from orders".to_owned(),
        "select 1) ; delete from orders; select (1".to_owned(),
        format!("attach '{}' as other", other.display()),
        "pragma query_only = off".to_owned(),
        "with x as (delete from orders returning id) select * from x".to_owned(),
    ] {
        let error = database.ask(sql.clone()).await.unwrap_err();
        let refused = matches!(&error, ProbeError::Agent(AgentFault::Misconfigured(_)));
        assert!(refused, "{sql}: {error:?}");
    }
    assert!(!other.exists());
    assert_eq!(database.ask("select count(*) from orders".to_owned()).await.unwrap().rows.len(), 1);
}
