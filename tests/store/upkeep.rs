//! Upkeep: in parts that a server takes, and each step for itself.

use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::FixedClock;
use launchready::incident::Waiver;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::bench::{Bench, at, finding, job, later, measured, run};

const DAY: i64 = 24 * 3600;
/// Hourly figures are kept for so long.
const KEPT: Duration = Duration::from_hours(400 * 24);
/// The same, unless the config says otherwise.
const FIGURES: Duration = Duration::from_hours(90 * 24);
/// Rows of each kind that a job is given: more than go at once.
const EACH: u64 = 2_500;

/// Does to the tables what no agent does.
async fn tell(bench: &Bench, statements: &str) {
    if bench.address.starts_with("sqlite:") {
        let mut on = SqliteConnectOptions::new().filename(bench.file()).connect().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(statements.to_owned())).execute(&mut on).await.unwrap();
        return;
    }
    let (cluster, database) = bench.server();
    cluster.sql_in(database, &format!("SET search_path = launchready; {statements}")).await;
}

async fn rows(bench: &Bench, table: &str) -> u64 {
    let count: i64 = if bench.address.starts_with("sqlite:") {
        let mut on = SqliteConnectOptions::new().filename(bench.file()).connect().await.unwrap();
        let count = AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query(count).fetch_one(&mut on).await.unwrap().get(0)
    } else {
        let (cluster, database) = bench.server();
        let count = format!("SELECT count(*)::text FROM launchready.{table}");
        cluster.value_in(database, &count).await.parse().unwrap()
    };
    u64::try_from(count).unwrap()
}

/// Gives every job the rows of months.
async fn age(bench: &Bench, now: Timestamp) {
    let numbers = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {EACH})"
    );
    let (hour, ms) = (now.as_second() / 3600, now.as_millisecond());
    let statements = [
        format!(
            "INSERT INTO point (job, at, name, subject, value, keep_until) {numbers} \
             SELECT job.id, i, 'age', 'ns1', 0.5, 9999999999999 FROM job, n"
        ),
        format!(
            "INSERT INTO hourly (job, hour, figures) {numbers} \
             SELECT job.id, {hour} - i, job.figures FROM job, n"
        ),
        format!(
            "INSERT INTO span (job, status, from_at, to_at, runs) {numbers} \
             SELECT job.id, 'pass', {ms} - i, {ms} - i, 1 FROM job, n"
        ),
    ];
    tell(bench, &statements.join("; ")).await;
}

pub(crate) async fn a_job_that_is_gone_goes_part_by_part_with_all_that_it_has_and_nothing_else_goes(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    age(&bench, now).await;
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(now)).await.unwrap();
    assert_eq!(bench.store.roll_up(later(now, 29 * DAY), KEPT).await.unwrap(), 0);
    let gone = bench.store.roll_up(later(now, 31 * DAY), KEPT).await.unwrap();
    assert!(gone >= 3 * EACH, "{gone} rows: the others went with the job, in one statement");
    let mut left = Vec::new();
    for table in ["job", "judgement", "point", "hourly", "span"] {
        left.push(rows(&bench, table).await);
    }
    assert_eq!(left, [1, 1, EACH, EACH, EACH + 1]);
    assert_eq!(bench.store.latest(None).await.unwrap()[0].key.check, "dns");
    assert_eq!(bench.store.roll_up(later(now, 31 * DAY), KEPT).await.unwrap(), 0);
}

