//! What only a server can do: be opened by several agents, go away, and come back.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use launchready::clock::FixedClock;
use launchready::incident::Book;
use launchready::store::postgres::PostgresStore;
use launchready::store::{self, IncidentFilter, Store, StoreError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, LEASE, at, channel, finding, job, later, run};
use crate::cluster::{Cluster, OWNER};

/// How long a test waits for what has to come.
pub(crate) const SOON: Duration = Duration::from_mins(1);
/// The number under which an agent brings the tables to its version.
const TABLES: i32 = 0x4c52_6479;

async fn opened(address: &str) -> Result<Arc<dyn Store>, StoreError> {
    store::open(address, Path::new(".")).await
}

/// A cluster with an empty database, and its address.
async fn empty(test: &str) -> Option<(Cluster, String)> {
    let cluster = Cluster::start(test, &[])?;
    cluster.sql_in("postgres", "create database watch").await;
    let address = format!("postgres://{OWNER}@{}/watch", cluster.address);
    Some((cluster, address))
}

#[tokio::test]
async fn agents_that_start_at_once_make_the_tables_once() {
    let test = "agents_that_start_at_once_make_the_tables_once";
    let Some((cluster, address)) = empty(test).await else { return };
    assert!(!store::is_there(&address, Path::new(".")).await.unwrap());
    let mut starts = JoinSet::new();
    for _ in 0..4 {
        let address = address.clone();
        starts.spawn(async move { opened(&address).await.unwrap() });
    }
    let stores = starts.join_all().await;
    assert!(store::is_there(&address, Path::new(".")).await.unwrap());
    assert_eq!(stores[0].put_once("key", "one").await.unwrap(), "one");
    for store in &stores {
        assert_eq!(store.get("key").await.unwrap().as_deref(), Some("one"));
        store.close().await;
    }
    let versions = "select count(*)::text from launchready.version";
    assert_eq!(cluster.value_in("watch", versions).await, "1");
    // Nothing of it is where other programs have their tables.
    let others = "select count(*)::text from pg_tables where schemaname = 'public'";
    assert_eq!(cluster.value_in("watch", others).await, "0");
}

#[tokio::test]
async fn an_agent_that_starts_waits_patiently_for_one_that_makes_the_tables() {
    let Some((cluster, address)) = empty("an_agent_that_starts_waits_patiently").await else {
        return;
    };
    let mut first = cluster.owner("watch").await;
    let query = |text: &'static str| sqlx::query(text).bind(TABLES);
    query("select pg_advisory_lock($1, $1)").execute(&mut first).await.unwrap();
    let second = tokio::spawn(async move { opened(&address).await });
    // Any other wait for a lock ends after ten seconds.
    let waited = "select count(*)::text from pg_stat_activity where wait_event = 'advisory' \
                  and clock_timestamp() - xact_start > interval '11 s'";
    let end = Instant::now() + SOON;
    while cluster.value_in("watch", waited).await != "1" {
        assert!(!second.is_finished(), "it gave up");
        assert!(Instant::now() < end, "nobody waits");
        sleep(Duration::from_millis(100)).await;
    }
    query("select pg_advisory_unlock($1, $1)").execute(&mut first).await.unwrap();
    second.await.unwrap().unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn a_step_to_new_tables_may_take_long_and_has_nobody_wait_behind_it_for_long() {
    let Some((cluster, address)) = empty("a_step_to_new_tables_may_take_long").await else {
        return;
    };
    let note = "create table noted (held text); \
                create function note() returns event_trigger language plpgsql as $$ begin \
                insert into public.noted select string_agg(setting, ' ' order by name) \
                from pg_settings where name in ('lock_timeout', 'statement_timeout'); end $$; \
                create event trigger note on ddl_command_end execute function note()";
    cluster.sql_in("watch", note).await;
    opened(&address).await.unwrap().close().await;
    let noted = "select string_agg(distinct held, ', ') from noted";
    assert_eq!(cluster.value_in("watch", noted).await, "10000 900000");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_as_it_is() {
    let Some((cluster, address)) = empty("a_database_of_a_newer_version").await else { return };
    opened(&address).await.unwrap().close().await;
    cluster.sql_in("watch", "update launchready.version set steps = 4711").await;
    let error = opened(&address).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { .. }), "{error:?}");
    let said = error.to_string();
    assert!(said.contains("newer version") && said.contains("/watch"), "{said}");
    let steps = "select steps::text from launchready.version";
    assert_eq!(cluster.value_in("watch", steps).await, "4711");
}

