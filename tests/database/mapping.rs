//! A wrong name in the config is told with the key and the nearest name, and what is hidden is not missing.

use launchready_checks::probe::{Database, TableRole};

use crate::cluster::Cluster;
use crate::look::{open, orders};

#[tokio::test]
async fn a_wrong_name_is_told_and_suggested() {
    let Some(cluster) = Cluster::start("mapping", &[]).await else { return };
    cluster
        .sql(
            "create schema old; create table public.orders (id text, stripe_session_id text, price numeric); \
             create table old.sales (id text); create view public.order_view as select id from orders; \
             grant usage on schema old to looker; grant select on all tables in schema public to looker",
        )
        .await;
    for (tables, part) in [
        (
            "orders = { table = \"ordres\" }",
            "orders.table: the database shows no table \"ordres\" to this user; the nearest is \"orders\"",
        ),
        (
            "orders = { table = \"orders\", session = \"stripe_sesion_id\" }",
            "orders.session: public.orders has no column \"stripe_sesion_id\"; the nearest is \"stripe_session_id\"",
        ),
        ("orders = { table = \"orders\", amount = \"price\" }", "say amount_unit = \"minor\""),
        ("orders = { table = \"old.sale\" }", "the nearest is \"old.sales\""),
        ("orders = { table = \"pg_catalog.pg_class\" }", "shows no table"),
    ] {
        let database = open(&cluster.url(), tables);
        let error = database.shape(TableRole::Orders).await.unwrap_err().to_string();
        assert!(error.contains(part), "{tables}: {error}");
        assert_eq!(orders(&*database).await.unwrap_err(), error);
    }
    for (tables, found) in [
        (
            "orders = { table = \"public.orders\", amount_unit = \"major\", amount = \"price\" }",
            "public.orders",
        ),
        ("orders = { table = \"order_view\" }", "public.order_view"),
        ("orders = { table = \"sales\" }", "old.sales"),
    ] {
        let database = open(&cluster.url(), tables);
        assert_eq!(database.shape(TableRole::Orders).await.unwrap().unwrap().name, found);
    }
    // A table that is repaired in the config, or made in the database, is found at the next look.
    let database = open(&cluster.url(), "orders = { table = \"late\" }");
    assert!(database.shape(TableRole::Orders).await.is_err());
    cluster.sql("create table late (id text); grant select on late to looker").await;
    assert_eq!(orders(&*database).await, Ok(0));
}

#[tokio::test]
async fn rows_that_row_level_security_hides_are_not_missing() {
    let Some(cluster) = Cluster::start("hidden rows", &[]).await else { return };
    cluster
        .sql(
            "alter role looker nobypassrls; create role staff; \
             create table orders (id text); insert into orders values ('o1'); \
             alter table orders enable row level security; grant select on orders to looker",
        )
        .await;
    let url = cluster.url();
    let look = async || orders(&*open(&url, "orders = { table = \"orders\" }")).await;
    let error = look().await.unwrap_err();
    assert!(error.contains("CREATE POLICY launchready_reads ON public.orders"), "{error}");
    for (policy, sees) in [
        ("create policy own on orders for select using (id = 'mine')", false),
        ("create policy staff on orders for select to staff using (true)", false),
        ("create policy launchready_reads on orders for select to looker using (true)", true),
        ("create policy not_old on orders as restrictive for select using (id <> 'o1')", false),
    ] {
        cluster.sql(policy).await;
        assert_eq!(look().await.is_ok(), sees, "{policy}");
    }
    cluster.sql("alter role looker bypassrls").await;
    assert_eq!(look().await, Ok(1));
}