pub(crate) async fn what_fails_in_one_step_of_upkeep_holds_up_no_other_and_loses_no_span(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    let waiver = Waiver {
        id: String::new(),
        project: "harbor".to_owned(),
        code: "web-slow".to_owned(),
        subject: None,
        by: "ada".to_owned(),
        reason: "known".to_owned(),
        at: now,
        until: later(now, DAY),
        last_used: None,
    };
    bench.store.add_waiver(&waiver).await.unwrap();
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(now)).await.unwrap();
    // The job cannot go: something else points to it.
    let hold = "CREATE TABLE holder (job BIGINT REFERENCES job (id)); \
                INSERT INTO holder SELECT id FROM job WHERE check_id = 'web'";
    tell(&bench, hold).await;
    bench.store.roll_up(later(now, 500 * DAY), KEPT).await.unwrap_err();
    assert!(bench.store.waivers().await.unwrap().is_empty(), "later steps are taken");
    assert_eq!(rows(&bench, "job").await, 2);
    // The config has it again before its turn has come.
    let back = later(now, 500 * DAY);
    bench
        .store
        .sync_jobs(&[job("harbor", "dns"), job("harbor", "web")], &FixedClock(back))
        .await
        .unwrap();
    assert!(bench.commit(run("harbor", "web", back, Vec::new())).await.stored);
    let spans = bench.store.spans("harbor", "web", at("00:00:00")).await.unwrap();
    assert_eq!((spans.len(), spans[0].runs), (1, 2), "{spans:?}");
    tell(&bench, "DROP TABLE holder").await;
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(back)).await.unwrap();
    assert!(bench.store.roll_up(later(now, 531 * DAY), KEPT).await.unwrap() > 0);
    assert_eq!(rows(&bench, "job").await, 1);
}

pub(crate) async fn what_is_past_its_keeping_time_goes_and_the_rest_stays(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    let mut done = run("harbor", "web", now, vec![finding("web-down", "www")]);
    done.windows = vec![("time".to_owned(), Duration::from_hours(1))];
    done.assessment.measure(measured("time", None, 1.0));
    bench.commit(done).await;
    bench.sent(&bench.claim(later(now, 60)).await[0], later(now, 60)).await;
    bench.commit(run("harbor", "web", later(now, 3600), Vec::new())).await;
    bench.sent(&bench.claim(later(now, 3700)).await[0], later(now, 3700)).await;
    let counts = async || {
        let mut counts = Vec::new();
        for table in
            ["point", "hourly", "delivery", "incident", "change", "span", "evidence", "job"]
        {
            counts.push(rows(&bench, table).await);
        }
        counts
    };
    let before = counts().await;
    assert_eq!(before, [1, 1, 2, 1, 2, 4, 2, 2], "evidence: with one finding and with none");
    bench.store.roll_up(later(now, 60), FIGURES).await.unwrap();
    assert_eq!(counts().await, before, "nothing is old");
    bench.store.roll_up(later(now, 2 * DAY), FIGURES).await.unwrap();
    assert_eq!(counts().await, [0, 1, 2, 1, 2, 4, 2, 2]);
    bench.store.roll_up(later(now, 91 * DAY), FIGURES).await.unwrap();
    assert_eq!(counts().await, [0, 0, 0, 1, 2, 4, 2, 2]);
    bench.store.roll_up(later(now, 401 * DAY), FIGURES).await.unwrap();
    // The span of the present status stays however old it is.
    assert_eq!(counts().await, [0, 0, 0, 0, 0, 2, 1, 2]);
    assert_eq!(bench.store.latest(None).await.unwrap().len(), 2);
    bench
        .store
        .sync_jobs(&[job("harbor", "dns")], &FixedClock(later(now, 401 * DAY)))
        .await
        .unwrap();
    bench.store.roll_up(later(now, 432 * DAY), FIGURES).await.unwrap();
    assert_eq!(counts().await, [0, 0, 0, 0, 0, 1, 1, 1]);
}

pub(crate) async fn evidence_is_kept_once_and_what_nothing_points_to_goes(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    let evidence = |step: i64| Some((1, serde_json::json!({ "step": step, "total_ms": step })));
    let count = async || rows(&bench, "evidence").await;
    for step in 0..5 {
        let mut done = run("harbor", "web", later(now, step), Vec::new());
        done.evidence = Some((1, serde_json::json!({ "same": true, "total_ms": step })));
        bench.commit(done).await;
    }
    assert_eq!(count().await, 2, "that of dns, and that of web");
    for step in 10..20 {
        let mut done = run("harbor", "web", later(now, step), vec![finding("web-down", "www")]);
        done.evidence = evidence(step);
        bench.commit(done).await;
    }
    assert_eq!(count().await, 3, "that of dns, and the first and the last of the incident");
    assert_eq!(bench.previous("web", now).await.unwrap()["step"], 19);
    let mut done = run("harbor", "dns", later(now, 30), Vec::new());
    done.evidence = evidence(19);
    bench.commit(done).await;
    assert_eq!(count().await, 2, "two checks share one");
}
