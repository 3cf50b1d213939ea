//! What several runs write into the rows of their jobs, gathered and written by one statement for all of them: a
//! statement of its own for each run is most of what storing it costs.

use std::collections::{BTreeMap, HashMap};

use sqlx::postgres::PgConnection;

use crate::store::fault::Fault;
use crate::store::row::Columns as _;
use crate::store::runs::{Job, Next, duration_ms, measured, points};
use crate::store::words::{ms, plain};
use crate::store::{Committed, Finished};

/// A job that was moved during its run is due then, where that is sooner: see [`Next`]. The span of a job whose run
/// was like the one before becomes longer.
pub(super) const SAVE: &str = "WITH longer AS (UPDATE span \
       SET to_at = greatest(to_at, more.at), runs = runs + 1 \
       FROM unnest($20::bigint[], $21::bigint[]) AS more (id, at) WHERE span.id = more.id) \
     UPDATE job SET due_at = CASE WHEN job.due_at > run.last_due \
         THEN least(run.due_at, greatest(job.due_at, run.last_at + 1000)) ELSE run.due_at END, \
       early = run.early AND (job.due_at <= run.last_due OR job.due_at >= run.due_at), \
       lease_by = NULL, lease_until = NULL, last_due = run.last_due, last_at = run.last_at, \
       last_look = run.last_look, duration_ms = run.duration_ms, status = run.status, since = run.since, \
       reason = run.reason, unlock = run.unlock, blind_runs = run.blind_runs, \
       blind_since = run.blind_since, span = run.span, judged = run.judged, carried = run.carried, \
       measured = run.measured, hour = run.hour, figures = run.figures \
     FROM unnest($1::bigint[], $2::bigint[], $3::bool[], $4::bigint[], $5::bigint[], $6::bigint[], \
         $7::bigint[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], \
         $14::bigint[], $15::bytea[], $16::bytea[], $17::text[], $18::bigint[], $19::bytea[]) \
       AS run (id, due_at, early, last_due, last_at, last_look, duration_ms, status, since, reason, unlock, \
         blind_runs, blind_since, span, judged, carried, measured, hour, figures) \
     WHERE job.id = run.id RETURNING job.id, job.due_at";

pub(super) const KEEP_POINTS: &str = "INSERT INTO point (job, at, name, subject, value, keep_until) \
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::float8[], $6::bigint[]) \
     ON CONFLICT (job, at, name, md5(subject)) \
     DO UPDATE SET value = excluded.value, keep_until = excluded.keep_until";

/// What is known of a run only when everything else of it is written.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) next: Next,
    pub(super) span: Span,
    pub(super) judged: Vec<u8>,
    pub(super) carried: Option<Vec<u8>>,
    pub(super) hour: i64,
    pub(super) figures: Vec<u8>,
}

/// The span of a run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Span {
    /// It began with the run.
    New(i64),
    /// The run makes it longer.
    Longer(i64),
}

/// Rows of jobs by columns, each job once.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Where each run stands in what is committed.
    places: HashMap<i64, usize>,
    id: Vec<i64>,
    due_at: Vec<i64>,
    early: Vec<bool>,
    last_due: Vec<i64>,
    last_at: Vec<i64>,
    last_look: Vec<Option<i64>>,
    duration_ms: Vec<i64>,
    status: Vec<&'static str>,
    since: Vec<i64>,
    reason: Vec<Option<String>>,
    unlock: Vec<Option<String>>,
    blind_runs: Vec<i64>,
    blind_since: Vec<Option<i64>>,
    span: Vec<i64>,
    judged: Vec<Vec<u8>>,
    carried: Vec<Option<Vec<u8>>>,
    measured: Vec<String>,
    hour: Vec<i64>,
    figures: Vec<Vec<u8>>,
    longer: Vec<i64>,
    longer_at: Vec<i64>,
    points: Points,
}

