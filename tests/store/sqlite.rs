//! What only a file can do: be damaged, full, locked, newer, copied, or out of reach.

use std::path::Path;
use std::time::Duration;

use launchready::clock::FixedClock;
use launchready::incident::Book;
use launchready::store::sqlite::SqliteStore;
use launchready::store::{self, Store, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::bench::{Bench, at, finding, job, later, run};
use crate::mounted::Mounted;

/// Opens a file as another program would.
async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).connect().await.unwrap()
}

async fn opened(path: &Path) -> StoreError {
    SqliteStore::open(path).await.unwrap_err()
}

/// The whole chain of an error.
fn chain(error: &StoreError) -> String {
    let mut said = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        said.push_str(": ");
        said.push_str(&error.to_string());
        source = error.source();
    }
    said
}

#[tokio::test]
async fn an_address_is_a_path_and_everything_else_says_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner.db");
    let absolute = format!("sqlite:{}", inner.display());
    for (address, file) in
        [("sqlite:a.db", "a.db"), ("sqlite://b.db", "b.db"), (absolute.as_str(), "inner.db")]
    {
        let store = store::open(address, folder.path()).await.unwrap();
        store.ping().await.unwrap();
        assert!(folder.path().join(file).is_file(), "{address}");
        store.close().await;
    }
    for bad in
        ["", "a.db", "sqlite:", "sqlite::memory:", "mysql://u:hidden@h/d", "sqlite:a?mode=ro"]
    {
        let error = store::open(bad, folder.path()).await.unwrap_err();
        let said = chain(&error);
        assert!(matches!(error, StoreError::Address(_)), "{bad}: {error:?}");
        assert!(said.contains("sqlite:launchready.db") && !said.contains("hidden"), "{said}");
    }
}

#[tokio::test]
async fn only_its_owner_may_read_the_file_and_its_copy() {
    use std::os::unix::fs::PermissionsExt as _;
    let bench = Bench::sqlite().await;
    let copy = bench.file().with_extension("copy");
    bench.store.backup(&copy).await.unwrap();
    for file in [bench.file(), copy] {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", file.display());
    }
}

#[tokio::test]
async fn a_file_that_is_no_store_is_damaged_and_one_of_another_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database".repeat(1000)).unwrap();
    let error = opened(&garbage).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    let said = error.chain();
    assert!(said.contains("garbage.db-wal and ") && said.contains("garbage.db-shm"), "{said}");
    assert_eq!(said.matches("file is not a database").count(), 1, "{said}");
    let other = folder.path().join("other.db");
    let mut on = SqliteConnectOptions::new()
        .filename(&other)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    sqlx::query("CREATE TABLE shop (id INTEGER)").execute(&mut on).await.unwrap();
    on.close().await.unwrap();
    let error = opened(&other).await;
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(chain(&error).contains("another program"), "{}", chain(&error));
    let mut on = raw(&other).await;
    let tables =
        sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut on).await.unwrap();
    assert_eq!(tables.get::<i64, _>(0), 1);
}

#[tokio::test]
async fn a_file_that_was_cut_short_or_overwritten_in_the_middle_is_damaged() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    let checks: Vec<String> = (0..200).map(|number| format!("check-{number}")).collect();
    let jobs: Vec<_> = checks.iter().map(|check| job("harbor", check)).collect();
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    for check in &checks {
        bench.commit(run("harbor", check, now, vec![finding("code", check)])).await;
    }
    bench.store.close().await;
    let whole = std::fs::read(bench.file()).unwrap();
    let cut = bench.file().with_extension("cut");
    std::fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let error = opened(&cut).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    let mut holed = whole.clone();
    let middle = whole.len() / 2;
    holed[middle..middle + 8192].fill(0xa5);
    let hole = bench.file().with_extension("hole");
    std::fs::write(&hole, &holed).unwrap();
    let error = opened(&hole).await;
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("launchready backup"), "{error}");
    SqliteStore::open(&bench.file()).await.unwrap();
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_as_it_is() {
    let bench = Bench::sqlite().await;
    bench.store.close().await;
    let mut on = raw(&bench.file()).await;
    sqlx::raw_sql("PRAGMA user_version = 4711").execute(&mut on).await.unwrap();
    let error = opened(&bench.file()).await;
    assert!(matches!(error, StoreError::Newer { .. }), "{error:?}");
    let version = sqlx::query("PRAGMA user_version").fetch_one(&mut on).await.unwrap();
    assert_eq!(version.get::<i64, _>(0), 4711);
}

/// A store as the first version made it, empty.
async fn of_the_first_version(path: &Path) -> SqliteConnection {
    let first = include_str!("../../src/store/migrations/sqlite/0001_agent.sql");
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut on = options.connect().await.unwrap();
    sqlx::raw_sql(first).execute(&mut on).await.unwrap();
    // The marks of a store: its program, and the number of its last step.
    let marks = "PRAGMA application_id = 1280468089; PRAGMA user_version = 1";
    sqlx::raw_sql(marks).execute(&mut on).await.unwrap();
    on
}

