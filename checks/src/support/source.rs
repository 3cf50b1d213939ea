//! Where conversations are read: at the help desk, or in the project's own table.

use super::table::Table;
use crate::contract::{CheckError, Target};
use crate::probe::{Accounts, Desk, Missing, TableRole};

/// What is read.
pub(super) enum Source<'a> {
    Desk(&'a dyn Desk),
    Table(Table<'a>),
}

impl Source<'_> {
    pub(super) fn desk(&self) -> &dyn Desk {
        match self {
            Self::Desk(desk) => *desk,
            Self::Table(table) => table,
        }
    }

    /// The word for it in subjects.
    pub(super) fn kind(&self, target: &Target) -> String {
        match self {
            Self::Desk(_) => target.accounts.support.clone().unwrap_or_else(|| "desk".to_owned()),
            Self::Table(_) => TableRole::Tickets.as_str().to_owned(),
        }
    }
}

/// The help desk, or else the table of tickets in the project's database.
///
/// # Errors
/// Neither is there, or the database cannot be asked.
pub(super) async fn source(accounts: &Accounts) -> Result<Source<'_>, CheckError> {
    let missing: Missing = match accounts.desk.get() {
        Ok(desk) => return Ok(Source::Desk(desk)),
        Err(missing) => missing,
    };
    let Some(database) = accounts.database.optional() else { return Err(missing.into()) };
    let shape = database.shape(TableRole::Tickets).await.map_err(CheckError::unseen)?;
    match shape {
        Some(shape) => Ok(Source::Table(Table::new(database, shape)?)),
        None => Err(missing.into()),
    }
}
