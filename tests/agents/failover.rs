//! The primary dies, its replica takes over, and one address leads to whichever it is.

use std::collections::BTreeSet;

use crate::cluster::Cluster;
use crate::heard::OUTAGES;
use crate::pair::{DATABASE, Pair};
use crate::proxy::Proxy;

const SETTINGS: [&str; 2] = ["wal_level=replica", "max_wal_senders=4"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_a_replica_takes_over_nothing_that_was_confirmed_is_lost() {
    let Some(cluster) = Cluster::start("when_a_replica_takes_over", &SETTINGS) else { return };
    let proxy = Proxy::start(cluster.address).await;
    let mut pair = Pair::by(cluster, [proxy.address; 2]).await;
    let replica = pair.cluster.replica();
    // From here on a commit is confirmed when the replica has it, too.
    pair.cluster.sql_in("postgres", "alter system set synchronous_standby_names = '*'").await;
    pair.cluster.sql_in("postgres", "select pg_reload_conf()").await;
    pair.wait_for("the replica confirms", async |pair: &Pair| {
        let state = "select coalesce(max(sync_state), '') from pg_stat_replication";
        pair.cluster.value_in("postgres", state).await == "sync"
    })
    .await;
    pair.start().await;
    let (name, url) = OUTAGES[0];
    pair.rig.lab.plant(name).await.unwrap();
    pair.told(url).await;
    pair.goes_on(&[], 1).await;

    // The primary dies while runs are stored and messages are sent.
    let (second, second_url) = OUTAGES[1];
    pair.rig.lab.plant(second).await.unwrap();
    let before = pair.journal().await;
    pair.wait_for("something is stored at this moment", async |pair: &Pair| {
        pair.journal().await.len() > before.len()
    })
    .await;
    let before = pair.journal().await;
    pair.cluster.kill();
    pair.cluster = replica;
    // The address leads to the replica before it is the primary: nothing can be stored there.
    proxy.point(pair.cluster.address);
    pair.wait_for("both say so", async |pair: &Pair| {
        pair.agents[0].is_not_ready().await && pair.agents[1].is_not_ready().await
    })
    .await;
    let said = pair.agents[0].get("/readyz").await.unwrap().1;
    assert!(said.contains("postgres://"), "{said}");
    // A stranger is not told where the database is.
    let origin = format!("http://{}", pair.agents[0].page);
    let said = pair.agents[0].ask("POST", "/login", &[("origin", &origin)]).await;
    assert!(!said.status().is_success(), "{said:?}");
    let said = said.text().await.unwrap();
    assert!(!said.contains("postgres") && !said.contains(DATABASE), "{said}");

    let promoted = "select pg_promote()::text";
    assert_eq!(pair.cluster.value_in(DATABASE, promoted).await, "true");
    pair.both_ready().await;
    let after: BTreeSet<_> = pair.journal().await.into_iter().collect();
    for kept in &before {
        assert!(after.contains(kept), "a run that was confirmed is lost: {kept:?}");
    }
    pair.told(second_url).await;
    for name in [name, second] {
        pair.rig.lab.heal(name).await.unwrap();
    }
    pair.goes_on(&[], 2).await;
    pair.all_over().await;
    assert!(pair.prove().await >= 4);
}
