//! Judges what the public key was answered.

use super::{AnonAccess, Asked, Evidence, FUNCTIONS, LISTED, READABLE, TABLES};
use crate::contract::{AssessCx, Assessment, Unseen};
use crate::probe::{PublicLook, Seen};
use crate::supabase::source::{identifier, is_declared, quoted};

/// Judges everything that was seen.
pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, AnonAccess>) -> Assessment {
    let mut out = Assessment::default();
    let mut readable = 0_u32;
    let mut answered = evidence.closed + evidence.hidden + evidence.empty.total();
    for asked in &evidence.tables {
        let full = format!("{}.{}", asked.schema, asked.table);
        match &asked.look {
            Seen::Ok(PublicLook::Rows { total }) => {
                answered += 1;
                if !is_declared(cx.target, &asked.schema, &asked.table) {
                    readable += 1;
                    rows(evidence, asked, &full, *total, &mut out);
                }
            }
            Seen::Ok(look) => other(&full, look, &mut out),
            Seen::Agent(fault) => {
                out.not_checked(Unseen::Condition, &full, fault.to_string(), fault.unlock());
            }
            Seen::Target(fault) => {
                let unlock = "run it again once the project answers";
                out.not_checked(Unseen::Condition, &full, fault.to_string(), unlock);
            }
        }
    }
    out.measure(TABLES.value(None, f64::from(readable)));
    buckets(evidence, cx, &mut out);
    names(evidence, &mut out);
    let is_blind = evidence.no_catalogue.is_some() && evidence.undeclared == 0;
    gaps(evidence, is_blind || answered + evidence.tables.len() == 0, &mut out);
    out.unless_seen(answered > 0 && !is_blind);
    out
}

fn rows(evidence: &Evidence, asked: &Asked, full: &str, total: Option<u64>, out: &mut Assessment) {
    let count = match total {
        Some(1) => "1 row".to_owned(),
        Some(total) => format!("{total} rows"),
        None => "rows".to_owned(),
    };
    let table = quoted(&asked.schema, &asked.table);
    let cause = asked.cause.clone().unwrap_or_else(|| {
        "why was not seen: no catalogue could be read, or it names no cause".to_owned()
    });
    out.find(
        READABLE
            .finding(full)
            .summary(format!("A stranger can read {count} of {full} with the public key."))
            .saw(format!("HEAD /rest/v1/{} with the public key and Range: 0-0: {count}", asked.table))
            .saw(format!("cause: {cause}"))
            .saw(format!("no row was fetched; asked because of {}", evidence.proof))
            .fix(format!(
                "In the dashboard open SQL Editor → New query and run `alter table {table} enable row level \
                 security;`, and alter or drop every policy of it that is true for anon (Database → Policies; \
                 supabase-rls names them). Where strangers may read it on purpose, add {:?} to public_tables in \
                 [project.supabase].",
                asked.table
            ))
            .undo(format!("`alter table {table} disable row level security;`")),
    );
}

fn other(full: &str, look: &PublicLook, out: &mut Assessment) {
    let PublicLook::Other { status, code } = look else { return };
    let code = code.as_ref().map(|code| format!(" with {code}")).unwrap_or_default();
    out.not_checked(
        Unseen::Condition,
        full,
        format!("the API answers {status}{code}, which says nothing about its rows"),
        "open the same address in the API docs of the dashboard, and run it again",
    );
}