impl Gathered {
    /// Adds a run, which stands at a place of what is committed.
    pub(super) fn push(
        &mut self,
        place: usize,
        job: &Job,
        run: &Finished,
        row: Row,
    ) -> Result<(), Fault> {
        let started = ms(run.started_at);
        let (look, blind_runs, blind_since) = job.sight(run);
        let of = |text: &str| plain(text).into_owned();
        let span = match row.span {
            Span::New(span) => span,
            Span::Longer(span) => {
                self.longer.push(span);
                self.longer_at.push(started);
                span
            }
        };
        self.places.insert(job.id, place);
        self.id.push(job.id);
        self.due_at.push(ms(row.next.at));
        self.early.push(row.next.early);
        self.last_due.push(ms(run.due_at));
        self.last_at.push(started);
        self.last_look.push(look);
        self.duration_ms.push(duration_ms(run));
        self.status.push(run.status.as_str());
        self.since.push(job.since(run));
        self.reason.push(run.reason.as_ref().map(|(reason, _)| of(reason)));
        self.unlock.push(run.reason.as_ref().map(|(_, unlock)| of(unlock)));
        self.blind_runs.push(blind_runs);
        self.blind_since.push(blind_since);
        self.span.push(span);
        self.judged.push(row.judged);
        self.carried.push(row.carried);
        self.measured.push(measured(run)?);
        self.hour.push(row.hour);
        self.figures.push(row.figures);
        self.points.push(job.id, run);
        Ok(())
    }

    /// Writes what is gathered, and says when each job is due. Nothing is gathered then.
    pub(super) async fn write(
        &mut self,
        on: &mut PgConnection,
        committed: &mut [Committed],
    ) -> Result<(), Fault> {
        if self.id.is_empty() {
            return Ok(());
        }
        let all = std::mem::take(self);
        let rows = sqlx::query(SAVE)
            .bind(all.id)
            .bind(all.due_at)
            .bind(all.early)
            .bind(all.last_due)
            .bind(all.last_at)
            .bind(all.last_look)
            .bind(all.duration_ms)
            .bind(all.status)
            .bind(all.since)
            .bind(all.reason)
            .bind(all.unlock)
            .bind(all.blind_runs)
            .bind(all.blind_since)
            .bind(all.span)
            .bind(all.judged)
            .bind(all.carried)
            .bind(all.measured)
            .bind(all.hour)
            .bind(all.figures)
            .bind(all.longer)
            .bind(all.longer_at)
            .fetch_all(&mut *on)
            .await?;
        for row in &rows {
            let place = all.places.get(&row.number("id")?);
            if let Some(one) = place.and_then(|place| committed.get_mut(*place)) {
                one.next_due = row.time("due_at")?;
            }
        }
        all.points.write(on).await
    }
}

/// Single values of the measurements that checks read as history, by columns.
#[derive(Debug, Default)]
struct Points {
    job: Vec<i64>,
    at: Vec<i64>,
    name: Vec<String>,
    subject: Vec<String>,
    value: Vec<f64>,
    keep_until: Vec<i64>,
}

impl Points {
    /// Adds those of a run. Of two with one name and subject the later one is kept.
    fn push(&mut self, job: i64, run: &Finished) {
        let of = |text: &str| plain(text).into_owned();
        let kept: BTreeMap<_, _> =
            points(run).map(|point| ((of(point.name), of(point.subject)), point)).collect();
        for ((name, subject), point) in kept {
            self.job.push(job);
            self.at.push(ms(run.started_at));
            self.name.push(name);
            self.subject.push(subject);
            self.value.push(point.value);
            self.keep_until.push(point.until);
        }
    }

    async fn write(self, on: &mut PgConnection) -> Result<(), Fault> {
        if self.job.is_empty() {
            return Ok(());
        }
        sqlx::query(KEEP_POINTS)
            .bind(self.job)
            .bind(self.at)
            .bind(self.name)
            .bind(self.subject)
            .bind(self.value)
            .bind(self.keep_until)
            .execute(on)
            .await?;
        Ok(())
    }
}
