//! Jobs: when they are due, who has them, and what becomes of them when the config changes.

use std::collections::BTreeSet;
use std::time::Duration;

use launchready::clock::FixedClock;
use launchready::incident::State;
use launchready::schedule::Schedule;
use launchready::store::{IncidentFilter, JobSpec};

use crate::bench::{Bench, LEASE, at, finding, job, key, later, run};

pub(crate) async fn new_jobs_of_many_projects_are_due_soon_and_not_all_at_once(bench: Bench) {
    let now = at("10:00:00");
    let jobs: Vec<JobSpec> = (0..2000)
        .flat_map(|number| {
            let project = format!("project-{number:04}");
            [job(&project, "dns"), job(&project, "web")]
        })
        .collect();
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let first = bench.store.take_due("one", now, LEASE, 10_000).await.unwrap();
    assert!(first.len() < 100, "{} jobs are due at once", first.len());
    assert!(first.iter().all(|job| job.first && !job.early));
    let rest = bench.store.take_due("one", later(now, 30), LEASE, 10_000).await.unwrap();
    assert_eq!(first.len() + rest.len(), jobs.len());
    // One project alone looks at once.
    let alone = bench.another().await;
    alone
        .store
        .sync_jobs(&[job("harbor", "dns"), job("harbor", "web")], &FixedClock(now))
        .await
        .unwrap();
    assert_eq!(alone.store.take_due("one", now, LEASE, 10).await.unwrap().len(), 2);
}

pub(crate) async fn a_job_is_taken_once_given_back_and_taken_again_when_its_holder_is_gone(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(now)).await.unwrap();
    assert_eq!(bench.store.next_due().await.unwrap(), Some(now));
    let take =
        async |agent: &str, time| bench.store.take_due(agent, time, LEASE, 10).await.unwrap();
    let taken = take("one", now).await;
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].due_at, now);
    assert!(take("two", later(now, 1)).await.is_empty());
    // Nothing is due until the holder is given up.
    assert_eq!(bench.store.next_due().await.unwrap(), Some(later(now, 60)));
    bench.store.release("two").await.unwrap();
    assert!(take("two", later(now, 1)).await.is_empty(), "somebody else's job was given back");
    bench.store.release("one").await.unwrap();
    assert_eq!(take("two", later(now, 1)).await.len(), 1);
    let again = take("one", later(now, 62)).await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].due_at, now, "the run keeps its key");
    bench.commit(run("harbor", "dns", now, Vec::new())).await;
    assert_eq!(bench.store.next_due().await.unwrap(), Some(later(now, 300)));
}

pub(crate) async fn whoever_comes_second_to_a_project_knows_of_the_first(bench: Bench) {
    let now = at("10:00:00");
    let jobs = [job("harbor", "dns"), job("harbor", "web"), job("quay", "dns")];
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let take = async |agent: &str, time, limit| {
        let taken = bench.store.take_due(agent, time, LEASE, limit).await.unwrap();
        taken.into_iter().map(|job| (job.key, job.beside)).collect::<Vec<_>>()
    };
    let all = take("one", later(now, 30), 9).await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|(_, beside)| !beside), "nobody is beside oneself: {all:?}");
    bench.store.let_go_of_jobs("one", &[key("harbor", "dns")]).await.unwrap();
    let rest = take("two", later(now, 31), 9).await;
    assert_eq!(rest, [(key("harbor", "web"), true), (key("quay", "dns"), false)]);
    // Whose lease has ended is not there any more.
    let late = take("three", later(now, 95), 9).await;
    assert!(late.iter().all(|(_, beside)| !beside), "{late:?}");
}

pub(crate) async fn the_jobs_of_a_project_go_to_the_agent_that_is_at_it(bench: Bench) {
    let now = at("10:00:00");
    let jobs: Vec<JobSpec> = ["harbor", "quay"]
        .into_iter()
        .flat_map(|project| ["dns", "mail", "web"].map(|check| job(project, check)))
        .collect();
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let take = async |agent: &str, limit| {
        let taken = bench.store.take_due(agent, later(now, 30), LEASE, limit).await.unwrap();
        taken.into_iter().map(|job| job.key.project).collect::<Vec<_>>()
    };
    // What is due earliest is cut where the agent has no more room.
    assert_eq!(take("one", 2).await, ["harbor"; 2]);
    assert_eq!(take("two", 1).await, ["quay"], "the third of harbor is due earlier");
    assert_eq!(take("one", 1).await, ["harbor"]);
    // Nobody waits where there is nothing else.
    assert_eq!(take("one", 9).await, ["quay"; 2]);
}

