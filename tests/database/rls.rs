//! Every code of `supabase-rls` against PostgreSQL, with the roles and policies of a Supabase project, and gone
//! again after its own fix.

use std::collections::BTreeSet;

use launchready_checks::contract::Assessment;

use crate::cluster::Cluster;
use crate::look::{check, open};

const SUPABASE: &str = include_str!("../fixtures/database/supabase.sql");

/// What the tables of the fixture are found for.
const FOUND: &[&str] = &[
    "foreign-key-unindexed info public.crm_sync_log",
    "foreign-key-unindexed info public.messages",
    "function-past-policies warning public.all_orders()",
    "rls-disabled critical public.payouts",
    "rls-read-open info public.listings",
    "rls-read-open info public.messages",
    "rls-without-policy info public.audit_log",
    "rls-without-policy info public.crm_sync_log",
    "rls-without-policy info public.orders",
    "rls-without-policy info public.stripe_events",
    "rls-write-open warning public.messages",
    "view-past-policies warning public.listing_counts",
    "view-past-policies warning public.order_totals",
];

/// What stands out beyond the fixture: a statement, what is found then, and the statement that mends it.
const CASES: &[(&str, &str, &str)] = &[
    (
        "alter table public.profiles disable row level security",
        "rls-policies-off critical public.profiles",
        "alter table public.profiles enable row level security",
    ),
    (
        "create view public.members as select email from auth.users; grant select on public.members to anon",
        "auth-users-exposed critical public.members",
        "revoke all on public.members from anon",
    ),
    (
        "create policy \"team\" on public.profiles for select to authenticated using \
         (current_setting('request.jwt', true)::jsonb -> 'user_metadata' ->> 'role' = 'admin')",
        "rls-user-metadata critical public.profiles",
        "alter policy \"team\" on public.profiles using \
         (current_setting('request.jwt', true)::jsonb -> 'app_metadata' ->> 'role' = 'admin')",
    ),
    (
        "create table public.jobs (id bigint primary key)",
        "rls-disabled-unreachable info public.jobs",
        "drop table public.jobs",
    ),
    (
        "alter table public.profiles add email text; \
         create policy \"see all\" on public.profiles for select using ((1 = 1))",
        "rls-read-open critical public.profiles",
        "alter policy \"see all\" on public.profiles using ((select auth.uid()) = id)",
    ),
    (
        "create policy \"write\" on public.orders for all to public using (true)",
        "rls-write-open critical public.orders",
        "create policy \"not so\" on public.orders as restrictive using (auth.uid() is null and id is null)",
    ),
    (
        "create view public.buyers as select email from public.orders; \
         grant select on public.buyers to authenticated",
        "view-past-policies critical public.buyers",
        "alter view public.buyers set (security_invoker = on)",
    ),
    (
        "create function api.peek(id uuid) returns text language sql security definer as $$ select '' $$",
        "function-past-policies warning api.peek(id uuid)",
        "revoke execute on function api.peek(id uuid) from public, anon",
    ),
    (
        "create table api.rows (id bigint primary key, \"Owner\" uuid references public.profiles (id)); \
         alter table api.rows enable row level security; \
         create policy \"own\" on api.rows using (\"Owner\" = auth.uid())",
        "foreign-key-unindexed info api.rows",
        "create index \"rows_Owner_idx\" on api.rows (\"Owner\")",
    ),
];

fn found(assessment: &Assessment) -> BTreeSet<String> {
    let line = |finding: &launchready_checks::contract::Finding| {
        format!("{} {} {}", finding.code, finding.severity.as_str(), finding.subject)
    };
    assessment.findings.iter().map(line).collect()
}

#[tokio::test]
async fn every_code_of_supabase_rls_is_found_and_goes_away() {
    let Some(cluster) = Cluster::start("supabase-rls", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    let url = cluster.url();
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let look = async || {
        let found = check("supabase-rls", open(&url, ""), now).await.unwrap();
        assert!(found.not_checked.is_empty(), "{:?}", found.not_checked);
        found
    };
    let base: BTreeSet<String> = FOUND.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(found(&look().await), base);
    let mut codes: BTreeSet<String> = BTreeSet::new();
    for (statement, wanted, mended) in CASES {
        cluster.sql(statement).await;
        let seen = look().await;
        codes.extend(seen.findings.iter().map(|finding| finding.code.clone()));
        assert!(found(&seen).contains(*wanted), "{statement}: {:?}", found(&seen));
        cluster.sql(mended).await;
        let after = found(&look().await);
        assert!(!after.contains(*wanted), "{mended}: {after:?}");
    }
    let meta = launchready_checks::registry::find("supabase-rls").unwrap().meta;
    let all: BTreeSet<String> = meta.findings.iter().map(|spec| spec.code.to_owned()).collect();
    assert_eq!(codes, all);
}

#[tokio::test]
async fn the_fix_of_a_finding_runs_as_it_is_written() {
    let Some(cluster) = Cluster::start("supabase-rls fixes", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    let odd = "create table public.\"Odd \"\"Name\" (id bigint primary key); \
               grant select on public.\"Odd \"\"Name\" to anon";
    cluster.sql(odd).await;
    let url = cluster.url();
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let before = check("supabase-rls", open(&url, ""), now).await.unwrap();
    for code in
        ["rls-disabled", "view-past-policies", "function-past-policies", "foreign-key-unindexed"]
    {
        for finding in before.findings.iter().filter(|finding| finding.code == code) {
            // The first statement between backquotes is what the founder runs.
            cluster.sql(finding.fix.split('`').nth(1).unwrap()).await;
        }
    }
    let after = check("supabase-rls", open(&url, ""), now).await.unwrap();
    let left: Vec<_> = after
        .findings
        .iter()
        .filter(|finding| {
            [
                "rls-disabled",
                "view-past-policies",
                "function-past-policies",
                "foreign-key-unindexed",
            ]
            .contains(&finding.code.as_str())
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn a_database_that_is_no_project_of_supabase_is_skipped() {
    let Some(cluster) = Cluster::start("supabase-rls elsewhere", &[]).await else { return };
    cluster.sql("create table orders (id bigint primary key)").await;
    let now = "2026-11-20T12:00:00Z".parse().unwrap();
    let error = check("supabase-rls", open(&cluster.url(), ""), now).await.unwrap_err();
    assert!(matches!(error, launchready_checks::contract::CheckError::Skipped { .. }), "{error}");
}
