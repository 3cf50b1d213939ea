//! The catalogue of a database as Supabase makes it, and of a file.

use launchready_checks::probe::{CatalogueTable, Database};
use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;

use crate::cluster::Cluster;
use crate::look::open;

const SUPABASE: &str = include_str!("../fixtures/database/supabase.sql");

fn table<'a>(tables: &'a [CatalogueTable], name: &str) -> &'a CatalogueTable {
    tables.iter().find(|table| table.name == name).unwrap_or_else(|| panic!("no {name}"))
}

#[tokio::test]
async fn a_database_of_supabase_tells_tables_policies_privileges_and_functions() {
    let Some(cluster) = Cluster::start("catalogue", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    let database = open(&cluster.url(), "events = { table = \"stripe_events\" }");
    let catalogue = database.catalogue().await.unwrap();
    assert_eq!(catalogue.schemas, ["api", "public"]);
    assert_eq!(catalogue.exposed.unwrap(), ["public", "api"]);
    assert_eq!(catalogue.roles.len(), 3);
    assert!(!catalogue.cut);
    let names: Vec<_> = catalogue.tables.iter().map(|table| &*table.name).collect();
    assert_eq!(
        names,
        [
            "audit_log",
            "crm_sync_log",
            "listings",
            "messages",
            "orders",
            "payouts",
            "profiles",
            "stripe_events",
        ]
    );

    let profiles = table(&catalogue.tables, "profiles");
    assert!(profiles.rls);
    let policy = &profiles.policies[0];
    assert_eq!((&*policy.name, &*policy.command, policy.permissive), ("own profile", "ALL", true));
    assert_eq!(policy.roles, ["authenticated"]);
    assert_eq!(policy.using.as_deref(), Some("(auth.uid() = id)"));
    assert_eq!(policy.check.as_deref(), Some("(auth.uid() = id)"));
    assert_eq!(profiles.foreign_keys[0].to, "auth.users");
    assert_eq!(profiles.columns[0].kind, "uuid");

    let payouts = table(&catalogue.tables, "payouts");
    assert!(!payouts.rls && payouts.policies.is_empty());
    let anon = payouts.grants.iter().find(|grant| grant.role == "anon").unwrap();
    assert_eq!(anon.privileges, ["DELETE", "INSERT", "SELECT", "TRUNCATE", "UPDATE"]);

    let messages = table(&catalogue.tables, "messages");
    let policies: Vec<_> = messages
        .policies
        .iter()
        .map(|policy| {
            let rule = policy.using.as_deref().or(policy.check.as_deref()).unwrap();
            format!("{} {} {rule}", policy.command, policy.roles.join(","))
        })
        .collect();
    assert_eq!(policies, ["SELECT anon true", "INSERT authenticated true"]);
    assert_eq!(table(&catalogue.tables, "listings").policies[0].roles, ["public"]);
    assert_eq!(table(&catalogue.tables, "listings").indexed, [["id"], ["owner_id"]]);
    // A partial index that leaves out rows without a value is as good as a whole one.
    let orders = table(&catalogue.tables, "orders");
    assert!(orders.unique.contains(&vec!["stripe_session_id".to_owned()]), "{:?}", orders.unique);

    let view = |name: &str| catalogue.views.iter().find(|view| view.name == name).unwrap();
    assert!(!view("order_totals").security_invoker && view("open_listings").security_invoker);
    assert_eq!(view("order_totals").reads, ["public.orders"]);
    assert!(view("listing_counts").materialised);
    let functions: Vec<_> = catalogue
        .functions
        .iter()
        .map(|found| format!("{}.{} {}", found.schema, found.signature, found.callers.join(",")))
        .collect();
    assert_eq!(
        functions,
        ["public.all_orders() public", "public.close_order(order_id uuid) service_role"]
    );
    assert!(catalogue.functions.iter().all(|found| found.security_definer));
}

#[tokio::test]
async fn what_a_user_may_change_is_told() {
    let Some(cluster) = Cluster::start("powers", &[]).await else { return };
    cluster.sql(SUPABASE).await;
    let facts = async || {
        let tables = "orders = { table = \"orders\" }\nevents = { table = \"stripe_events\" }";
        open(&cluster.url(), tables).facts().await.unwrap()
    };
    let first = facts().await;
    assert_eq!((&*first.engine, &*first.user, first.encrypted), ("postgresql", "looker", true));
    assert!(first.version.chars().next().unwrap().is_ascii_digit());
    // To see past row level security alone changes nothing.
    assert!(first.may_change.is_empty(), "{:?}", first.may_change);
    cluster
        .sql(
            "grant insert on orders to looker; grant update (status) on stripe_events to looker; \
             grant create on schema public to looker; grant delete on messages to looker",
        )
        .await;
    assert_eq!(
        facts().await.may_change,
        [
            "bypass row level security",
            "create in public",
            "insert on public.orders",
            "update on public.stripe_events",
        ]
    );
    cluster.sql("alter role looker superuser").await;
    assert!(facts().await.may_change.contains(&"superuser".to_owned()));
}

#[tokio::test]
async fn a_file_tells_tables_and_keys() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.db");
    let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut writer = options.connect().await.unwrap();
    sqlx::raw_sql(
        "create table customers (id integer primary key, email text); \
         create table orders (id text, customer_id integer references customers, session text, \
         primary key (id, session)); create unique index one on orders (session); \
         create unique index some on orders (id) where customer_id is not null; \
         create index other on orders (customer_id, id); create index low on orders (lower(session))",
    )
    .execute(&mut writer)
    .await
    .unwrap();
    let database = open(&format!("sqlite:{}", path.display()), "orders = { table = \"orders\" }");
    let facts = database.facts().await.unwrap();
    assert_eq!((&*facts.engine, facts.may_change.len(), facts.encrypted), ("sqlite", 0, true));
    let catalogue = database.catalogue().await.unwrap();
    assert_eq!(table(&catalogue.tables, "customers").unique, [["id"]]);
    let orders = table(&catalogue.tables, "orders");
    let mut unique = orders.unique.clone();
    unique.sort();
    assert_eq!(unique, [vec!["id", "session"], vec!["session"]]);
    assert_eq!(orders.foreign_keys[0].columns, ["customer_id"]);
    assert_eq!(orders.foreign_keys[0].to, "customers");
    // A file that is none, and one that is not there.
    std::fs::write(folder.path().join("none.db"), "no database at all, but long enough for a page")
        .unwrap();
    for (name, part) in [("none.db", "no database of SQLite"), ("gone.db", "there is no file")] {
        let url = format!("sqlite:{}", folder.path().join(name).display());
        let error = open(&url, "").facts().await.unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
