//! More than a year of looks: what a store keeps is bounded by its keeping times, whatever happens every day.
//!
//! As it stands, two checks of one project look once a day. `benches/year` has it look as an agent does.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use launchready::clock::FixedClock;
use launchready::incident::Book;
use launchready::store::{Attempt, AttemptOutcome, Finished, JobSpec, Store};
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, Row as _};

use crate::bench::{Bench, LEASE, at, channel, finding, job, measured, run};
use crate::cluster::Cluster;

/// Hourly figures are kept for so long.
const FIGURES_DAYS: u64 = 90;
/// Sent messages.
const MESSAGES_DAYS: u64 = 90;
/// The past of checks, and incidents that are over.
const PAST_DAYS: u64 = 400;
/// The most runs of one transaction; an agent gathers 256 at most, and makes twice as many transactions where as many
/// runs end at once.
const TOGETHER: usize = 500;
/// How often it is said how far it has got.
const TOLD: u64 = 12;
/// How a server is set up. A day goes by within seconds: what it clears up every minute has to be cleared up as often
/// by its days. Its buffers are a quarter of the memory of a machine with 4 GiB, as its manual recommends, and its
/// log holds what is written between two checkpoints that time has it make.
const SERVER: [&str; 3] = ["autovacuum_naptime=1s", "shared_buffers=1GB", "max_wal_size=8GB"];
/// Tables whose rows a keeping time bounds.
const COUNTED: [&str; 8] =
    ["span", "hourly", "point", "incident", "change", "notification", "delivery", "evidence"];

/// How much is simulated.
#[derive(Debug, Clone, Copy)]
struct Size {
    projects: usize,
    checks: usize,
    every: Duration,
    days: u64,
    /// A check finds something in two of so many looks in a row.
    turn: u64,
}

impl Size {
    #[allow(clippy::disallowed_methods, reason = "a measurement says how much")]
    fn read() -> Self {
        let number = |name: &str, usual: u64| {
            let given = std::env::var(format!("LAUNCHREADY_TEST_YEAR_{name}"));
            given.map_or(usual, |text| text.parse().unwrap())
        };
        let count = |name, usual| usize::try_from(number(name, usual)).unwrap();
        Self {
            projects: count("PROJECTS", 1),
            checks: count("CHECKS", 2),
            every: Duration::from_secs(number("EVERY_S", 86_400)),
            days: number("DAYS", 430),
            turn: number("TURN", 41),
        }
    }

    fn jobs(&self) -> Vec<JobSpec> {
        let names = (0..self.projects).flat_map(|project| {
            (0..self.checks).map(move |check| (format!("p{project:05}"), format!("c{check:02}")))
        });
        names.map(|(project, check)| job(&project, &check)).collect()
    }
}

/// What one look of one job sees: now and then a defect that lasts for two looks, a new answer each day, a value.
fn look(spec: &JobSpec, place: usize, round: u64, now: Timestamp, size: Size) -> Finished {
    let turn = (round + 7 * place as u64) % size.turn;
    let found = if turn < 2 { vec![finding("web-down", "www")] } else { Vec::new() };
    let mut done = run(&spec.key.project, &spec.key.check, now, found);
    let day = now.as_second() / 86_400;
    done.evidence = Some((1, json!({ "answer": "x".repeat(400), "day": day, "job": place })));
    done.windows = vec![("age".to_owned(), Duration::from_hours(36))];
    done.assessment.measure(measured("age", None, f64::from(u32::try_from(turn).unwrap())));
    done.next_due = plus(now, size.every);
    done
}

fn plus(now: Timestamp, span: Duration) -> Timestamp {
    now.checked_add(SignedDuration::try_from(span).unwrap()).unwrap()
}

/// How many rows the tables have, and how many bytes the store has in all.
async fn counts(bench: &Bench) -> (BTreeMap<&'static str, u64>, u64) {
    let mut rows = BTreeMap::new();
    let number = |value: i64| u64::try_from(value).unwrap();
    if bench.address.starts_with("sqlite:") {
        let address = format!("sqlite:{}?mode=ro", bench.file().display());
        let mut on = sqlx::SqliteConnection::connect(&address).await.unwrap();
        for table in COUNTED {
            let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            rows.insert(table, number(sqlx::query(count).fetch_one(&mut on).await.unwrap().get(0)));
        }
        let bytes = "SELECT (page_count - freelist_count) * page_size \
                     FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
        return (rows, number(sqlx::query(bytes).fetch_one(&mut on).await.unwrap().get(0)));
    }
    let (cluster, database) = bench.server();
    let mut on = cluster.owner(database).await;
    for table in COUNTED {
        let count = AssertSqlSafe(format!("SELECT count(*) FROM launchready.{table}"));
        rows.insert(table, number(sqlx::query(count).fetch_one(&mut on).await.unwrap().get(0)));
    }
    let bytes = "SELECT pg_database_size(current_database())";
    (rows, number(sqlx::query(bytes).fetch_one(&mut on).await.unwrap().get(0)))
}

