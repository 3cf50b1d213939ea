//! What the pages hold.

use launchready::clock::Clock as _;
use launchready::incident::Book;
use launchready::store::IncidentFilter;
use launchready_checks::registry;
use regex::Regex;
use reqwest::StatusCode;

use crate::site::{Page, Plan};
use crate::visitor::{Answer, get};

/// The ids of the incidents of a project.
pub(crate) async fn incidents(page: &Page, project: &str) -> Vec<(String, String)> {
    let answer = get(page, &format!("/api/v1/incidents?project={project}")).await;
    let all = answer.json()["incidents"].as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    all.iter().map(|incident| (text(&incident["id"]), text(&incident["code"]))).collect()
}

/// Every page for people, with a word that it must hold.
pub(crate) async fn every(page: &Page) -> Vec<(String, &'static str)> {
    let mut all: Vec<(String, &'static str)> = [
        ("/", "harbor.example"),
        ("/?q=nowhere", "0 of 2 projects match"),
        ("/projects/harbor", "spf-too-many-lookups"),
        ("/projects/quay", "spf-multiple"),
        ("/projects/harbor/out-of-step", "Nothing is out of step"),
        ("/projects/quay/out-of-step", "Not looked at, because"),
        ("/projects/harbor/checks/web-uptime", "p95 of checkout"),
        ("/projects/harbor/checks/web-uptime?range=90d", "p95 of checkout"),
        ("/projects/harbor/checks/mail-transport", "port 25"),
        ("/projects/harbor/checks/dns-subdomains", "network.resolvers"),
        ("/projects/quay/checks/tls-certificate", "it has not run yet"),
        ("/incidents", "Acknowledge"),
        ("/incidents?state=all", "incidents?state=resolved"),
        ("/incidents?state=resolved&project=harbor", "harbor"),
        ("/silences", "Nothing is silenced"),
        ("/waivers", "Ada"),
        ("/waivers?project=harbor&code=csp-missing&subject=x#add", "value=\"csp-missing\""),
        ("/checks", "mail-spf"),
        ("/status", "90 days ago"),
        ("/login", "No password is set"),
    ]
    .map(|(path, word)| (path.to_owned(), word))
    .into();
    all[11].1 = "Unresolved";
    for (id, code) in incidents(page, "harbor").await {
        if code == "endpoint-down" {
            all.push((format!("/incidents/{id}"), "vercel rollback"));
        }
    }
    all.extend(
        registry::ALL
            .iter()
            .map(|plugin| (format!("/checks/{}", plugin.meta.id), "What it checks")),
    );
    all
}

fn is_page(path: &str, answer: &Answer) {
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
    let html = &answer.body;
    assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{path}");
    assert_eq!(html.matches("<h1>").count(), 1, "{path}");
    assert!(html.contains("<a class=\"skip\" href=\"#main\">"), "{path}");
    // Nothing of style or script stands in the page itself.
    for forbidden in [" style=", "<style", "<script>", " onclick", "javascript:"] {
        assert!(!html.contains(forbidden), "{path} holds {forbidden}");
    }
    let mut depth = 0;
    for heading in Regex::new("<h([1-6])").unwrap().captures_iter(html) {
        let level: usize = heading[1].parse().unwrap();
        assert!(level <= depth + 1, "{path}: h{level} follows h{depth}");
        depth = level;
    }
    let ids: Vec<String> = Regex::new(" id=\"([^\"]*)\"")
        .unwrap()
        .captures_iter(html)
        .map(|id| id[1].to_owned())
        .collect();
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), ids.len(), "{path} uses an id twice");
}

