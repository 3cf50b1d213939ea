//! Where others can reach the agent, no route but the open ones answers without credentials.

use launchready_lab::World;
use regex::Regex;

use crate::rig::{JOB_TOKEN, METRICS_TOKEN, PAGE_PASSWORD, Rig, Setup, promise, table};

/// What anybody may ask for.
const OPEN: [&str; 4] = ["/healthz", "/login", "/static/page.css", "/status"];

/// Every route of the router with each of its methods, from the source of the router itself.
fn routes() -> Vec<(String, String)> {
    let source = include_str!("../../src/web/route.rs");
    let route = Regex::new(r#"\.route\(\s*"([^"]+)",\s*([^\n]+)"#).unwrap();
    let handler = Regex::new(r"\b(get|post|put|patch|delete)\(").unwrap();
    let mut routes = Vec::new();
    for found in route.captures_iter(source) {
        let path = found[1]
            .replace("{project}", "harbor")
            .replace("{check}", "web-uptime")
            .replace("/checks/{id}", "/checks/web-uptime")
            .replace("{id}", "inc_00000000000000000001")
            .replace("{file}", "page.css")
            .replace("{token}", "nobodys-token-0123")
            .replace("{signal}", "fail");
        assert!(!path.contains('{'), "{path}: say here what stands for it");
        for method in handler.captures_iter(&found[2]) {
            routes.push((method[1].to_uppercase(), path.clone()));
        }
    }
    let count = source.matches(".route(").count();
    assert!(
        routes.len() >= count && count > 30,
        "{count} routes, of which {} are read",
        routes.len()
    );
    routes.push(("GET".to_owned(), "/no/such/route".to_owned()));
    routes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_answers_strangers_but_the_open_routes() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 1.0, edit: &|_| {} }).await;
    let everywhere = format!("0.0.0.0:{}", rig.page.port());
    rig.write_config(&|config| {
        table(config, &["agent"]).insert("listen".to_owned(), everywhere.clone().into());
        promise(config, "24h", "1h");
    });
    rig.start_ready().await;
    // It may claim to be asked by a name of this machine; that opens nothing.
    for host in ["localhost", "127.0.0.1", "watch.harbor.example"] {
        for (method, path) in routes() {
            let answer = rig.ask(&method, &path, &[("host", host)]).await;
            let status = answer.status().as_u16();
            if OPEN.contains(&path.as_str()) {
                assert!(status == 200 || method == "POST", "{method} {path}: {status}");
                assert!(status < 500, "{method} {path}: {status}");
                continue;
            }
            // The token in the address is the credential: a wrong one is an address that is not there.
            if path.starts_with("/heartbeat/") {
                assert_eq!(status, 404, "{method} {path} as {host}");
                let body = answer.text().await.unwrap();
                assert!(!body.contains("harbor") && !body.contains("token"), "{body}");
                continue;
            }
            let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            let is_refused = status == 401
                || status == 303 && to.as_ref().is_some_and(|to| to.starts_with("/login"));
            assert!(is_refused, "{method} {path} as {host}: {status} {to:?}");
            let body = answer.text().await.unwrap();
            assert!(!body.contains("harbor.example"), "{method} {path}: {body}");
        }
    }
    let job = format!("/heartbeat/{JOB_TOKEN}");
    let heard = rig.ask("GET", &job, &[("host", "watch.harbor.example")]).await;
    assert_eq!(heard.status(), 200, "a job needs its token and nothing else");
    // The status page names no project that is not marked public.
    let status = rig.ask("GET", "/status", &[]).await.text().await.unwrap();
    assert!(!status.contains("harbor"), "{status}");

    // The token of the metrics opens the metrics and nothing else; the password opens all.
    let (token, password) = (format!("Bearer {METRICS_TOKEN}"), format!("Bearer {PAGE_PASSWORD}"));
    for (path, by_token) in [("/metrics", 200), ("/sd", 200), ("/", 303), ("/api/v1/projects", 401)]
    {
        let status = rig.ask("GET", path, &[("authorization", &token)]).await.status();
        assert_eq!(status, by_token, "{path} by the token");
        let status = rig.ask("GET", path, &[("authorization", &password)]).await.status();
        assert_eq!(status, 200, "{path} by the password");
    }
    rig.stop().await;
}
