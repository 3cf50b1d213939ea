//! The clocks of two machines differ by ten minutes: one is five ahead, the other five behind.

use std::path::PathBuf;

use crate::cluster::Cluster;
use crate::heard::OUTAGES;
use crate::pair::Pair;
use crate::support::has;

/// The library that shows a program another time.
fn library() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let found = folders.filter_map(|entry| {
        let library = entry.ok()?.path().join("faketime/libfaketime.so.1");
        library.is_file().then_some(library)
    });
    found.last().expect("faketime comes with its library")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_are_off_by_five_minutes_either_way_change_nothing() {
    let test = "clocks_that_are_off_by_five_minutes_either_way_change_nothing";
    if !has(test, &["faketime"]) {
        return;
    }
    let Some(cluster) = Cluster::start(test, &[]) else { return };
    let mut pair = Pair::new(cluster).await;
    for (agent, off) in pair.agents.iter_mut().zip(["+300s", "-300s"]) {
        let library = library().display().to_string();
        let variables = [
            ("LD_PRELOAD", library.as_str()),
            ("FAKETIME", off),
            // What has passed is told as it is; only the clock on the wall is wrong.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ("DONT_FAKE_MONOTONIC", "1"),
            ("NO_FAKE_STAT", "1"),
        ];
        agent.variables =
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    }
    pair.start().await;
    pair.goes_on(&[0, 1], 2).await;
    for (place, sign) in [(0, ""), (1, "-")] {
        let agent = &pair.agents[place];
        let metrics = agent.get("/metrics").await.unwrap().1;
        let lines = metrics.lines();
        let value = lines.filter_map(|line| line.strip_prefix("launchready_clock_ahead_seconds "));
        let value: Vec<f64> = value.map(|value| value.parse().unwrap()).collect();
        let told = value[0].abs() > 295.0 && value[0].abs() < 305.0;
        assert!(told && value[0].is_sign_negative() == (sign == "-"), "{value:?}");
        let page = agent.get("/").await.unwrap().1;
        assert!(page.contains("Let NTP put the machine right."), "{page}");
        assert!(agent.log().contains("let NTP put it right"), "{}", agent.tail());
    }
    let (name, url) = OUTAGES[0];
    pair.rig.lab.plant(name).await.unwrap();
    pair.told(url).await;
    // Each starts anew while the other works, and puts right what it takes for wrong.
    for place in [0, 1] {
        pair.agents[place].kill();
        pair.agents[place].start();
        pair.both_ready().await;
        pair.goes_on(&[place], 2).await;
    }
    pair.rig.lab.heal(name).await.unwrap();
    pair.goes_on(&[0, 1], 2).await;
    pair.all_over().await;
    for agent in &pair.agents {
        let log = agent.log();
        assert!(!log.contains("the clock was ahead") && !log.contains("went back"), "{log}");
    }
    assert!(pair.prove().await >= 2);
    let now = pair.agents[0].now().as_millisecond();
    let ahead: Vec<_> = pair.journal().await.into_iter().filter(|kept| kept.at > now).collect();
    assert!(ahead.is_empty(), "nothing is stored in the future: {ahead:?}");
}
