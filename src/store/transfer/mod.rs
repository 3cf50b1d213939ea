//! Everything that one store holds, carried to another one: from a file to a server, or back.
//!
//! Both sides are one transaction each. What was written is read back and compared before it is committed, so
//! that a transfer has happened whole or not at all. No row of the store that it came from changes; as with every
//! store that is opened, its tables are brought to this version.

mod tables;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

pub(super) use tables::{Kind, Table};

use super::fault::Fault;
use super::open::{Place, place};
use super::postgres::PostgresStore;
use super::row::Columns;
use super::sqlite::SqliteStore;
use super::words::plain;
use super::{AT_WORK, Listener, Store, StoreError, listeners};
use crate::clock::Clock;
use tables::TABLES;

/// Rows that are written with one statement. The widest table has 31 columns, and a statement of PostgreSQL takes
/// 65,535 values.
const ROWS: usize = 500;

/// What an error calls the store from which everything is carried.
const FROM: &str = "that --from names";
/// What it calls the other one.
const TO: &str = "that --to names";

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// A whole number.
    Number(i64),
    /// A number.
    Real(f64),
    /// Yes or no.
    Flag(bool),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of the table's columns.
pub(super) type Row = Vec<Value>;

/// A row as it is carried. Texts are as PostgreSQL takes them, so that both sides can be compared.
pub(super) fn values(row: &impl Columns, table: &Table) -> Result<Row, Fault> {
    let of = |(name, kind): &(&str, Kind)| {
        let value = match kind {
            Kind::Number => row.some_number(name)?.map(Value::Number),
            Kind::Real => row.some_real(name)?.map(Value::Real),
            Kind::Flag => row.some_flag(name)?.map(Value::Flag),
            Kind::Text => row.some_text(name)?.map(|text| Value::Text(plain(&text).into_owned())),
            Kind::Bytes => row.some_bytes(name)?.map(Value::Bytes),
        };
        Ok(value.unwrap_or(Value::Null))
    };
    table.columns.iter().map(of).collect()
}

/// A transaction that sees or makes everything of a store.
#[async_trait]
pub(super) trait Whole: Send {
    /// The rows of a table, in the order in which they were made where that counts.
    fn rows<'w>(&'w mut self, table: &'static Table) -> BoxStream<'w, Result<Row, Fault>>;
    /// Adds rows.
    async fn add(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), Fault>;
    /// The next number of a table comes after those that were added.
    async fn number_on(&mut self, table: &'static Table) -> Result<(), Fault>;
    /// Commits where it went well; else what was added is taken back.
    async fn end(self: Box<Self>, done: Result<(), Fault>) -> Result<(), StoreError>;
}

/// How many rows of a table were carried over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: u64,
}

/// The rows of a table as a number, whatever their order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    rows: u64,
    sum: [u64; 4],
}

impl Sum {
    fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            let (kind, bytes): (u8, &[u8]) = match value {
                Value::Null => (0, &[]),
                Value::Number(number) => (1, &number.to_le_bytes()),
                Value::Real(number) => (2, &number.to_bits().to_le_bytes()),
                Value::Flag(flag) => (3, if *flag { &[1] } else { &[0] }),
                Value::Text(text) => (4, text.as_bytes()),
                Value::Bytes(bytes) => (5, bytes),
            };
            hash.update([kind]);
            hash.update(bytes.len().to_le_bytes());
            hash.update(bytes);
        }
        let digest = hash.finalize();
        self.rows += 1;
        for (part, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let number = bytes.iter().fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
            *part = part.wrapping_add(number);
        }
    }
}

/// An opened store, whose transactions are those of its database.
#[derive(Debug)]
enum Opened {
    File(SqliteStore),
    Server(PostgresStore),
}

impl Opened {
    async fn open(address: &str, folder: &Path) -> Result<Self, StoreError> {
        Ok(match place(address)? {
            Place::File(file) => Self::File(SqliteStore::open(&folder.join(file)).await?),
            Place::Server(url) => Self::Server(PostgresStore::open(url, folder).await?),
        })
    }

    fn store(&self) -> &dyn Store {
        match self {
            Self::File(store) => store,
            Self::Server(store) => store,
        }
    }

    async fn read(&self) -> Result<Box<dyn Whole + '_>, StoreError> {
        Ok(match self {
            Self::File(store) => store.read_whole().await?,
            Self::Server(store) => store.read_whole().await?,
        })
    }

    async fn write(&self) -> Result<Box<dyn Whole + '_>, StoreError> {
        Ok(match self {
            Self::File(store) => store.write_whole().await?,
            Self::Server(store) => store.write_whole().await?,
        })
    }

    /// That no agent is at work on it: what it did meanwhile would be lost.
    async fn is_quiet(&self, now: Timestamp, which: &str) -> Result<(), StoreError> {
        let agents = self.store().at_work(now, AT_WORK).await?;
        if agents.is_empty() {
            return Ok(());
        }
        Err(StoreError::State(format!(
            "an agent is at work on the store {which}: {}; stop it first. One that was killed counts as gone {} s \
             after its last sign",
            agents.join(", "),
            AT_WORK.as_secs()
        )))
    }

    /// That no agent is at work on it, and that none has been since these were who had listened.
    async fn is_still(&self, before: &[Listener], now: Timestamp) -> Result<(), StoreError> {
        self.is_quiet(now, FROM).await?;
        if listeners(self.store()).await? == before {
            return Ok(());
        }
        Err(StoreError::State(format!(
            "an agent was at work on the store {FROM} meanwhile; nothing was written. Keep it stopped and carry \
             everything over again"
        )))
    }
}

