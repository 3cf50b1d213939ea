//! The columns of a row by their names, whichever database it comes from.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::fault::Fault;
use super::words;

/// What a column can hold. A name that is none, and a value of another kind, are errors.
pub(super) trait Columns {
    /// A text.
    fn text(&self, name: &str) -> Result<&str, Fault>;
    /// A text, or nothing.
    fn some_text(&self, name: &str) -> Result<Option<String>, Fault>;
    /// A whole number.
    fn number(&self, name: &str) -> Result<i64, Fault>;
    /// A whole number, or nothing.
    fn some_number(&self, name: &str) -> Result<Option<i64>, Fault>;
    /// A number.
    fn real(&self, name: &str) -> Result<f64, Fault>;
    /// A number, or nothing.
    fn some_real(&self, name: &str) -> Result<Option<f64>, Fault>;
    /// Yes or no.
    fn flag(&self, name: &str) -> Result<bool, Fault>;
    /// Yes or no, or nothing.
    fn some_flag(&self, name: &str) -> Result<Option<bool>, Fault>;
    /// Bytes.
    fn bytes(&self, name: &str) -> Result<&[u8], Fault>;
    /// Bytes, or nothing.
    fn some_bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Fault>;

    /// A time.
    fn time(&self, name: &str) -> Result<Timestamp, Fault> {
        self.number(name).map(words::at)
    }

    /// A time, or nothing.
    fn some_time(&self, name: &str) -> Result<Option<Timestamp>, Fault> {
        Ok(self.some_number(name)?.map(words::at))
    }

    /// How many; nothing is below zero.
    fn count(&self, name: &str) -> Result<u64, Fault> {
        self.number(name).map(|count| u64::try_from(count).unwrap_or_default())
    }

    /// A word of a closed list.
    fn word<T: DeserializeOwned>(&self, name: &str) -> Result<T, Fault> {
        Ok(words::word(self.text(name)?.to_owned())?)
    }
}

macro_rules! columns {
    ($($row:ty),+) => {
        $(impl Columns for $row {
            fn text(&self, name: &str) -> Result<&str, Fault> {
                Ok(self.try_get(name)?)
            }

            fn some_text(&self, name: &str) -> Result<Option<String>, Fault> {
                Ok(self.try_get(name)?)
            }

            fn number(&self, name: &str) -> Result<i64, Fault> {
                Ok(self.try_get(name)?)
            }

            fn some_number(&self, name: &str) -> Result<Option<i64>, Fault> {
                Ok(self.try_get(name)?)
            }

            fn real(&self, name: &str) -> Result<f64, Fault> {
                Ok(self.try_get(name)?)
            }

            fn some_real(&self, name: &str) -> Result<Option<f64>, Fault> {
                Ok(self.try_get(name)?)
            }

            fn flag(&self, name: &str) -> Result<bool, Fault> {
                Ok(self.try_get(name)?)
            }

            fn some_flag(&self, name: &str) -> Result<Option<bool>, Fault> {
                Ok(self.try_get(name)?)
            }

            fn bytes(&self, name: &str) -> Result<&[u8], Fault> {
                Ok(self.try_get(name)?)
            }

            fn some_bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
                Ok(self.try_get(name)?)
            }
        })+
    };
}

columns!(SqliteRow, PgRow);
