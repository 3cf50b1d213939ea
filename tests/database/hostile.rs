//! Names that want to be statements stay names.

use launchready_checks::probe::{Database, RowQuery, TableRole};

use crate::cluster::Cluster;
use crate::look::{open, rows};

#[tokio::test]
async fn names_that_want_to_be_statements_stay_names() {
    let Some(cluster) = Cluster::start("hostile names", &[]).await else { return };
    let (table, column) = ("o\"; drop table victim; --", "i'd\") to program 'touch /tmp/x' --");
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    cluster
        .sql(&format!(
            "create table victim (id text); create schema \"a.b\"; create table \"a.b\".{0} ({1} text, \"тест\" \
             text); insert into \"a.b\".{0} values ('\\N', E'a\\tb\\\\\\nc'); \
             grant usage on schema \"a.b\" to looker; grant select on \"a.b\".{0} to looker",
            quoted(table),
            quoted(column)
        ))
        .await;
    let tables = format!(
        "orders = {{ table = {:?}, id = {:?}, session = \"тест\" }}",
        format!("a.b.{table}"),
        column
    );
    let database = open(&cluster.url(), &tables);
    let query = RowQuery::new(TableRole::Orders, &["id", "session"]);
    let (found, _) = rows(&*database, query.clone()).await.unwrap();
    assert_eq!(found, [[Some("\\N".to_owned()), Some("a\tb\\\nc".to_owned())]]);
    let keys = vec!["\\N".to_owned(), "'; drop table victim; --".to_owned(), "\0".to_owned()];
    let (found, _) = rows(&*database, query.among("id", keys)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert!(database.facts().await.is_ok() && database.catalogue().await.is_ok());
    assert_eq!(cluster.value("select count(*)::text from victim").await, "0");
}
