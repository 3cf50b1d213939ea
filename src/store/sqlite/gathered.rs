//! What several runs leave behind that nobody reads before all of them are stored, written by one statement for all:
//! each statement goes from one thread to another and back, which costs more than what it does.

use sqlx::QueryBuilder;
use sqlx::sqlite::SqliteConnection;

use crate::store::Finished;
use crate::store::fault::Fault;
use crate::store::runs::points;
use crate::store::words::{json, ms};

pub(super) const EXTEND_SPANS: &str = "UPDATE span SET to_at = max(to_at, json_each.value ->> 1), runs = runs + 1 \
     FROM json_each(?1) WHERE span.id = json_each.value ->> 0";

/// The most points of one statement: six values each, of which a statement may have 32,766.
const TOGETHER: usize = 1_000;

/// Spans that become longer, and single values of measurements.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Each span with the begin of its last run.
    longer: Vec<(i64, i64)>,
    points: Vec<Point>,
}

#[derive(Debug)]
struct Point {
    job: i64,
    at: i64,
    name: String,
    subject: String,
    value: f64,
    keep_until: i64,
}

impl Gathered {
    /// A run makes the span longer that the one before began.
    pub(super) fn make_longer(&mut self, span: i64, run: &Finished) {
        self.longer.push((span, ms(run.started_at)));
    }

    /// Adds the measurements of a run that its check reads as history.
    pub(super) fn push_points(&mut self, job: i64, run: &Finished) {
        self.points.extend(points(run).map(|point| Point {
            job,
            at: ms(run.started_at),
            name: point.name.to_owned(),
            subject: point.subject.to_owned(),
            value: point.value,
            keep_until: point.until,
        }));
    }

    /// Writes what is gathered. Nothing is gathered then.
    pub(super) async fn write(&mut self, on: &mut SqliteConnection) -> Result<(), Fault> {
        let Self { longer, points } = std::mem::take(self);
        if !longer.is_empty() {
            sqlx::query(EXTEND_SPANS).bind(json(&longer)?).execute(&mut *on).await?;
        }
        for together in points.chunks(TOGETHER) {
            let mut insert = QueryBuilder::new(
                "INSERT OR REPLACE INTO point (job, at, name, subject, value, keep_until) ",
            );
            insert.push_values(together, |mut row, point| {
                row.push_bind(point.job)
                    .push_bind(point.at)
                    .push_bind(&point.name)
                    .push_bind(&point.subject)
                    .push_bind(point.value)
                    .push_bind(point.keep_until);
            });
            // Its text is of as many rows as there are, and seldom the same again.
            insert.build().persistent(false).execute(&mut *on).await?;
        }
        Ok(())
    }
}
