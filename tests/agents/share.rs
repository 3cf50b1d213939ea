//! Two agents that are well share the work, and say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use launchready_lab::SinkKind;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::heard::OUTAGES;
use crate::pair::Pair;
use crate::rig::{only, table};

/// Incidents as an agent shows them.
async fn shown(pair: &Pair, agent: usize) -> Vec<Value> {
    let (status, text) = pair.agents[agent].get("/api/v1/incidents").await.unwrap();
    assert_eq!(status, 200, "{text}");
    let shown: Value = serde_json::from_str(&text).unwrap();
    shown["incidents"].as_array().unwrap().clone()
}

/// When the rare check of each project looked last, as an agent tells Prometheus.
async fn looked(pair: &Pair, agent: usize) -> BTreeMap<String, String> {
    let (status, text) = pair.agents[agent].get("/metrics").await.unwrap();
    assert_eq!(status, 200, "{text}");
    let lines = text.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let is_it = series.starts_with("launchready_check_last_run_timestamp_seconds{")
            && series.contains("check=\"mail-spf\"");
        is_it.then(|| (series.to_owned(), value.to_owned()))
    });
    lines.collect()
}

/// Has both make one check of each project once a day, beside the usual one.
fn rarely(pair: &Pair) {
    for path in [pair.rig.config(), pair.rig.path().join("second.toml")] {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut config: toml::Table = toml::from_str(&text).unwrap();
        only(&mut config, &[("web-uptime", "30s"), ("mail-spf", "24h")]);
        table(&mut config, &["checks", "mail-spf"]).insert("enabled".to_owned(), true.into());
        std::fs::write(&path, config.to_string()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_agent_stores_both_tell_prometheus() {
    let Some(cluster) = Cluster::start("what_one_agent_stores", &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    rarely(&pair);
    pair.start().await;
    pair.wait_for("both know of each project", async |pair: &Pair| {
        let [first, second] = [looked(pair, 0).await, looked(pair, 1).await];
        first.len() == OUTAGES.len() && first == second
    })
    .await;
    let before = looked(&pair, 0).await;
    // Each look is made by one of the two, whichever it is.
    let store = pair.rig.store().await;
    for (project, _) in OUTAGES {
        let now = pair.agents[0].now();
        assert_eq!(store.make_due(project, Some("mail-spf"), now).await.unwrap(), 1);
    }
    store.close().await;
    pair.wait_for("both know of the new looks", async |pair: &Pair| {
        let [first, second] = [looked(pair, 0).await, looked(pair, 1).await];
        first == second && first.iter().all(|(series, at)| before[series] != *at)
    })
    .await;
    for agent in &mut pair.agents {
        agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_agent_stored_before_it_was_stopped_the_other_tells_prometheus() {
    let Some(cluster) = Cluster::start("what_an_agent_stored_before", &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    rarely(&pair);
    pair.start().await;
    for _ in 0..3 {
        pair.wait_for("both know of each project", async |pair: &Pair| {
            let [first, second] = [looked(pair, 0).await, looked(pair, 1).await];
            first.len() == OUTAGES.len() && first == second
        })
        .await;
        let before = looked(&pair, 0).await;
        // One of them hears of nothing while the other looks and goes.
        pair.agents[0].signal("STOP");
        let (store, now) = (pair.rig.store().await, pair.agents[1].now());
        for (project, _) in OUTAGES {
            assert_eq!(store.make_due(project, Some("mail-spf"), now).await.unwrap(), 1);
        }
        store.close().await;
        pair.wait_for("the other has looked", async |pair: &Pair| {
            looked(pair, 1).await.iter().all(|(series, at)| before[series] != *at)
        })
        .await;
        let after = looked(&pair, 1).await;
        pair.agents[1].stop().await;
        pair.agents[0].signal("CONT");
        pair.wait_for("it is told by the one that is left", async |pair: &Pair| {
            looked(pair, 0).await == after
        })
        .await;
        pair.agents[1].start();
        pair.both_ready().await;
    }
    for agent in &mut pair.agents {
        agent.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_agents_share_the_work_and_tell_each_incident_once() {
    let Some(cluster) = Cluster::start("two_agents_share_the_work", &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    pair.start().await;
    // Whoever comes first takes a check; with time both do.
    pair.goes_on(&[0, 1], 3).await;

    let (down, url) = OUTAGES[0];
    pair.rig.lab.plant(down).await.unwrap();
    pair.told(url).await;
    let [first, second] = [shown(&pair, 0).await, shown(&pair, 1).await];
    assert_eq!(first.len(), 1, "{first:?}");
    let fixed = |of: &Value| ["id", "project", "code", "state"].map(|name| of[name].clone());
    assert_eq!(fixed(&first[0]), fixed(&second[0]), "both pages show the same");

    // A silence that one is told of holds on both.
    let (silent, _) = OUTAGES[1];
    let silence = json!({
        "project": silent,
        "until": launchready::clock::later(pair.agents[0].now(), Duration::from_hours(72)),
        "by": "Ada",
        "reason": "The move",
    });
    assert_eq!(pair.agents[0].post("/api/v1/silences", &silence).await, 201);
    let (_, silences) = pair.agents[1].get("/api/v1/silences").await.unwrap();
    assert!(silences.contains("The move"), "{silences}");
    pair.rig.lab.plant(silent).await.unwrap();
    pair.wait_for("it is open on both", async |pair: &Pair| {
        shown(pair, 0).await.len() == 2 && shown(pair, 1).await.len() == 2
    })
    .await;
    // What opens after it is told, whichever agent saw it; what is silenced is not.
    let (last, last_url) = OUTAGES[2];
    pair.rig.lab.plant(last).await.unwrap();
    pair.told(last_url).await;
    for name in [down, silent, last] {
        pair.rig.lab.heal(name).await.unwrap();
    }
    pair.all_over().await;
    let hooks = pair.rig.sinks.received(SinkKind::Webhook);
    let told_of = |project: &str| {
        let name = format!("\"{project}\"");
        hooks.iter().any(|hook| String::from_utf8_lossy(&hook.body).contains(&name))
    };
    assert_eq!([down, silent, last].map(told_of), [true, false, true]);
    let told = pair.prove().await;
    assert!(told >= 4, "two incidents open and close: {told}");
    let by: BTreeSet<String> = pair.journal().await.into_iter().map(|kept| kept.by).collect();
    assert_eq!(by.len(), 2, "each run was held by one of the two: {by:?}");
}
