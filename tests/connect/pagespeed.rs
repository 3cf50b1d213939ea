//! `PageSpeed` Insights: its numbers, its errors in its own words, and pages that it cannot load.

use launchready_checks::probe::{Accounts, AgentFault, PageSpeed, ProbeError};

use super::faults::{Case, Ends, Running, System, each_fault};

pub(crate) const TABLES: &str = r#"
[project.pagespeed]
key = { file = "pagespeed.key" }
api = "lab:pagespeed"

[secret]
"pagespeed.key" = "{{pagespeed_key}}"

[api.pagespeed]
keys = ["{{pagespeed_key}}"]

[api.pagespeed.page."https://harbor.example/"]
performance = 0.29
paint_ms = 4100.25
blocked_ms = 201
shift = 0.125
interaction_ms = 240

[api.pagespeed.page."https://harbor.example/young"]
performance = 1
paint_ms = 800
blocked_ms = 0
shift = 0

[api.pagespeed.page."https://harbor.example/blank"]
performance = 0
paint_ms = 0
blocked_ms = 0
shift = 0
error = "NO_FCP"
"#;

const OWN: &[Case] = &[
    (
        "a key that is none",
        r#"status = 400
body = '''{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}'''"#,
        Ends::Error(&[
            "the credential was refused",
            "https://console.cloud.google.com/apis/credentials",
        ]),
    ),
    (
        "an API that is not switched on",
        r#"status = 403
body = '''{"error":{"code":403,"message":"PageSpeed Insights API has not been used in project 1 before or it is disabled.","status":"PERMISSION_DENIED"}}'''"#,
        Ends::Error(&["a permission is missing", "it is disabled"]),
    ),
    (
        "a number that is missing",
        "find = '\"total-blocking-time\":{'\nput = '\"another-time\":{'",
        Ends::Error(&["holds no total-blocking-time"]),
    ),
    (
        "a score that is a word",
        "find = '\"score\":0.29'\nput = '\"score\":\"slow\"'",
        Ends::Error(&["holds no /categories/performance/score"]),
    ),
    (
        "a field that is new",
        "find = '\"captchaResult\"'\nput = '\"novel\":[{}],\"captchaResult\"'",
        Ends::Well,
    ),
];

pub(crate) async fn measure(accounts: &Accounts, path: &str) -> Result<PageSpeed, ProbeError> {
    let service = accounts.speed.get().unwrap();
    service.page(format!("https://harbor.example/{path}")).await
}

#[tokio::test]
async fn every_fault_of_the_service_is_told_and_no_number_is_made_up() {
    let system =
        System { name: "pagespeed", vendor: "PageSpeed Insights", tables: TABLES, own: OWN };
    each_fault(&system, async |accounts| {
        let speed = measure(accounts, "").await?;
        // A report without its numbers is about the page, and here about the service.
        let lab =
            speed.lab.map_err(|reason| AgentFault::Bug(format!("PageSpeed Insights: {reason}")))?;
        Ok(format!("{lab:?} {:?}", speed.field))
    })
    .await;
}

#[tokio::test]
async fn numbers_are_read_in_their_units_and_a_page_that_does_not_load_has_none() {
    let running = Running::start(TABLES).await;
    let home = measure(&running.accounts, "").await.unwrap();
    let lab = home.lab.unwrap();
    assert_eq!((lab.performance, lab.paint_ms), (29.0, 4100.25));
    assert_eq!((lab.blocked_ms, lab.shift, lab.version.as_str()), (201.0, 0.125, "13.5.0"));
    let field = home.field.unwrap();
    assert_eq!((field.interaction_ms, field.paint_ms), (Some(240.0), Some(4100.0)));
    // The service gives whole hundredths.
    assert_eq!((field.shift, field.of_host), (Some(0.13), false));
    let young = measure(&running.accounts, "young").await.unwrap();
    assert_eq!((young.lab.unwrap().performance, young.field), (100.0, None));
    let blank = measure(&running.accounts, "blank").await.unwrap();
    assert!(blank.lab.unwrap_err().contains("NO_FCP"));
    let missing = measure(&running.accounts, "missing").await.unwrap();
    assert!(missing.lab.unwrap_err().starts_with("Lighthouse returned error"));
    running.lab.stop().await;
}
