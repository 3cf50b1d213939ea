//! What PostgreSQL says, in the words that a user meets.

use super::address::Server;
use crate::store::StoreError;
use crate::store::fault::Fault;

/// `serialization_failure`, `deadlock_detected`, and what is over when it is tried again after another agent
/// has written first: `unique_violation` and `foreign_key_violation`.
const AGAIN: [&str; 4] = ["40001", "40P01", "23505", "23503"];
/// `lock_not_available` and `query_canceled`.
const BUSY: [&str; 2] = ["55P03", "57014"];
/// `disk_full`.
const FULL: &str = "53100";
/// `read_only_sql_transaction`: it is a replica. `idle_in_transaction_session_timeout`: this agent stood still in
/// the middle. `insufficient_privilege`: somebody took rights away.
const OF_SERVER: [&str; 3] = ["25006", "25P03", "42501"];
/// Connections, logins, resources, the operator, the system and what is broken in the server, whatever it is
/// asked. `3D` is a database that is not there, `3F` and `42P01` are tables that are gone.
const CLASSES: [&str; 8] = ["08", "28", "53", "57", "58", "XX", "3D", "3F"];
/// `undefined_table`.
const NO_TABLE: &str = "42P01";

/// The five signs of what the server says, where it does.
fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// Whether a call may do better when it is tried again at once.
pub(super) fn is_again(fault: &Fault) -> bool {
    let Fault::Sql(error) = fault else { return false };
    code(error).is_some_and(|code| AGAIN.contains(&code.as_str()))
}

/// Whether a connection is of no use after this.
pub(super) fn ends_connection(fault: &Fault) -> bool {
    let Fault::Sql(error) = fault else { return false };
    match code(error) {
        Some(code) => is_of_server(&code),
        None => !matches!(error, sqlx::Error::ColumnDecode { .. } | sqlx::Error::RowNotFound),
    }
}

/// Whether a connection could not be made because nothing comes back, rather than an answer that says no.
pub(super) fn is_unreachable(fault: &Fault) -> bool {
    use std::io::ErrorKind::{HostUnreachable, NetworkUnreachable, TimedOut};
    let Fault::Sql(sqlx::Error::Io(error)) = fault else { return false };
    matches!(error.kind(), TimedOut | HostUnreachable | NetworkUnreachable)
}

fn is_of_server(code: &str) -> bool {
    let class = CLASSES.iter().any(|class| code.starts_with(class));
    (class && !BUSY.contains(&code)) || OF_SERVER.contains(&code) || code == NO_TABLE
}

/// What the server says. The whole text of its error would end in a line of its own source.
fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(said) => said.message().to_owned(),
        other => other.to_string(),
    }
}

/// The error of a call that could not do what `doing` says.
pub(super) fn explain(server: &Server, doing: &'static str, fault: Fault) -> StoreError {
    let source = match fault {
        Fault::Told(error) => return error,
        Fault::Row(source) => return StoreError::Database { doing, source },
        Fault::Sql(source) => source,
    };
    let store = server.name.clone();
    let code = code(&source);
    let is_away = match &code {
        Some(code) => is_of_server(code),
        None => {
            matches!(source, sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_))
        }
    };
    let text = server.clean(&said(&source));
    match code.as_deref() {
        Some(FULL) => StoreError::Full { store },
        Some(code) if BUSY.contains(&code) || AGAIN.contains(&code) && code.starts_with("40") => {
            StoreError::Busy
        }
        _ if is_away => StoreError::Away { server: store, source: text.into() },
        _ => StoreError::Database { doing, source: text.into() },
    }
}

/// The error of opening.
pub(super) fn explain_open(server: &Server, fault: Fault) -> StoreError {
    match explain(server, "be opened", fault) {
        StoreError::Away { source, .. } | StoreError::Database { source, .. } => {
            StoreError::Refused { server: server.name.clone(), source }
        }
        other => other,
    }
}
