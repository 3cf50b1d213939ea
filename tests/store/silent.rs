//! A network that goes dead without a word: nothing comes back, and nothing says so.

use std::path::Path;
use std::sync::Arc;

use launchready::store::{self, Store};
use tokio::task::JoinSet;
use tokio::time::{Duration, timeout};

use crate::bench::{Bench, at, finding, run};
use crate::gate::Gate;
use crate::proxy::Proxy;

/// How long a test waits for what has to come; less than a call may take before it is given up.
const SOON: Duration = Duration::from_secs(30);

/// The store of a bench by an address that can fall silent.
pub(crate) async fn by_proxy(bench: &Bench) -> (Proxy, Arc<dyn Store>) {
    let (cluster, _) = bench.server();
    let proxy = Proxy::start(cluster.address).await;
    let address = bench.address.replace(&cluster.address.to_string(), &proxy.address.to_string());
    let store = store::open(&address, Path::new(".")).await.unwrap();
    (proxy, store)
}

#[tokio::test]
async fn connections_that_have_gone_dead_cost_a_few_seconds_and_not_a_minute_each() {
    let test = "connections_that_have_gone_dead";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let (proxy, store) = by_proxy(&bench).await;
    let mut calls = JoinSet::new();
    for _ in 0..6 {
        let store = Arc::clone(&store);
        calls.spawn(async move { store.ping().await.unwrap() });
    }
    calls.join_all().await;
    proxy.fall_silent();
    timeout(SOON, store.put("after", "that")).await.expect("a new connection is made").unwrap();
    assert_eq!(bench.store.get("after").await.unwrap().as_deref(), Some("that"));
}

#[tokio::test]
async fn what_an_agent_held_when_it_was_cut_off_is_soon_let_go() {
    let Some(bench) = Bench::on_postgres("what_an_agent_held").await else { return };
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let (proxy, store) = by_proxy(&bench).await;
    let gate = Gate::shut(&bench).await;
    let seen = run("harbor", "web", now, vec![finding("web-down", "www")]);
    let (theirs, book) = (seen.clone(), bench.book.clone());
    // It waits for the gate, and is given it when nobody can hear that any more.
    let cut_off = tokio::spawn(async move { store.commit(&[theirs], &book).await });
    gate.holds_somebody_up().await;
    proxy.fall_silent();
    gate.open().await;
    let mine = timeout(SOON, bench.store.commit(&[seen], &bench.book)).await.unwrap().unwrap();
    assert!(mine[0].stored, "{mine:?}");
    cut_off.abort();
}
