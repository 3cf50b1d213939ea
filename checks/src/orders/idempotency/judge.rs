//! Judges what the catalogue says.

use std::collections::BTreeMap;

use super::{EVENT_ID, Evidence, Guarded, KEY, Loose, NO_EVENTS, PARENT, PLAIN, POWER, SESSION};
use crate::contract::{Assessment, Unseen};

/// Judges.
pub(super) fn judge(evidence: &Evidence) -> Assessment {
    let mut out = Assessment::default();
    events(evidence, &mut out);
    orders(evidence, &mut out);
    for orphans in &evidence.orphans {
        if orphans.rows == 0 {
            continue;
        }
        let (from, to) = (&orphans.from, &orphans.to);
        if orphans.rows == orphans.of {
            out.not_checked(
                Unseen::Condition,
                format!("whether rows of {from} lead to rows of {to}"),
                "not one of them does, so that they hold another kind of id",
                "name the column that holds the key of the other table in [project.database]",
            );
            continue;
        }
        out.find(
            PARENT
                .finding(from)
                .summary(format!(
                    "{} of {} rows of {from} lead to a row of {to} that is not there.",
                    orphans.rows, orphans.of
                ))
                .saw_all(orphans.values.items.iter().take(20))
                .fix(format!(
                    "Find out what deleted them: look for DELETE on {to} in the code and in the log of the \
                     database. Restore the rows from a backup, or delete what leads to them, and add a foreign \
                     key so that it cannot happen again."
                ))
                .undo("Take a backup of both tables first, and put it back."),
        );
    }
    loose(&evidence.facts.engine, &evidence.loose.items, &mut out);
    user(evidence, &mut out);
    for hidden in &evidence.hidden {
        out.not_checked(Unseen::Condition, &hidden.part, &hidden.cause, &hidden.unlock);
    }
    if evidence.cut {
        out.not_checked(
            Unseen::Condition,
            "some tables of the database",
            "one run reads 2,000",
            "name the schemas that the product uses as `schemas` in [project.supabase]",
        );
    }
    out
}

/// A name as a statement has to have it; a table may come with its schema.
fn named(name: &str) -> String {
    let plain = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let part = |part: &str| {
        if plain(part) { part.to_owned() } else { format!("\"{}\"", part.replace('"', "\"\"")) }
    };
    name.splitn(2, '.').map(part).collect::<Vec<_>>().join(".")
}

/// The statement that makes a column unique, and the one that takes it back.
fn unique(engine: &str, table: &str, column: &str) -> (String, String) {
    let bare = table.rsplit('.').next().unwrap_or(table);
    let index = named(&format!("{bare}_{column}_key"));
    let (table, column) = (named(table), named(column));
    let (make, drop) = if engine == "sqlite" {
        ("CREATE UNIQUE INDEX", "DROP INDEX")
    } else {
        ("CREATE UNIQUE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY")
    };
    (format!("{make} {index} ON {table} ({column});"), format!("{drop} {index};"))
}

fn events(evidence: &Evidence, out: &mut Assessment) {
    let part = "whether the provider's event id is unique";
    let Some(events) = &evidence.events else {
        if evidence.candidates.items.is_empty() {
            out.find(no_events(evidence));
        } else {
            out.not_checked(
                Unseen::Blocks,
                part,
                format!(
                    "the config names no table of events, and {} may be it",
                    evidence.candidates.items.join(" or ")
                ),
                "add [project.database.events] with its table to the config",
            );
        }
        return;
    };
    let Some(guard) = events.guards.first() else {
        out.not_checked(
            Unseen::Blocks,
            part,
            format!("{} has no column with that id", events.table),
            "name it under [project.database.events]: id = \"COLUMN\"",
        );
        return;
    };
    if is_view(events, part, Unseen::Blocks, evidence.cut, out) || guard.unique {
        return;
    }
    let (table, column) = (&events.table, &guard.column);
    let (make, take) = unique(&evidence.facts.engine, table, column);
    out.find(
        EVENT_ID
            .finding(format!("{table}.{column}"))
            .summary(format!("{table} takes two rows with the same {column}."))
            .saw(format!("no primary key and no unique index over {column} alone"))
            .fix(format!(
                "Delete rows that stand there twice (orders-duplicates lists them), then: {make} In the handler \
                 write the event first, with INSERT … ON CONFLICT ({column}) DO NOTHING, and go on only where a \
                 row was written."
            ))
            .undo(take),
    );
}

fn no_events(evidence: &Evidence) -> crate::contract::Finding {
    let make = "CREATE TABLE stripe_events (event_id text PRIMARY KEY, type text NOT NULL, status text NOT NULL \
                DEFAULT 'processing', created timestamptz NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), \
                processed_at timestamptz, error text);";
    NO_EVENTS
        .finding(if evidence.facts.engine.is_empty() { "database" } else { &evidence.facts.engine })
        .summary("No table of the database keeps the events of the payment provider.")
        .saw("no table called after events or webhooks has a column event_id")
        .fix(format!(
            "{make} Write each event into it before anything else, set its status in the same transaction as the \
             work, and name it in the config: [project.database.events] table = \"stripe_events\"."
        ))
        .undo("DROP TABLE stripe_events;")
}

