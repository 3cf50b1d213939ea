//! How notifications and deliveries are made.

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::connection::{Connections, Hold, Tries};
use crate::store::fault::Fault;
use crate::store::ids::{DELIVERY, NOTIFICATION, new_id};
use crate::store::messages::{New, News, counts};
use crate::store::plan::{CHANGES, Group};
use crate::store::row::Columns as _;
use crate::store::words::{json, ms};
use crate::store::{Notification, OutboxCount, StoreError};

pub(super) const OPEN: &str = "SELECT seq, due_at, changes FROM notification \
     WHERE project = $1 AND kind = $2 AND hold = $3 AND NOT sealed FOR NO KEY UPDATE";

const INSERT_NOTIFICATION: &str = "INSERT INTO notification \
     (id, kind, project, made_at, due_at, hold, sealed, changes, body) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING RETURNING seq";

const INSERT_DELIVERY: &str = "INSERT INTO delivery \
     (id, notification, channel, instead_of, state, made_at, due_at) \
     VALUES ($1, $2, $3, $4, 'pending', $5, $6) RETURNING seq";

pub(super) const DELIVERY_OF: &str =
    "SELECT seq FROM delivery WHERE notification = $1 AND channel = $2";

/// Whether a channel of a notification still waits for another message about an incident that was made
/// later: a change of that incident would come too early in this one.
pub(super) const TOO_EARLY: &str = "SELECT 1 FROM change e JOIN told t ON t.change = e.id \
     JOIN delivery p ON p.seq = t.delivery \
     JOIN delivery d ON d.notification = $2 AND d.channel = p.channel \
     WHERE e.incident = $1 AND p.state = 'pending' AND p.seq > d.seq LIMIT 1";

/// Puts a change into the notification of its group, and makes a delivery for each channel that has none.
pub(super) async fn join(
    on: &mut PgConnection,
    news: News<'_>,
    group: &Group,
    now: Timestamp,
) -> Result<(), Fault> {
    let News { change, project, .. } = news;
    let (notification, due_at) = match open(on, news, group).await? {
        Some(open) => {
            sqlx::query("UPDATE notification SET changes = changes + 1 WHERE seq = $1")
                .bind(open.0)
                .execute(&mut *on)
                .await?;
            open
        }
        None => (begin(on, project, group, now).await?, ms(group.due_at)),
    };
    for channel in &group.channels {
        let row = sqlx::query(DELIVERY_OF)
            .bind(notification)
            .bind(channel)
            .fetch_optional(&mut *on)
            .await?;
        let delivery = if let Some(row) = row {
            row.number("seq")?
        } else {
            let new = New { notification, channel, instead_of: None, made_at: ms(now), due_at };
            deliver(on, new).await?
        };
        tell(on, change, channel, delivery).await?;
    }
    Ok(())
}

/// The notification of a group that still takes changes. One that is full takes no more, nor does one in
/// which this change would come too early.
async fn open(
    on: &mut PgConnection,
    news: News<'_>,
    group: &Group,
) -> Result<Option<(i64, i64)>, Fault> {
    if group.alone {
        return Ok(None);
    }
    let row = sqlx::query(OPEN)
        .bind(news.project)
        .bind(group.kind.as_str())
        .bind(group.hold.map_or(0, ms))
        .fetch_optional(&mut *on)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (seq, changes) = (row.number("seq")?, row.number("changes")?);
    let too_early =
        sqlx::query(TOO_EARLY).bind(news.incident).bind(seq).fetch_optional(&mut *on).await?;
    if changes < CHANGES && too_early.is_none() {
        return Ok(Some((seq, row.number("due_at")?)));
    }
    seal(on, seq).await?;
    Ok(None)
}

/// Lets a notification take no more changes.
pub(super) async fn seal(on: &mut PgConnection, notification: i64) -> Result<(), Fault> {
    sqlx::query("UPDATE notification SET sealed = TRUE WHERE seq = $1 AND NOT sealed")
        .bind(notification)
        .execute(on)
        .await?;
    Ok(())
}

async fn begin(
    on: &mut PgConnection,
    project: &str,
    group: &Group,
    now: Timestamp,
) -> Result<i64, Fault> {
    let row = sqlx::query(INSERT_NOTIFICATION)
        .bind(new_id(NOTIFICATION)?)
        .bind(group.kind.as_str())
        .bind(project)
        .bind(ms(now))
        .bind(ms(group.due_at))
        .bind(group.hold.map_or(0, ms))
        .bind(group.alone)
        .bind(1_i64)
        .bind(None::<String>)
        .fetch_one(on)
        .await?;
    row.number("seq")
}

