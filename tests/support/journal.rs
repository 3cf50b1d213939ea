//! A journal that the database itself keeps of each run that is stored, and what it has to show.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use launchready::engine::LEASE;
use sqlx::Row as _;

use crate::cluster::Cluster;
use crate::pair::{DATABASE, SPEED};

/// How often each job of the pair is due.
const EVERY: Duration = Duration::from_secs(30);
/// What a busy machine with two cores may be late, in its own time.
const LATE: Duration = Duration::from_secs(10);

/// A run that was stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) job: i64,
    pub(crate) due: i64,
    /// When the job is due after it.
    pub(crate) next: i64,
    pub(crate) at: i64,
    pub(crate) status: String,
    /// Who held the job.
    pub(crate) by: String,
}

/// Has the database keep a journal from now on.
pub(crate) async fn keep(cluster: &Cluster) {
    cluster
        .sql_in(
            DATABASE,
            "create table public.kept (n bigserial primary key, job bigint, due bigint, next bigint, at bigint, \
               status text, by text); \
             create function public.keep() returns trigger language plpgsql as $$ begin \
               insert into public.kept (job, due, next, at, status, by) values \
               (new.id, new.last_due, new.due_at, new.last_at, new.status, coalesce(old.lease_by, '')); \
               return new; end $$; \
             create trigger keep after update on launchready.job for each row \
               when (new.last_due is distinct from old.last_due) execute function public.keep()",
        )
        .await;
}

/// The journal, in the order in which runs were stored.
pub(crate) async fn read(cluster: &Cluster) -> Vec<Kept> {
    let mut owner = cluster.owner(DATABASE).await;
    let rows = sqlx::query("select job, due, next, at, status, by from public.kept order by n");
    let rows = rows.fetch_all(&mut owner).await.unwrap();
    let kept = |row: &sqlx::postgres::PgRow| Kept {
        job: row.get("job"),
        due: row.get("due"),
        next: row.get("next"),
        at: row.get("at"),
        status: row.get("status"),
        by: row.get("by"),
    };
    rows.iter().map(kept).collect()
}

/// The jobs of a journal.
pub(crate) fn jobs(journal: &[Kept]) -> BTreeSet<i64> {
    journal.iter().map(|kept| kept.job).collect()
}

/// Each due time is stored once and none is passed over: a job is due only when a stored run says so, and the next
/// run that is stored is of no later time. None waits longer than a lease for whoever takes over, beside the time for
/// which the database was `away`, and the spans hold every run.
pub(crate) async fn prove(cluster: &Cluster, journal: &[Kept], away: Duration) {
    let longest = EVERY + LEASE + (LATE + away).mul_f64(SPEED);
    let mut runs = BTreeMap::new();
    for job in jobs(journal) {
        let of: Vec<&Kept> = journal.iter().filter(|kept| kept.job == job).collect();
        for pair in of.windows(2) {
            assert!(pair[0].due < pair[1].due, "a due time is stored twice: {pair:?}");
            // A config that is taken over meanwhile may have it due sooner.
            assert!(pair[1].due <= pair[0].next, "a due time is passed over: {pair:?}");
            assert!(pair[0].at <= pair[1].at, "a run is before the one before it: {pair:?}");
            let gap = Duration::from_millis(u64::try_from(pair[1].at - pair[0].at).unwrap());
            assert!(gap <= longest, "a run is lost: nothing for {gap:?} at {pair:?}");
        }
        runs.insert(job, i64::try_from(of.len()).unwrap());
    }
    let mut owner = cluster.owner(DATABASE).await;
    let spans =
        "select job, from_at, to_at, runs::bigint as runs from launchready.span order by job, id";
    let mut counted: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    for row in sqlx::query(spans).fetch_all(&mut owner).await.unwrap() {
        let (job, from): (i64, i64) = (row.get("job"), row.get("from_at"));
        let (count, end) = counted.entry(job).or_insert((0, from));
        assert!(*end <= from, "spans of job {job} overlap");
        *count += row.get::<i64, _>("runs");
        *end = row.get("to_at");
    }
    let counted: BTreeMap<i64, i64> =
        counted.into_iter().map(|(job, (runs, _))| (job, runs)).collect();
    assert_eq!(counted, runs, "the spans hold every run");
}
