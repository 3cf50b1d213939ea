//! One of two agents loses its network and still reaches the database.

use std::path::Path;

use launchready::incident::Incident;
use launchready::store::{IncidentFilter, Store};
use launchready_checks::contract::Status;

use crate::cluster::Cluster;
use crate::pair::Pair;
use crate::relay::Relay;
use crate::rig::table;

/// Has an agent resolve by a relay.
fn resolve_by(relay: &Relay, config: &Path) {
    let mut settings: toml::Table =
        toml::from_str(&std::fs::read_to_string(config).unwrap()).unwrap();
    relay.resolve(table(&mut settings, &["network"]));
    std::fs::write(config, settings.to_string()).unwrap();
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
