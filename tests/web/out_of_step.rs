//! Orders out of step: the page and the API.

use launchready_checks::contract::AtRisk;
use serde_json::Value;

use crate::site::{Page, Plan, out_of_step};
use crate::visitor::get;

async fn read(page: &Page, project: &str) -> Value {
    get(page, &format!("/api/v1/projects/{project}/out-of-step")).await.json()
}

fn stage<'v>(all: &'v Value, name: &str) -> &'v Value {
    let stages = all["stages"].as_array().unwrap();
    stages.iter().find(|stage| stage["stage"] == name).unwrap()
}

#[tokio::test]
async fn every_way_of_being_out_of_step_is_listed_with_its_money() {
    let page = Page::start(&Plan::default()).await;
    out_of_step(&page, "quay").await;
    let all = read(&page, "quay").await;
    let sums: Vec<AtRisk> = serde_json::from_value(all["totals"].clone()).unwrap();
    let sums: Vec<_> =
        sums.iter().map(|sum| (sum.currency.as_str(), sum.amount_minor, sum.count)).collect();
    assert_eq!(sums, [("eur", 26_700, 3), ("usd", 9_900, 1)]);
    for (name, id, code) in [
        ("paid_without_order", "cs_live_a1lost", "checkout-without-order"),
        ("not_marked_paid", "order-12", "order-not-marked-paid"),
        ("refunded", "order-13", "order-active-after-reversal"),
        ("disputed", "evt_1dispute", "reversal-unprocessed"),
        ("not_synced", "order-14", "crm-order-missing"),
    ] {
        let item = &stage(&all, name)["items"][0];
        assert_eq!((item["id"].as_str(), item["code"].as_str()), (Some(id), Some(code)), "{all:#}");
        assert!(item["incident"].as_str().unwrap().starts_with("inc_"), "{item}");
        assert_eq!(item["age_s"], 600, "{item}");
    }
    let unlooked = &stage(&all, "not_ticketed")["not_looked_at"][0];
    assert_eq!(
        (&unlooked["check"], &unlooked["reason"]),
        (&"support-intake".into(), &"no help desk is configured".into())
    );
    let html = get(&page, "/projects/quay/out-of-step").await.body;
    for word in [
        "EUR 267.00",
        "USD 99.00",
        "Paid without an order (2)",
        "cs_live_a1lost",
        "Not looked at, because",
        "no help desk is configured",
        "/incidents/inc_",
        "(an address)",
    ] {
        assert!(html.contains(word), "{word}: {html}");
    }
    assert!(!html.contains("buyer@") && !all.to_string().contains("buyer@"));
    let linked = get(&page, "/projects/quay").await.body;
    assert!(linked.contains("href=\"/projects/quay/out-of-step\""), "{linked}");
    let linked = get(&page, "/").await.body;
    assert!(linked.contains("href=\"/projects/quay/out-of-step\""), "{linked}");
    page.stop().await;
}

#[tokio::test]
async fn a_project_in_step_says_so_and_one_that_was_not_looked_at_does_not() {
    let page = Page::start(&Plan::default()).await;
    let html = get(&page, "/projects/harbor/out-of-step").await.body;
    assert!(html.contains("Nothing is out of step."), "{html}");
    let all = read(&page, "harbor").await;
    assert_eq!((all["count"].as_u64(), all["totals"].as_array().unwrap().len()), (Some(0), 0));
    let html = get(&page, "/projects/quay/out-of-step").await.body;
    assert!(html.contains("not everything was looked at") && html.contains("it has not run yet"));
    assert!(!html.contains("Nothing is out of step."));
    assert_eq!(get(&page, "/projects/nobody/out-of-step").await.status, 404);
    assert_eq!(get(&page, "/api/v1/projects/nobody/out-of-step").await.status, 404);
    page.stop().await;
}
