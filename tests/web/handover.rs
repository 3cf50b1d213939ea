//! The handover as the agent's page draws it: all parts, from what is stored, and as a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use launchready::clock::Clock as _;
use launchready::incident::Book;
use launchready::store::IncidentFilter;
use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};

use crate::site::{JOB_TOKEN, Page, Plan};
use crate::visitor::{ask, get, sign_in};

const PASSWORD: &str = "correct horse battery";

const PARTS: [&str; 13] = [
    "1. Verdict",
    "2. Money and people affected",
    "3. Do this first",
    "4. Conditions and later",
    "5. Every check, with proof",
    "6. Not checked, and what unlocks it",
    "7. Who holds which account",
    "8. Secrets, without their values",
    "9. What is watched, and who is told",
    "10. Runbooks for the first 15 minutes",
    "11. Changes, and how each is undone",
    "12. The first 72 hours, and the calendar",
    "13. Sign-off",
];

/// What config and store say of the project, each in its part.
const SAID: [(&str, &str); 7] = [
    ("spf-too-many-lookups", "a finding of the last look"),
    ("Ada Lovelace", "who holds an account"),
    ("STRIPE_KEY", "where a credential is kept"),
    ("founder", "who is told"),
    ("every 5m", "how often it looks"),
    ("Grace Hopper", "who signed"),
    ("An address of the product does not answer", "what was mended while the agent watched"),
];

/// Ends an incident, so that there is a change to tell of.
async fn mend(page: &Page, code: &str) {
    let all = page.store.incidents(&IncidentFilter::default()).await.unwrap();
    let id = all.into_iter().find(|incident| incident.key.code == code).unwrap().id;
    page.store.resolve(&id, "Ada Lovelace", &Book::default(), page.clock.now()).await.unwrap();
}

#[tokio::test]
async fn the_thirteen_parts_are_drawn_from_what_is_stored() {
    let page = Page::start(&Plan { password: Some(PASSWORD), ..Plan::default() }).await;
    mend(&page, "endpoint-down").await;
    let cookie = sign_in(&page, PASSWORD).await;
    let headers = [("cookie", cookie.as_str())];
    let read = async |path: &str| ask(&page, "GET", path, &headers, None).await;

    let html = read("/projects/harbor/handover").await;
    assert_eq!(html.status, StatusCode::OK, "{}", html.body);
    let headings = html.body.split_once("</nav>\n<section").unwrap().1;
    let markdown = read("/projects/harbor/handover.md").await;
    assert_eq!(markdown.header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(
        markdown.header("content-disposition"),
        "attachment; filename=\"harbor-handover.md\""
    );
    // The verdict stands above the list of parts.
    assert!(html.body.contains(PARTS[0]) && markdown.body.contains(PARTS[0]));
    // Markdown marks a letter that would act.
    let plain = markdown.body.replace('\\', "");
    for (text, before) in [(headings, "\">"), (&plain, "## ")] {
        let mut rest = text;
        for part in &PARTS[1..] {
            let heading = format!("{before}{part}");
            rest = rest.split_once(&heading).unwrap_or_else(|| panic!("{heading} is missing")).1;
        }
        for (word, what) in SAID {
            assert!(text.contains(word), "{what}: {word} is missing");
        }
        for secret in [PASSWORD, JOB_TOKEN, cookie.split('=').nth(1).unwrap()] {
            assert!(!text.contains(secret), "{secret}");
        }
        assert!(!text.contains("this audit had no config"));
    }
    let linked = read("/projects/harbor").await.body;
    assert!(linked.contains("href=\"/projects/harbor/handover\""), "{linked}");
    for way in ["href=\"/projects/harbor\"", "handover.md\"", "handover?redact=1\""] {
        assert!(html.body.contains(way), "{way}");
    }
    assert_eq!(read("/projects/nobody/handover").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&page, "/projects/harbor/handover").await.status, StatusCode::SEE_OTHER);
    page.stop().await;
}

#[tokio::test]
async fn its_own_style_is_all_that_the_browser_may_use() {
    let page = Page::start(&Plan::default()).await;
    for path in ["/projects/quay/handover", "/projects/quay/handover?redact=1"] {
        let answer = get(&page, path).await;
        let style = answer.body.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = STANDARD.encode(Sha256::digest(style));
        assert_eq!(
            answer.header("content-security-policy"),
            format!(
                "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
                 frame-ancestors 'none'"
            )
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        for live in ["<script", "<img src=x", "\" onload=", "\u{202e}"] {
            assert!(!answer.body.contains(live), "{path} holds {live:?}");
        }
    }
    page.stop().await;
}

#[tokio::test]
async fn what_is_shared_names_nobody() {
    let page = Page::start(&Plan::default()).await;
    for path in ["/projects/harbor/handover?redact=1", "/projects/harbor/handover.md?redact="] {
        let answer = get(&page, path).await;
        assert_eq!(answer.status, StatusCode::OK);
        let text = answer.body.to_lowercase();
        for name in ["harbor", "lovelace", "hopper"] {
            assert!(!text.contains(name), "{path} names {name}");
        }
        assert!(!answer.header("content-disposition").contains("harbor"));
        assert!(answer.body.contains("host-1") && answer.body.contains("13. Sign-off"), "{path}");
    }
    page.stop().await;
}
