//! Turns what stands out in a catalogue into findings.

use super::facts::{Fact, Kind};
use super::{
    Evidence, FUNCTION_OPEN, KEY_UNINDEXED, METADATA, NO_POLICY, POLICIES_OFF, READ_OPEN, RLS_OFF,
    UNREACHABLE, USERS, VIEW, WRITE_OPEN,
};
use crate::contract::{Assessment, Finding, Severity, Target};
use crate::supabase::source::{identifier, is_declared, quoted};

/// Where SQL is run.
const EDITOR: &str = "In the dashboard open SQL Editor → New query and run";

/// The same in the middle of a sentence.
const EDITOR_AMID: &str = "in the dashboard open SQL Editor → New query and run";

/// Judges everything that stands out.
pub(super) fn judge(evidence: &Evidence, target: &Target, out: &mut Assessment) {
    for fact in &evidence.facts.items {
        let declared = is_declared(target, &fact.schema, &fact.name);
        let found = match fact.kind {
            Kind::Unprotected => unprotected(fact, declared),
            Kind::PoliciesOff => Some(policies_off(fact)),
            Kind::UsersExposed => Some(users(fact)),
            Kind::WriteOpen => Some(written(fact)),
            Kind::UserMetadata => Some(metadata(fact)),
            Kind::ReadOpen => read(fact, declared),
            Kind::OwnersView => view(fact, declared),
            Kind::OwnersFunction => Some(function(fact)),
            Kind::NoPolicy => Some(no_policy(fact)),
            Kind::Unreachable => Some(unreachable(fact)),
            Kind::UnindexedKey => Some(unindexed(fact)),
        };
        if let Some(finding) = found {
            out.find(finding.saw(evidence.source.words()));
        }
    }
}

/// Who is let through, for people.
fn who(fact: &Fact) -> &'static str {
    if fact.roles.iter().any(|role| role == "anon" || role == "public") {
        "anybody who has opened the site"
    } else {
        "anybody who signs up"
    }
}

fn list(words: &[String]) -> String {
    words.join(", ")
}

/// What most findings show.
fn shown(finding: Finding, fact: &Fact, lint: &str) -> Finding {
    let mut finding = finding;
    if !fact.ways.is_empty() {
        let line = format!("{} may {}", list(&fact.roles), list(&fact.ways));
        finding = finding.saw(line);
    }
    if !fact.policies.is_empty() {
        let text = fact.text.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
        finding = finding.saw(format!("policies: {}{text}", list(&fact.policies)));
    }
    if !fact.columns.is_empty() && fact.kind != Kind::UnindexedKey {
        finding = finding.saw(format!("columns: {}", list(&fact.columns)));
    }
    if let Some(rows) = fact.rows {
        finding = finding.saw(format!("about {rows} rows"));
    }
    finding.saw(format!("Supabase's own name for it: {lint}"))
}

fn policy_example(table: &str) -> String {
    format!(
        "create policy \"owners read their rows\" on {table} for select to authenticated using \
         ((select auth.uid()) = user_id);"
    )
}