/// Stores the runs of one round in their order, and counts those that are.
async fn commit(store: &dyn Store, looks: &[Finished], book: &Book) -> usize {
    let mut stored = 0;
    for together in looks.chunks(TOGETHER) {
        let became = store.commit(together, book).await.unwrap();
        stored += became.iter().filter(|one| one.stored).count();
    }
    stored
}

#[tokio::test]
async fn on_sqlite_more_than_a_year_of_looks_leaves_what_is_kept_and_no_more() {
    goes_by(Bench::sqlite().await).await;
}

#[tokio::test]
async fn on_postgres_more_than_a_year_of_looks_leaves_what_is_kept_and_no_more() {
    if let Some(cluster) = Cluster::start("year", &SERVER) {
        goes_by(Bench::in_cluster(Rc::new(cluster)).await).await;
    }
}

/// Plays all looks, and looks at what is left of them.
async fn goes_by(bench: Bench) {
    let size = Size::read();
    let jobs = size.jobs();
    let book = Book { channels: vec![channel("founder")], ..Book::default() };
    let began = Instant::now();
    let mut now = at("00:00:00");
    let end = plus(now, Duration::from_hours(24) * u32::try_from(size.days).unwrap());
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    // A server has two agents, each with one half of the projects.
    let mut agents = vec![bench.store.clone()];
    if !bench.address.starts_with("sqlite:") {
        agents.push(bench.second().await);
    }
    let told_each = (size.days * 86_400 / size.every.as_secs()).div_ceil(TOLD);
    let (mut round, mut day, mut stored) = (0_u64, 0_i64, 0_usize);
    while now < end {
        let looks: Vec<Finished> = jobs
            .iter()
            .enumerate()
            .map(|(place, spec)| look(spec, place, round, now, size))
            .collect();
        let shares = looks.chunks(looks.len().div_ceil(agents.len()));
        let each = agents.iter().zip(shares).map(|(agent, looks)| commit(&**agent, looks, &book));
        stored += join_all(each).await.iter().sum::<usize>();
        bench.store.wake(&book, &FixedClock(now)).await.unwrap();
        // One message a round is sent for each channel.
        for claimed in bench.store.claim("one", &[], now, LEASE).await.unwrap() {
            let (duration, outcome) = (Duration::from_millis(40), AttemptOutcome::Sent);
            let attempt = Attempt { at: now, duration, outcome };
            bench.store.record_attempt("one", &claimed.delivery.id, &attempt, None).await.unwrap();
        }
        now = plus(now, size.every);
        round += 1;
        if now.as_second() / 86_400 > day {
            day = now.as_second() / 86_400;
            let keep = Duration::from_hours(24 * FIGURES_DAYS);
            bench.store.roll_up(now, keep).await.unwrap();
        }
        if round.is_multiple_of(told_each) {
            let (rows, bytes) = counts(&bench).await;
            let took = began.elapsed().as_secs();
            println!("{now} after {took} s {:.1} MB {rows:?}", bytes as f64 / 1e6);
        }
    }
    let (rows, bytes) = counts(&bench).await;
    println!(
        "{} runs in {:.0} s, {:.1} MB, {rows:?}",
        stored,
        began.elapsed().as_secs_f64(),
        bytes as f64 / 1e6
    );
    assert_eq!(stored as u64, round * jobs.len() as u64, "every look is stored");
    let looks_a_day = 86_400 / size.every.as_secs();
    let of_jobs = |each: u64| each * jobs.len() as u64;
    let turns = |kept: u64| (kept.min(size.days) + 1) * looks_a_day / size.turn + 2;
    // What a look can leave at most: a day more than is kept, since rows go once a day here.
    let bound = BTreeMap::from([
        ("hourly", of_jobs((FIGURES_DAYS.min(size.days) + 1) * looks_a_day.min(24))),
        ("point", of_jobs(2 * looks_a_day.max(1) + 2)),
        ("span", of_jobs(2 * (PAST_DAYS.min(size.days) + 1) * looks_a_day / size.turn + 3)),
        ("incident", of_jobs(turns(PAST_DAYS))),
        ("change", of_jobs(4 * turns(PAST_DAYS))),
        ("notification", of_jobs(2 * turns(MESSAGES_DAYS))),
        ("delivery", of_jobs(2 * turns(MESSAGES_DAYS))),
        // The latest of each job, and the first and the last of each incident.
        ("evidence", of_jobs(1 + 2 * turns(PAST_DAYS))),
    ]);
    for (table, most) in bound {
        assert!(
            rows[table] > 0 && rows[table] <= most,
            "{table}: {} of at most {most}",
            rows[table]
        );
    }
}
