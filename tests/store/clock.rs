//! A clock that was ahead and is put back: nothing waits longer than it was to wait.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use launchready::clock::{Clock as _, FixedClock};
use launchready::engine::{Assignment, Ended, Looker, Observer, Scheduler};
use launchready::store::{AttemptOutcome, IncidentFilter, JobKey, StoreError};
use tokio::sync::{Notify, mpsc, watch};

use crate::bench::{Bench, LEASE, at, channel, finding, job, later, run, sleeper, told};
use crate::poison::{Set, commit};

/// A day.
const DAY: i64 = 24 * 3600;

/// What an agent does when it notices that the clock was put back, and at its start.
async fn put_back(bench: &Bench, now: Timestamp) {
    bench.store.reckon_from(&FixedClock(now), LEASE).await.unwrap();
    bench.store.sync_jobs(&[job("harbor", "web")], &FixedClock(now)).await.unwrap();
}

pub(crate) async fn a_lease_of_a_clock_that_was_ahead_ends_with_the_next_one(bench: Bench) {
    let (now, ahead) = (at("10:00:00"), later(at("10:00:00"), DAY));
    bench.store.sync_jobs(&[job("harbor", "web")], &FixedClock(ahead)).await.unwrap();
    assert_eq!(bench.store.take_due("gone", ahead, LEASE, 9).await.unwrap().len(), 1);
    put_back(&bench, now).await;
    assert!(bench.store.take_due("one", now, LEASE, 9).await.unwrap().is_empty());
    let taken = bench.store.take_due("one", later(now, 61), LEASE, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
}

pub(crate) async fn a_message_of_a_clock_that_was_ahead_waits_as_long_as_it_was_to(
    mut bench: Bench,
) {
    let (now, ahead) = (at("10:00:00"), later(at("10:00:00"), DAY));
    bench.book.channels = vec![channel("founder"), channel("ops")];
    bench.harbor(&["web"], ahead).await;
    bench.commit(run("harbor", "web", ahead, vec![finding("web-down", "www")])).await;
    // One waits for another try, one is held by an agent that is gone, and a new one for its group.
    let claimed = bench.claim(later(ahead, 30)).await;
    let error = "busy".to_owned();
    let retry = AttemptOutcome::Retry { at: later(ahead, 91), error };
    bench.record(&claimed[0], later(ahead, 31), retry, None).await;
    let over = run("harbor", "web", later(ahead, 40), Vec::new());
    bench.commit(over).await;

    put_back(&bench, now).await;
    assert!(bench.claim(later(now, 59)).await.is_empty());
    let again = bench.claim(later(now, 61)).await;
    assert_eq!(again.len(), 2, "the lease and the wait of a minute are over");
    for claim in &again {
        assert_eq!(told(claim), ["opened web-down"]);
        bench.sent(claim, later(now, 62)).await;
    }
    let over = bench.claim(later(now, 63)).await;
    assert!(over.iter().all(|claim| told(claim) == ["resolved web-down"]), "{over:?}");
    assert_eq!(over.len(), 2);
    // A second time changes nothing: what was put right is no longer ahead.
    assert_eq!(bench.store.reckon_from(&FixedClock(later(now, 64)), LEASE).await.unwrap(), 0);
}

pub(crate) async fn quiet_hours_of_a_clock_that_was_ahead_hold_for_a_night_at_most(
    mut bench: Bench,
) {
    let (now, ahead) = (at("03:00:00"), later(at("03:00:00"), 30 * DAY));
    bench.book.channels = vec![sleeper("founder")];
    bench.harbor(&["web"], ahead).await;
    bench.commit(run("harbor", "web", ahead, vec![finding("web-down", "www")])).await;
    put_back(&bench, now).await;
    assert!(bench.claim(at("06:59:00")).await.is_empty());
    assert_eq!(bench.claim(at("07:01:00")).await.len(), 1);
}

pub(crate) async fn a_reminder_counts_from_the_time_at_which_the_clock_was_put_back(bench: Bench) {
    let (now, ahead) = (at("10:00:00"), later(at("10:00:00"), 3 * DAY));
    bench.harbor(&["web"], ahead).await;
    bench.commit(run("harbor", "web", ahead, vec![finding("web-down", "www")])).await;
    assert_eq!(bench.store.wake(&bench.book, &FixedClock(later(ahead, 5))).await.unwrap(), 0);
    put_back(&bench, now).await;
    assert_eq!(
        bench.store.wake(&bench.book, &FixedClock(later(now, 4 * 3600 - 5))).await.unwrap(),
        0
    );
    assert_eq!(
        bench.store.wake(&bench.book, &FixedClock(later(now, 4 * 3600 + 5))).await.unwrap(),
        1
    );
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!((open[0].first_seen, open[0].opened_at), (now, Some(now)));
}

pub(crate) async fn a_run_that_began_before_the_clock_was_put_back_keeps_no_job_waiting(
    bench: Bench,
) {
    let (now, ahead) = (at("10:00:00"), later(at("10:00:00"), DAY));
    bench.harbor(&["web"], ahead).await;
    let taken = bench.store.take_due("one", later(ahead, 300), LEASE, 9).await.unwrap();
    assert_eq!(taken.len(), 1);
    put_back(&bench, now).await;
    let mut under_way = run("harbor", "web", taken[0].due_at, vec![finding("web-down", "www")]);
    under_way.started_at = later(ahead, 300);
    under_way.seen.at = under_way.started_at;
    under_way.next_due = later(ahead, 600);
    let told = commit(&bench, &Set::to(later(now, 2)), vec![under_way]).await;
    assert!(told[0].1.stored, "{told:?}");
    // The schedule was reckoned anew meanwhile, and has it a little sooner than the run.
    assert_eq!(told[0].1.next_due, later(now, 300));
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!(open[0].opened_at, Some(later(now, 2)));
    let again = bench.store.take_due("one", later(now, 303), LEASE, 9).await.unwrap();
    assert_eq!(again.len(), 1);
    let next = run("harbor", "web", again[0].due_at, Vec::new());
    assert!(bench.commit(next).await.stored);
    let spans = bench.store.spans("harbor", "web", at("00:00:00")).await.unwrap();
    assert!(spans.iter().map(|span| span.runs).sum::<u64>() == 3, "{spans:?}");
}

pub(crate) async fn what_is_as_far_ahead_as_it_may_be_stays(mut bench: Bench) {
    let now = at("10:00:00");
    bench.book.channels = vec![channel("founder")];
    bench.harbor(&["web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let claimed = bench.claim(later(now, 30)).await;
    let error = "wait".to_owned();
    let asked = AttemptOutcome::Retry { at: later(now, 7200), error };
    bench.record(&claimed[0], later(now, 31), asked, None).await;
    assert_eq!(bench.store.reckon_from(&FixedClock(later(now, 40)), LEASE).await.unwrap(), 0);
    assert!(bench.claim(later(now, 7199)).await.is_empty());
    let lease = Duration::from_secs(20);
    assert_eq!(bench.store.claim("one", &[], later(now, 7200), lease).await.unwrap().len(), 1);
}

/// Looks without a network: all is well.
#[derive(Debug)]
struct Well(Set);

#[async_trait]
impl Looker for Well {
    async fn look(
        &self,
        project: &str,
        assignments: Vec<Assignment>,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey> {
        for Assignment { job, permit, .. } in assignments {
            let mut run = run(project, &job.key.check, job.due_at, Vec::new());
            run.started_at = self.0.now();
            run.seen.at = run.started_at;
            run.next_due = later(run.started_at, 300);
            drop(ended.send(Ended { run, permit }));
        }
        Vec::new()
    }
}

impl Observer for Well {
    fn lag(&self, _lag: Duration) {}
    fn in_flight(&self, _looks: usize) {}
    fn alive(&self, _at: Timestamp) {}

    fn stuck(&self, error: &StoreError) {
        panic!("the store of this test is well: {error}");
    }
}

#[tokio::test]
async fn a_scheduler_whose_clock_is_put_back_by_a_day_looks_at_once_as_often_as_before() {
    let bench = Bench::sqlite().await;
    let (now, ahead) = (at("10:00:00"), later(at("10:00:00"), DAY));
    let clock = Set::to(ahead);
    bench.store.sync_jobs(&[job("harbor", "web")], &FixedClock(ahead)).await.unwrap();
    let (send, mut ended) = mpsc::unbounded_channel();
    let (stop, stopped) = watch::channel(false);
    let resync = Arc::new(Notify::new());
    let wake = Arc::new(Notify::new());
    let well = Arc::new(Well(clock.clone()));
    let scheduler = Scheduler {
        agent: "one".to_owned(),
        store: bench.store.clone(),
        clock: Arc::new(clock.clone()),
        looker: Arc::clone(&well) as _,
        observer: well,
        limit: 8,
        wake: Arc::clone(&wake),
        resync: Arc::clone(&resync),
    };
    let task = tokio::spawn(scheduler.run(send, stopped, Duration::from_secs(1)));
    let soon = Duration::from_secs(30);
    let first = tokio::time::timeout(soon, ended.recv()).await.unwrap().unwrap();
    assert_eq!(first.run.started_at, ahead);
    // It ends after the clock is put back, and is stored before anybody has noticed.
    *clock.0.lock().unwrap() = now;
    let told = commit(&bench, &clock, vec![first.run]).await;
    assert!(told[0].1.stored);
    drop(first.permit);
    tokio::time::timeout(soon, resync.notified()).await.expect("the scheduler notices");
    put_back(&bench, now).await;
    for step in 1..=3 {
        *clock.0.lock().unwrap() = later(now, 300 * step);
        wake.notify_one();
        let next = tokio::time::timeout(soon, ended.recv()).await.unwrap().unwrap();
        assert_eq!(next.run.started_at, later(now, 300 * step));
        let told = commit(&bench, &clock, vec![next.run]).await;
        assert!(told[0].1.stored, "{told:?}");
    }
    stop.send_replace(true);
    task.await.unwrap();
}