/// Notes a table that the catalogue does not know; it is a view, or there were too many tables.
fn is_view(table: &Guarded, part: &str, unseen: Unseen, cut: bool, out: &mut Assessment) -> bool {
    if table.known {
        return false;
    }
    let why = if cut { "was not reached" } else { "is a view, which has no key of its own" };
    out.not_checked(
        unseen,
        part,
        format!("{} {why}", table.table),
        "name the table behind it in [project.database]",
    );
    true
}

fn orders(evidence: &Evidence, out: &mut Assessment) {
    let part = "whether the session of an order is unique";
    let Some(orders) = &evidence.orders else {
        out.not_checked(
            Unseen::Condition,
            part,
            "the config names no table of orders",
            "add [project.database.orders] with its table to the config",
        );
        return;
    };
    let Some(first) = orders.guards.first() else {
        out.not_checked(
            Unseen::Condition,
            part,
            format!("{} has a column for neither session nor payment intent", orders.table),
            "name one under [project.database.orders]: session = \"COLUMN\"",
        );
        return;
    };
    if is_view(orders, part, Unseen::Condition, evidence.cut, out)
        || orders.guards.iter().any(|guard| guard.unique)
    {
        return;
    }
    let (table, column) = (&orders.table, &first.column);
    let (make, take) = unique(&evidence.facts.engine, table, column);
    out.find(
        SESSION
            .finding(format!("{table}.{column}"))
            .summary(format!("{table} takes two rows with the same {column}."))
            .saw_all(orders.guards.iter().map(|guard| format!("{} is not unique", guard.column)))
            .fix(format!(
                "Merge orders that stand there twice (orders-duplicates lists them), then: {make} Have the handler \
                 write with INSERT … ON CONFLICT ({column}) DO NOTHING."
            ))
            .undo(take),
    );
}

fn loose(engine: &str, keys: &[Loose], out: &mut Assessment) {
    let mut tables: BTreeMap<&str, Vec<&Loose>> = BTreeMap::new();
    for key in keys {
        tables.entry(&key.table).or_default().push(key);
    }
    for (table, keys) in tables {
        let bare = table.rsplit('.').next().unwrap_or(table);
        let name = |key: &Loose| named(&format!("{bare}_{}_fkey", key.column));
        let shown = named(table);
        let make = keys.iter().map(|key| {
            format!(
                "ALTER TABLE {shown} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) NOT VALID;",
                name(key),
                named(&key.column),
                named(&key.to),
                named(&key.key)
            )
        });
        let take =
            keys.iter().map(|key| format!("ALTER TABLE {shown} DROP CONSTRAINT {};", name(key)));
        let (fix, undo) = if engine == "sqlite" {
            (
                format!(
                    "Make {shown} anew with REFERENCES in those columns, and copy its rows over."
                ),
                "Make it anew without them.".to_owned(),
            )
        } else {
            (
                format!(
                    "{} Then VALIDATE CONSTRAINT once the rows are clean; NOT VALID guards new rows at once.",
                    make.collect::<Vec<_>>().join(" ")
                ),
                take.collect::<Vec<_>>().join(" "),
            )
        };
        out.find(
            KEY.finding(table)
                .summary(format!(
                    "{} of {table} {} to another table without a foreign key.",
                    keys.iter().map(|key| key.column.as_str()).collect::<Vec<_>>().join(", "),
                    if keys.len() == 1 { "leads" } else { "lead" }
                ))
                .saw_all(keys.iter().map(|key| format!("{} → {}.{}", key.column, key.to, key.key)))
                .fix(fix)
                .undo(undo),
        );
    }
}

fn user(evidence: &Evidence, out: &mut Assessment) {
    let facts = &evidence.facts;
    if !facts.may_change.is_empty() {
        out.find(
            POWER
                .finding(&facts.user)
                .summary(format!("The user {} can change what it reads.", facts.user))
                .saw_all(&facts.may_change)
                .fix(
                    "Make a user that only reads: CREATE ROLE launchready LOGIN PASSWORD '…'; GRANT USAGE ON SCHEMA \
                     public TO launchready; GRANT SELECT ON the tables of [project.database] TO launchready; and for \
                     each of them that has row level security: CREATE POLICY launchready_reads ON the table FOR \
                     SELECT TO launchready USING (true). Then put its address into the variable or file that \
                     project.database.url names.",
                )
                .undo("Put the former address back; DROP OWNED BY launchready; DROP ROLE launchready;"),
        );
    }
    if !facts.encrypted {
        out.find(
            PLAIN
                .finding(if facts.user.is_empty() { "database" } else { &facts.user })
                .saw("the address says sslmode=disable, or the server does not encrypt")
                .fix(
                    "Turn encryption on at the server (Supabase: Project Settings → Database → SSL Configuration → \
                     Enforce SSL), download its certificate, and write sslmode=verify-full into the address and \
                     root = \"FILE.pem\" into [project.database].",
                )
                .undo("Write the former sslmode back."),
        );
    }
}
