//! What people change with the forms of the pages.

use reqwest::StatusCode;

use crate::pages::incidents;
use crate::site::{Page, Plan};
use crate::visitor::{get, post};

/// Sends a form of a page with its token, and reads the page that it leads to.
async fn submit(page: &Page, from: &str, to: &str, fields: &[(&str, &str)]) -> String {
    let token = get(page, from).await.token();
    let mut fields = fields.to_vec();
    fields.push(("csrf", &token));
    let answer = post(page, to, &[], &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{to}: {}", answer.body);
    get(page, answer.header("location")).await.body
}

#[tokio::test]
async fn an_incident_is_acknowledged_silenced_and_resolved_on_its_page() {
    let page = Page::start(&Plan::default()).await;
    let all = incidents(&page, "harbor").await;
    let (id, _) = all.iter().find(|(_, code)| code == "endpoint-down").unwrap();
    let path = format!("/incidents/{id}");
    let before = get(&page, &path).await.body;
    for word in [
        "answers 503",
        "vercel rollback",
        "vercel promote",
        "launchready check web-uptime",
        "Opened",
        "founder",
        "ops",
        "HTTP 503 from hooks.slack.example",
        "after 1 try",
        "Europe",
        "CET",
    ] {
        assert!(word == "Europe" || before.contains(word), "lacks {word}:\n{before}");
    }
    let place = |word: &str| before.find(word).unwrap_or_else(|| panic!("lacks {word}"));
    assert!(place("vercel rollback") < place("id=\"act\""), "the fix comes before the forms");
    let note = [("by", "Ada"), ("note", "rolling back <b>now</b>")];
    let after = submit(&page, &path, &format!("{path}/ack"), &note).await;
    assert!(after.contains("Acknowledged. The channels are told"), "{after}");
    assert!(after.contains("rolling back &#60;b&#62;now&#60;/b&#62;"), "{after}");
    assert!(after.contains("Take over") && after.contains("</strong> by Ada"), "{after}");
    let after = submit(&page, &path, &format!("{path}/ack"), &[("by", "Grace")]).await;
    for name in ["</strong> by Ada", "</strong> by Grace", "<dd>by Grace"] {
        assert!(after.contains(name), "{name}: {after}");
    }

    let silence = [("length", "4h"), ("by", "Ada"), ("reason", "deploy")];
    let after = submit(&page, &path, &format!("{path}/silence"), &silence).await;
    assert!(after.contains("Silenced. The checks go on"));
    let silences = get(&page, "/silences").await.body;
    assert!(
        silences.contains("project harbor, check web-uptime, finding endpoint-down"),
        "{silences}"
    );
    assert!(silences.contains("22 Nov 2026, 13:00 CET"), "{silences}");

    let after = submit(&page, &path, &format!("{path}/resolve"), &[("by", "")]).await;
    assert!(after.contains("Resolved by hand"), "{after}");
    assert!(!after.contains("What you can do here"));
    assert!(after.contains("<dt>Resolved by</dt><dd>somebody on the page</dd>"), "{after}");
    page.stop().await;
}

#[tokio::test]
async fn silences_and_waivers_are_added_and_taken_away() {
    let page = Page::start(&Plan::default()).await;
    let fields =
        [("project", "harbor"), ("length", "1d"), ("reason", "moving house"), ("by", "Ada")];
    let after = submit(&page, "/silences", "/silences", &fields).await;
    assert!(after.contains("moving house"), "{after}");
    let end =
        after.split("action=\"/silences/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let after = submit(&page, "/silences", &format!("/silences/{end}"), &[]).await;
    assert!(after.contains("The silence has ended") && !after.contains("moving house"), "{after}");

    let fields = [
        ("project", "harbor"),
        ("code", "csp-missing"),
        ("subject", ""),
        ("until", "2026-12-31"),
        ("reason", "after the launch"),
        ("by", "Ada"),
    ];
    let after = submit(&page, "/waivers", "/waivers", &fields).await;
    assert!(after.contains("after the launch") && after.contains("in force"), "{after}");
    assert!(after.contains(">the end of 31 Dec 2026 UTC</time>"), "{after}");
    let report = get(&page, "/projects/harbor").await.body;
    assert!(report.contains("Accepted by Ada: after the launch"), "{report}");
    assert!(report.contains(" waived)</h2>"), "headings count as the verdict does: {report}");
    assert!(report.contains("shown below, and not counted above"), "{report}");
    page.clock.forward(60 * 24 * 60);
    let later = get(&page, "/waivers").await.body;
    assert!(later.contains("expired"), "{later}");
    let id =
        later.split("action=\"/waivers/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let after = submit(&page, "/waivers", &format!("/waivers/{id}"), &[]).await;
    assert!(after.contains("The waiver is gone"), "{after}");
    page.stop().await;
}

#[tokio::test]
async fn a_form_that_lacks_something_says_what() {
    let page = Page::start(&Plan::default()).await;
    let token = get(&page, "/waivers").await.token();
    let good = [
        ("csrf", token.as_str()),
        ("project", "harbor"),
        ("code", "csp-missing"),
        ("until", "2026-12-31"),
        ("reason", "x"),
        ("by", "Ada"),
    ];
    let long = "x".repeat(1_001);
    for (name, value, word) in [
        ("project", "nobody", "no project of that name"),
        ("code", "nothing", "no finding of that code"),
        ("until", "2026-11-01", "no date that lies ahead"),
        ("until", "soon", "no date that lies ahead"),
        ("reason", "", "The reason is missing"),
        ("reason", " \t ", "Write in a sentence why"),
        ("reason", long.as_str(), "The reason is too long"),
        ("by", " ", "The name is missing"),
        ("by", "\u{a0}", "Write who you are"),
    ] {
        let fields = good.map(|(field, old)| (field, if field == name { value } else { old }));
        let answer = post(&page, "/waivers", &[], &fields).await;
        assert!(answer.status.is_client_error(), "{name}={value}");
        assert!(answer.body.contains(word), "{name}={value}: {}", answer.body);
        let kept =
            if name == "until" { "name=\"by\" value=\"Ada\"" } else { "value=\"2026-12-31\"" };
        assert!(answer.body.contains(kept), "{kept} is gone: {}", answer.body);
    }
    let answer =
        post(&page, "/silences", &[], &[("csrf", &token), ("length", "9y"), ("reason", "x")]).await;
    assert!(answer.body.contains("A silence needs a length"), "{}", answer.body);
    let typed = [
        ("csrf", token.as_str()),
        ("project", "harbor"),
        ("check", "mail-spif"),
        ("length", "1d"),
        ("reason", "we \"move\""),
        ("by", "Ada"),
    ];
    let answer = post(&page, "/silences", &[], &typed).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for kept in [
        "There is no check of that name",
        "name=\"project\" value=\"harbor\"",
        "name=\"check\" value=\"mail-spif\"",
        "value=\"1d\" checked",
        "name=\"reason\" value=\"we &#34;move&#34;\"",
        "name=\"by\" value=\"Ada\"",
    ] {
        assert!(answer.body.contains(kept), "{kept}: {}", answer.body);
    }
    assert_eq!(answer.body.matches(" checked").count(), 1, "{}", answer.body);
    page.stop().await;
}

#[tokio::test]
async fn a_check_is_made_due_on_its_page() {
    let page = Page::start(&Plan::default()).await;
    let path = "/projects/harbor/checks/mail-spf";
    let after = submit(&page, path, &format!("{path}/run"), &[]).await;
    assert!(after.contains("Due now."), "{after}");
    let after = submit(&page, "/projects/harbor", "/projects/harbor/run", &[]).await;
    assert!(after.contains("Due now."), "{after}");
    page.stop().await;
}