fn buckets(evidence: &Evidence, cx: &AssessCx<'_, AnonAccess>, out: &mut Assessment) {
    let buckets = match &evidence.buckets {
        Seen::Ok(buckets) => buckets,
        Seen::Agent(fault) => {
            out.not_checked(Unseen::Condition, "buckets", fault.to_string(), fault.unlock());
            return;
        }
        Seen::Target(fault) => {
            let unlock = "run it again once the project answers";
            out.not_checked(Unseen::Condition, "buckets", fault.to_string(), unlock);
            return;
        }
    };
    for bucket in buckets.items.iter().filter(|bucket| bucket.listed) {
        if cx.options.listed_buckets.contains(&bucket.name) {
            continue;
        }
        let name = &bucket.name;
        let kind = if bucket.public { "public" } else { "private" };
        out.find(
            LISTED
                .finding(name.as_str())
                .summary(format!("A stranger can list the files of the {kind} bucket {name}."))
                .saw(format!("POST /storage/v1/object/list/{name} with the public key and limit 1: a file"))
                .saw("Supabase's own name for it: lint 0025, public_bucket_allows_listing")
                .fix(format!(
                    "In the dashboard open Storage → Policies and delete the SELECT policy on storage.objects \
                     that is true for anon or public and holds bucket_id = '{}'. A public bucket needs none: its \
                     files are served by their address. Where listing is wanted, add {name:?} to listed_buckets \
                     under [checks.supabase-anon-access].",
                    name.replace('\'', "''")
                ))
                .undo(format!(
                    "`create policy {} on storage.objects for select to anon using (bucket_id = '{}');`",
                    identifier("public listing"),
                    name.replace('\'', "''")
                )),
        );
    }
    if let Some(reason) = &evidence.no_bucket_names {
        out.not_checked(
            Unseen::Noted,
            "buckets that are not listed themselves",
            reason,
            "give the token the permission storage_read",
        );
    }
    if buckets.cut > 0 {
        let reason = format!("{} more buckets are listed than one run asks", buckets.cut);
        out.not_checked(Unseen::Condition, "more buckets", reason, "look at them under Storage");
    }
}

fn names(evidence: &Evidence, out: &mut Assessment) {
    let names = match &evidence.names {
        Seen::Ok(names) => names,
        Seen::Agent(fault) => {
            out.not_checked(
                Unseen::Noted,
                "the list of the API",
                fault.to_string(),
                fault.unlock(),
            );
            return;
        }
        Seen::Target(fault) => {
            let unlock = "run it again once the project answers";
            out.not_checked(Unseen::Noted, "the list of the API", fault.to_string(), unlock);
            return;
        }
    };
    if names.functions.is_empty() {
        return;
    }
    out.find(
        FUNCTIONS
            .finding("/rest/v1/")
            .summary(format!(
                "The API lists {} functions to whoever holds the public key, such as {}.",
                names.functions.len(),
                names.functions.first().map(String::as_str).unwrap_or_default()
            ))
            .saw_all(names.functions.iter().take(20).map(|name| format!("/rest/v1/rpc/{name}")))
            .fix(
                "Functions that only the server calls: in the dashboard open SQL Editor → New query and run \
                 `revoke execute on function NAME from public, anon;`. The list itself is refused to the public \
                 key on every project of Supabase's cloud since April 2026; on a server of your own set \
                 openapi-mode = \"disabled\".",
            )
            .undo("`grant execute on function NAME to anon;`"),
    );
}

fn gaps(evidence: &Evidence, is_nothing: bool, out: &mut Assessment) {
    let empty = evidence.empty.total();
    if empty > 0 {
        let some: Vec<&str> = evidence.empty.items.iter().take(5).map(String::as_str).collect();
        out.not_checked(
            Unseen::Noted,
            format!("{empty} tables without a row for strangers"),
            format!("{}: they are empty, or a policy hides their rows", some.join(", ")),
            "give the token the permission database_read, so that supabase-rls reads their policies",
        );
    }
    if is_nothing {
        let why =
            evidence.no_catalogue.clone().unwrap_or_else(|| "the catalogue holds none".to_owned());
        out.not_checked(
            Unseen::Condition,
            "rows of tables",
            format!("no table beside those of public_tables is known by name: {why}"),
            "name them as `tables` under [checks.supabase-anon-access], or give the token the permission \
             database_read",
        );
    }
    if evidence.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("{} more tables", evidence.cut),
            format!("one run asks {} tables", super::ASKED),
            "supabase-rls reads the policies of all of them",
        );
    }
}
