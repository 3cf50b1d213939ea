//! The disk of the database is full for a while. That of a store in a file is filled in `tests/agent/outages.rs`.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::cluster::{Cluster, Place};
use crate::disk::Disk;
use crate::heard::OUTAGES;
use crate::pair::Pair;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_room_loses_nothing_and_goes_on_when_there_is_some() {
    let test = "a_database_without_room_loses_nothing";
    let Some(disk) = Disk::mount(test, 160) else { return };
    let place = Place { folder: Some(disk.path()), ..Place::default() };
    let settings = ["max_wal_size=8MB", "min_wal_size=2MB"];
    let Some(cluster) = Cluster::start_at(test, &settings, place) else { return };
    let mut pair = Pair::new(cluster).await;
    pair.start().await;
    pair.goes_on(&[0, 1], 1).await;
    let before = pair.journal().await;
    disk.fill();
    let began = Instant::now();
    let (name, url) = OUTAGES[0];
    pair.rig.lab.plant(name).await.unwrap();
    // The segment of the log that is begun still has room.
    pair.wait_for("both say so", async |pair: &Pair| {
        pair.agents[0].is_not_ready().await && pair.agents[1].is_not_ready().await
    })
    .await;
    let said = pair.agents[0].get("/readyz").await.unwrap().1;
    println!("with a full disk: {said}");
    disk.free();
    // A server that could not write its log has ended itself.
    pair.cluster.kill();
    pair.cluster.up();
    pair.both_ready().await;
    pair.away = began.elapsed();
    let after: BTreeSet<_> = pair.journal().await.into_iter().collect();
    assert!(before.iter().all(|kept| after.contains(kept)), "what was stored stays");
    pair.told(url).await;
    pair.rig.lab.heal(name).await.unwrap();
    pair.goes_on(&[0, 1], 1).await;
    pair.all_over().await;
    assert!(pair.prove().await >= 2);
    drop(pair);
}