pub(crate) async fn what_an_agent_holds_beside_what_it_knows_of_is_let_go(bench: Bench) {
    let now = at("10:00:00");
    let jobs = ["dns", "web", "mail"].map(|check| job("harbor", check));
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let take = async |agent: &str, limit| {
        let taken = bench.store.take_due(agent, later(now, 30), LEASE, limit).await.unwrap();
        taken.into_iter().map(|job| job.key).collect::<Vec<_>>()
    };
    let mine = take("one", 2).await;
    let theirs = take("two", 9).await;
    assert_eq!((mine.len(), theirs.len()), (2, 1));
    bench.store.let_go_of_jobs("one", &mine[..1]).await.unwrap();
    assert_eq!(take("two", 9).await, mine[1..]);
    bench.store.let_go_of_jobs("one", &[]).await.unwrap();
    assert_eq!(take("one", 9).await, mine[..1]);
}

pub(crate) async fn a_changed_schedule_counts_from_now_and_an_unchanged_one_stays(bench: Bench) {
    let now = at("10:00:00");
    let mut daily = job("harbor", "dns");
    daily.schedule = Schedule::Every(Duration::from_hours(24));
    bench.store.sync_jobs(std::slice::from_ref(&daily), &FixedClock(now)).await.unwrap();
    let mut done = run("harbor", "dns", now, Vec::new());
    done.next_due = at("23:00:00");
    bench.commit(done).await;
    bench.store.sync_jobs(std::slice::from_ref(&daily), &FixedClock(later(now, 10))).await.unwrap();
    assert_eq!(bench.store.next_due().await.unwrap(), Some(at("23:00:00")));
    daily.schedule = Schedule::Every(Duration::from_mins(5));
    bench.store.sync_jobs(std::slice::from_ref(&daily), &FixedClock(later(now, 20))).await.unwrap();
    assert_eq!(bench.store.next_due().await.unwrap(), Some(at("10:05:00")));
    let cron = |zone| {
        let zone = launchready::schedule::read_zone(zone).unwrap();
        Schedule::Cron(launchready::schedule::Cron::new("0 12 * * *", zone).unwrap())
    };
    for (zone, due) in [("UTC", "12:00:00"), ("Europe/Berlin", "11:00:00")] {
        daily.schedule = cron(zone);
        bench
            .store
            .sync_jobs(std::slice::from_ref(&daily), &FixedClock(later(now, 30)))
            .await
            .unwrap();
        assert_eq!(bench.store.next_due().await.unwrap(), Some(at(due)), "{zone}");
    }
}

pub(crate) async fn a_job_that_is_gone_ends_quietly_and_comes_back_with_its_past(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let sent = bench.claim(later(now, 60)).await;
    bench.sent(&sent[0], later(now, 60)).await;
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(later(now, 70))).await.unwrap();
    assert_eq!(bench.store.latest(Some("harbor")).await.unwrap().len(), 1);
    assert!(bench.store.incidents(&IncidentFilter::default()).await.unwrap().is_empty());
    let filter = IncidentFilter { states: vec![State::Resolved], ..IncidentFilter::default() };
    let over = bench.store.incidents(&filter).await.unwrap();
    assert_eq!(over.len(), 1);
    let record = bench.store.incident(&over[0].id).await.unwrap().unwrap();
    assert_eq!(record.changes.len(), 2);
    assert!(record.changes[1].unheard.is_some() && record.changes[1].notification.is_none());
    assert!(bench.claim(later(now, 4000)).await.is_empty());
    // A run that was under way changes nothing any more.
    let late = bench.commit(run("harbor", "web", later(now, 71), Vec::new())).await;
    assert!(!late.stored);
    let jobs = [job("harbor", "dns"), job("harbor", "web")];
    bench.store.sync_jobs(&jobs, &FixedClock(later(now, 80))).await.unwrap();
    let spans = bench.store.spans("harbor", "web", at("00:00:00")).await.unwrap();
    assert_eq!(spans.len(), 2, "{spans:?}");
    let due = bench.store.take_due("one", later(now, 80), LEASE, 10).await.unwrap();
    assert!(due.iter().any(|due| due.key == key("harbor", "web") && !due.first), "{due:?}");
}

pub(crate) async fn another_domain_is_another_job(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let mut moved = job("harbor", "web");
    "other.example".clone_into(&mut moved.target);
    bench.store.sync_jobs(&[moved], &FixedClock(later(now, 10))).await.unwrap();
    assert!(bench.store.incidents(&IncidentFilter::default()).await.unwrap().is_empty());
    let due = bench.store.take_due("one", later(now, 10), LEASE, 10).await.unwrap();
    assert!(due[0].first);
    assert_eq!(bench.previous("web", later(now, 10)).await, None);
    assert!(bench.store.spans("harbor", "web", at("00:00:00")).await.unwrap().is_empty());
}

