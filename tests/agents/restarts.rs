//! The database goes down and comes back under both.

use crate::cluster::Cluster;
use crate::heard::OUTAGES;
use crate::pair::Pair;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_started_anew_under_both_loses_nothing() {
    let Some(cluster) = Cluster::start("a_database_that_is_started_anew", &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    pair.start().await;
    pair.goes_on(&[], 1).await;
    // As a crash does, and as an update of the server does.
    for (place, fast) in [(0, false), (1, true), (2, false)] {
        let (name, url) = OUTAGES[place];
        pair.rig.lab.plant(name).await.unwrap();
        if fast {
            pair.cluster.down();
        } else {
            pair.cluster.kill();
        }
        pair.wait_for("both say so", async |pair: &Pair| {
            pair.agents[0].is_not_ready().await && pair.agents[1].is_not_ready().await
        })
        .await;
        pair.cluster.up();
        pair.both_ready().await;
        pair.told(url).await;
        pair.rig.lab.heal(name).await.unwrap();
    }
    pair.goes_on(&[], 2).await;
    pair.all_over().await;
    assert!(pair.prove().await >= 6);
}
