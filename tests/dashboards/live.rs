//! A real Prometheus scrapes a real server: every panel of every dashboard shows something, and every
//! rule is evaluated.

use launchready::clock::{Clock as _, SystemClock};

use super::prometheus::Prometheus;
use super::sample::board;
use super::support::has;
use super::wire::serve;
use super::{DASHBOARDS, dashboard, file};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_shows_something_and_every_rule_is_evaluated() {
    let needed = ["prometheus", "setpriv"];
    if !has("every_panel_shows_something_and_every_rule_is_evaluated", &needed) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let agent = serve(board(SystemClock.now())).await;
    let config = format!(
        "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
         rule_files: [\"{}\"]\n\
         scrape_configs:\n  - job_name: launchready\n    static_configs: [{{ targets: [\"{agent}\"] }}]\n",
        file("alerts.yml").display()
    );
    let prometheus = Prometheus::start(folder.path(), &config).await;
    // Two scrapes make a rate.
    let scrapes = "count_over_time(launchready_build_info[1m]) >= 3";
    prometheus.until("scraped", async |prometheus| prometheus.series(scrapes).await > 0).await;
    let mut empty = Vec::new();
    for name in DASHBOARDS {
        empty.extend(prometheus.empty(name, &dashboard(name)).await);
    }
    assert!(empty.is_empty(), "panels without data:\n{}", empty.join("\n"));
    prometheus.until("all rules evaluated", Prometheus::rules_are_fine).await;
    // What holds at once is pending at once: the sample has a failing check and a no-go.
    let pending =
        "count by (alertname) (ALERTS{alertname=~\"LaunchreadyNoGo|LaunchreadyCheckFailing\"}) > 0";
    prometheus.until("alerts pending", async |p| p.series(pending).await == 2).await;
}
