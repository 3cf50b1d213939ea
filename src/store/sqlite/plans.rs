//! The statements that run often, and that each of them finds its rows by an index.

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::super::{
        SqliteStore, changes, gathered, heartbeats, incidents, jobs, look, outbox, runs, sending,
        upkeep, waking,
    };

    /// Every statement of a run, of sending and of looking at one project.
    const OFTEN: &[&str] = &[
        jobs::TAKE,
        jobs::NEXT_FREE,
        jobs::NEXT_HELD,
        runs::LOAD,
        gathered::EXTEND_SPANS,
        runs::DROP_EVIDENCE,
        runs::POINTS_OF,
        incidents::KNOWN,
        incidents::OF_JOB,
        waking::DUE,
        waking::ASLEEP,
        look::COUNTS,
        look::COUNTS_OF,
        look::INCIDENTS,
        outbox::WAITING,
        changes::SAVE_INCIDENT,
        outbox::OPEN,
        outbox::TOO_EARLY,
        outbox::DELIVERY_OF,
        sending::WAITING,
        sending::FIRST,
        sending::TOLD,
        sending::COLUMNS,
        heartbeats::KEEP,
        heartbeats::NOTE,
        heartbeats::DROP,
        heartbeats::OF_PROJECT,
        heartbeats::CALLS_OF,
        heartbeats::OLD_PROMISES,
        look::LATEST_OF,
        look::SPANS_OF,
        look::HOURS_OF,
        look::INCIDENTS_OF,
        look::CHANGES_OF,
        look::DELIVERIES_OF,
        upkeep::OLD_POINTS,
        upkeep::OLD_HOURS,
        upkeep::OLD_SPANS,
        upkeep::OLD_INCIDENTS,
        upkeep::OLD_DELIVERIES,
        upkeep::GONE_POINTS,
        upkeep::GONE_HOURS,
        upkeep::GONE_SPANS,
        upkeep::GONE_JOBS,
    ];

    /// Indices that hold no more than what waits, is held, or lasts: they may be read whole. Of `job_due`
    /// the first entry is read.
    const SMALL: &[&str] =
        &["delivery_due", "delivery_waiting", "incident_counted", "job_due", "job_lease"];

    #[tokio::test]
    async fn every_statement_that_runs_often_finds_its_rows_by_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
        let mut on = store.connections.reader().await.unwrap();
        let mut wrong = Vec::new();
        for statement in OFTEN {
            let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}"));
            for row in sqlx::query(explain).fetch_all(&mut *on).await.unwrap() {
                let step: String = row.get("detail");
                let is_small = SMALL.iter().any(|index| step.ends_with(index));
                let reads_all = step.starts_with("SCAN") && !is_small;
                // These have no rows of their own, or those of an inner statement.
                let inner =
                    ["(subquery", "json_each", "CONSTANT ROW", " theirs", " free", " shared"];
                let is_inner = inner.iter().any(|inner| step.contains(inner));
                if reads_all && !is_inner {
                    wrong.push(format!("{step}: {statement}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[tokio::test]
    async fn what_is_over_is_read_back_to_a_time_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("store.db")).await.unwrap();
        let mut on = store.connections.reader().await.unwrap();
        let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", incidents::KNOWN));
        let rows = sqlx::query(explain).fetch_all(&mut *on).await.unwrap();
        let steps: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let wanted = "USING INDEX incident_over (project=? AND resolved_at>?)";
        assert!(steps.iter().any(|step| step.ends_with(wanted)), "{steps:?}");
    }
}