pub(crate) async fn a_look_that_is_asked_for_is_due_now_and_never_at_the_time_of_the_last_run(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], later(now, 3600)).await;
    assert_eq!(bench.store.make_due("harbor", Some("dns"), now).await.unwrap(), 1);
    let due = bench.store.take_due("one", later(now, 1), LEASE, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(due[0].due_at > now, "the last run has this due time");
    let mut asked = run("harbor", "dns", due[0].due_at, Vec::new());
    asked.started_at = later(now, 1);
    assert!(bench.commit(asked).await.stored);
    assert_eq!(bench.store.make_due("harbor", None, later(now, 5)).await.unwrap(), 2);
    assert_eq!(bench.store.make_due("nobody", None, later(now, 5)).await.unwrap(), 0);
    assert_eq!(bench.store.next_due().await.unwrap(), Some(later(now, 5)));
}

pub(crate) async fn a_look_that_is_asked_for_during_a_run_comes_after_it(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    let taken = bench.store.take_due("one", now, LEASE, 10).await.unwrap();
    assert_eq!(taken.len(), 2);
    assert_eq!(bench.store.make_due("harbor", Some("web"), later(now, 20)).await.unwrap(), 1);
    let meanwhile = bench.store.take_due("two", later(now, 21), LEASE, 10).await.unwrap();
    assert!(meanwhile.is_empty(), "it is still under way: {meanwhile:?}");
    let ended = |check: &str, due_at, second| {
        let mut done = run("harbor", check, due_at, Vec::new());
        done.started_at = later(now, second);
        done.next_due = later(now, second + 300);
        done
    };
    for (check, next) in [("dns", 301), ("web", 20)] {
        let done = ended(check, taken[0].due_at, 1);
        let became = bench.commit(done.clone()).await;
        assert!(became.stored, "{check}");
        assert_eq!(became.next_due, later(now, next), "{check}");
        assert!(!bench.commit(done).await.stored, "{check} is stored once");
    }
    let again = bench.store.take_due("two", later(now, 22), LEASE, 10).await.unwrap();
    assert_eq!(again.len(), 1, "{again:?}");
    assert_eq!((&again[0].key, again[0].due_at), (&key("harbor", "web"), later(now, 20)));
    assert!(!again[0].early && !again[0].first);
    // What was asked for has come, and the schedule goes on.
    let became = bench.commit(ended("web", again[0].due_at, 22)).await;
    assert!(became.stored);
    assert_eq!(became.next_due, later(now, 322));
    assert_eq!(bench.store.next_due().await.unwrap(), Some(later(now, 301)));
}

pub(crate) async fn a_look_that_is_asked_for_outlives_whoever_was_at_the_run(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let taken = bench.store.take_due("one", now, LEASE, 10).await.unwrap();
    for _ in 0..2 {
        bench.store.make_due("harbor", None, later(now, 20)).await.unwrap();
    }
    let again = bench.store.take_due("two", later(now, 61), LEASE, 10).await.unwrap();
    assert_eq!(again.len(), 1);
    assert!(again[0].due_at > taken[0].due_at && again[0].due_at < later(now, 21), "{again:?}");
    let mut late = run("harbor", "web", taken[0].due_at, Vec::new());
    late.started_at = now;
    late.next_due = later(now, 300);
    let became = bench.commit(late.clone()).await;
    assert!(became.stored, "it looked, late as it comes");
    assert_eq!(became.next_due, again[0].due_at);
    let mut second = run("harbor", "web", again[0].due_at, Vec::new());
    second.started_at = later(now, 61);
    second.next_due = later(now, 361);
    let became = bench.commit(second.clone()).await;
    assert!(became.stored);
    assert_eq!(became.next_due, later(now, 361));
    for done in [late, second] {
        assert!(!bench.commit(done).await.stored, "each is stored once");
    }
}

pub(crate) async fn a_schedule_that_changes_during_a_run_counts_when_it_ends(bench: Bench) {
    let now = at("10:00:00");
    let (day, mut spec) = (24 * 3600, job("harbor", "dns"));
    let mut sync = async |interval, second| {
        spec.schedule = Schedule::Every(interval);
        bench
            .store
            .sync_jobs(std::slice::from_ref(&spec), &FixedClock(later(now, second)))
            .await
            .unwrap();
    };
    let take = async |second| {
        let taken = bench.store.take_due("one", later(now, second), LEASE, 10).await.unwrap();
        assert_eq!(taken.len(), 1, "after {second} s");
        taken[0].clone()
    };
    let end = async |due_at, second| {
        let mut done = run("harbor", "dns", due_at, Vec::new());
        done.started_at = later(now, second);
        done.next_due = later(now, second + day);
        let became = bench.commit(done).await;
        assert!(became.stored, "after {second} s");
        became.next_due
    };
    sync(Duration::from_hours(24), 0).await;
    let first = take(0).await;
    sync(Duration::from_mins(5), 10).await;
    assert_eq!(end(first.due_at, 1).await, later(now, 10), "the first run is made up for at once");
    let second = take(12).await;
    assert!(!second.first);
    sync(Duration::from_mins(10), 20).await;
    assert_eq!(end(second.due_at, 12).await, at("10:10:00"));
    let third = take(600).await;
    assert_eq!(third.due_at, at("10:10:00"));
    // What the run itself has earlier stays.
    sync(Duration::from_hours(30 * 24), 610).await;
    assert_eq!(end(third.due_at, 601).await, later(now, 601 + day));
}

