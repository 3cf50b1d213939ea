//! The API, and what Prometheus asks.

use reqwest::StatusCode;
use serde_json::json;

use crate::pages::incidents;
use crate::site::{Page, Plan};
use crate::visitor::{ask, get, send};

#[tokio::test]
async fn a_report_over_the_api_has_the_shape_of_the_audit() {
    let page = Page::start(&Plan::default()).await;
    let answer = get(&page, "/api/v1/projects/harbor/report").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let report: launchready::report::Report = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(report.project, "harbor");
    let finding =
        report.findings().into_iter().find(|(_, finding)| finding.code == "endpoint-down");
    assert!(finding.unwrap().1.since.is_some());
    let waived = report.findings().into_iter().find(|(_, f)| f.waived.is_some()).unwrap().1;
    assert_eq!(waived.code, "referrer-policy-missing");
    assert_eq!(report.coverage.skipped, 1);
    page.stop().await;
}

#[tokio::test]
async fn a_check_has_spans_and_history() {
    let page = Page::start(&Plan::default()).await;
    let answer = get(&page, "/api/v1/projects/harbor/checks/web-uptime").await.json();
    assert_eq!(answer["check"]["status"], "fail");
    assert!(answer["spans"].as_array().unwrap().len() >= 2, "{answer}");
    let points = answer["history"].as_array().unwrap();
    assert!(points.len() > 3 * 24, "{}", points.len());
    assert!(points.iter().all(|point| point["min"].as_f64() <= point["max"].as_f64()));
    let since =
        get(&page, "/api/v1/projects/harbor/checks/web-uptime?since=2026-11-22T07:00:00Z").await;
    assert!(since.json()["history"].as_array().unwrap().len() < 20);
    page.stop().await;
}

#[tokio::test]
async fn incidents_are_acknowledged_and_resolved_over_the_api() {
    let page = Page::start(&Plan::default()).await;
    let (id, _) = incidents(&page, "harbor").await.swap_remove(0);
    let path = format!("/api/v1/incidents/{id}");
    let taken =
        send(&page, "POST", &format!("{path}/ack"), &[], &json!({"by": "Ada", "note": "on it"}))
            .await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.body);
    assert_eq!(taken.json()["acknowledged"]["note"], "on it");
    let record = get(&page, &path).await.json();
    assert_eq!(record["incident"]["state"], "acknowledged");
    let kinds: Vec<_> =
        record["changes"].as_array().unwrap().iter().map(|change| change["kind"].clone()).collect();
    assert!(
        kinds.contains(&json!("opened")) && kinds.contains(&json!("acknowledged")),
        "{kinds:?}"
    );
    let over = send(&page, "POST", &format!("{path}/resolve"), &[], &json!({})).await;
    assert_eq!(over.json()["state"], "resolved", "{}", over.body);
    let again = send(&page, "POST", &format!("{path}/resolve"), &[], &json!({})).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
    let none = send(&page, "POST", "/api/v1/incidents/inc_0/ack", &[], &json!({})).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let states = get(&page, "/api/v1/incidents?state=resolved,open").await.json();
    assert!(states["incidents"].as_array().unwrap().iter().any(|found| found["id"] == json!(id)));
    let all = get(&page, "/api/v1/incidents?state=open,resolved").await.json();
    for offset in [0, 1] {
        let path = format!("/api/v1/incidents?state=open,resolved&limit=1&offset={offset}");
        let part = get(&page, &path).await.json();
        assert_eq!(part["incidents"].as_array().unwrap().len(), 1);
        assert_eq!(part["incidents"][0]["id"], all["incidents"][offset]["id"]);
    }
    assert_eq!(get(&page, "/api/v1/incidents?state=gone").await.status, StatusCode::BAD_REQUEST);
    page.stop().await;
}

