//! Reads keys out of a catalogue.

use super::Loose;
use crate::probe::{Catalogue, CatalogueTable};

/// Columns beside which an id is still the only one of its kind: who sent it, and in which mode.
const BESIDE: [&str; 8] =
    ["provider", "source", "account", "account_id", "livemode", "mode", "endpoint", "environment"];

/// A table with its schema, where it has one.
pub(super) fn shown(table: &CatalogueTable) -> String {
    if table.schema.is_empty() {
        table.name.clone()
    } else {
        format!("{}.{}", table.schema, table.name)
    }
}

/// The table of this name.
pub(super) fn find<'a>(catalogue: &'a Catalogue, name: &str) -> Option<&'a CatalogueTable> {
    catalogue.tables.iter().find(|table| shown(table) == name)
}

/// Whether no two rows can hold the same value.
pub(super) fn is_unique(table: &CatalogueTable, column: &str) -> bool {
    table.unique.iter().any(|columns| {
        columns.iter().any(|name| name == column)
            && columns.iter().all(|name| name == column || BESIDE.contains(&name.as_str()))
    })
}

/// Whether a table may be the one in which the webhook keeps events.
pub(super) fn looks_like_events(table: &CatalogueTable) -> bool {
    let name = table.name.to_lowercase();
    let named = ["event", "webhook"].iter().any(|part| name.contains(part));
    let columns = ["event_id", "stripe_event_id", "eventId", "stripeEventId"];
    named && table.columns.iter().any(|column| columns.contains(&column.name.as_str()))
}

/// Columns that are called after another table of their schema, are of the type of its key, and have no
/// foreign key.
pub(super) fn loose(catalogue: &Catalogue) -> Vec<Loose> {
    let mut found = Vec::new();
    for table in &catalogue.tables {
        for column in &table.columns {
            let Some(stem) = stem(&column.name) else { continue };
            let guarded = table.foreign_keys.iter().any(|key| key.columns.contains(&column.name));
            if guarded {
                continue;
            }
            let parent = catalogue.tables.iter().find(|parent| {
                parent.schema == table.schema
                    && parent.name != table.name
                    && names(&stem).contains(&plain(&parent.name))
            });
            let Some(parent) = parent else { continue };
            let key = parent.columns.iter().find(|key| {
                key.name == "id" && key.kind == column.kind && is_unique(parent, &key.name)
            });
            if let Some(key) = key {
                found.push(Loose {
                    table: shown(table),
                    column: column.name.clone(),
                    to: shown(parent),
                    key: key.name.clone(),
                });
            }
        }
    }
    found
}

fn plain(name: &str) -> String {
    name.chars().filter(|sign| *sign != '_').flat_map(char::to_lowercase).collect()
}

/// What a column is called after: `order` of `order_id` and `orderId`.
fn stem(column: &str) -> Option<String> {
    let stem = column.strip_suffix("_id").or_else(|| column.strip_suffix("Id"))?;
    (!stem.is_empty()).then(|| plain(stem))
}

/// What a table of such things may be called.
fn names(stem: &str) -> Vec<String> {
    let mut names = vec![stem.to_owned(), format!("{stem}s"), format!("{stem}es")];
    names.extend(stem.strip_suffix('y').map(|stem| format!("{stem}ies")));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str, columns: &[(&str, &str)], unique: &[&[&str]]) -> CatalogueTable {
        let column = |(name, kind): &(&str, &str)| crate::probe::CatalogueColumn {
            name: (*name).to_owned(),
            kind: (*kind).to_owned(),
        };
        let names = |names: &&[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        CatalogueTable {
            name: name.to_owned(),
            columns: columns.iter().map(column).collect(),
            unique: unique.iter().map(names).collect(),
            ..CatalogueTable::default()
        }
    }

    #[test]
    fn an_id_is_unique_alone_or_beside_who_sent_it() {
        let events = |unique: &[&[&str]]| {
            is_unique(&table("events", &[("event_id", "text")], unique), "event_id")
        };
        assert!(events(&[&["id"], &["event_id"]]));
        assert!(events(&[&["provider", "event_id"]]));
        assert!(!events(&[&["id"]]));
        assert!(!events(&[&["event_id", "received_at"]]));
    }

    #[test]
    fn a_column_called_after_a_table_leads_to_it() {
        let tables = vec![
            table("companies", &[("id", "uuid")], &[&["id"]]),
            table(
                "orders",
                &[
                    ("company_id", "uuid"),
                    ("companyId", "text"),
                    ("stripe_customer_id", "text"),
                    ("order_id", "uuid"),
                ],
                &[],
            ),
        ];
        let mut catalogue = Catalogue { tables, ..Catalogue::default() };
        let found = loose(&catalogue);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((&*found[0].column, &*found[0].to), ("company_id", "companies"));
        catalogue.tables[1].foreign_keys = vec![crate::probe::ForeignKey {
            columns: vec!["company_id".to_owned()],
            to: "companies".to_owned(),
        }];
        assert!(loose(&catalogue).is_empty());
    }
}
