//! A real Prometheus scrapes the agent, which watches the broken world: every panel shows something, and
//! the rules fire for what is planted.

use std::io::Write as _;
use std::process::{Command, Stdio};

use launchready_lab::{SinkFault, SinkKind, When, World};
use serde_json::Value;

use crate::prometheus::Prometheus;
use crate::rig::{Rig, Setup, project, table};
use crate::rules::{dashboards, hasty, scrape};
use crate::support::{has, program};

/// What has to fire, by hand from the defects of the broken world and from what is done to the channels.
const FIRE: [&str; 18] = [
    // One run in 25 fails, and one flow is silent.
    "LaunchreadyAutomationsFailing",
    // Eight tickets a day are made by hand.
    "LaunchreadyBusywork",
    // status.harbor.example has five days left, docs.harbor.example has none.
    "LaunchreadyCertificateExpires",
    "LaunchreadyCertificateExpiresSoon",
    "LaunchreadyCheckFailing",
    // Three paid checkouts have no order.
    "LaunchreadyCheckoutsOrphaned",
    "LaunchreadyCrmSyncFailing",
    // For 31 hours.
    "LaunchreadyCustomerWaits",
    // The health check of the application answers 503.
    "LaunchreadyEndpointDown",
    "LaunchreadyIncidentOpen",
    // The certificate of the second mail server has run out.
    "LaunchreadyMailCertificateExpires",
    "LaunchreadyNoGo",
    // Slack says that there is no such hook, and the webhook that it is overloaded.
    "LaunchreadyNotificationsFailing",
    "LaunchreadyOutboxStuck",
    "LaunchreadyPaymentsDuplicated",
    // docs.harbor.example again, for whoever trusts no expired certificate.
    "LaunchreadyProbeFails",
    // Ten days are left.
    "LaunchreadyRegistrationExpires",
    // Five events in ten minutes.
    "LaunchreadyWebhooksFailing",
];
/// These say that a machine is slow, and a machine that runs tests may be.
const OF_THE_MACHINE: [&str; 3] =
    ["LaunchreadyAlertLate", "LaunchreadySchedulerLags", "LaunchreadyStoreSlow"];
const FIRING: &str = "ALERTS{alertstate=\"firing\"}";

fn edit(config: &mut toml::Table) {
    let defaults = table(config, &["defaults"]);
    defaults.insert("confirmations".to_owned(), 1.into());
    defaults.insert("group_wait".to_owned(), "1s".into());
    defaults.insert("first_look_wait".to_owned(), "5s".into());
    table(config, &["checks", "web-uptime"]).insert("every".to_owned(), "30s".into());
    // The broken world asks for one endpoint, whose 503 has no time that would be worth a chart.
    let checks = table(project(config), &["checks", "web-uptime"]);
    let mut page = toml::Table::new();
    page.insert("url".to_owned(), "https://harbor.example/".into());
    checks["endpoints"].as_array_mut().unwrap().push(page.into());
}