#[tokio::test]
async fn what_cannot_be_opened_is_told_without_a_password() {
    let Some((cluster, address)) = empty("what_cannot_be_opened").await else { return };
    cluster.sql_in("postgres", "create role agent login password 'hunter2hunter2'").await;
    let with = |text: &str| address.replace(OWNER, text);
    for (address, part) in [
        (with("agent:wrong-hunter2"), "password authentication failed"),
        (address.replace("/watch", "/wotch"), "does not exist"),
        (with("agent:hunter2hunter2"), "permission denied"),
        (format!("postgres://agent:hunter2@{}/w", crate::port::free_port()), "refused"),
        ("postgres://agent:hunter2@watch.invalid/w?sslmode=disable".to_owned(), "lookup"),
    ] {
        let error = opened(&address).await.unwrap_err();
        let said = error.chain();
        assert!(matches!(error, StoreError::Refused { .. }), "{address}: {error:?}");
        assert!(said.contains(part), "{said}, not {part}");
        assert!(!said.contains(" at line "), "a line of the server's own source: {said}");
        assert!(!said.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{said}");
    }
    // Whoever may not make a schema is given one.
    cluster.sql_in("watch", "create schema launchready authorization agent").await;
    opened(&with("agent:hunter2hunter2")).await.unwrap().ping().await.unwrap();
}

#[tokio::test]
async fn a_copy_is_made_by_the_tool_of_the_server() {
    let Some(bench) = Bench::on_postgres("a_copy_is_made_by_the_tool").await else { return };
    let error = bench.store.backup(Path::new("watch.dump")).await.unwrap_err();
    let said = error.to_string();
    assert!(said.contains("pg_dump --format=custom --schema=launchready"), "{said}");
    assert!(said.contains("--file=watch.dump") && said.contains(&bench.address), "{said}");
}

#[tokio::test]
async fn after_a_server_was_killed_the_store_goes_on_with_all_that_was_stored() {
    let test = "after_a_server_was_killed_the_store_goes_on";
    let Some((mut cluster, address)) = empty(test).await else { return };
    let store = opened(&address).await.unwrap();
    let now = at("10:00:00");
    store.sync_jobs(&[job("harbor", "web")], &FixedClock(now)).await.unwrap();
    let seen = run("harbor", "web", now, vec![finding("web-down", "www")]);
    let book = Book { channels: vec![channel("founder")], ..Book::default() };
    assert!(store.commit(std::slice::from_ref(&seen), &book).await.unwrap()[0].stored);
    cluster.kill();
    let later_run = run("harbor", "web", later(now, 300), vec![finding("web-down", "www")]);
    let error = store.commit(std::slice::from_ref(&later_run), &book).await.unwrap_err();
    assert!(matches!(error, StoreError::Away { .. }) && !error.is_about_rows(), "{error:?}");
    assert!(error.to_string().contains("goes on by itself"), "{error}");
    assert!(matches!(store.ping().await.unwrap_err(), StoreError::Away { .. }));
    cluster.up();
    let deadline = Instant::now() + SOON;
    while let Err(error) = store.ping().await {
        assert!(Instant::now() < deadline, "{}", error.chain());
        tokio::task::yield_now().await;
    }
    assert!(!store.commit(&[seen], &book).await.unwrap()[0].stored, "it was stored before");
    assert!(store.commit(&[later_run], &book).await.unwrap()[0].stored);
    assert_eq!(store.incidents(&IncidentFilter::default()).await.unwrap().len(), 1);
    // A restart between two calls is not noticed at all.
    cluster.down();
    cluster.up();
    assert_eq!(store.claim("one", &[], later(now, 600), LEASE).await.unwrap().len(), 1);
    store.close().await;
    assert_eq!(store.ping().await.unwrap_err().to_string(), "the store is closed");
}

#[tokio::test]
async fn what_people_and_machines_say_may_hold_any_sign() {
    let Some(bench) = Bench::on_postgres("any sign").await else { return };
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let mut strange = run("harbor", "web", now, vec![finding("web-down", "a\0b\u{202e}'\"")]);
    strange.reason = Some(("no\0answer".to_owned(), "open\0it".to_owned()));
    strange.evidence = Some((1, serde_json::json!({ "said": "\0\u{1f}" })));
    strange.windows = vec![("time".to_owned(), Duration::from_hours(1))];
    let subject = "\0".repeat(20_000);
    strange.assessment.measure(crate::bench::measured("time", Some(&subject), 1.0));
    assert!(bench.commit(strange).await.stored);
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    bench.store.acknowledge(&open[0].id, "A\0da", "no\0te", &bench.book, now).await.unwrap();
    let record = bench.store.incident(&open[0].id).await.unwrap().unwrap();
    assert_eq!(record.changes[1].by.as_deref(), Some("A da"));
    assert_eq!(bench.claim(later(now, 60)).await.len(), 1);
    let inputs = bench.inputs(&crate::bench::key("harbor", "web"), now).await;
    assert_eq!(inputs.history.0["time"].len(), 1);
    PostgresStore::check(&bench.address, Path::new(".")).unwrap();
}

/// What a command prints, whichever way it ends.
fn launchready(folder: &Path, words: &[&str]) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(words)
        .current_dir(folder)
        .output()
        .unwrap();
    let both = [output.stdout, output.stderr].concat();
    String::from_utf8(both).unwrap()
}

