//! How a page is looked at, and what is asked of each: that the browser has nothing to complain of, that
//! it fits, and that axe-core finds no fault.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::driver::{Browser, View};
use crate::support::has;
use crate::support::missing::lacks;

pub(crate) const VIEWS: [View; 4] = [
    View { name: "phone-light", width: 360, height: 740, scheme: "light" },
    View { name: "phone-dark", width: 360, height: 740, scheme: "dark" },
    View { name: "desk-light", width: 1280, height: 900, scheme: "light" },
    View { name: "desk-dark", width: 1280, height: 900, scheme: "dark" },
];

/// Everything that the walk needs; says why it cannot be walked.
pub(crate) fn can_walk(test: &str) -> bool {
    has(test, &["chromium", "chromedriver"])
        && (axe_file().is_file() || lacks(test, "axe-core is missing; run tests/tools/browser.sh"))
}

/// The folder in which a test keeps its pictures.
pub(crate) fn pictures(of: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-output").join(of);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Where axe-core is, which `tests/tools/browser.sh` puts there.
fn axe_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/axe.min.js")
}

/// The source of axe-core.
pub(crate) fn axe() -> String {
    std::fs::read_to_string(axe_file()).unwrap()
}

/// What is wrong with the page that is open: complaints of the browser, sideways scrolling, axe-core.
pub(crate) async fn faults(browser: &Browser, name: &str, axe: &str) -> Vec<String> {
    let mut found = browser.complaints().await;
    let overflow = "const wide = document.documentElement; \
        return wide.scrollWidth > wide.clientWidth \
            ? [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > wide.clientWidth + 1) \
                .slice(0, 3).map(e => e.outerHTML.slice(0, 120)) : []";
    let overflow = browser.run(overflow).await;
    found.extend(overflow.as_array().unwrap().iter().map(|element| format!("too wide: {element}")));
    let has_axe = browser.run("return typeof axe === 'object'").await;
    if has_axe != json!(true) {
        browser.run(axe).await;
    }
    let judged = browser
        .run("return axe.run(document).then(r => ({wrong: r.violations, right: r.passes.length}))")
        .await;
    assert!(judged["right"].as_u64().unwrap() > 10, "{name}: axe-core looked at next to nothing");
    for violation in judged["wrong"].as_array().unwrap() {
        let nodes = violation["nodes"].as_array().unwrap().iter().take(3);
        let nodes: Vec<_> =
            nodes.map(|node| format!("{} {}", node["html"], node["failureSummary"])).collect();
        found.push(format!("{} {}: {nodes:#?}", violation["impact"], violation["id"]));
    }
    found.into_iter().map(|fault| format!("{name}: {fault}")).collect()
}
