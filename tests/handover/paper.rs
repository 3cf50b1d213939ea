//! The report on paper and on a phone, as Chromium draws it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::driver::{Browser, View};
use crate::parts::{harmless, in_order};
use crate::support::{has, program};
use crate::world::report;

/// What A4 leaves between margins of 12 mm, in CSS pixels of a 96th of an inch.
const PAPER: u32 = 703;
/// A report with every defect of the lab has at most so many pages; with all that repeats it had some 80.
const PAGES: usize = 50;

/// The folder in which the printed reports are kept.
fn kept() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-output/handover");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Elements that are wider than the page or stick out of it, and texts that are cut off.
async fn too_wide(browser: &Browser) -> Vec<String> {
    let script = "const wide = document.documentElement.clientWidth; \
        return [...document.querySelectorAll('body *')].filter(e => { \
            const style = getComputedStyle(e); \
            if (style.position === 'absolute' || style.display === 'none') return false; \
            if (e.closest('thead') && getComputedStyle(e.closest('thead')).position === 'absolute') return false; \
            const box = e.getBoundingClientRect(); \
            return box.right > wide + 1 || box.left < -1 || e.scrollWidth > e.clientWidth + 1 && style.display !== 'inline'; \
        }).slice(0, 5).map(e => e.outerHTML.slice(0, 160))";
    let found = browser.run(script).await;
    found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_report_of_both_scenarios_prints_to_a_clean_pdf() {
    if !has(
        "the_report_of_both_scenarios_prints_to_a_clean_pdf",
        &["chromium", "chromedriver", "pdftotext"],
    ) {
        return;
    }
    let folder = kept();
    let browser = Browser::start(&[]).await;
    for scenario in ["healthy", "broken"] {
        let html = folder.join(format!("{scenario}.html"));
        std::fs::write(&html, report(scenario, &["--format", "html"])).unwrap();
        let open = format!("file://{}", html.display());
        for view in [
            View { name: "phone", width: 390, height: 844, scheme: "light" },
            View { name: "desk", width: 1280, height: 900, scheme: "dark" },
        ] {
            browser.view(view).await;
            browser.open(&open).await;
            let found = too_wide(&browser).await;
            assert!(found.is_empty(), "{scenario} on a {}: {found:#?}", view.name);
            // A picture has at most 16,384 rows.
            let height = browser.run("return document.documentElement.scrollHeight").await;
            if height.as_u64().unwrap() < 16_000 {
                browser.picture(&folder.join(format!("{scenario}-{}.png", view.name))).await;
            }
        }
        browser.as_printed(PAPER).await;
        browser.open(&open).await;
        let found = too_wide(&browser).await;
        assert!(found.is_empty(), "{scenario} on paper: {found:#?}");
        // Every colour of the printed page is a shade of grey, and how bad a finding is stands there as a word.
        let coloured = "const grey = c => { const n = (c.match(/[\\d.]+/g) || []).slice(0, 3).map(Number); \
                return n.every(x => x === n[0]); }; \
            return [...document.querySelectorAll('body *')].filter(e => { const s = getComputedStyle(e); \
                return !grey(s.color) || !grey(s.borderLeftColor) && s.borderLeftWidth !== '0px'; }) \
                .slice(0, 3).map(e => e.outerHTML.slice(0, 120))";
        assert_eq!(browser.run(coloured).await, json!([]), "{scenario}: colours on paper");
        let badges = "return [...document.querySelectorAll('.finding')].filter(e => \
            !['critical', 'warning', 'info'].includes(e.querySelector('.badge').textContent)).length";
        assert_eq!(browser.run(badges).await, json!(0));
        let findings = browser.run("return document.querySelectorAll('.finding').length").await;
        let pdf = folder.join(format!("{scenario}.pdf"));
        browser.print(&pdf).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new());
        let (pages, text) = text_of(&pdf);
        assert!(pages <= PAGES, "{scenario}: {pages} pages");
        for page in [1, pages] {
            let number = format!("Page {page} of {pages}");
            assert!(text.contains(&number), "{scenario}: {number} is missing");
        }
        assert!(!text.contains("Mend one defect of"), "nobody pastes from paper");
        in_order(&text, "");
        harmless(&text);
        let words = ["CRITICAL", "WARNING", "INFO"];
        let told: usize = words.iter().map(|word| text.matches(word).count()).sum();
        let findings = usize::try_from(findings.as_u64().unwrap()).unwrap();
        assert!(told >= findings, "{scenario}: {told} words for {findings} findings");
        assert_eq!(findings == 0, scenario == "healthy");
    }
    browser.stop().await;
}

/// How many pages a PDF has, and its text without the line ends that the pages made.
fn text_of(pdf: &Path) -> (usize, String) {
    let output = Command::new(program("pdftotext").unwrap()).arg("-raw").arg(pdf).arg("-").output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    // A page ends with a form feed.
    (text.matches('\u{c}').count(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}