fn unprotected(fact: &Fact, declared: bool) -> Option<Finding> {
    let only_read = fact.ways.iter().all(|way| way == "SELECT");
    if declared && only_read {
        return None;
    }
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let verb = if only_read { "read" } else { "read or change" };
    let finding = RLS_OFF.finding(&subject).summary(format!(
        "{} can {verb} every row of {subject}: row level security is off.",
        capital(who(fact))
    ));
    let finding = shown(finding, fact, "lint 0013, rls_disabled_in_public");
    Some(
        finding
            .fix(format!(
                "{EDITOR} `alter table {table} enable row level security;`, and one policy for each way in \
                 which the product uses the table, such as `{}`. Do both in one go: without a policy the \
                 product sees no row.",
                policy_example(&table)
            ))
            .undo(format!("`alter table {table} disable row level security;`")),
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn policies_off(fact: &Fact) -> Finding {
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let effect = if fact.ways.is_empty() {
        "nobody holds a privilege on it yet".to_owned()
    } else {
        format!("{} can use every row", who(fact))
    };
    let finding = POLICIES_OFF.finding(&subject).summary(format!(
        "{subject} has policies that do nothing, because row level security is off; {effect}."
    ));
    shown(finding, fact, "lint 0007, policy_exists_rls_disabled")
        .fix(format!(
            "Read the policies once more under Database → Policies, then {EDITOR_AMID} `alter table {table} enable row \
             level security;`."
        ))
        .undo(format!("`alter table {table} disable row level security;`"))
}

fn users(fact: &Fact) -> Finding {
    let subject = fact.subject();
    if fact.schema == "auth" {
        return shown(
            USERS.finding(&subject).summary(
                "The API shows the schema auth, in which Supabase keeps accounts, passwords and sessions.",
            ),
            fact,
            "lint 0002, auth_users_exposed",
        )
        .saw("the list of exposed schemas holds auth")
        .fix("In the dashboard open Settings → Data API → Exposed schemas and take auth out of the list.")
        .undo("Add auth to the list again.");
    }
    let view = quoted(&fact.schema, &fact.name);
    let kind = if fact.materialised { "materialised view" } else { "view" };
    let grantees: Vec<String> = fact.roles.iter().map(|role| identifier(role)).collect();
    let finding = USERS.finding(&subject).summary(format!(
        "The {kind} {subject} hands out the accounts of auth.users to {}.",
        who(fact)
    ));
    let finding = finding.saw(format!(
        "it reads auth.users with the rights of its owner; {} may read it",
        list(&fact.roles)
    ));
    shown(finding, fact, "lint 0002, auth_users_exposed")
        .fix(format!(
            "Keep what the product shows of a user in a table of its own, such as public.profiles with row \
             level security. Until then {} `revoke all on {view} from {};`.",
            EDITOR_AMID,
            grantees.join(", ")
        ))
        .undo(format!("`grant select on {view} to {};`", grantees.join(", ")))
}

fn written(fact: &Fact) -> Finding {
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let finding = WRITE_OPEN.finding(&subject).summary(format!(
        "{} can {} any row of {subject}: a policy is true for everybody.",
        capital(who(fact)),
        list(&fact.ways).to_lowercase().replace(", ", " or ")
    ));
    let anon = fact.roles.iter().any(|role| role == "anon" || role == "public");
    let finding = if anon { finding } else { finding.at(Severity::Warning) };
    let policy = fact.policies.first().map(|name| identifier(name)).unwrap_or_default();
    shown(finding, fact, "lint 0024, rls_policy_always_true")
        .fix(format!(
            "{EDITOR} `alter policy {policy} on {table} to authenticated using ((select auth.uid()) = user_id) \
             with check ((select auth.uid()) = user_id);` (an INSERT policy takes only the part from `with \
             check` on, SELECT and DELETE only the part before it). What only the server writes needs no \
             policy at all: drop it."
        ))
        .undo(format!(
            "`alter policy {policy} on {table} to {} using (true) with check (true);`",
            list(&fact.roles)
        ))
}

fn metadata(fact: &Fact) -> Finding {
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let policy = fact.policies.first().map(|name| identifier(name)).unwrap_or_default();
    let finding = METADATA.finding(&subject).summary(format!(
        "A policy of {subject} believes user_metadata, which every user can change about themselves."
    ));
    shown(finding, fact, "lint 0015, rls_references_user_metadata")
        .fix(format!(
            "Keep the role in app_metadata, which only the server writes, or in a table: {EDITOR_AMID} `alter policy \
             {policy} on {table} using (((select auth.jwt()) -> 'app_metadata' ->> 'role') = 'admin');`, and \
             set it from the server with `supabase.auth.admin.updateUserById(id, {{ app_metadata: {{ role: \
             'admin' }} }})`."
        ))
        .undo(format!("Alter the policy {policy} back to the expression shown in the evidence."))
}

fn read(fact: &Fact, declared: bool) -> Option<Finding> {
    let personal = !fact.columns.is_empty();
    if declared && !personal {
        return None;
    }
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let what = if personal {
        format!(", {} among its columns", list(&fact.columns))
    } else {
        String::new()
    };
    let finding = READ_OPEN
        .finding(&subject)
        .summary(format!("{} can read every row of {subject}{what}.", capital(who(fact))));
    let severe = personal && !declared;
    let finding = if severe { finding } else { finding.at(Severity::Info) };
    let policy = fact.policies.first().map(|name| identifier(name)).unwrap_or_default();
    let fix = if severe {
        format!(
            "{EDITOR} `alter policy {policy} on {table} to authenticated using ((select auth.uid()) = \
             user_id);`. Where strangers need some of the columns, show them through a view of these alone \
             and add its name to public_tables."
        )
    } else {
        format!(
            "Where strangers may read it on purpose, add \"{}\" to public_tables in [project.supabase]; else \
             {} `alter policy {policy} on {table} using ((select auth.uid()) = user_id);`.",
            fact.name, EDITOR_AMID
        )
    };
    let undo = format!("`alter policy {policy} on {table} to {} using (true);`", list(&fact.roles));
    let lint = "lint 0024, rls_policy_always_true, looks at writing only; it has no name for this";
    Some(shown(finding, fact, lint).fix(fix).undo(undo))
}

fn view(fact: &Fact, declared: bool) -> Option<Finding> {
    let personal = !fact.columns.is_empty();
    if declared && !personal {
        return None;
    }
    let (subject, view) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let (kind, lint) = if fact.materialised {
        ("materialised view", "lint 0016, materialized_view_in_api")
    } else {
        ("view", "lint 0010, security_definer_view")
    };
    let finding = VIEW.finding(&subject).summary(format!(
        "The {kind} {subject} shows its rows to {} past every policy of the tables below it.",
        who(fact)
    ));
    let severe = personal && !declared;
    let finding = if severe { finding.at(Severity::Critical) } else { finding };
    let finding = finding.saw(format!(
        "{} may read it, and it reads with the rights of its owner",
        list(&fact.roles)
    ));
    let roles = list(&fact.roles);
    let (fix, undo) = if fact.materialised {
        (
            format!(
                "A materialised view knows no policies: {EDITOR_AMID} `revoke select on {view} from {roles};` and read it \
                 from the server, or add it to public_tables where strangers may read it on purpose."
            ),
            format!("`grant select on {view} to {roles};`"),
        )
    } else {
        (
            format!(
                "{EDITOR} `alter view {view} set (security_invoker = on);`, and see that the pages which use \
                 it still show their rows. Where strangers may read it on purpose, add \"{}\" to \
                 public_tables in [project.supabase].",
                fact.name
            ),
            format!("`alter view {view} set (security_invoker = off);`"),
        )
    };
    Some(shown(finding, fact, lint).fix(fix).undo(undo))
}

fn function(fact: &Fact) -> Finding {
    let subject = fact.subject();
    let name = fact
        .name
        .split_once('(')
        .map_or(fact.name.clone(), |(name, arguments)| format!("{}({arguments}", identifier(name)));
    let called = format!("{}.{name}", identifier(&fact.schema));
    let finding = FUNCTION_OPEN.finding(&subject).summary(format!(
        "Anybody can call {subject}, which acts with the rights of its owner and past every policy."
    ));
    let finding = finding.saw(format!("it may be called by {}", list(&fact.roles)));
    shown(finding, fact, "lint 0028, anon_security_definer_function_executable")
        .fix(format!(
            "Where only the server or signed-in users need it, {EDITOR_AMID} `revoke execute on function {called} from \
             public, anon;`, and grant it to those who do. Where strangers need it, read its body once more: \
             everything that it returns is public."
        ))
        .undo(format!("`grant execute on function {called} to public;`"))
}

fn no_policy(fact: &Fact) -> Finding {
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let finding = NO_POLICY.finding(&subject).summary(format!(
        "{subject} has row level security and no policy: only the server sees its rows."
    ));
    shown(finding, fact, "lint 0008, rls_enabled_no_policy")
        .fix(format!(
            "Leave it so where only the server uses the table. Else {} `{}`.",
            EDITOR_AMID,
            policy_example(&table)
        ))
        .undo(format!("`drop policy \"owners read their rows\" on {table};`"))
}

fn unreachable(fact: &Fact) -> Finding {
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let finding = UNREACHABLE.finding(&subject).summary(format!(
        "Row level security of {subject} is off; so far neither anon nor authenticated holds a privilege."
    ));
    shown(finding, fact, "lint 0013, rls_disabled_in_public")
        .fix(format!(
            "{EDITOR} `alter table {table} enable row level security;`, so that one grant by mistake does not \
             open it."
        ))
        .undo(format!("`alter table {table} disable row level security;`"))
}

fn unindexed(fact: &Fact) -> Finding {
    let (subject, table) = (fact.subject(), quoted(&fact.schema, &fact.name));
    let to = fact.text.as_deref().unwrap_or_default();
    let columns: Vec<String> = fact.columns.iter().map(|column| identifier(column)).collect();
    let columns = columns.join(", ");
    let index = format!("{}_{}_idx", fact.name, fact.columns.join("_"));
    let finding = KEY_UNINDEXED.finding(&subject).key(&fact.columns.join(",")).summary(format!(
        "The foreign key {subject} ({}) → {to} has no index.",
        list(&fact.columns)
    ));
    shown(finding, fact, "lint 0001, unindexed_foreign_keys")
        .fix(format!("{EDITOR} `create index {} on {table} ({columns});`.", identifier(&index)))
        .undo(format!("`drop index {}.{};`", identifier(&fact.schema), identifier(&index)))
}
