//! One of two agents loses its network and still reaches the database.

use std::collections::BTreeSet;
use std::path::Path;

use launchready::incident::{Incident, State};
use launchready::store::{IncidentFilter, Store};
use launchready_checks::contract::Status;
use launchready_lab::World;

use crate::cluster::Cluster;
use crate::dam::Dam;
use crate::pair::Pair;
use crate::relay::Relay;
use crate::rig::table;

/// Products that have nothing in common, each with its address.
const PRODUCTS: [(&str, &str); 3] = [
    ("ferry.example", "203.0.113.31"),
    ("buoy.example", "203.0.113.32"),
    ("pilot.example", "203.0.113.33"),
];
/// How much faster the clocks run where a look waits for what does not come: the lease, of three minutes, outlives it.
const SLOW: f64 = 6.0;

/// Changes a config.
fn edit(config: &Path, change: impl FnOnce(&mut toml::Table)) {
    let mut settings: toml::Table =
        toml::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
    change(&mut settings);
    std::fs::write(config, settings.to_string()).unwrap();
}

/// Has an agent resolve by a relay.
fn resolve_by(relay: &Relay, config: &Path) {
    edit(config, |settings| relay.resolve(table(settings, &["network"])));
}

/// A world with these products.
fn world() -> World {
    PRODUCTS.iter().fold(World::load("healthy").unwrap(), |world, (domain, address)| {
        let product = format!(
            r#"
            [zone."{domain}"]
            records = [
                '@ 1800 SOA amy.ns.cloudflare.com. dns.cloudflare.com. 1 10000 2400 604800 1800',
                '@ 86400 NS amy.ns.cloudflare.com.',
                '@ 300 A {address}',
            ]
            [site."{domain}"]
            addresses = ["{address}"]
            [[site."{domain}".routes]]
            path = "/"
            body = "<!DOCTYPE html><html lang='en'><title>Harbor</title><h1>It sails</h1></html>"
            "#
        );
        world.changed(&product).unwrap()
    })
}

/// Has an agent watch these products, each through a dam of its own.
fn watch(config: &Path) -> Vec<Dam> {
    let mut dams = Vec::new();
    edit(config, |settings| {
        let projects = settings["project"].as_array_mut().unwrap();
        for (project, (domain, _)) in projects.iter_mut().zip(PRODUCTS) {
            let text = format!(
                "name = \"{domain}\"\ndomain = \"{domain}\"\nchecks.web-uptime.endpoints = \
                 [{{ name = \"{domain}\", url = \"https://{domain}/\" }}]"
            );
            *project = toml::Value::Table(toml::from_str(&text).unwrap());
        }
        let network = table(settings, &["network"]);
        let rules = network["connect_to"].as_array_mut().unwrap();
        for (_, address) in PRODUCTS {
            let from = format!("{address}:443");
            let rule = rules.iter().find(|rule| rule["from"].as_str() == Some(&from)).unwrap();
            let dam = Dam::open(rule["to"].as_str().unwrap().parse().unwrap());
            let mut rule = toml::Table::new();
            rule.insert("from".to_owned(), format!("{address}:*").into());
            rule.insert("to".to_owned(), dam.address.to_string().into());
            rules.insert(0, rule.into());
            dams.push(dam);
        }
    });
    dams
}

/// The codes of all incidents that there ever were.
async fn codes(store: &dyn Store) -> Vec<String> {
    let states = vec![State::Suspected, State::Open, State::Acknowledged, State::Resolved];
    let all = store.incidents(&IncidentFilter { states, ..IncidentFilter::default() }).await;
    all.unwrap().into_iter().map(|it| it.key.code).collect()
}

async fn open(store: &dyn Store) -> Vec<Incident> {
    store.incidents(&IncidentFilter::default()).await.unwrap()
}

