//! Cloudflare: one zone in full, and its errors in words that help.

use launchready_checks::probe::{Accounts, ProbeError};

use super::faults::{Case, Ends, Running, System, each_fault};

pub(crate) const TABLES: &str = r#"
[project.edge]
kind = "cloudflare"
token = { file = "edge.key" }
api = "lab:cloudflare"

[secret]
"edge.key" = "{{edge_token}}"

[api.cloudflare]
token = "{{edge_token}}"

[api.cloudflare.zone."harbor.example"]
id = "023e105f4ecef8ad9ca31a8372d0c353"
settings = { ssl = "flexible", always_use_https = "off", development_mode = "on" }
dnssec = "pending"
records = ["@ A 203.0.113.25 proxied", "old A 203.0.113.25", "@ MX mail.harbor.example"]
"#;

const OWN: &[Case] = &[
    (
        "a token that nobody knows",
        "status = 403\nbody = '{\"success\":false,\"errors\":[{\"code\":9109,\"message\":\"Invalid access token\"}]}'",
        Ends::Error(&[
            "the credential was refused",
            "make a new one at https://dash.cloudflare.com",
        ]),
    ),
    (
        "a permission that is missing",
        "path = '/zones/023e105f4ecef8ad9ca31a8372d0c353/dns_records'\nstatus = 403\nbody = '{\"success\":false,\"errors\":[{\"code\":10000,\"message\":\"Authentication error\"}]}'",
        Ends::Error(&["a permission is missing", "Zone → DNS → Read"]),
    ),
    (
        "no success",
        "status = 200\nbody = '{\"success\":false,\"errors\":[],\"result\":null}'",
        Ends::Error(&["without success"]),
    ),
    (
        "a page that repeats",
        "path = '/zones/023e105f4ecef8ad9ca31a8372d0c353/dns_records'\nfind = '\"total_pages\":1'\nput = '\"total_pages\":9'\nrepeats = true",
        Ends::Error(&["so the list never ends"]),
    ),
    (
        "a field that is new",
        "find = '\"errors\":[]'\nput = '\"errors\":[],\"novel\":{}'",
        Ends::Well,
    ),
];

pub(crate) async fn told(accounts: &Accounts) -> Result<String, ProbeError> {
    let edge = accounts.edge.get().unwrap();
    let Some(zone) = edge.zone("harbor.example".to_owned()).await? else {
        return Ok("no zone".to_owned());
    };
    let records = edge.records(zone.id.clone()).await?;
    Ok(format!("{zone:?} {records:?}"))
}

#[tokio::test]
async fn every_fault_of_the_api_ends_in_the_answer_or_in_words_that_help() {
    let system = System { name: "cloudflare", vendor: "Cloudflare", tables: TABLES, own: OWN };
    each_fault(&system, told).await;
}

#[tokio::test]
async fn a_zone_is_read_in_full_and_what_may_not_be_read_is_named() {
    let running = Running::start(TABLES).await;
    let edge = running.accounts.edge.get().unwrap();
    let zone = edge.zone("harbor.example".to_owned()).await.unwrap().unwrap();
    assert!(zone.active && !zone.paused && zone.unseen.is_empty());
    let value = |name: &str| zone.settings[name].as_str();
    assert_eq!((value("ssl"), value("always_use_https")), ("flexible", "off"));
    assert_eq!((value("development_mode"), value("dnssec")), ("on", "pending"));
    let records = edge.records(zone.id).await.unwrap();
    let names: Vec<_> = records.all.iter().map(|it| (it.name.as_str(), it.proxied)).collect();
    assert_eq!(names, [("harbor.example", true), ("old.harbor.example", false)]);
    assert_eq!(edge.zone("other.example".to_owned()).await.unwrap(), None);
    running.lab.stop().await;
    let few = TABLES
        .replace("[api.cloudflare]\n", "[api.cloudflare]\npermissions = [\"zone\", \"dns\"]\n");
    let running = Running::start(&few).await;
    let edge = running.accounts.edge.get().unwrap();
    let zone = edge.zone("harbor.example".to_owned()).await.unwrap().unwrap();
    assert!(zone.unseen["ssl"].contains("Zone → Zone Settings → Read"), "{:?}", zone.unseen);
    assert_eq!(zone.settings.keys().collect::<Vec<_>>(), ["dnssec"]);
    running.lab.stop().await;
}
