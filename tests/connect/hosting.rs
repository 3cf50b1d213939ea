//! Vercel and Netlify: what is live and the names of variables, and their errors in words that help.

use launchready_checks::probe::{Accounts, ProbeError, Stage};

use super::faults::{Case, Ends, Running, System, each_fault};

pub(crate) const SITE: &str = r#"
live = "Two"
at = { "harbor.example" = "Two" }
deployment.Two = { ago_s = 3600, stage = "production", commit = "a10867b14bb761a232cd80139fbd4c0d33264240", branch = "main" }
deployment.Three = { ago_s = 60, stage = "preview", commit = "6dcb09b5b57875f334f61aebed695e2e4193db5e", branch = "new-page" }
"#;

pub(crate) const VERCEL: &str = r#"
[project.hosting]
kind = "vercel"
token = { file = "hosting.key" }
site = "harbor"
team = "team_1"
api = "lab:vercel"

[secret]
"hosting.key" = "{{hosting_token}}"

[api.vercel]
token = "{{hosting_token}}"
id = "prj_1"
name = "harbor"
team = "team_1"
variables = { STRIPE_SECRET_KEY = ["production"], RESEND_API_KEY = ["production", "preview"] }
"#;

pub(crate) const NETLIFY: &str = r#"
[project.hosting]
kind = "netlify"
token = { file = "hosting.key" }
site = "3970e0fe"
api = "lab:netlify"

[secret]
"hosting.key" = "{{hosting_token}}"

[api.netlify]
token = "{{hosting_token}}"
id = "3970e0fe"
name = "harbor"
team = "team1"
variables = { STRIPE_SECRET_KEY = ["production"], RESEND_API_KEY = ["all"] }
"#;

const OF_VERCEL: &[Case] = &[
    (
        "a token that nobody knows",
        "status = 403\nbody = '{\"error\":{\"code\":\"forbidden\",\"invalidToken\":true}}'",
        Ends::Error(&["the credential was refused", "make a new one at https://vercel.com"]),
    ),
    (
        "a project that is not there",
        "status = 404\nbody = '{\"error\":{\"code\":\"not_found\"}}'",
        Ends::Error(&["correct project.hosting.site"]),
    ),
    ("a state that is new", "find = '\"READY\"'\nput = '\"READY\",\"novel\":1'", Ends::Well),
];

const OF_NETLIFY: &[Case] = &[
    (
        "a site that is not there",
        "status = 404\nbody = '{\"code\":404}'",
        Ends::Error(&["correct project.hosting.site"]),
    ),
    ("a field that is new", "find = '\"state\":'\nput = '\"novel\":1,\"state\":'", Ends::Well),
];

async fn told(accounts: &Accounts) -> Result<String, ProbeError> {
    let hosting = accounts.hosting.get().unwrap();
    let hosts = vec!["harbor.example".to_owned(), "www.harbor.example".to_owned()];
    let deployments = hosting.deployments(hosts).await?;
    let live = deployments.live.expect("a build is live");
    let recent: Vec<_> = deployments.recent.iter().map(|one| one.production).collect();
    let at: Vec<_> = deployments.at.iter().map(|(host, one)| (host, one.production)).collect();
    let variables = hosting.variables().await?;
    let names: Vec<_> =
        variables.iter().map(|one| (&one.name, one.stages.contains(&Stage::Preview))).collect();
    Ok(format!("{:?} {:?} {recent:?} {at:?} {names:?}", live.commit, live.production))
}

const TOLD: &str = "Some(\"a10867b14bb761a232cd80139fbd4c0d33264240\") true [false, true] \
                    [(\"harbor.example\", true)] [(\"RESEND_API_KEY\", true), (\"STRIPE_SECRET_KEY\", false)]";

async fn each_fault_of(
    name: &'static str,
    vendor: &'static str,
    table: &str,
    own: &'static [Case],
) {
    let tables: &'static str = Box::leak(format!("{table}{SITE}").into_boxed_str());
    each_fault(&System { name, vendor, tables, own }, async |accounts: &Accounts| {
        let told = told(accounts).await?;
        assert_eq!(told, TOLD);
        Ok(told)
    })
    .await;
}

#[tokio::test]
async fn every_fault_of_vercel_ends_in_the_answer_or_in_words_that_help() {
    each_fault_of("vercel", "Vercel", VERCEL, OF_VERCEL).await;
}

#[tokio::test]
async fn every_fault_of_netlify_ends_in_the_answer_or_in_words_that_help() {
    each_fault_of("netlify", "Netlify", NETLIFY, OF_NETLIFY).await;
}

#[tokio::test]
async fn the_values_of_variables_stay_with_the_connector() {
    let running = Running::start(&format!("{NETLIFY}{SITE}")).await;
    let variables = running.accounts.hosting.get().unwrap().variables().await.unwrap();
    // The lab gives each variable its own name as its value.
    let text = format!("{:?}", variables.iter().map(|one| one.hash).collect::<Vec<_>>());
    assert!(variables.iter().all(|one| one.hash.is_some()) && !text.contains("KEY"), "{text}");
    running.lab.stop().await;
}
