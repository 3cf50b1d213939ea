//! Lets time pass for incidents. Most of the time nothing is due, and then nothing is parsed or locked.
//!
//! There may be thousands of projects on a server that is far: they are asked for by many at once, and each
//! question has the patience of a call.

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::connection::{Hold, Tries};
use super::{PATIENCE, PostgresStore, changes, incidents, people};
use crate::clock::Clock;
use crate::incident::Book;
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::row::Columns as _;
use crate::store::waking::Asleep;
use crate::store::words::ms;

/// The projects of which time may make something at present.
pub(super) const DUE: &str = "SELECT DISTINCT project FROM incident WHERE wake_at <= $1";

/// The projects that have something on which the rules may have changed.
pub(super) const PROJECTS: &str = "SELECT DISTINCT project FROM incident \
     WHERE state IN ('suspected', 'open', 'acknowledged')";

/// What the state machine has to know of projects when time passes.
pub(super) const ASLEEP: &str = "SELECT project, id, body, wake_at FROM incident \
     WHERE project = ANY($1) AND state IN ('suspected', 'open', 'acknowledged')";

/// The most projects of which incidents are read at once.
const TOGETHER: usize = 200;

const PUT_OFF: &str = "UPDATE incident SET wake_at = $2 WHERE id = $1";

const DOING: &str = "let time pass for incidents";

/// See [`Store::wake`](crate::store::Store::wake). Each project is a transaction of its own: what is wrong
/// with one of them holds up no other.
pub(super) async fn wake(
    store: &PostgresStore,
    book: &Book,
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    let now = clock.now();
    let (asked, reckoned) = store.within(PATIENCE, projects(store, book, now)).await?;
    let mut moved = Vec::new();
    for some in asked.chunks(TOGETHER) {
        moved.extend(store.within(PATIENCE, at_work(store, book, some, now)).await?);
    }
    let mut count = 0;
    for project in moved {
        match store.within(PATIENCE, wake_project(store, book, &project, clock)).await {
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

/// The projects that may have work to do, and the book where it is another one than the last time.
async fn projects(
    store: &PostgresStore,
    book: &Book,
    now: Timestamp,
) -> Result<(Vec<String>, Option<Book>), StoreError> {
    let mut on = store.connections.read(DOING).await?;
    let done = async {
        let book = people::book(&store.muting, on.on(), book).await?;
        let is_same = store.woken.is_by(&book);
        let asked = if is_same { sqlx::query(DUE).bind(ms(now)) } else { sqlx::query(PROJECTS) };
        let rows = asked.fetch_all(on.on()).await?;
        let projects = rows.iter().map(|row| Ok(row.text("project")?.to_owned()));
        let projects = projects.collect::<Result<_, Fault>>()?;
        Ok((projects, (!is_same).then(|| Book::clone(&book))))
    };
    let done = done.await;
    on.told(done).await
}

/// Those of some projects that have work to do.
async fn at_work(
    store: &PostgresStore,
    book: &Book,
    projects: &[String],
    now: Timestamp,
) -> Result<Vec<String>, StoreError> {
    let mut on = store.connections.read(DOING).await?;
    let done = async {
        let book = people::book(&store.muting, on.on(), book).await?;
        let rows = sqlx::query(ASLEEP).bind(projects).fetch_all(on.on()).await?;
        let all = Asleep::by_project(&rows)?.into_iter();
        let moved = all.filter(|(_, asleep)| asleep.has_work(&book, now));
        Ok(moved.map(|(project, _)| project).collect())
    };
    let done = done.await;
    on.told(done).await
}

async fn wake_project(
    store: &PostgresStore,
    book: &Book,
    project: &str,
    clock: &dyn Clock,
) -> Result<u64, StoreError> {
    let projects = [project].into();
    let mut tries = Tries::new();
    loop {
        let mut write = store.connections.write(DOING, Hold::Projects(&projects)).await?;
        let done = wake_in(write.on(), store, book, project, clock.now()).await;
        if let Some(count) = write.end(&mut tries, done).await? {
            return Ok(count);
        }
    }
}

async fn wake_in(
    on: &mut PgConnection,
    store: &PostgresStore,
    book: &Book,
    project: &str,
    now: Timestamp,
) -> Result<u64, Fault> {
    let book = people::book(&store.muting, on, book).await?;
    let asleep = sqlx::query(ASLEEP).bind(vec![project]).fetch_all(&mut *on).await?;
    let asleep = Asleep::of(&asleep)?;
    for id in &asleep.unreadable {
        incidents::set_aside(on, id, now).await?;
    }
    for (incident, due) in asleep.put_off(&book, now) {
        sqlx::query(PUT_OFF).bind(&incident.id).bind(due).execute(&mut *on).await?;
    }
    let mut outcome = asleep.wake(&book, now);
    let happened = changes::apply(on, &mut outcome, &book, project, now, None).await?;
    Ok(happened.len() as u64)
}