pub(crate) async fn after_a_long_sleep_a_job_is_due_once(bench: Bench) {
    let now = at("03:00:00");
    bench.harbor(&["dns"], now).await;
    let awake = at("09:00:00");
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(awake)).await.unwrap();
    let due = bench.store.take_due("one", awake, LEASE, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    let mut done = run("harbor", "dns", due[0].due_at, Vec::new());
    done.started_at = awake;
    done.next_due = later(awake, 300);
    bench.commit(done).await;
    assert!(bench.store.take_due("one", later(awake, 299), LEASE, 10).await.unwrap().is_empty());
    assert_eq!(bench.store.next_due().await.unwrap(), Some(later(awake, 300)));
}

pub(crate) async fn a_clock_that_was_ahead_does_not_keep_a_job_waiting(bench: Bench) {
    let (now, ahead) = (at("10:00:00"), at("20:00:00"));
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(ahead)).await.unwrap();
    bench.commit(run("harbor", "dns", ahead, Vec::new())).await;
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(now)).await.unwrap();
    let due = bench.store.take_due("one", later(now, 300), LEASE, 10).await.unwrap();
    assert_eq!(due.len(), 1);
    assert!(bench.commit(run("harbor", "dns", due[0].due_at, Vec::new())).await.stored);
}

pub(crate) async fn a_config_that_is_taken_over_late_does_no_run_twice(bench: Bench) {
    let (read, due) = (at("10:00:00"), at("10:00:10"));
    let jobs = [job("harbor", "dns")];
    bench.store.sync_jobs(&jobs, &FixedClock(read)).await.unwrap();
    assert!(bench.commit(run("harbor", "dns", due, Vec::new())).await.stored);
    // Another agent has read its clock before that, and had to wait.
    bench.store.sync_jobs(&jobs, &FixedClock(read)).await.unwrap();
    assert!(!bench.commit(run("harbor", "dns", due, Vec::new())).await.stored);
    let next = bench.store.take_due("one", later(due, 310), LEASE, 10).await.unwrap();
    assert!(next[0].due_at > due, "{next:?}");
    assert!(bench.commit(run("harbor", "dns", next[0].due_at, Vec::new())).await.stored);
}

pub(crate) async fn two_stores_never_take_the_same_job(bench: Bench) {
    let now = at("10:00:00");
    let jobs: Vec<JobSpec> = (0..300).map(|number| job("harbor", &format!("c{number}"))).collect();
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let second = bench.second().await;
    let agents = [("one", bench.store.clone()), ("two", second)];
    let mut work = tokio::task::JoinSet::new();
    for (name, store) in agents {
        work.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let taken = store.take_due(name, now, LEASE, 7).await.unwrap();
                if taken.is_empty() {
                    return mine;
                }
                mine.extend(taken.into_iter().map(|job| job.key));
            }
        });
    }
    let taken: Vec<_> = work.join_all().await.into_iter().flatten().collect();
    let different: BTreeSet<_> = taken.iter().collect();
    assert_eq!((taken.len(), different.len()), (300, 300));
}

pub(crate) async fn agents_at_work_are_known_until_they_leave_or_are_not_heard_of(bench: Bench) {
    let (now, within) = (at("10:00:00"), Duration::from_mins(1));
    let second = bench.second().await;
    bench.store.note_at_work("one", now, within).await.unwrap();
    second.note_at_work("two", now, within).await.unwrap();
    second.note_at_work("two", later(now, 1), within).await.unwrap();
    for store in [&bench.store, &second] {
        assert_eq!(store.at_work(later(now, 30), within).await.unwrap(), ["one", "two"]);
    }
    bench.store.release("one").await.unwrap();
    assert_eq!(second.at_work(later(now, 30), within).await.unwrap(), ["two"]);
    // A server goes by its own clock, on which a moment has passed.
    let silent = bench.store.at_work(later(now, 120), Duration::ZERO).await.unwrap();
    assert!(silent.is_empty(), "{silent:?}");
}
