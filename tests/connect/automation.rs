//! n8n, Make and Zapier: their runs as the plan has them, and their errors in words that help.

use jiff::{SignedDuration, Timestamp};
use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::probe::{
    Accounts, Credentials, Flow, ProbeError, Run, RunStatus, RunsWalked,
};

use super::faults::{Case, Ends, Running, System, each_fault};

pub(crate) const N8N: &str = r#"
[project.automation]
kind = "n8n"
token = { file = "n8n.key" }
api = "lab:n8n"

[secret]
"n8n.key" = "{{automation_key}}"

[api.n8n]
key = "{{automation_key}}"

[api.n8n.flow.order]
id = "aB3dE5fG7hI9jK1l"
name = "Order to CRM"
every_s = 600
fails_every = 25

[api.n8n.flow.summary]
id = "cD4fG6hI8jK0lM2n"
name = "Hourly summary"
every_s = 3600
fails_every = 10
retried = true
timer = true
"#;

pub(crate) const MAKE: &str = r#"
[project.automation]
kind = "make"
token = { file = "make.key" }
api = "lab:make"
team = "215"

[secret]
"make.key" = "{{automation_key}}"

[api.make]
token = "{{automation_key}}"
team = "215"

[api.make.flow.order]
id = "925"
name = "Order to CRM"
every_s = 3600
fails_every = 25

[api.make.flow.summary]
id = "926"
name = "Hourly summary"
every_s = 7200
timer = true

[api.make.connection.77]
name = "Mail of the shop"
expires_days = -2

[api.make.connection.78]
name = "Sheets"
expires_days = 90
"#;

pub(crate) const ZAPIER: &str = r#"
[project.automation]
kind = "zapier"
token = { file = "zapier.key" }
api = "lab:zapier"

[secret]
"zapier.key" = "{{automation_key}}"

[api.zapier]
token = "{{automation_key}}"

[api.zapier.flow.order]
id = "1001"
name = "Order to CRM"
every_s = 7200
fails_every = 25
"#;

const OF_N8N: &[Case] = &[
    (
        "a scope that is missing",
        "path = '/api/v1/executions'\nstatus = 403\nbody = '{\"message\":\"Forbidden\"}'",
        Ends::Error(&["a permission is missing", "give the API key the scope execution:list"]),
    ),
    (
        "an API that is off",
        "status = 404\nbody = '{\"message\":\"not found\"}'",
        Ends::Error(&["answers 404", "its public API is off"]),
    ),
    (
        "a page that repeats",
        "path = '/api/v1/executions'\nrepeats = true",
        Ends::Error(&["so the list never ends"]),
    ),
    (
        "a cursor that loops",
        "path = '/api/v1/executions'\nfrom = 3\nrepeats = true",
        Ends::Error(&["so the list never ends"]),
    ),
    (
        "a word that is new",
        "find = '\"status\":\"success\"'\nput = '\"status\":\"evaluating\"'",
        Ends::Well,
    ),
    (
        "a field that is new",
        "find = '\"mode\":'\nput = '\"novel\":{\"a\":[1]},\"mode\":'",
        Ends::Well,
    ),
    (
        "a number that is none",
        "find = '\"active\":true'\nput = '\"active\":\"yes\"'",
        Ends::Error(&["JSON of another shape"]),
    ),
];

const OF_MAKE: &[Case] = &[
    (
        "a scope that is missing",
        "path = '/api/v2/scenarios'\nstatus = 403\nbody = '{\"message\":\"Permission denied\"}'",
        Ends::Error(&["a permission is missing", "give the token the scope scenarios:read"]),
    ),
    (
        "a page that repeats",
        "path = '/api/v2/scenarios/925/logs'\nrepeats = true",
        Ends::Error(&["so the list never ends"]),
    ),
    ("a word that is new", "find = '\"type\":\"auto\"'\nput = '\"type\":\"novel\"'", Ends::Well),
];

const OF_ZAPIER: &[Case] = &[
    (
        "a scope that is missing",
        "path = '/v2/zap-runs'\nstatus = 403\nbody = '{}'",
        Ends::Error(&["a permission is missing", "give the application the scope zap:runs"]),
    ),
    (
        "a page that repeats",
        "path = '/v2/zap-runs'\nrepeats = true",
        Ends::Error(&["so the list never ends"]),
    ),
    (
        "a word that is new",
        "find = '\"status\":\"success\"'\nput = '\"status\":\"novel\"'",
        Ends::Well,
    ),
];

fn since(days: i64) -> Timestamp {
    SystemClock.now() - SignedDuration::from_hours(24 * days)
}

async fn read(
    accounts: &Accounts,
    days: i64,
) -> Result<(Vec<Flow>, RunsWalked, Vec<Run>), ProbeError> {
    let automation = accounts.automation.get().unwrap();
    let flows = automation.flows().await?;
    let ids = flows.iter().map(|flow| flow.id.clone()).collect();
    let mut all = Vec::new();
    let walked = automation.runs(ids, since(days), &mut |run| all.push(run)).await?;
    Ok((flows, walked, all))
}

