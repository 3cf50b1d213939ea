//! Lets time pass for incidents. Most of the time nothing is due, and then nothing is parsed or locked.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::{SqliteStore, changes, incidents, people};
use crate::clock::Clock;
use crate::incident::Book;
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::row::Columns as _;
use crate::store::waking::Asleep;
use crate::store::words::ms;

/// The projects of which time may make something at present. Left to itself, SQLite would read an index of
/// all incidents to have the projects in order.
pub(super) const DUE: &str = "SELECT DISTINCT project FROM incident INDEXED BY incident_wake \
     WHERE wake_at <= ?1";

/// The projects that have something on which the rules may have changed.
pub(super) const PROJECTS: &str = "SELECT DISTINCT project FROM incident \
     WHERE state IN ('suspected', 'open', 'acknowledged')";

/// What the state machine has to know of a project when time passes.
pub(super) const ASLEEP: &str = "SELECT id, body, wake_at FROM incident \
     WHERE project = ?1 AND state IN ('suspected', 'open', 'acknowledged')";

const PUT_OFF: &str = "UPDATE incident SET wake_at = ?2 WHERE id = ?1";

const DOING: &str = "let time pass for incidents";

async fn asleep(on: &mut SqliteConnection, project: &str) -> Result<Asleep, Fault> {
    Asleep::of(&sqlx::query(ASLEEP).bind(project).fetch_all(on).await?)
}

/// See [`Store::wake`](crate::store::Store::wake). Each project is a transaction of its own: what is wrong
/// with one of them holds up no other.
pub(super) async fn wake(
    store: &SqliteStore,
    book: &Book,
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    let mut on = store.connections.read().await?;
    let found = find(&mut on, store, book, clock.now()).await;
    drop(on);
    let (moved, reckoned) = store.connections.told(DOING, found)?;
    let mut count = 0;
    for project in moved {
        match wake_project(store, book, &project, clock).await {
            Ok(happened) => count += happened,
            Err(error) if error.is_about_rows() => tracing::error!(project, "{}", error.chain()),
            Err(error) => return Err(error),
        }
    }
    if reckoned.is_some() {
        store.woken.set(reckoned);
    }
    Ok(count)
}

/// The projects that have work to do, and the book where it is another one than the last time.
async fn find(
    on: &mut SqliteConnection,
    store: &SqliteStore,
    book: &Book,
    now: Timestamp,
) -> Result<(Vec<String>, Option<Book>), Fault> {
    let book = people::book(&store.muting, on, book).await?;
    let is_same = store.woken.is_by(&book);
    let asked = if is_same { sqlx::query(DUE).bind(ms(now)) } else { sqlx::query(PROJECTS) };
    let mut moved = Vec::new();
    for row in asked.fetch_all(&mut *on).await? {
        let project = row.text("project")?;
        if asleep(on, project).await?.has_work(&book, now) {
            moved.push(project.to_owned());
        }
    }
    Ok((moved, (!is_same).then(|| Book::clone(&book))))
}

async fn wake_project(
    store: &SqliteStore,
    book: &Book,
    project: &str,
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    let mut write = store.connections.write().await?;
    let now = clock.now();
    let done = async {
        let book = people::book(&store.muting, write.on(), book).await?;
        let asleep = asleep(write.on(), project).await?;
        for id in &asleep.unreadable {
            incidents::set_aside(write.on(), id, now).await?;
        }
        for (incident, due) in asleep.put_off(&book, now) {
            sqlx::query(PUT_OFF).bind(&incident.id).bind(due).execute(write.on()).await?;
        }
        let mut outcome = asleep.wake(&book, now);
        let happened = changes::apply(write.on(), &mut outcome, &book, project, now, None).await?;
        Ok(happened.len() as u64)
    };
    let done = done.await;
    write.end(DOING, done).await
}