#[tokio::test]
async fn commands_find_the_store_by_an_address_that_is_a_secret() {
    let Some((cluster, address)) = empty("an_address_that_is_a_secret").await else { return };
    cluster.sql_in("postgres", "create role agent login password 'hunter2hunter2'").await;
    cluster.sql_in("watch", "create schema launchready authorization agent").await;
    let folder = tempfile::tempdir().unwrap();
    let config = "[agent]\nstore = { file = \"store\" }\n\
                  [[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n";
    std::fs::write(folder.path().join("launchready.toml"), config).unwrap();
    let said = launchready(folder.path(), &["incidents", "list"]);
    assert!(said.contains("agent.store: ") && said.contains("store"), "{said}");
    let secret = address.replace(OWNER, "agent:hunter2hunter2");
    std::fs::write(folder.path().join("store"), &secret).unwrap();
    let mut all = launchready(folder.path(), &["incidents", "list"]);
    assert!(all.contains("there is no store at the address in the file store"), "{all}");
    let add = [
        "silence",
        "add",
        "--project",
        "harbor",
        "--for",
        "1h",
        "--reason",
        "The move",
        "--by",
        "Ada",
    ];
    let added = launchready(folder.path(), &add);
    assert!(
        added.contains("so this is kept for the first:\nat the address in the file store"),
        "{added}"
    );
    let listed = launchready(folder.path(), &["silence", "list"]);
    assert!(listed.contains("The move"), "{listed}");
    let copied = launchready(folder.path(), &["backup", "copy"]);
    assert!(copied.contains("pg_dump") && copied.contains("postgres://agent@"), "{copied}");
    let checked = launchready(folder.path(), &["config", "check"]);
    cluster.sql_in("postgres", "alter role agent password 'changed'").await;
    let refused = launchready(folder.path(), &["silence", "list"]);
    assert!(refused.contains("cannot open the store postgres://agent@"), "{refused}");
    for said in [added, listed, copied, checked, refused] {
        all.push_str(&said);
    }
    assert!(!all.contains("hunter2"), "{all}");
}