/// Carries everything that the store `from` holds to the store `to`, which must hold nothing. Each is an address with
/// the folder from which relative paths in it count. Gives back the tables with their rows.
///
/// # Errors
/// An address is none, a store cannot be opened, the first one is not there, an agent is at work on one of them or
/// begins meanwhile, or the second one holds something. Then `to` holds what it held: nothing where it was made.
pub async fn transfer(
    from: (&str, &Path),
    to: (&str, &Path),
    clock: &dyn Clock,
) -> Result<Vec<Carried>, StoreError> {
    if !super::is_there(from.0, from.1).await? {
        return Err(StoreError::State(nothing(from.0, from.1)?));
    }
    let source = Opened::open(from.0, from.1).await?;
    let before = listeners(source.store()).await?;
    let now = clock.now();
    source.is_quiet(now, FROM).await?;
    let target = Opened::open(to.0, to.1).await?;
    target.is_quiet(now, TO).await?;
    let mut reading = source.read().await?;
    let mut writing = target.write().await?;
    let (carried, done) = match carry(&mut *reading, &mut *writing).await {
        // What an agent does that began meanwhile is not among what was read.
        Ok(carried) => (carried, source.is_still(&before, clock.now()).await.map_err(Fault::from)),
        Err(fault) => (Vec::new(), Err(fault)),
    };
    let written = writing.end(done).await;
    let read = reading.end(Ok(())).await;
    for opened in [&source, &target] {
        opened.store().close().await;
    }
    written.and(read)?;
    Ok(carried)
}

/// What is said of an address at which no store is.
fn nothing(address: &str, folder: &Path) -> Result<String, StoreError> {
    Ok(match place(address)? {
        Place::File(file) => format!(
            "there is no file {} to carry over; name the one of the agent with its whole path, such as --from \
             sqlite:/var/lib/launchready/launchready.db",
            folder.join(file).display()
        ),
        Place::Server(_) => "no agent has used the store that --from names: there is nothing to carry over; look at \
                             its host and its database"
            .to_owned(),
    })
}

async fn carry(from: &mut dyn Whole, to: &mut dyn Whole) -> Result<Vec<Carried>, Fault> {
    for table in TABLES {
        if to.rows(table).next().await.transpose()?.is_some() {
            let text = "the store that --to names holds something already; name a new file or an \
                        empty database, so that nothing is overwritten. Where nobody misses what a \
                        database holds, stop its agents and empty it: DROP SCHEMA launchready CASCADE";
            return Err(StoreError::State(text.to_owned()).into());
        }
    }
    let mut sums = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut sum = Sum::default();
        let mut waiting: Vec<Row> = Vec::new();
        let mut rows = from.rows(table);
        while let Some(row) = rows.next().await {
            let row = row?;
            sum.add(&row);
            waiting.push(row);
            if waiting.len() == ROWS {
                to.add(table, &waiting).await?;
                waiting.clear();
            }
        }
        to.add(table, &waiting).await?;
        to.number_on(table).await?;
        sums.push(sum);
    }
    let mut carried = Vec::with_capacity(TABLES.len());
    for (table, sum) in TABLES.iter().zip(sums) {
        let mut found = Sum::default();
        let mut rows = to.rows(table);
        while let Some(row) = rows.next().await {
            found.add(&row?);
        }
        if found != sum {
            let why = format!("{} did not arrive as it was sent", table.name);
            return Err(Fault::Row(why.into()));
        }
        carried.push(Carried { table: table.name, rows: sum.rows });
    }
    Ok(carried)
}

/// How long a statement of a transfer may take: it passes over a whole table.
pub(super) const PATIENCE: Duration = Duration::from_hours(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_of_rows_heeds_every_value_and_no_order() {
        let sum = |rows: &[&[Value]]| {
            let mut sum = Sum::default();
            for row in rows {
                sum.add(row);
            }
            sum
        };
        let one = [Value::Number(1), Value::Null, Value::Text("a".to_owned())];
        let two = [Value::Number(1), Value::Flag(false), Value::Text("a".to_owned())];
        let three = [Value::Number(1), Value::Null, Value::Bytes(b"a".to_vec())];
        assert_eq!(sum(&[&one, &two]), sum(&[&two, &one]));
        for other in [&two, &three] {
            assert_ne!(sum(&[&one]), sum(&[other]));
        }
        assert_ne!(sum(&[&one]), sum(&[&one, &one]));
        let split = |a: &str, b: &str| [Value::Text(a.to_owned()), Value::Text(b.to_owned())];
        assert_ne!(sum(&[&split("ab", "c")]), sum(&[&split("a", "bc")]));
    }
}
