//! What is made of addresses, statements and rows without a database: for whoever tries the readers.

use std::path::Path;

use launchready_checks::probe::ProbeError;

use super::{address, postgres, statement};
use crate::config::Secret;

/// What an address leads to, for people, and `text` as an error would show it.
///
/// # Errors
/// It is none.
pub fn address(url: &str, text: &str) -> Result<(String, String), ProbeError> {
    Ok(match address::read(&Secret::new(url), Path::new("/srv"), &[])? {
        address::Address::Postgres(server) => (server.name(), server.clean(text)),
        address::Address::Sqlite(path) => (path.display().to_string(), String::new()),
    })
}

/// Whether a statement is one alone.
pub fn is_one_statement(sql: &str) -> bool {
    statement::is_one(sql)
}

/// The rows of COPY in its text form, which come in pieces; nothing where they are none.
pub fn rows(pieces: &[&[u8]]) -> Option<Vec<Vec<Option<String>>>> {
    postgres::read_rows(pieces)
}
