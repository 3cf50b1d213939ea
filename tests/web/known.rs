//! Strangers who guess the password shut nobody out.

use reqwest::StatusCode;

use crate::site::{Page, Plan};
use crate::visitor::{Answer, post};

const PASSWORD: &str = "open sesame and more";

async fn enter(page: &Page, from: &str, cookie: &str, password: &str) -> Answer {
    let headers = [("x-forwarded-for", from), ("cookie", cookie)];
    post(page, "/login", &headers, &[("password", password)]).await
}

#[tokio::test]
async fn a_browser_that_was_here_before_gets_in_whatever_strangers_try() {
    let page = Page::start(&Plan { password: Some(PASSWORD), ..Plan::default() }).await;
    let first = enter(&page, "198.51.100.7", "", PASSWORD).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    let lines = first.headers.iter().filter(|(name, _)| name == "set-cookie");
    let known = lines.map(|(_, line)| line).find(|line| line.starts_with("launchready_known="));
    let known = known.unwrap();
    for part in ["; HttpOnly", "; SameSite=Lax", "; Max-Age=15552000"] {
        assert!(known.contains(part), "{known}");
    }
    let known = known.split(';').next().unwrap();

    // A stranger behind the same address uses up its tries, for everybody who is new there.
    for _ in 0..10 {
        let wrong = enter(&page, "198.51.100.7", "", "guess").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let new = enter(&page, "198.51.100.7", "", PASSWORD).await;
    assert_eq!(new.status, StatusCode::TOO_MANY_REQUESTS);
    let forged = format!("{known}x");
    let forged = enter(&page, "198.51.100.7", &forged, PASSWORD).await;
    assert_eq!(forged.status, StatusCode::TOO_MANY_REQUESTS);
    let back = enter(&page, "198.51.100.7", known, PASSWORD).await;
    assert_eq!(back.status, StatusCode::SEE_OTHER);

    // Many strangers from everywhere, and somebody who has never been here.
    for host in 0..100 {
        let wrong = enter(&page, &format!("203.0.113.{host}"), "", "guess").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let new = enter(&page, "192.0.2.9", "", PASSWORD).await;
    assert_eq!(new.status, StatusCode::SEE_OTHER, "slower, and not refused");

    // The cookie of a browser is no licence to guess.
    for _ in 0..10 {
        let wrong = enter(&page, "192.0.2.10", known, "guess").await;
        assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    }
    let late = enter(&page, "192.0.2.10", known, "guess").await;
    assert_eq!(late.status, StatusCode::TOO_MANY_REQUESTS);
    page.stop().await;
}