/// Makes a notification for changes that another one of the same kind was to tell; it takes no more.
pub(super) async fn begin_like(
    on: &mut PgConnection,
    notification: i64,
    now: i64,
) -> Result<i64, Fault> {
    let row = sqlx::query(
        "INSERT INTO notification (id, kind, project, made_at, due_at, hold, sealed, changes, body) \
         SELECT $2, kind, project, $3, $3, 0, TRUE, 0, NULL FROM notification WHERE seq = $1 RETURNING seq",
    )
    .bind(notification)
    .bind(new_id(NOTIFICATION)?)
    .bind(now)
    .fetch_one(on)
    .await?;
    row.number("seq")
}

/// Makes a delivery.
pub(super) async fn deliver(on: &mut PgConnection, new: New<'_>) -> Result<i64, Fault> {
    let row = sqlx::query(INSERT_DELIVERY)
        .bind(new_id(DELIVERY)?)
        .bind(new.notification)
        .bind(new.channel)
        .bind(new.instead_of)
        .bind(new.made_at)
        .bind(new.due_at)
        .fetch_one(on)
        .await?;
    row.number("seq")
}

/// Says that a delivery tells a change. A channel is told each change once; a second time is an error of
/// the database.
pub(super) async fn tell(
    on: &mut PgConnection,
    change: i64,
    channel: &str,
    delivery: i64,
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO told (change, channel, delivery) VALUES ($1, $2, $3)")
        .bind(change)
        .bind(channel)
        .bind(delivery)
        .execute(on)
        .await?;
    Ok(())
}

/// See [`Store::enqueue`](crate::store::Store::enqueue).
pub(super) async fn enqueue(
    connections: &Connections,
    notification: &Notification,
    channels: &[String],
    due_at: Timestamp,
) -> Result<bool, StoreError> {
    let mut tries = Tries::new();
    loop {
        let doing = "put a notification into the outbox";
        let mut write = connections.write(doing, Hold::Rows).await?;
        let done = enqueue_in(write.on(), notification, channels, ms(due_at)).await;
        if let Some(is_new) = write.end(&mut tries, done).await? {
            return Ok(is_new);
        }
    }
}

async fn enqueue_in(
    on: &mut PgConnection,
    notification: &Notification,
    channels: &[String],
    due_at: i64,
) -> Result<bool, Fault> {
    let made_at = ms(notification.at);
    let row = sqlx::query(INSERT_NOTIFICATION)
        .bind(&notification.id)
        .bind(notification.kind.as_str())
        .bind(&notification.project)
        .bind(made_at)
        .bind(due_at)
        .bind(0_i64)
        .bind(true)
        .bind(0_i64)
        .bind(json(notification)?)
        .fetch_optional(&mut *on)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let notification = row.number("seq")?;
    for (place, channel) in channels.iter().enumerate() {
        if !channels.iter().take(place).any(|earlier| earlier == channel) {
            let new = New { notification, channel, instead_of: None, made_at, due_at };
            deliver(on, new).await?;
        }
    }
    Ok(true)
}

pub(super) const WAITING: &str = "SELECT channel, state, count(*) AS count, \
     min(made_at) AS oldest FROM delivery WHERE state = 'pending' GROUP BY channel, state ORDER BY channel";

const ALL: &str = "SELECT channel, state, count(*) AS count, min(made_at) AS oldest FROM delivery \
     GROUP BY state, channel ORDER BY channel, state";

/// See [`Store::waiting`](crate::store::Store::waiting).
pub(super) async fn waiting(connections: &Connections) -> Result<Vec<OutboxCount>, StoreError> {
    count(connections, WAITING).await
}

/// See [`Store::outbox`](crate::store::Store::outbox).
pub(super) async fn all(connections: &Connections) -> Result<Vec<OutboxCount>, StoreError> {
    count(connections, ALL).await
}

async fn count(
    connections: &Connections,
    statement: &'static str,
) -> Result<Vec<OutboxCount>, StoreError> {
    let mut on = connections.reader("count the outbox").await?;
    let rows = sqlx::query(statement).fetch_all(on.on()).await;
    on.told(rows.map_err(Fault::from).and_then(|rows| counts(&rows))).await
}
