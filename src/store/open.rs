//! Which database an address names, and how its store is opened.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::postgres::PostgresStore;
use super::sqlite::SqliteStore;
use super::{Store, StoreError};

/// What an address names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// A file of SQLite.
    File(&'a str),
    /// A database of PostgreSQL, with the whole address.
    Server(&'a str),
}

/// Opens the store of an address: `sqlite:FILE` or `postgres://USER:PASSWORD@HOST/DATABASE`. A relative path
/// counts from `folder`.
///
/// # Errors
/// The address is none, or the store cannot be opened.
pub async fn open(address: &str, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match place(address)? {
        Place::File(file) => Arc::new(SqliteStore::open(&folder.join(file)).await?),
        Place::Server(url) => Arc::new(PostgresStore::open(url, folder).await?),
    })
}

/// Whether somebody has opened the store of an address before.
///
/// # Errors
/// The address is none, or the server does not say.
pub async fn is_there(address: &str, folder: &Path) -> Result<bool, StoreError> {
    match place(address)? {
        Place::File(file) => Ok(folder.join(file).exists()),
        Place::Server(url) => PostgresStore::is_there(url, folder).await,
    }
}

/// Whether a store can be opened or made, as far as that is known without opening anything: its address has a
/// form, and its file a folder.
///
/// # Errors
/// What opening it would say.
pub fn rehearse(address: &str, folder: &Path) -> Result<(), StoreError> {
    match place(address)? {
        Place::File(file) => {
            let path = folder.join(file);
            has_place(&path).map_err(|why| StoreError::Open { path, source: Box::new(why) })
        }
        Place::Server(url) => PostgresStore::check(url, folder),
    }
}

/// Whether a file is there, or can be made, as far as its folder says.
fn has_place(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let facts = std::fs::metadata(folder.unwrap_or(Path::new(".")))?;
    if facts.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// What an address names.
pub(super) fn place(address: &str) -> Result<Place<'_>, StoreError> {
    // What follows the scheme may hold a password, and is never shown.
    let none = |said: String| Err(StoreError::Address(said));
    let path = match address.split_once(':') {
        Some(("sqlite", path)) => path.strip_prefix("//").unwrap_or(path),
        Some(("postgres" | "postgresql", _)) => return Ok(Place::Server(address)),
        Some((scheme, _)) => return none(format!("{scheme}:…")),
        None => return none(address.to_owned()),
    };
    if path.is_empty() || path.starts_with(':') || path.contains('?') {
        return none(address.to_owned());
    }
    Ok(Place::File(path))
}
