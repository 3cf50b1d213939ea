//! One of two agents dies at any instant, again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use launchready_lab::{MailFault, SinkFault, SinkKind, When};

use crate::cluster::Cluster;
use crate::heard::{Dice, OUTAGES};
use crate::pair::Pair;

/// How often one of them is killed.
const KILLS: usize = 40;
/// After so many kills one that lasts.
const FOR_LONG: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_is_killed_at_any_instant_and_nothing_is_lost_or_done_twice() {
    let Some(cluster) = Cluster::start("one_of_two_is_killed_at_any_instant", &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    // Answers that are lost make a message come again, mostly from the other agent.
    let lost = |seed| When::Chance { share: 0.25, seed };
    pair.rig.sinks.set_fault(SinkKind::Webhook, SinkFault::AnswerLost, lost(1));
    pair.rig.mailbox.set_fault(MailFault::AcceptUnacknowledged, lost(2));
    pair.start().await;
    let mut dice = Dice(20_261_128);
    let mut down = BTreeSet::new();
    for round in 1..=KILLS {
        let victim = usize::try_from(dice.roll(2)).unwrap();
        if dice.roll(2) == 0 {
            let (name, _) = OUTAGES[usize::try_from(dice.roll(3)).unwrap()];
            if down.remove(name) {
                pair.rig.lab.heal(name).await.unwrap();
            } else {
                pair.rig.lab.plant(name).await.unwrap();
                down.insert(name);
            }
        }
        // The instant of the kill is what is tried: it falls into start, look, commit, send or rest.
        tokio::time::sleep(Duration::from_millis(50 + dice.roll(450))).await;
        pair.agents[victim].kill();
        // Now and then it does not come back before the other has taken over all that it held.
        if round % FOR_LONG == 0 {
            pair.goes_on(&[1 - victim], 1).await;
        }
        pair.agents[victim].start();
    }
    pair.rig.sinks.clear_faults();
    pair.rig.mailbox.clear_faults();
    for name in down {
        pair.rig.lab.heal(name).await.unwrap();
    }
    pair.both_ready().await;
    pair.goes_on(&[], 2).await;
    pair.all_over().await;
    let told = pair.prove().await;
    println!("{KILLS} kills: {} runs, {told} changes told", pair.journal().await.len());
    assert!(told >= 8, "too little happened to show anything: {told}");
}
