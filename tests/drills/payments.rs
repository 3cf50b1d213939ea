//! The drills of payments: what a paid and a declined checkout leave, dry runs, gates, and the undo.

use crate::handler::Fault;
use crate::shop::Street;

const ORDER: &str = "a paid checkout becomes";
const PAID: &str = "the order counts as paid";
const SYNCED: &str = "the order was handed to the CRM";
const UNPAID: &str = "nothing counts as paid";

#[tokio::test]
async fn a_paid_checkout_is_one_order_and_is_taken_back() {
    let Some(street) = Street::open("success").await else { return };
    let shop = street.shop(Fault::None).await;
    let said = shop.say(&["drill", "payment-success", "--json"]).await;
    for step in [ORDER, PAID, SYNCED] {
        assert_eq!(said.step(step).0, "held", "{}", said.out);
    }
    assert_eq!((said.code, shop.rows().await), (Some(0), 0));
    let undone = said.json()["undo"].to_string();
    for table in
        ["1 row of public.orders", "1 row of public.stripe_events", "1 row of public.crm_sync_log"]
    {
        assert!(undone.contains(table), "{undone}");
    }
    let text = shop.say(&["drill", "payment-success"]).await;
    assert!(text.out.contains("✓ a paid checkout becomes one order"), "{}", text.out);
    assert!(text.out.trim_end().ends_with("PASS"), "{}", text.out);
    assert!(text.out.lines().all(|line| line.chars().count() <= 80), "{}", text.out);
    street.close().await;
}

#[tokio::test]
async fn a_wrong_amount_and_a_double_sync_are_told() {
    let Some(street) = Street::open("wrong_amount").await else { return };
    for (fault, step, words) in [
        (Fault::WrongAmount, PAID, "49 usd in place of 4900 usd"),
        (Fault::SyncsTwice, SYNCED, "2 entries of the CRM log"),
        (Fault::NoAmount, PAID, "no amount usd in place of 4900 usd"),
    ] {
        let shop = street.shop(fault).await;
        let said = shop.say(&["drill", "payment-success", "--json"]).await;
        let (state, text) = said.step(step);
        assert_eq!((state.as_str(), said.code), ("broken", Some(1)), "{text}");
        assert!(text.contains(words), "{text}");
        assert_eq!(shop.rows().await, 0);
    }
    street.close().await;
}

#[tokio::test]
async fn a_declined_payment_leaves_nothing_that_looks_paid() {
    let Some(street) = Street::open("failure").await else { return };
    let shop = street.shop(Fault::None).await;
    let said = shop.say(&["drill", "payment-failure", "--json"]).await;
    assert_eq!((said.step(UNPAID).0.as_str(), said.code), ("held", Some(0)), "{}", said.out);
    assert_eq!(shop.rows().await, 0);
    let shop = street.shop(Fault::CompleteIsPaid).await;
    let said = shop.say(&["drill", "payment-failure", "--json"]).await;
    let (state, text) = said.step(UNPAID);
    assert_eq!((state.as_str(), said.code), ("broken", Some(1)), "{text}");
    assert!(text.contains("a checkout can be complete and unpaid"), "{text}");
    assert_eq!(shop.rows().await, 0);
    street.close().await;
}

/// What is taken out of a config, what is said then, and how it is taken out.
type Lacking = (&'static str, &'static str, fn(&mut toml::Table));

#[tokio::test]
async fn an_endpoint_that_takes_nothing_proves_nothing() {
    let Some(street) = Street::open("nothing").await else { return };
    let shop = street.shop(Fault::NotFound).await;
    let said = shop.say(&["drill", "payment-failure", "--json"]).await;
    let (state, text) = said.step("news of a failed payment");
    assert_eq!((state.as_str(), said.code), ("broken", Some(1)), "{text}");
    assert!(text.contains("404 there is no such endpoint for POST"), "{text}");
    street.close().await;
}

