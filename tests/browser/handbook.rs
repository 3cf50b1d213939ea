//! The handbook that `launchready explain --html` writes, opened from the disk.

use crate::driver::{Browser, View};
use crate::look::{axe, can_walk, faults, pictures};

const SIZES: [View; 4] = [
    View { name: "phone-light", width: 390, height: 844, scheme: "light" },
    View { name: "phone-dark", width: 390, height: 844, scheme: "dark" },
    View { name: "desk-light", width: 1280, height: 900, scheme: "light" },
    View { name: "desk-dark", width: 1280, height: 900, scheme: "dark" },
];

#[tokio::test]
async fn the_handbook_reads_on_a_phone_a_desk_and_on_paper() {
    if !can_walk("the handbook in Chromium") {
        return;
    }
    let folder = pictures("handbook");
    let written = tokio::process::Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["explain", "--html"])
        .arg(folder.join("pages"))
        .output()
        .await
        .unwrap();
    assert!(written.status.success(), "{written:?}");
    let address = |name: &str| format!("file://{}/pages/{name}.html", folder.display());
    let browser = Browser::start(&[]).await;
    let axe = axe();
    let mut wrong = Vec::new();
    for view in SIZES {
        browser.view(view).await;
        for page in [
            "index",
            "codes",
            "mail-spf",
            "orders-orphaned-checkouts",
            "agent",
            "metrics",
            "stripe",
        ] {
            browser.open(&address(page)).await;
            let name = format!("{page}-{}", view.name);
            browser.picture(&folder.join(format!("{name}.png"))).await;
            wrong.extend(faults(&browser, &name, &axe).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // From the table of contents to a code, and from there to what to do.
    browser.open(&address("index")).await;
    browser.click("header a[href='codes.html']").await;
    browser.until("the codes", "return location.pathname.endsWith('/codes.html')").await;
    browser.click("#spf-missing h3 a").await;
    browser.until("the finding", "return location.hash === '#spf-missing'").await;
    let there = "return document.querySelector('h3:target').textContent === 'spf-missing'";
    browser.until("its heading", there).await;
    browser.as_printed(700).await;
    browser.print(&folder.join("mail-spf.pdf")).await;
    let printed = "return getComputedStyle(document.querySelector('header')).display === 'none' \
        && document.documentElement.scrollWidth <= document.documentElement.clientWidth";
    browser.until("the page on paper", printed).await;
    browser.stop().await;
}
