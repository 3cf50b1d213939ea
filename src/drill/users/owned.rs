//! A table whose rows belong to a user: the row that a drill makes there, and how it is found again.

use serde_json::Value;

use super::project::{Row, User};
use crate::config::OwnedTable;
use crate::drill::Scene;

/// What stands in a value of `row` for the mark.
const PLACE: &str = "{mark}";

/// The table in one drill.
pub(super) struct Owned<'a> {
    pub(super) table: &'a OwnedTable,
    mark: &'a str,
    /// Anybody may read it on purpose.
    pub(super) public: bool,
}

impl<'a> Owned<'a> {
    pub(super) fn new(table: &'a OwnedTable, scene: &Scene<'a>) -> Self {
        let supabase = scene.accounts.tables.supabase.as_ref();
        let public = supabase.is_some_and(|supabase| {
            supabase.public_tables.iter().any(|name| {
                name == &table.table || name.strip_prefix("public.") == Some(&table.table)
            })
        });
        Self { table, mark: scene.mark, public }
    }

    pub(super) fn name(&self) -> &'a str {
        &self.table.table
    }

    pub(super) fn key(&self) -> &'a str {
        &self.table.key
    }

    /// The text column that holds the mark: the one with its place in it, else the first one.
    pub(super) fn marked(&self) -> Option<&'a str> {
        let texts =
            || self.table.row.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
        let told = texts().find(|(_, text)| text.contains(PLACE)).or_else(|| texts().next());
        told.map(|(name, _)| name.as_str())
    }

    /// The text that stands there.
    pub(super) fn text(&self) -> String {
        let text = self.marked().and_then(|column| self.table.row.get(column)?.as_str());
        match text.unwrap_or_default() {
            text if text.contains(PLACE) => text.replace(PLACE, self.mark),
            "" => self.mark.to_owned(),
            text => format!("{text} {}", self.mark),
        }
    }

    /// What the other user tries to put there. It holds the mark, too.
    pub(super) fn changed(&self) -> String {
        format!("{} b", self.text())
    }

    /// A row that says that it is this user's.
    pub(super) fn row(&self, owner: &User) -> Row {
        let mut row: Row = self.table.row.clone().into_iter().collect();
        if let Some(column) = self.marked() {
            row.insert(column.to_owned(), Value::from(self.text()));
        }
        row.insert(self.table.owner.clone(), Value::from(owner.id.as_str()));
        row
    }

    /// The filter that finds rows of this drill; an underscore fits any character, which is why what comes
    /// back is compared again.
    pub(super) fn filter(&self) -> String {
        format!("like.*{}*", self.mark)
    }

    /// Whether a row is one of this drill.
    pub(super) fn is_ours(&self, row: &Row) -> bool {
        let text = self.marked().and_then(|column| row.get(column)?.as_str());
        text.is_some_and(|text| text.contains(self.mark))
    }

    /// The statement that takes every row of this drill back.
    pub(super) fn sql(&self) -> String {
        let column = self.marked().unwrap_or_default();
        let (table, mark) = (quoted(self.name()), self.mark);
        format!("delete from {table} where {} like '%{mark}%';", quoted(column))
    }

    /// The policy that is probably missing.
    pub(super) fn policy(&self, way: &str) -> String {
        let owns = format!("auth.uid() = {}", quoted(&self.table.owner));
        let rule = match way {
            "insert" => format!("with check ({owns})"),
            "update" => format!("using ({owns}) with check ({owns})"),
            _ => format!("using ({owns})"),
        };
        let table = quoted(self.name());
        format!(
            "run `alter table {table} enable row level security;` in the dashboard under SQL Editor, drop the policy \
             for {way} that is true for others, and write `create policy \"owners {way}\" on {table} for {way} to \
             authenticated {rule};`"
        )
    }
}

/// A name as SQL has it; a plain one stays as it is.
pub(super) fn quoted(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if name.bytes().all(plain) && !name.starts_with(|c: char| c.is_ascii_digit()) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The value of a key, as a filter has it.
pub(super) fn key_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
