//! One agent is cut off from the database: packets vanish, and nobody says so.

use std::net::IpAddr;
use std::process::Command;
use std::time::Duration;

use launchready_lab::SinkKind;

use crate::cluster::{Cluster, Place};
use crate::heard::OUTAGES;
use crate::pair::Pair;
use crate::process::is_root;
use crate::support::missing::lacks;
use crate::support::{has, program};

const TEST: &str = "an_agent_that_is_cut_off_leaves_its_work_to_the_other_and_comes_back";
/// Names the network of the database to the part of the test that runs in the network of the agents.
const INSIDE: &str = "LAUNCHREADY_TEST_NETWORK";

/// Runs `ip`; whether it did what it was told.
fn ip(words: &str) -> bool {
    let status = Command::new(program("ip").unwrap()).args(words.split_whitespace()).status();
    status.is_ok_and(|status| status.success())
}

/// For how long what the lost agent holds of the database can keep the other one waiting. The server ends a transaction
/// in which nobody speaks after 8 s; one more of the same agent may have waited behind it, for which it has 10 s, and is
/// ended 8 s later. A third one has given up by then.
const HELD: Duration = Duration::from_secs(16);

/// Two networks of their own, with two links between them.
struct Networks {
    agents: String,
    database: String,
}

impl Networks {
    fn make() -> Option<Self> {
        let id = std::process::id();
        let networks = Self { agents: format!("lr-a-{id}"), database: format!("lr-d-{id}") };
        let Self { agents, database } = &networks;
        let mut steps = vec![format!("netns add {agents}"), format!("netns add {database}")];
        steps.push(format!("-n {agents} link set lo up"));
        steps.push(format!("-n {database} link set lo up"));
        for nth in [1, 2] {
            steps.push(format!(
                "-n {agents} link add near{nth} type veth peer name far{nth} netns {database}"
            ));
            steps.push(format!("-n {agents} address add 10.77.{nth}.1/24 dev near{nth}"));
            steps.push(format!("-n {database} address add 10.77.{nth}.2/24 dev far{nth}"));
            steps.push(format!("-n {agents} link set near{nth} up"));
            steps.push(format!("-n {database} link set far{nth} up"));
        }
        steps.iter().all(|step| ip(step)).then_some(networks)
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        for name in [&self.agents, &self.database] {
            ip(&format!("netns delete {name}"));
        }
    }
}

#[test]
fn an_agent_that_is_cut_off_leaves_its_work_to_the_other_and_comes_back() {
    if !has(TEST, &["ip"]) {
        return;
    }
    #[allow(clippy::disallowed_methods, reason = "the test tells its inner part where it is")]
    if let Ok(network) = std::env::var(INSIDE) {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        runtime.worker_threads(2).enable_all().build().unwrap().block_on(cut_off(&network));
        return;
    }
    if !is_root() {
        lacks(TEST, "nobody but root can make a network");
        return;
    }
    let Some(networks) = Networks::make() else {
        lacks(TEST, "the kernel makes no network namespace here");
        return;
    };
    // Everything but the database runs in the network of the agents.
    let inner = Command::new(program("ip").unwrap())
        .args(["netns", "exec", &networks.agents])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", &format!("partition::{TEST}"), "--nocapture"])
        .env(INSIDE, &networks.database)
        .status()
        .unwrap();
    assert!(inner.success(), "see above");
}

async fn cut_off(network: &str) {
    let at = |nth: u8| IpAddr::from([10, 77, nth, 2]);
    let place = Place { network: Some((network, at(1))), ..Place::default() };
    let Some(cluster) = Cluster::start_at(TEST, &[], place) else { return };
    let mut servers = [cluster.address; 2];
    servers[1].set_ip(at(2));
    let mut pair = Pair::by(cluster, servers).await;
    pair.away = HELD;
    pair.start().await;
    pair.goes_on(&[0, 1], 1).await;

    assert!(ip(&format!("-n {network} link set far2 down")));
    let calls = |pair: &Pair| {
        let calls = pair.rig.sinks.received(SinkKind::DeadMan);
        calls.iter().filter(|call| call.path.ends_with("/log")).count()
    };
    pair.wait_for("the one that is cut off says so", async |pair: &Pair| {
        pair.agents[1].is_not_ready().await
    })
    .await;
    assert!(matches!(pair.agents[1].get("/healthz").await, Some((200, _))), "it lives");
    let before = calls(&pair);
    let (name, url) = OUTAGES[0];
    pair.rig.lab.plant(name).await.unwrap();
    pair.told(url).await;
    pair.goes_on(&[0], 3).await;
    assert!(pair.agents[0].is_ready().await, "{}", pair.agents[0].tail());
    assert_eq!(calls(&pair), before, "who is cut off calls no dead man");

    assert!(ip(&format!("-n {network} link set far2 up")));
    pair.wait_for("it is back", async |pair: &Pair| pair.agents[1].is_ready().await).await;
    pair.goes_on(&[0, 1], 1).await;
    pair.wait_for("the dead man is called again", async |pair: &Pair| calls(pair) > before).await;
    pair.rig.lab.heal(name).await.unwrap();
    pair.all_over().await;
    assert!(pair.prove().await >= 2);
}
