//! Takes back what the drill `two-users` has left: rows that carry the mark, and sessions.

use launchready_checks::probe::ProbeError;

use super::owned::{Owned, key_text};
use super::project::{Project, Told, User};
use super::{open, sign_in};
use crate::drill::{Scene, Undo, UndoState};

/// The most rows that are taken back at once; a drill makes four of a table.
const ROWS: &str = "100";
/// What is said of a user that could not sign in any more.
const EDITOR: &str = "in the dashboard, under SQL Editor";

/// Takes everything back that both users can still see, and looks again.
pub(in crate::drill) async fn undo(scene: &Scene<'_>) -> Vec<Undo> {
    let tables = scene.table.owned.iter().map(|table| Owned::new(table, scene));
    let tables: Vec<_> = tables.filter(|owned| owned.marked().is_some()).collect();
    let (mut users, mut why) = (Vec::new(), None);
    let project = match open(scene) {
        Ok(project) => project,
        Err(lack) => return tables.iter().map(|owned| unknown(owned, &lack)).collect(),
    };
    for user in &scene.table.user {
        match sign_in(scene, &project, user).await {
            Ok(user) => users.push(user),
            Err((saw, _fix)) => why = Some(format!("a test user cannot sign in: {saw}")),
        }
    }
    if users.len() < 2 && why.is_none() {
        why = Some("there are no two test users in the config".to_owned());
    }
    let mut undone = Vec::new();
    for owned in &tables {
        match rows(&project, &users, owned).await {
            Ok(done) => undone.extend(done),
            Err(error) => undone.push(unknown(owned, &error.to_string())),
        }
        if let Some(why) = &why {
            undone.push(unknown(owned, why));
        }
    }
    undone.extend(sessions(&project, &users).await);
    undone
}

/// Rows that nobody could look for.
fn unknown(owned: &Owned<'_>, why: &str) -> Undo {
    Undo {
        what: format!("rows of {} with the mark, if there are any", owned.name()),
        state: UndoState::Left,
        how: format!("{why}; run `{}` {EDITOR}", owned.sql()),
    }
}

/// The keys of the rows with the mark that a user sees and that belong to one of the two.
async fn seen(
    project: &Project,
    user: &User,
    users: &[User],
    owned: &Owned<'_>,
) -> Result<Vec<String>, ProbeError> {
    let Some(column) = owned.marked() else { return Ok(Vec::new()) };
    let key = owned.key();
    let ids: Vec<_> = users.iter().map(|user| user.id.as_str()).collect();
    let (columns, filter) = (format!("{key},{column}"), owned.filter());
    let owners = format!("in.({})", ids.join(","));
    let query = [
        ("select", columns.as_str()),
        (owned.table.owner.as_str(), owners.as_str()),
        (column, filter.as_str()),
        ("limit", ROWS),
    ];
    let Told::Rows(rows) = project.read(Some(user), owned.name(), &query).await? else {
        return Ok(Vec::new());
    };
    let ours = rows.iter().filter(|row| owned.is_ours(row));
    Ok(ours.filter_map(|row| key_text(row.get(key))).collect())
}

async fn rows(
    project: &Project,
    users: &[User],
    owned: &Owned<'_>,
) -> Result<Vec<Undo>, ProbeError> {
    let (Some(column), key) = (owned.marked(), owned.key()) else { return Ok(Vec::new()) };
    let filter = owned.filter();
    let mut found = std::collections::BTreeSet::new();
    for user in users {
        for row in seen(project, user, users, owned).await? {
            let wanted = format!("eq.{row}");
            let query = [(key, wanted.as_str()), (column, filter.as_str())];
            // Whether it worked is looked at afterwards.
            let _told = project.delete(user, owned.name(), &query).await?;
            found.insert(row);
        }
    }
    let mut left = std::collections::BTreeSet::new();
    for user in users {
        left.extend(seen(project, user, users, owned).await?);
    }
    let mut undone = Vec::new();
    let gone = found.difference(&left).count();
    if gone > 0 {
        undone.push(Undo {
            what: counted(gone, owned.name()),
            state: UndoState::Done,
            how: "deleted, and looked for again".to_owned(),
        });
    }
    if !left.is_empty() {
        undone.push(Undo {
            what: counted(left.len(), owned.name()),
            state: UndoState::Left,
            how: format!("no policy lets their owner delete them; run `{}` {EDITOR}", owned.sql()),
        });
    }
    Ok(undone)
}

async fn sessions(project: &Project, users: &[User]) -> Option<Undo> {
    let mut left = Vec::new();
    for user in users {
        if !project.sign_out(user).await.unwrap_or(false) {
            left.push(format!("'{}'", user.id));
        }
    }
    if users.is_empty() {
        return None;
    }
    let (state, how) = if left.is_empty() {
        (UndoState::Done, "signed out everywhere, and tried again".to_owned())
    } else {
        let sql = format!("delete from auth.sessions where user_id in ({});", left.join(", "));
        (UndoState::Left, format!("the sign-out was not confirmed; run `{sql}` {EDITOR}"))
    };
    Some(Undo { what: "the sessions of the test users".to_owned(), state, how })
}

fn counted(rows: usize, table: &str) -> String {
    format!("{rows} row{} of {table}", if rows == 1 { "" } else { "s" })
}
