//! What a session opens, how it ends, and how its cookie is kept.

use reqwest::StatusCode;

use crate::doors::{PASSWORD, guarded, is_refused};
use crate::site::{Page, Plan};
use crate::visitor::{ask, post, sign_in};

#[tokio::test]
async fn a_session_opens_every_page_until_it_is_ended() {
    let page = Page::start(&guarded()).await;
    let cookie = sign_in(&page, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    for path in
        ["/", "/projects/harbor", "/incidents", "/metrics?shard=1/3", "/api/v1/projects", "/readyz"]
    {
        let answer = ask(&page, "GET", path, &headers, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.body);
    }
    let home = ask(&page, "GET", "/", &headers, None).await;
    let token = home.token();
    let out = post(&page, "/logout", &headers, &[("csrf", &token)]).await;
    assert_eq!(out.header("location"), "/login?done=signed-out");
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    is_refused("GET", "/", &ask(&page, "GET", "/", &headers, None).await);

    let cookie = sign_in(&page, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    page.clock.forward(12 * 60 - 1);
    assert_eq!(ask(&page, "GET", "/checks", &headers, None).await.status, StatusCode::OK);
    page.clock.forward(1);
    is_refused("GET", "/checks", &ask(&page, "GET", "/checks", &headers, None).await);
    page.stop().await;
}

#[tokio::test]
async fn sessions_that_are_ended_at_once_stay_ended() {
    let page = Page::start(&guarded()).await;
    let mut begun = Vec::new();
    for _ in 0..12 {
        let cookie = sign_in(&page, PASSWORD).await;
        let headers = [("cookie", cookie.as_str())];
        let token = ask(&page, "GET", "/silences", &headers, None).await.token();
        begun.push((cookie, token));
    }
    let at_once = begun.iter().map(async |(cookie, token)| {
        let (headers, fields) = ([("cookie", cookie.as_str())], [("csrf", token.as_str())]);
        post(&page, "/logout", &headers, &fields).await
    });
    for out in futures_util::future::join_all(at_once).await {
        assert_eq!(out.header("location"), "/login?done=signed-out", "{}", out.body);
    }
    for (cookie, _) in &begun {
        let headers = [("cookie", cookie.as_str())];
        is_refused("GET", "/", &ask(&page, "GET", "/", &headers, None).await);
    }
    page.stop().await;
}

#[tokio::test]
async fn the_cookie_is_kept_from_scripts_and_other_sites_and_from_http_where_there_is_https() {
    let page = Page::start(&guarded()).await;
    let plain = post(&page, "/login", &[], &[("password", PASSWORD), ("next", "/incidents")]).await;
    assert_eq!(plain.header("location"), "/incidents");
    let line = plain.header("set-cookie");
    assert!(line.starts_with("launchready_session="), "{line}");
    assert!(line.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"), "{line}");
    assert_eq!(plain.header("strict-transport-security"), "");
    let away =
        post(&page, "/login", &[], &[("password", PASSWORD), ("next", "//evil.example")]).await;
    assert_eq!(away.header("location"), "/");
    page.stop().await;

    let plan = Plan { public_url: Some("https://watch.harbor.example"), ..guarded() };
    let page = Page::start(&plan).await;
    let host = [("host", "watch.harbor.example"), ("origin", "https://watch.harbor.example")];
    let secure = post(&page, "/login", &host, &[("password", PASSWORD)]).await;
    let line = secure.header("set-cookie");
    assert!(
        line.starts_with("__Host-launchready_session=") && line.ends_with("; Secure"),
        "{line}"
    );
    assert_eq!(secure.header("strict-transport-security"), "max-age=63072000");
    page.stop().await;
}
