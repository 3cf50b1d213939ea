//! The walk, and what is asked of each page on it.

use launchready::store::IncidentFilter;
use serde_json::{Value, json};

use crate::driver::Browser;
use crate::look::{VIEWS, axe, can_walk, faults, pictures};
use crate::site::{Page, Plan, out_of_step};

const PASSWORD: &str = "correct horse battery";
const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';

async fn sign_in(browser: &Browser, page: &Page) {
    browser.open(&page.url("/projects/harbor")).await;
    browser.until("the form", "return location.pathname === '/login'").await;
    browser.write("#password", PASSWORD).await;
    browser.click("button[type=submit]").await;
    browser.until("the project", "return location.pathname === '/projects/harbor'").await;
}

async fn incident(page: &Page, code: &str) -> String {
    let all = page.store.incidents(&IncidentFilter::default()).await.unwrap();
    all.into_iter().find(|incident| incident.key.code == code).unwrap().id
}

#[tokio::test]
async fn every_page_is_fit_for_a_phone_a_desk_the_dark_and_a_screen_reader() {
    if !can_walk("pages in Chromium") {
        return;
    }
    let page = Page::start(&Plan { password: Some(PASSWORD), more: 8, ..Plan::default() }).await;
    out_of_step(&page, "quay").await;
    let browser = Browser::start(&[]).await;
    let axe = axe();
    let down = incident(&page, "endpoint-down").await;
    let hostile = incident(&page, "spf-multiple").await;
    let pages = [
        ("login", "/login".to_owned()),
        ("status", "/status".to_owned()),
        ("overview", "/".to_owned()),
        ("project", "/projects/harbor".to_owned()),
        ("project-hostile", "/projects/quay".to_owned()),
        ("out-of-step", "/projects/quay/out-of-step".to_owned()),
        ("handover", "/projects/harbor/handover".to_owned()),
        ("handover-hostile", "/projects/quay/handover".to_owned()),
        ("in-step", "/projects/harbor/out-of-step".to_owned()),
        ("check", "/projects/harbor/checks/web-uptime?range=7d".to_owned()),
        ("check-90d", "/projects/harbor/checks/web-uptime?range=90d".to_owned()),
        ("check-unknown", "/projects/harbor/checks/dns-subdomains".to_owned()),
        ("incidents", "/incidents".to_owned()),
        ("incident", format!("/incidents/{down}")),
        ("incident-hostile", format!("/incidents/{hostile}")),
        ("silences", "/silences".to_owned()),
        ("waivers", "/waivers".to_owned()),
        ("handbook", "/checks".to_owned()),
        ("handbook-page", "/checks/mail-spf".to_owned()),
        ("not-found", "/nowhere".to_owned()),
    ];
    sign_in(&browser, &page).await;
    browser.complaints().await;
    let mut wrong = Vec::new();
    for view in VIEWS {
        browser.view(view).await;
        for (name, path) in &pages {
            browser.open(&page.url(path)).await;
            let name = format!("{name}-{}", view.name);
            browser.picture(&pictures("browser").join(format!("{name}.png"))).await;
            let found = faults(&browser, &name, &axe).await;
            // That a page which is not there answers 404 is no fault of it.
            wrong.extend(
                found.into_iter().filter(|fault| !fault.contains("/nowhere - Failed to load")),
            );
        }
    }
    browser.stop().await;
    page.stop().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn an_incident_is_dealt_with_by_keyboard_and_by_form() {
    if !can_walk("the walk in Chromium") {
        return;
    }
    let page = Page::start(&Plan { password: Some(PASSWORD), ..Plan::default() }).await;
    let browser = Browser::start(&[]).await;
    browser.view(VIEWS[2]).await;
    sign_in(&browser, &page).await;

    // The first stop of the keyboard leads past the navigation.
    browser.open(&page.url("/")).await;
    browser.press(TAB).await;
    let focus = "return document.activeElement.className === 'skip' \
        && document.activeElement.getBoundingClientRect().left >= 0";
    browser.until("the link to the content", focus).await;
    browser.press(ENTER).await;
    browser.until("the content", "return document.activeElement.id === 'main'").await;

    browser.click(".projects a[href='/projects/harbor']").await;
    browser.until("the project", "return location.pathname === '/projects/harbor'").await;
    browser.click("a[href='/projects/harbor/checks/web-uptime']").await;
    browser.until("a chart", "return document.querySelectorAll('.chart svg').length > 0").await;
    browser.click("main table a[href^='/incidents/']").await;
    browser.until("the incident", "return location.pathname.startsWith('/incidents/')").await;

    browser.write("#ack-by", "Ada").await;
    browser.write("#ack-note", "rolling back").await;
    browser.click("form[action$='/ack'] button").await;
    let said = |word: &str| {
        format!(
            "const said = document.querySelector('.done'); return said !== null && said.textContent.includes('{word}')"
        )
    };
    browser.until("the acknowledgement", &said("Acknowledged")).await;
    browser.click("input[name=length][value='4h']").await;
    browser.click("form[action$='/silence'] button").await;
    browser.until("the silence", &said("Silenced")).await;
    browser.open(&page.url("/silences")).await;
    browser.click("form[action$='/end'] button").await;
    browser.until("the end of the silence", &said("has ended")).await;

    // An open page follows what happens, without being loaded again.
    browser.open(&page.url("/incidents")).await;
    browser.run("document.title = 'kept'; window.kept = true").await;
    let id = incident(&page, "spf-too-many-lookups").await;
    let book = launchready::incident::Book::default();
    let now = launchready::clock::Clock::now(&*page.clock);
    let follows = format!(
        "return window.kept === true && document.querySelector('a[href=\"/incidents/{id}\"]') === null"
    );
    page.store.resolve(&id, "Ada", &book, now).await.unwrap();
    browser.until("the change", &follows).await;

    browser.click(".out button").await;
    browser.until("the way out", "return location.pathname === '/login'").await;
    browser.open(&page.url("/")).await;
    browser.until("the closed door", "return location.pathname === '/login'").await;
    let cookies: Value = browser.run("return document.cookie").await;
    assert_eq!(cookies, json!(""), "no script sees the session");
    browser.stop().await;
    page.stop().await;
}
