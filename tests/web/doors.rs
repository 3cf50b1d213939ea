//! Who gets in, and who does not.

use base64::Engine as _;
use reqwest::StatusCode;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::pages::every;
use crate::site::{Page, Plan};
use crate::visitor::{Answer, ask, get, post, send, sign_in};

pub(crate) const PASSWORD: &str = "correct horse battery";
const TOKEN: &str = "metrics-token-0123456789";

pub(crate) fn guarded() -> Plan {
    Plan { password: Some(PASSWORD), metrics_token: Some(TOKEN), ..Plan::default() }
}

/// Every route with a method that it takes; a test below compares it with the router.
const ROUTES: [(&str, &str); 53] = [
    ("GET", "/"),
    ("GET", "/projects/harbor"),
    ("POST", "/projects/harbor/run"),
    ("GET", "/projects/harbor/out-of-step"),
    ("GET", "/projects/harbor/handover"),
    ("GET", "/projects/harbor/handover.md"),
    ("GET", "/projects/harbor/checks/mail-spf"),
    ("POST", "/projects/harbor/checks/mail-spf/run"),
    ("GET", "/incidents"),
    ("GET", "/incidents/inc_0"),
    ("POST", "/incidents/inc_0/ack"),
    ("POST", "/incidents/inc_0/resolve"),
    ("POST", "/incidents/inc_0/silence"),
    ("GET", "/silences"),
    ("POST", "/silences"),
    ("POST", "/silences/sil_0/end"),
    ("GET", "/waivers"),
    ("POST", "/waivers"),
    ("POST", "/waivers/wav_0/remove"),
    ("GET", "/checks"),
    ("GET", "/checks/mail-spf"),
    ("GET", "/status"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("GET", "/events"),
    ("GET", "/static/page.css"),
    ("GET", "/api/v1/session"),
    ("GET", "/api/v1/projects"),
    ("GET", "/api/v1/projects/harbor/out-of-step"),
    ("GET", "/api/v1/projects/harbor/report"),
    ("POST", "/api/v1/projects/harbor/run"),
    ("GET", "/api/v1/projects/harbor/checks/mail-spf"),
    ("GET", "/api/v1/incidents"),
    ("GET", "/api/v1/incidents/inc_0"),
    ("POST", "/api/v1/incidents/inc_0/ack"),
    ("POST", "/api/v1/incidents/inc_0/resolve"),
    ("GET", "/api/v1/silences"),
    ("POST", "/api/v1/silences"),
    ("DELETE", "/api/v1/silences/sil_0"),
    ("GET", "/api/v1/waivers"),
    ("POST", "/api/v1/waivers"),
    ("DELETE", "/api/v1/waivers/wav_0"),
    ("GET", "/metrics?shard=1/3"),
    ("GET", "/sd"),
    ("GET", "/probe?target=harbor.example"),
    ("GET", "/heartbeat/nobodys-token-0123"),
    ("POST", "/heartbeat/nobodys-token-0123"),
    ("GET", "/heartbeat/nobodys-token-0123/start"),
    ("POST", "/heartbeat/nobodys-token-0123/start"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/no/such/route"),
];

/// The token in the address of a heartbeat is the credential: without a right one there is nothing.
const OPEN: [&str; 6] = [
    "/status",
    "/login",
    "/static/page.css",
    "/healthz",
    "/heartbeat/nobodys-token-0123",
    "/heartbeat/nobodys-token-0123/start",
];

#[test]
fn the_list_of_routes_is_that_of_the_router() {
    let source = include_str!("../../src/web/route.rs");
    for line in source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")) {
        let (pattern, handlers) = line.split_once('"').unwrap();
        let shape: Vec<&str> = pattern.split('/').collect();
        for method in
            ["get", "post", "delete"].iter().filter(|m| handlers.contains(&format!("{m}(")))
        {
            let is_listed = ROUTES.iter().any(|(other, path)| {
                let path = path.split('?').next().unwrap();
                let parts: Vec<&str> = path.split('/').collect();
                other.eq_ignore_ascii_case(method)
                    && parts.len() == shape.len()
                    && parts.iter().zip(&shape).all(|(part, s)| part == s || s.starts_with('{'))
            });
            assert!(is_listed, "{method} {pattern} is not tried without credentials");
        }
    }
}

pub(crate) fn is_refused(method: &str, path: &str, answer: &Answer) {
    let is_program = path.starts_with("/api/")
        || ["/metrics", "/sd", "/probe", "/readyz", "/events"].iter().any(|p| path.starts_with(p));
    if method == "GET" && !is_program {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{method} {path}");
        assert!(answer.header("location").starts_with("/login"), "{method} {path}");
    } else {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {}", answer.body);
        assert!(answer.header("www-authenticate").starts_with("Bearer"), "{method} {path}");
    }
}

#[tokio::test]
async fn nothing_but_the_open_routes_answers_without_credentials() {
    let page = Page::start(&guarded()).await;
    let wrong = [
        vec![],
        vec![(
            "cookie",
            "launchready_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.9999999999.AAAA",
        )],
        vec![("cookie", "launchready_session=")],
        vec![("authorization", "Bearer")],
        vec![("authorization", "Negotiate AAAA")],
    ];
    for headers in &wrong {
        for (method, path) in ROUTES.iter().filter(|(_, path)| !OPEN.contains(path)) {
            is_refused(method, path, &ask(&page, method, path, headers, None).await);
        }
    }
    for path in ["/status", "/login", "/static/page.css", "/static/live.js", "/healthz"] {
        assert_eq!(get(&page, path).await.status, StatusCode::OK, "{path}");
    }
    for (method, path) in ROUTES.iter().filter(|(_, path)| path.starts_with("/heartbeat/")) {
        let answer = ask(&page, method, path, &[], None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let next = get(&page, "/incidents?state=all&project=harbor").await;
    assert_eq!(
        next.header("location"),
        "/login?next=%2Fincidents%3Fstate%3Dall%26project%3Dharbor"
    );
    page.stop().await;
}

#[tokio::test]
async fn programs_get_in_with_the_password_and_prometheus_with_its_token_alone() {
    let page = Page::start(&guarded()).await;
    let with = async |line: String| {
        let headers = [("authorization", line.as_str())];
        let mut all = Vec::new();
        for path in [
            "/api/v1/projects",
            "/metrics?shard=1/3",
            "/sd",
            "/probe?target=harbor.example",
            "/readyz",
        ] {
            all.push(ask(&page, "GET", path, &headers, None).await.status.as_u16());
        }
        all
    };
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("any:{PASSWORD}"));
    assert_eq!(with(format!("Bearer {PASSWORD}")).await, [200; 5]);
    assert_eq!(with(format!("Basic {basic}")).await, [200; 5]);
    assert_eq!(with(format!("bearer {TOKEN}")).await, [401, 200, 200, 200, 401]);
    let write = [("authorization", format!("Bearer {PASSWORD}"))];
    let write: Vec<_> = write.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let made = json!({"until": "2026-11-23T00:00:00Z", "reason": "deploy"});
    let made = send(&page, "POST", "/api/v1/silences", &write, &made).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    page.stop().await;
}

#[tokio::test]
async fn wrong_passwords_are_limited_by_address_and_the_right_one_waits_too() {
    let page = Page::start(&guarded()).await;
    for _ in 0..10 {
        let wrong = post(&page, "/login", &[], &[("password", "guess")]).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
        assert!(wrong.body.contains("That is not the password"), "{}", wrong.body);
    }
    let late = post(&page, "/login", &[], &[("password", PASSWORD)]).await;
    assert_eq!(late.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(late.header("retry-after"), "901");
    assert!(late.body.contains("Wait 16 minutes"), "{}", late.body);
    // The proxy on this machine says who it is; another address is another count.
    let other = [("x-forwarded-for", "192.0.2.9, 198.51.100.7")];
    let fine = post(&page, "/login", &other, &[("password", PASSWORD)]).await;
    assert_eq!(fine.status, StatusCode::SEE_OTHER);
    page.clock.forward(16);
    assert_eq!(
        post(&page, "/login", &[], &[("password", PASSWORD)]).await.status,
        StatusCode::SEE_OTHER
    );

    for _ in 0..10 {
        let wrong =
            ask(&page, "GET", "/api/v1/projects", &[("authorization", "Bearer guess")], None).await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let right = format!("Bearer {PASSWORD}");
    let late = ask(&page, "GET", "/api/v1/projects", &[("authorization", &right)], None).await;
    assert_eq!(late.status, StatusCode::TOO_MANY_REQUESTS);
    let scrape = format!("Bearer {TOKEN}");
    let scrape = ask(&page, "GET", "/metrics?shard=1/3", &[("authorization", &scrape)], None).await;
    assert_eq!(scrape.status, StatusCode::OK, "guesses do not shut out the scrape");
    page.stop().await;
}

#[tokio::test]
async fn a_form_of_another_session_or_site_is_refused() {
    let page = Page::start(&guarded()).await;
    let (one, two) = (sign_in(&page, PASSWORD).await, sign_in(&page, PASSWORD).await);
    let token = ask(&page, "GET", "/silences", &[("cookie", &one)], None).await.token();
    let fields = |token: &str| {
        [("csrf", token), ("length", "1h"), ("reason", "deploy")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
    };
    let try_it = |cookie: String, token: String, extra: Vec<(&'static str, &'static str)>| {
        let page = &page;
        async move {
            let fields = fields(&token);
            let fields: Vec<_> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let mut headers = vec![("cookie", cookie.as_str())];
            headers.extend(extra);
            post(page, "/silences", &headers, &fields).await.status.as_u16()
        }
    };
    assert_eq!(try_it(two.clone(), token.clone(), vec![]).await, 403);
    assert_eq!(try_it(one.clone(), String::new(), vec![]).await, 403);
    assert_eq!(
        try_it(one.clone(), token.clone(), vec![("origin", "https://evil.example")]).await,
        403
    );
    assert_eq!(try_it(one.clone(), token.clone(), vec![("origin", "null")]).await, 403);
    assert_eq!(
        try_it(one.clone(), token.clone(), vec![("sec-fetch-site", "cross-site")]).await,
        403
    );
    assert_eq!(try_it(one.clone(), token.clone(), vec![]).await, 303);
    // Every form is refused without its token, whatever else is right.
    for (method, path) in
        ROUTES.iter().filter(|(m, p)| *m == "POST" && !p.starts_with("/api") && !OPEN.contains(p))
    {
        let answer = ask(&page, method, path, &[("cookie", &one)], Some("length=1h")).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }

    let body = json!({"until": "2026-11-23T00:00:00Z", "reason": "deploy"});
    let bare = send(&page, "POST", "/api/v1/silences", &[("cookie", &one)], &body).await;
    assert_eq!(bare.status, StatusCode::FORBIDDEN);
    assert!(bare.json()["next"].as_str().unwrap().contains("/api/v1/session"));
    let token = ask(&page, "GET", "/api/v1/session", &[("cookie", &one)], None).await.json();
    let token = token["csrf_token"].as_str().unwrap().to_owned();
    let headers = [("cookie", one.as_str()), ("x-csrf-token", token.as_str())];
    assert_eq!(
        send(&page, "POST", "/api/v1/silences", &headers, &body).await.status,
        StatusCode::CREATED
    );
    page.stop().await;
}

#[tokio::test]
async fn a_name_that_was_made_to_lead_here_is_not_served() {
    let page = Page::start(&Plan::default()).await;
    for host in ["evil.example", "localhost.evil.example:80", "10.0.0.1"] {
        for path in ["/", "/login", "/status", "/metrics", "/api/v1/projects"] {
            let answer = ask(&page, "GET", path, &[("host", host)], None).await;
            assert_eq!(answer.status, StatusCode::MISDIRECTED_REQUEST, "{host} {path}");
        }
        assert_eq!(
            ask(&page, "GET", "/healthz", &[("host", host)], None).await.status,
            StatusCode::OK
        );
    }
    for host in ["localhost:1", "127.0.0.1", "[::1]:9797"] {
        let answer = ask(&page, "GET", "/", &[("host", host)], None).await;
        assert_eq!(answer.status, StatusCode::OK, "{host}");
    }
    page.stop().await;
}

#[tokio::test]
async fn without_a_password_a_public_name_lets_nobody_in() {
    let plan = Plan { public_url: Some("https://watch.harbor.example"), ..Plan::default() };
    let page = Page::start(&plan).await;
    let host = [("host", "watch.harbor.example")];
    is_refused("GET", "/", &ask(&page, "GET", "/", &host, None).await);
    let login = ask(&page, "GET", "/login", &host, None).await;
    assert!(login.body.contains("No password is set"), "{}", login.body);
    let tried = post(&page, "/login", &host, &[("password", "")]).await;
    assert_eq!(tried.status, StatusCode::UNAUTHORIZED);
    let api = ask(&page, "GET", "/api/v1/projects", &host, None).await;
    assert!(api.json()["next"].as_str().unwrap().contains("agent.auth"), "{}", api.body);
    page.stop().await;
}

#[tokio::test]
async fn no_answer_lets_other_sites_in_or_names_a_version() {
    let page = Page::start(&guarded()).await;
    let origin = [("origin", "https://evil.example"), ("access-control-request-method", "GET")];
    for (method, path) in ROUTES.into_iter().chain([("OPTIONS", "/api/v1/projects")]) {
        let answer = ask(&page, method, path, &origin, None).await;
        for (name, _) in &answer.headers {
            assert!(!name.starts_with("access-control-"), "{method} {path} sends {name}");
            assert!(name != "server" && name != "x-powered-by", "{method} {path} sends {name}");
        }
        assert_eq!(answer.header("x-frame-options"), "DENY", "{method} {path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{method} {path}");
    }
    page.stop().await;
}

#[tokio::test]
async fn the_password_stands_in_no_answer() {
    let page = Page::start(&guarded()).await;
    let cookie = sign_in(&page, PASSWORD).await;
    let bearer = format!("Bearer {PASSWORD}");
    let paths: Vec<String> = ROUTES
        .iter()
        .filter(|(m, p)| *m == "GET" && *p != "/events")
        .map(|(_, p)| (*p).to_owned())
        .collect();
    for path in paths {
        for headers in [[("cookie", cookie.as_str())], [("authorization", bearer.as_str())]] {
            let answer = ask(&page, "GET", &path, &headers, None).await;
            for secret in [PASSWORD, TOKEN] {
                assert!(!answer.body.contains(secret), "{path}");
            }
        }
    }
    let open = Page::start(&Plan::default()).await;
    assert!(every(&open).await.len() > 20);
    open.stop().await;
    page.stop().await;
}

#[tokio::test]
async fn a_head_that_is_too_long_or_no_http_ends_the_connection_alone() {
    let page = Page::start(&Plan::default()).await;
    let heads = [
        format!("GET / HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "y".repeat(64 * 1024)),
        format!("GET / HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "a: b\r\n".repeat(200)),
        "\u{16}\u{3}\u{1} no http at all\r\n\r\n".to_owned(),
        "GET / HTTP/1.1\r\n\r\n".to_owned(),
    ];
    for head in heads {
        let mut stream = tokio::net::TcpStream::connect(page.at).await.unwrap();
        _ = stream.write_all(head.as_bytes()).await;
        let mut answer = Vec::new();
        let mut part = [0; 512];
        let size = stream.read(&mut part).await.unwrap_or(0);
        answer.extend_from_slice(&part[..size]);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert_eq!(get(&page, "/").await.status, StatusCode::OK);
    page.stop().await;
}