#[tokio::test]
async fn a_file_of_the_first_version_is_brought_to_this_one_with_all_that_it_holds() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let (id, body): (String, String) = sqlx::query_as("SELECT id, body FROM incident")
        .fetch_one(&mut raw(&bench.file()).await)
        .await
        .unwrap();
    let old = bench.file().with_extension("old");
    let mut on = of_the_first_version(&old).await;
    for (id, project, body) in [(id.as_str(), "harbor", body.as_str()), ("inc_2", "quay", "[")] {
        sqlx::query(
            "INSERT INTO incident (id, project, check_id, code, target, state, flapping, first_seen, \
             body) VALUES (?1, ?2, 'web', 'web-down', 'x', 'open', 0, 1, ?3)",
        )
        .bind(id)
        .bind(project)
        .bind(body)
        .execute(&mut on)
        .await
        .unwrap();
    }
    on.close().await.unwrap();
    let store = SqliteStore::open(&old).await.unwrap();
    let counts = store.incident_counts(None).await.unwrap();
    assert_eq!((counts.len(), counts[0].project.as_str(), counts[0].count), (1, "harbor", 1));
    assert_eq!(
        store.wake(&bench.book, &FixedClock(later(now, 5 * 3600))).await.unwrap(),
        1,
        "a reminder"
    );
    assert_eq!(store.incident(&id).await.unwrap().unwrap().incident.id, id);
}

#[tokio::test]
async fn a_locked_file_is_busy_and_goes_on_when_it_is_free() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let mut other = raw(&bench.file()).await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let error = bench.store.put("name", "value").await.unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error:?}");
    // Who reads does not wait.
    assert_eq!(bench.store.latest(None).await.unwrap().len(), 1);
    bench.store.ping().await.unwrap();
    sqlx::raw_sql("COMMIT").execute(&mut other).await.unwrap();
    bench.store.put("name", "value").await.unwrap();
    assert_eq!(bench.store.get("name").await.unwrap().as_deref(), Some("value"));
}

/// Writes until there is no room, then makes room, and writes again.
async fn fills_up(store: &dyn Store, make_room: impl AsyncFnOnce()) {
    let now = at("10:00:00");
    store.sync_jobs(&[job("harbor", "web")], &FixedClock(now)).await.unwrap();
    let long = "x".repeat(50_000);
    let mut stored = 0;
    let error = loop {
        match store.put(&format!("value-{stored}"), &long).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
        assert!(stored < 1000, "it never fills up");
    };
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(stored > 0, "nothing was stored");
    let again = store.put("more", &long).await.unwrap_err();
    assert!(matches!(again, StoreError::Full { .. }), "{again:?}");
    // What was stored can be read.
    let last = format!("value-{}", stored - 1);
    assert_eq!(store.get(&last).await.unwrap().map(|value| value.len()), Some(long.len()));
    make_room().await;
    store.put("more", &long).await.unwrap();
    let done = store
        .commit(&[run("harbor", "web", now, vec![finding("web-down", "www")])], &Book::default())
        .await
        .unwrap();
    assert!(done[0].stored);
}

#[tokio::test]
async fn a_full_disk_loses_nothing_and_goes_on_when_there_is_room() {
    let test = "a_full_disk_loses_nothing_and_goes_on_when_there_is_room";
    let Some(disk) = Mounted::new(test, "size=4m") else { return };
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1_u8; 1_500_000]).unwrap();
    let store = SqliteStore::open(&disk.path().join("store.db")).await.unwrap();
    fills_up(&store, async || std::fs::remove_file(&ballast).unwrap()).await;
    store.close().await;
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_to_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = opened(&folder.path().join("nothing/store.db")).await;
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    let error = opened(folder.path()).await;
    assert!(matches!(error, StoreError::Open { .. }), "a folder is no file: {error:?}");
    let test = "a_folder_that_may_not_be_written_to_is_named";
    let Some(disk) = Mounted::new(test, "ro") else { return };
    let error = opened(&disk.path().join("store.db")).await;
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
    assert!(error.to_string().contains("may write to"), "{error}");
}

#[tokio::test]
async fn a_copy_of_a_live_store_is_whole_and_never_replaces_a_file() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let copy = bench.file().with_extension("copy");
    bench.store.backup(&copy).await.unwrap();
    let error = bench.store.backup(&copy).await.unwrap_err();
    assert!(error.to_string().contains("exists already"), "{error}");
    let restored = SqliteStore::open(&copy).await.unwrap();
    assert_eq!(restored.latest(None).await.unwrap(), bench.store.latest(None).await.unwrap());
    assert_eq!(restored.next_due().await.unwrap(), bench.store.next_due().await.unwrap());
    let claimed = restored.claim("one", &[], later(now, 60), Duration::from_mins(1)).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let error = bench.store.backup(Path::new("/nowhere/copy.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error:?}");
}

#[tokio::test]
async fn small_values_are_kept_and_the_first_one_stays() {
    let bench = Bench::sqlite().await;
    assert_eq!(bench.store.get("key").await.unwrap(), None);
    assert_eq!(bench.store.put_once("key", "one").await.unwrap(), "one");
    assert_eq!(bench.second().await.put_once("key", "two").await.unwrap(), "one");
    bench.store.put("key", "three").await.unwrap();
    assert_eq!(bench.store.get("key").await.unwrap().as_deref(), Some("three"));
    bench.store.close().await;
    let error = bench.store.put("key", "four").await.unwrap_err();
    assert_eq!(error.to_string(), "the store is closed");
    assert!(bench.store.get("key").await.is_err());
}

#[tokio::test]
async fn a_file_of_the_first_version_takes_the_steps_that_it_lacks_and_keeps_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("first.db");
    let mut on = of_the_first_version(&path).await;
    sqlx::query("INSERT INTO setting (name, value) VALUES ('key', 'old')")
        .execute(&mut on)
        .await
        .unwrap();
    on.close().await.unwrap();
    for _ in 0..2 {
        let store = SqliteStore::open(&path).await.unwrap();
        assert_eq!(store.get("key").await.unwrap().as_deref(), Some("old"));
        assert!(store.heartbeats("harbor").await.unwrap().is_empty());
        store.close().await;
    }
    let mut on = raw(&path).await;
    let version = sqlx::query("PRAGMA user_version").fetch_one(&mut on).await.unwrap();
    assert_eq!(version.get::<i64, _>(0), 7);
}