/// The hour may turn between two worlds: whether there are many is what counts.
pub(crate) async fn told(accounts: &Accounts, many: usize) -> Result<String, ProbeError> {
    let (flows, walked, all) = read(accounts, 40).await?;
    let names: Vec<_> = flows.iter().map(|flow| &flow.name).collect();
    Ok(format!("{names:?} {} {}", walked.cut, all.len() > many))
}

#[tokio::test]
async fn every_fault_of_n8n_ends_in_the_answer_or_in_words_that_help() {
    let system = System { name: "n8n", vendor: "n8n", tables: N8N, own: OF_N8N };
    each_fault(&system, async |accounts: &Accounts| told(accounts, 2_000).await).await;
}

#[tokio::test]
async fn every_fault_of_make_ends_in_the_answer_or_in_words_that_help() {
    let system = System { name: "make", vendor: "Make", tables: MAKE, own: OF_MAKE };
    each_fault(&system, async |accounts: &Accounts| told(accounts, 1_000).await).await;
}

#[tokio::test]
async fn every_fault_of_zapier_ends_in_the_answer_or_in_words_that_help() {
    let system = System { name: "zapier", vendor: "Zapier", tables: ZAPIER, own: OF_ZAPIER };
    each_fault(&system, async |accounts: &Accounts| told(accounts, 300).await).await;
}

#[tokio::test]
async fn the_runs_of_n8n_are_those_of_the_plan_and_one_page_is_enough_for_what_is_new() {
    let running = Running::start(N8N).await;
    let (flows, walked, all) = read(&running.accounts, 40).await.unwrap();
    assert!(!walked.cut);
    assert_eq!(flows[1].every_s, Some(3600), "its schedule says so");
    assert_eq!(flows[0].every_s, None, "customers start it");
    assert!(flows.iter().all(|flow| flow.active && flow.definition.is_some()));
    // Executions are kept for fourteen days: one in 25 of 2016, and one in 10 of 336 with its retry.
    let of = |flow: &Flow| all.iter().filter(|run| run.flow == flow.id).collect::<Vec<_>>();
    let order = of(&flows[0]);
    assert!((2014..=2017).contains(&order.len()), "{}", order.len());
    let failed = order.iter().filter(|run| run.status == RunStatus::Failed).count();
    assert!((80..=81).contains(&failed), "{failed}");
    let summary = of(&flows[1]);
    let failed: Vec<_> = summary.iter().filter(|run| run.status == RunStatus::Failed).collect();
    assert!(failed.len() >= 33 && failed.iter().all(|run| run.recovered));
    let retries = summary.iter().filter(|run| run.retry_of.is_some()).count();
    assert!(retries.abs_diff(failed.len()) <= 1, "{retries}");
    let ids: std::collections::BTreeSet<_> = all.iter().map(|run| &run.id).collect();
    assert_eq!(ids.len(), all.len());
    assert!(all.windows(2).all(|two| two[0].started >= two[1].started), "newest first");
    running.lab.stop().await;
    // The second request for executions would fail: what is new stands on the first page.
    let tables =
        format!("{N8N}\n[[api.n8n.fault]]\npath = '/api/v1/executions'\nfrom = 2\nstatus = 500\n");
    let running = Running::start(&tables).await;
    let automation = running.accounts.automation.get().unwrap();
    let from = SystemClock.now() - SignedDuration::from_mins(15);
    let mut new = 0;
    automation.runs(Vec::new(), from, &mut |_run| new += 1).await.unwrap();
    assert!(new >= 1);
    assert_eq!(automation.credentials().await.unwrap(), Credentials::Untold);
    running.lab.stop().await;
}

#[tokio::test]
async fn make_tells_which_connections_have_expired_and_where_its_limit_came_first() {
    let running = Running::start(MAKE).await;
    let automation = running.accounts.automation.get().unwrap();
    let Credentials::Expired(expired) = automation.credentials().await.unwrap() else { panic!() };
    assert_eq!(expired.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Mail of the shop"]);
    let flows = automation.flows().await.unwrap();
    assert_eq!(flows.iter().map(|flow| flow.every_s).collect::<Vec<_>>(), [None, Some(7200)]);
    running.lab.stop().await;
    let few =
        format!("{MAKE}\n[[api.make.fault]]\npath = '/api/v2/scenarios/926/logs'\nstatus = 429\n");
    let running = Running::start(&few).await;
    let (_, walked, all) = read(&running.accounts, 40).await.unwrap();
    assert_eq!(walked.flows_cut, ["926"], "the plan's limit came before the second scenario");
    assert!(walked.cut && all.iter().all(|run| run.flow == "925"));
    running.lab.stop().await;
}

#[tokio::test]
async fn an_account_without_a_flow_is_empty_and_no_error() {
    let (head, _) = N8N.split_once("[api.n8n.flow.order]").unwrap();
    let running = Running::start(head).await;
    let (flows, walked, all) = read(&running.accounts, 40).await.unwrap();
    assert!(flows.is_empty() && all.is_empty() && !walked.cut);
    running.lab.stop().await;
}