#[tokio::test]
async fn every_page_is_whole_and_says_what_it_should() {
    let page = Page::start(&Plan::default()).await;
    for (path, word) in every(&page).await {
        let answer = get(&page, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        is_page(&path, &answer);
        assert!(answer.body.contains(word), "{path} lacks {word:?}:\n{}", answer.body);
    }
    page.stop().await;
}

#[tokio::test]
async fn the_overview_says_once_that_nobody_is_told_and_what_to_do_about_it() {
    for untold in [false, true] {
        let page = Page::start(&Plan { untold, ..Plan::default() }).await;
        let html = get(&page, "/").await.body;
        let said = ["Nobody is told</strong> of what", "launchready notify test"];
        assert_eq!(said.map(|words| html.matches(words).count()), [usize::from(untold); 2]);
        page.stop().await;
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_says_where_to_go() {
    let page = Page::start(&Plan::default()).await;
    for path in [
        "/nowhere",
        "/projects/nobody",
        "/projects/harbor/checks/none",
        "/incidents/inc_00000000000000000000",
        "/checks/none",
        "/static/none",
    ] {
        let answer = get(&page, path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert!(answer.body.contains("Go to the overview"), "{path}: {}", answer.body);
        is_page_of_fault(path, &answer);
    }
    let answer = get(&page, "/api/v1/projects/nobody/report").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.json()["next"].as_str().unwrap().contains("overview"));
    let long = format!("/?q={}", "x".repeat(5_000));
    assert_eq!(get(&page, &long).await.status, StatusCode::URI_TOO_LONG);
    page.stop().await;
}

fn is_page_of_fault(path: &str, answer: &Answer) {
    assert!(answer.body.starts_with("<!doctype html>"), "{path}");
    assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
}

#[tokio::test]
async fn hostile_text_is_shown_and_does_nothing() {
    let page = Page::start(&Plan::default()).await;
    let ids = incidents(&page, "quay").await;
    assert!(!ids.is_empty());
    let mut paths = vec![
        "/projects/quay".to_owned(),
        "/projects/quay/checks/mail-spf".to_owned(),
        "/incidents".to_owned(),
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E%22%20onload='x'".to_owned(),
        "/waivers?project=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E".to_owned(),
        "/incidents?project=%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
        "/login?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E".to_owned(),
    ];
    paths.extend(ids.iter().map(|(id, _)| format!("/incidents/{id}")));
    for path in paths {
        let answer = get(&page, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
        for live in ["<script>alert", "<img src=x", "\" onload=", "\u{202e}"] {
            assert!(!answer.body.contains(live), "{path} holds {live:?}");
        }
    }
    let shown = get(&page, "/projects/quay").await.body;
    assert!(shown.contains("&#60;script&#62;alert(1)&#60;/script&#62;"));
    assert!(shown.contains("‹U+202E›"), "what turns the direction of writing is made visible");
    assert!(shown.contains("{{7*7}}"));
    page.stop().await;
}

#[tokio::test]
async fn many_projects_are_paged_searched_and_the_worst_come_first() {
    let page = Page::start(&Plan { more: 60, ..Plan::default() }).await;
    let first = get(&page, "/").await.body;
    assert!(first.contains("Page 1 of 3"), "{first}");
    let (harbor, stall) =
        (first.find(">harbor</a>").unwrap(), first.find(">stall 000</a>").unwrap());
    assert!(harbor < stall);
    let last = get(&page, "/?page=3").await.body;
    assert!(last.contains(">stall 059</a>") && last.contains("rel=\"prev\""));
    assert!(!last.contains("rel=\"next\""));
    assert!(get(&page, "/?page=99").await.body.contains("Page 3 of 3"));
    let found = get(&page, "/?q=STALL%20041").await.body;
    assert!(found.contains("1 of 62 projects match"), "{found}");
    assert!(found.contains("href=\"/projects/stall%20041\""));
    assert_eq!(get(&page, "/projects/stall%20041").await.status, StatusCode::OK);
    let api = get(&page, "/api/v1/projects?page=2").await.json();
    assert_eq!(api["pages"], 2);
    assert_eq!(api["projects"].as_array().unwrap().len(), 12);
    page.stop().await;
}

#[tokio::test]
async fn the_public_page_says_no_more_than_whether_it_works() {
    let page = Page::start(&Plan { more: 1, ..Plan::default() }).await;
    let html = get(&page, "/status").await.body;
    assert!(html.contains(">harbor</h2>") && html.contains(">quay</h2>"));
    assert!(html.contains(" down</span>"), "{html}");
    for secret in ["stall", "spf", "503", "endpoint", "harbor.example", "/projects/", "inc_"] {
        assert!(!html.contains(secret), "the public page holds {secret}");
    }
    page.stop().await;
}

#[tokio::test]
async fn every_public_page_is_drawn_once_for_however_many_ask() {
    let page = Page::start(&Plan { more: 30, more_public: true, ..Plan::default() }).await;
    let paths = ["/status", "/status?page=2"];
    let draw = async || {
        let asked = (0..20).map(|number| get(&page, paths[number % 2]));
        let bodies = futures_util::future::join_all(asked).await;
        let bodies: Vec<String> = bodies.into_iter().map(|answer| answer.body).collect();
        assert!(bodies.iter().skip(2).zip(&bodies).all(|(later, before)| later == before));
        (bodies[0].clone(), bodies[1].clone())
    };
    let before = draw().await;
    assert!(before.0.contains(" down</span>") && before.1.contains(">stall 029</h2>"));
    for incident in page.store.incidents(&IncidentFilter::default()).await.unwrap() {
        let now = page.clock.now();
        page.store.resolve(&incident.id, "Ada", &Book::default(), now).await.unwrap();
    }
    // Asking for one page in between does not make another one be drawn anew.
    assert_eq!(draw().await, before);
    page.clock.forward(1);
    let after = draw().await;
    assert!(!after.0.contains(" down</span>"), "{}", after.0);
    assert_ne!(after.1, before.1, "it says as of when it is");
    page.stop().await;
}
