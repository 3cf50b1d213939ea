//! Upkeep: in parts that a server takes, and each step for itself.

use std::time::Duration;

use jiff::Timestamp;
use launchready::incident::Waiver;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};

use crate::bench::{Bench, at, job, later, run};

const DAY: i64 = 24 * 3600;
/// Hourly figures are kept for so long.
const KEPT: Duration = Duration::from_hours(400 * 24);
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
    bench.store.sync_jobs(&[job("harbor", "dns")], now).await.unwrap();
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
    bench.store.sync_jobs(&[job("harbor", "dns")], now).await.unwrap();
    // The job cannot go: something else points to it.
    let hold = "CREATE TABLE holder (job BIGINT REFERENCES job (id)); \
                INSERT INTO holder SELECT id FROM job WHERE check_id = 'web'";
    tell(&bench, hold).await;
    bench.store.roll_up(later(now, 500 * DAY), KEPT).await.unwrap_err();
    assert!(bench.store.waivers().await.unwrap().is_empty(), "later steps are taken");
    assert_eq!(rows(&bench, "job").await, 2);
    // The config has it again before its turn has come.
    let back = later(now, 500 * DAY);
    bench.store.sync_jobs(&[job("harbor", "dns"), job("harbor", "web")], back).await.unwrap();
    assert!(bench.commit(run("harbor", "web", back, Vec::new())).await.stored);
    let spans = bench.store.spans("harbor", "web", at("00:00:00")).await.unwrap();
    assert_eq!((spans.len(), spans[0].runs), (1, 2), "{spans:?}");
    tell(&bench, "DROP TABLE holder").await;
    bench.store.sync_jobs(&[job("harbor", "dns")], back).await.unwrap();
    assert!(bench.store.roll_up(later(now, 531 * DAY), KEPT).await.unwrap() > 0);
    assert_eq!(rows(&bench, "job").await, 1);
}