#[tokio::test]
async fn silences_and_waivers_come_and_go_over_the_api() {
    let page = Page::start(&Plan::default()).await;
    let new = json!({"project": "harbor", "until": "2026-11-22T12:00:00Z", "by": "Ada", "reason": "deploy"});
    let made = send(&page, "POST", "/api/v1/silences", &[], &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let listed = get(&page, "/api/v1/silences").await.json();
    assert_eq!(listed["silences"][0]["id"], json!(id));
    let gone = ask(&page, "DELETE", &format!("/api/v1/silences/{id}"), &[], None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    page.clock.forward(1);
    assert_eq!(get(&page, "/api/v1/silences").await.json()["silences"], json!([]));

    let new = json!({"project": "harbor", "code": "csp-missing", "until": "2027-01-01T00:00:00Z", "by": "Ada", "reason": "soon"});
    let made = send(&page, "POST", "/api/v1/waivers", &[], &new).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let gone = ask(&page, "DELETE", &format!("/api/v1/waivers/{id}"), &[], None).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let gone = ask(&page, "DELETE", &format!("/api/v1/waivers/{id}"), &[], None).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    page.stop().await;
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_a_reason() {
    let page = Page::start(&Plan::default()).await;
    let past = json!({"until": "2026-11-22T07:00:00Z", "reason": "x"});
    let unknown_project =
        json!({"project": "nobody", "until": "2026-11-23T00:00:00Z", "reason": "x"});
    let unknown_code = json!({"code": "none", "until": "2026-11-23T00:00:00Z", "reason": "x"});
    let unknown_key = json!({"untill": "2026-11-23T00:00:00Z", "reason": "x"});
    let no_reason = json!({"until": "2026-11-23T00:00:00Z", "reason": " "});
    for bad in [past, unknown_project, unknown_code, unknown_key, no_reason] {
        let answer = send(&page, "POST", "/api/v1/silences", &[], &bad).await;
        assert!(answer.status.is_client_error(), "{bad}: {}", answer.body);
        assert!(!answer.json()["next"].as_str().unwrap().is_empty(), "{bad}");
    }
    for (by, reason, what) in
        [(" \t", "x", "The name is missing."), ("Ada", " \n", "The reason is missing.")]
    {
        let waiver = json!({"project": "harbor", "code": "csp-missing", "until": "2027-01-01T00:00:00Z", "by": by, "reason": reason});
        let answer = send(&page, "POST", "/api/v1/waivers", &[], &waiver).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        assert!(answer.body.contains(what) && answer.body.contains("Write "), "{}", answer.body);
    }
    let plain =
        ask(&page, "POST", "/api/v1/silences", &[("content-type", "text/plain")], Some("{}")).await;
    assert_eq!(plain.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let big = json!({"until": "2026-11-23T00:00:00Z", "reason": "x".repeat(70_000)});
    let big = send(&page, "POST", "/api/v1/silences", &[], &big).await;
    assert_eq!(big.status, StatusCode::PAYLOAD_TOO_LARGE);
    page.stop().await;
}

#[tokio::test]
async fn a_check_is_made_due() {
    let page = Page::start(&Plan::default()).await;
    let all = ask(&page, "POST", "/api/v1/projects/harbor/run", &[], None).await;
    assert_eq!(all.status, StatusCode::ACCEPTED);
    let all = all.json()["due"].as_u64().unwrap();
    let one = ask(&page, "POST", "/api/v1/projects/harbor/run?check=mail-spf", &[], None).await;
    assert_eq!((all > 1, one.json()["due"].clone()), (true, json!(1)));
    let none = ask(&page, "POST", "/api/v1/projects/harbor/run?check=none", &[], None).await;
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    page.stop().await;
}

#[tokio::test]
async fn prometheus_gets_shards_targets_and_probes() {
    let page = Page::start(&Plan::default()).await;
    let whole = get(&page, "/metrics").await;
    assert_eq!(whole.status, StatusCode::BAD_REQUEST);
    assert!(whole.body.contains("too many series") && whole.body.contains("/sd"), "{}", whole.body);
    let shard = get(&page, "/metrics?shard=2/3").await;
    assert_eq!(shard.body, "shard_2_of_3 false\n");
    assert!(shard.header("content-type").starts_with("text/plain; version=0.0.4"));
    let open = [("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5")];
    let open = ask(&page, "GET", "/metrics?shard=2/3", &open, None).await;
    assert_eq!(open.body, "shard_2_of_3 true\n");
    assert!(open.header("content-type").starts_with("application/openmetrics-text"));
    assert_eq!(get(&page, "/metrics?shard=4/3").await.status, StatusCode::BAD_REQUEST);
    let targets = get(&page, "/sd").await.json();
    assert_eq!(targets.as_array().unwrap().len(), 3);
    assert_eq!(targets[0]["targets"], json!([page.at.to_string()]));
    assert_eq!(targets[2]["labels"]["__param_shard"], "3/3");

    let timeout = [("x-prometheus-scrape-timeout-seconds", "5")];
    let probe =
        ask(&page, "GET", "/probe?target=harbor.example&module=http_2xx", &timeout, None).await;
    assert_eq!((probe.status, probe.body.as_str()), (StatusCode::OK, "probe_success 1 # 4.5s\n"));
    let refused = get(&page, "/probe?target=10.0.0.1&module=http_2xx").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("probe_targets"), "{}", refused.body);
    assert_eq!(
        get(&page, "/probe?target=harbor.example&module=x").await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(get(&page, "/probe").await.status, StatusCode::BAD_REQUEST);
    page.stop().await;
}

#[tokio::test]
async fn readiness_is_that_of_store_and_agent() {
    let page = Page::start(&Plan::default()).await;
    assert_eq!(get(&page, "/readyz").await.body, "ready\n");
    (page.ready)(Err("the scheduler stands still".to_owned()));
    let answer = get(&page, "/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.body.contains("the scheduler stands still"), "{}", answer.body);
    assert_eq!(get(&page, "/healthz").await.status, StatusCode::OK);
    page.stop().await;
}