/// Waits until one agent alone has no network.
async fn lost(pair: &Pair, store: &dyn Store, agent: usize) {
    pair.wait_for("its network is lost", async |_: &Pair| {
        open(store).await.iter().any(|it| it.key.code == "agent-network-lost")
    })
    .await;
    let page = pair.agents[agent].page.to_string();
    let told = open(store).await;
    let subjects: Vec<&str> =
        told.iter().flat_map(|it| it.members.values()).map(|it| it.subject.as_str()).collect();
    assert!(subjects.len() == 1 && subjects[0].starts_with(&page), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_without_a_network_is_told_by_name_and_leaves_its_work_to_the_other() {
    let Some(cluster) = Cluster::start("an_agent_without_a_network", &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    let resolver = pair.rig.lab.resolvers()[0];
    let relay = Relay::start(resolver, None).await;
    let address = relay.address;
    resolve_by(&relay, &pair.rig.path().join("second.toml"));
    pair.start().await;
    pair.goes_on(&[0, 1], 2).await;
    let store = pair.rig.store().await;
    assert!(open(&*store).await.is_empty());

    relay.stop().await;
    lost(&pair, &*store, 1).await;
    let blind = pair.agents[1].page.to_string();
    pair.told(&blind).await;
    pair.goes_on(&[0], 3).await;
    let before = pair.journal().await.len();
    pair.goes_on(&[0], 2).await;
    let since = pair.journal().await.split_off(before);
    let other = pair.agents[0].page.to_string();
    assert!(since.iter().all(|kept| kept.by.starts_with(&other)), "it takes nothing: {since:?}");
    let unknown: Vec<_> = since.iter().filter(|kept| kept.status == "unknown").collect();
    assert!(unknown.is_empty(), "the other one sees: {unknown:?}");
    let latest = store.latest(None).await.unwrap();
    assert!(latest.iter().all(|run| run.status != Status::Unknown), "{latest:?}");
    assert_eq!(open(&*store).await.len(), 1, "it stays open, and nothing else is");
    assert!(pair.agents[1].is_ready().await, "it lives and reaches the database");

    let back = Relay::start(resolver, Some(address)).await;
    pair.all_over().await;
    pair.goes_on(&[0, 1], 2).await;

    // It is stopped while it has none: nobody waits for it.
    back.stop().await;
    lost(&pair, &*store, 1).await;
    pair.agents[1].stop().await;
    pair.all_over().await;
    assert!(store.listed("agent.").await.unwrap().is_empty(), "its note is gone, too");
    store.close().await;
    assert!(pair.prove().await >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_whose_resolver_still_answers_knows_that_nothing_else_does() {
    let Some(cluster) = Cluster::start("an_agent_whose_resolver_still_answers", &[]) else {
        return;
    };
    let address = cluster.address;
    let mut pair = Pair::watching(cluster, [address; 2], world(), SLOW).await;
    let mut dams: Vec<Vec<Dam>> = ["launchready.toml", "second.toml"]
        .map(|config| watch(&pair.rig.path().join(config)))
        .into();
    // The one that will lose its network has seen every product: who shares the work may not come to look at each.
    let store = pair.rig.store().await;
    pair.agents[1].start();
    pair.wait_for("it has looked at everything", async |_: &Pair| {
        let latest = store.latest(None).await.unwrap();
        latest.len() > PRODUCTS.len() && latest.iter().all(|run| run.at.is_some())
    })
    .await;
    pair.agents[0].start();
    pair.both_ready().await;
    pair.goes_on(&[0, 1], 1).await;
    assert!(codes(&*store).await.is_empty());

    // Both still send all else out: it is the product that is down.
    for agent in &mut dams {
        agent[0].close().await;
    }
    pair.told("https://ferry.example/").await;
    pair.goes_on(&[0], 1).await;
    for agent in &mut dams {
        agent[0].lead();
    }
    pair.all_over().await;
    let before = codes(&*store).await;
    assert!(before.iter().all(|code| code == "endpoint-down"), "{before:?}");

    // The resolver answers on.
    for dam in &mut dams[1] {
        dam.close().await;
    }
    lost(&pair, &*store, 1).await;
    let blind = pair.agents[1].page.to_string();
    pair.told(&blind).await;
    let stored = pair.journal().await.len();
    pair.goes_on(&[0], 2).await;
    let since = pair.journal().await.split_off(stored);
    let other = pair.agents[0].page.to_string();
    assert!(since.iter().all(|kept| kept.by.starts_with(&other)), "it takes nothing: {since:?}");
    let failed: BTreeSet<i64> =
        since.iter().filter(|kept| kept.status != "pass").map(|kept| kept.job).collect();
    assert_eq!(failed.len(), 1, "only the agent's own network is told: {since:?}");
    assert_eq!(open(&*store).await.len(), 1, "no product is down");

    for dam in &mut dams[1] {
        dam.lead();
    }
    pair.all_over().await;
    pair.goes_on(&[0, 1], 1).await;
    let mut after = codes(&*store).await;
    after.retain(|code| !before.contains(code));
    assert_eq!(after, ["agent-network-lost"]);
    assert_eq!(codes(&*store).await.len(), before.len() + 1, "no product was told as down");
    store.close().await;
    assert!(pair.prove().await >= 2);
}