/// What `promtool check metrics` says.
fn linted(metrics: &str) -> String {
    let mut child = Command::new(program("promtool").unwrap())
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said =
        [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
    format!("{}{}", said.concat(), if output.status.success() { "" } else { "it failed" })
}

/// The names of the alerts that fire.
async fn firing(prometheus: &Prometheus) -> Vec<String> {
    prometheus.labels(FIRING, "alertname").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prometheus_sees_the_broken_world_and_its_rules_fire_for_it() {
    let needed = ["prometheus", "promtool", "setpriv"];
    if !has("prometheus_sees_the_broken_world_and_its_rules_fire_for_it", &needed) {
        return;
    }
    let world = World::load("broken").unwrap();
    // Prometheus goes by the clock of the machine, and so does the agent here.
    let mut rig = Rig::new(Setup { world, speed: 1.0, edit: &edit }).await;
    rig.sinks.set_fault(SinkKind::Slack, SinkFault::Status(404, None), When::Always);
    rig.sinks.set_fault(SinkKind::Webhook, SinkFault::Status(503, None), When::Always);
    rig.start_ready().await;
    let rules = hasty(rig.path());
    let probed = ["https://harbor.example/", "https://docs.harbor.example/"];
    let config = scrape(rig.page, &rig.path().join("metrics-token"), &rules, &probed);
    let prometheus = Prometheus::start(rig.path(), &config).await;
    rig.wait_for("the first looks", async |rig: &Rig| {
        let latest = rig.store().await.latest(Some("harbor")).await.unwrap();
        latest.iter().all(|run| run.at.is_some())
    })
    .await;
    // It adds up what other checks counted, and may have looked before them.
    rig.look_again_at("harbor", &["ops-busywork"].into()).await;

    let metrics = rig.get("/metrics").await.unwrap().1;
    assert_eq!(linted(&metrics), "", "promtool check metrics");
    let up = "up{job=~\"launchready|launchready-parts\"} == 1";
    prometheus.until("scraping both ways", async |it| it.series(up).await == 2).await;
    let probes =
        "probe_success{job=\"launchready-probe\",instance=\"https://harbor.example/\"} == 1";
    prometheus.until("probing", async |it| it.series(probes).await == 1).await;

    for name in FIRE {
        let fires = async |it: &Prometheus| firing(it).await.iter().any(|other| other == name);
        prometheus.until(&format!("firing {name}"), fires).await;
    }
    let mut fire = firing(&prometheus).await;
    fire.retain(|name| !OF_THE_MACHINE.contains(&name.as_str()));
    assert_eq!(fire, FIRE, "and for nothing else");
    assert!(prometheus.rules_are_fine().await);

    // What fires is what the agent itself reports.
    let report = rig.get("/api/v1/projects/harbor/report").await.unwrap().1;
    let report: Value = serde_json::from_str(&report).unwrap();
    let checks = report["checks"].as_array().unwrap().iter();
    let failing = checks.filter(|check| check["status"] == "fail");
    let mut failing: Vec<_> = failing.map(|check| check["id"].as_str().unwrap()).collect();
    failing.sort_unstable();
    let of =
        |name: &str| format!("ALERTS{{alertname=\"Launchready{name}\",alertstate=\"firing\"}}");
    let fires = async |name: &str, label: &str| prometheus.labels(&of(name), label).await;
    assert_eq!(fires("CheckFailing", "check").await, failing);
    assert_eq!(fires("CertificateExpiresSoon", "host").await, ["docs.harbor.example"]);
    assert_eq!(fires("ProbeFails", "instance").await, ["https://docs.harbor.example/"]);
    assert_eq!(fires("EndpointDown", "endpoint").await, ["https://app.harbor.example/healthz"]);
    assert_eq!(fires("NotificationsFailing", "channel").await, ["ops"]);
    assert_eq!(fires("OutboxStuck", "channel").await, ["hook"]);

    let mut empty = Vec::new();
    for (name, dashboard) in dashboards() {
        empty.extend(prometheus.empty(name, &dashboard).await);
    }
    assert!(empty.is_empty(), "panels without data:\n{}", empty.join("\n"));

    // What breaks fires, what is mended ends, and an agent that is gone is noticed.
    let down = of("EndpointDown");
    let are_down =
        async |it: &Prometheus, count: usize| it.labels(&down, "endpoint").await.len() == count;
    rig.lab.plant("site-down").await.unwrap();
    rig.look_again("harbor").await;
    prometheus.until("firing for the start page", async |it| are_down(it, 2).await).await;
    rig.lab.heal("site-down").await.unwrap();
    rig.look_again("harbor").await;
    prometheus.until("quiet about the start page", async |it| are_down(it, 1).await).await;
    rig.stop().await;
    let gone = ["LaunchreadyAgentAbsent", "LaunchreadyAgentDown"];
    let is_gone = async |it: &Prometheus| {
        let fire = firing(it).await;
        gone.iter().all(|name| fire.iter().any(|other| other == name))
    };
    prometheus.until("aware that the agent is gone", is_gone).await;
}