#[tokio::test]
async fn an_order_that_was_there_before_is_never_deleted() {
    let Some(street) = Street::open("before").await else { return };
    let shop = street.shop(Fault::MarksNamedOrder).await;
    let id = "0b9f7a52-3c1e-4f0a-9d57-5a2d3f1c6e77";
    shop.sql(&format!(
        "insert into orders (id, amount_total, currency, status, created_at)
         values ('{id}', 4900, 'usd', 'pending', now() - interval '1 day')"
    ))
    .await;
    shop.edit(|project| {
        let metadata = format!("metadata = {{ order_id = \"{id}\" }}");
        project["drill"].as_table_mut().unwrap().extend(metadata.parse::<toml::Table>().unwrap());
    });
    let said = shop.say(&["drill", "payment-success", "--json"]).await;
    let undo = said.json()["undo"].to_string();
    assert!(undo.contains("\"left\"") && undo.contains("that were there before"), "{undo}");
    assert_ne!(said.code, Some(0), "{}", said.out);
    // The order; the event of the drill is gone.
    assert_eq!(shop.rows().await, 1);
    street.close().await;
}

#[tokio::test]
async fn a_dry_run_touches_nothing_and_says_what_is_lacking() {
    let Some(street) = Street::open("dry").await else { return };
    let shop = street.shop(Fault::None).await;
    for drill in ["payment-success", "payment-failure", "webhook-replay"] {
        let said = shop.say(&["drill", drill, "--dry-run"]).await;
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(
            said.out.contains("Nothing was touched. Run it: launchready drill"),
            "{}",
            said.out
        );
    }
    assert_eq!(shop.rows().await, 0);
    let lacking: [Lacking; 6] = [
        ("ownership", "nothing proves that harbor.example is yours", |project| {
            project.remove("ownership");
        }),
        ("undo", "nothing could be taken back: add undo_database", |project| {
            project["drill"].as_table_mut().unwrap().remove("undo_database");
        }),
        (
            "foreign",
            "leads to hooks.somebody.example, which is not below harbor.example",
            |project| {
                let drill = project["drill"].as_table_mut().unwrap();
                drill.insert("webhook".to_owned(), "https://hooks.somebody.example/stripe".into());
            },
        ),
        ("orders", "no table of orders is configured", |project| {
            project["database"].as_table_mut().unwrap().remove("orders");
        }),
        ("created", "no column that says when an order was made", |project| {
            let orders = project["database"]["orders"].as_table_mut().unwrap();
            orders.insert("synced".to_owned(), "created_at".into());
        }),
        ("rights", "may not delete from", |project| {
            let reader = "undo_database = { file = \"looker\" }".parse::<toml::Table>().unwrap();
            project["drill"].as_table_mut().unwrap().extend(reader);
        }),
    ];
    for (what, words, change) in lacking {
        shop.edit(change);
        let dry = shop.say(&["drill", "webhook-replay", "--dry-run"]).await;
        let real = shop.say(&["drill", "webhook-replay"]).await;
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for said in [&dry, &real] {
            assert_eq!(said.code, Some(3), "{what}: {said:?}");
            assert!(flat(&said.out).contains(words), "{what}: {}", said.out);
        }
        assert_eq!(shop.rows().await, 0, "{what}");
    }
    street.close().await;
}

#[tokio::test]
async fn what_is_kept_is_taken_back_later() {
    let Some(street) = Street::open("keep").await else { return };
    let shop = street.shop(Fault::None).await;
    let said = shop.say(&["drill", "payment-success", "--keep"]).await;
    assert!(said.out.contains("take it back: launchready drill undo"), "{}", said.out);
    assert_eq!(shop.rows().await, 3);
    let said = shop.say(&["drill", "undo"]).await;
    assert!(said.out.contains("1 row of public.orders: deleted"), "{}", said.out);
    assert_eq!((said.code, shop.rows().await), (Some(0), 0));
    let said = shop.say(&["drill", "undo"]).await;
    assert_eq!(said.out, "no drill of this project has left anything\n");
    street.close().await;
}

#[tokio::test]
async fn rows_that_something_else_leads_to_are_left_and_said() {
    let Some(street) = Street::open("left").await else { return };
    let shop = street.shop(Fault::None).await;
    shop.sql(
        "create table invoices (order_id uuid references orders);
             create function bill() returns trigger language plpgsql as
               $$ begin insert into invoices values (new.id); return new; end $$;
             create trigger bill after insert on orders for each row execute function bill()",
    )
    .await;
    let said = shop.say(&["drill", "payment-success", "--json"]).await;
    let undo = said.json()["undo"].to_string();
    assert!(
        undo.contains("\"left\"") && undo.contains("delete the rows whose keys hold"),
        "{undo}"
    );
    assert_eq!(shop.rows().await, 3);
    shop.sql("delete from invoices").await;
    assert_eq!(shop.say(&["drill", "undo"]).await.code, Some(0));
    assert_eq!(shop.rows().await, 0);
    street.close().await;
}
