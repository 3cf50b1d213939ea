//! A job that has promised to call: what the agent waits for.

use std::fmt;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{Age, HeartbeatFacts};

use super::secret::Secret;
use crate::schedule::Schedule;

/// A call that comes this much before its time, or by half of the shortest gap where that is less, counts
/// for it: the clocks of two machines are never quite the same.
const EARLY: Duration = Duration::from_mins(1);

/// When a job calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Its name, unique within the project.
    pub name: String,
    /// How often, or at which times.
    pub schedule: Schedule,
    /// How late a call may be.
    pub grace: Duration,
    /// How long a run may last, for jobs that also say when they begin.
    pub max_runtime: Option<Duration>,
}

/// The token by which the calls of a promise are known.
#[derive(Debug, Clone)]
pub struct HeartbeatToken {
    /// The project's name.
    pub project: String,
    /// The promise's name.
    pub name: String,
    /// The token.
    pub token: Secret,
}

impl Promise {
    /// When the next call is due after one at `last`, without the grace.
    pub fn due_after(&self, last: Timestamp) -> Timestamp {
        let later = |by: Duration| {
            let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
            last.checked_add(by).unwrap_or(Timestamp::MAX)
        };
        match &self.schedule {
            Schedule::Every(interval) => later(*interval),
            Schedule::Cron(cron) => {
                let early = EARLY.min(self.schedule.shortest() / 2);
                cron.after(later(early)).unwrap_or(Timestamp::MAX)
            }
        }
    }

    /// What a check is told of it.
    pub fn facts(&self) -> HeartbeatFacts {
        HeartbeatFacts {
            name: self.name.clone(),
            rhythm: self.to_string(),
            grace: Age(self.grace),
            max_runtime: self.max_runtime.map(Age),
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schedule {
            Schedule::Every(interval) => write!(f, "every {}", Age(*interval)),
            Schedule::Cron(cron) => write!(f, "at {:?} ({})", cron.text(), cron.zone_name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::{Cron, read_zone};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn promise(schedule: Schedule) -> Promise {
        let (name, grace) = ("backup".to_owned(), Duration::from_hours(1));
        Promise { name, schedule, grace, max_runtime: None }
    }

    fn cron(text: &str) -> Promise {
        promise(Schedule::Cron(Cron::new(text, read_zone("Europe/Berlin").unwrap()).unwrap()))
    }

    #[test]
    fn a_period_counts_from_the_last_call() {
        let daily = promise(Schedule::Every(Duration::from_hours(24)));
        assert_eq!(daily.due_after(at("2026-11-22T03:11:40Z")), at("2026-11-23T03:11:40Z"));
        assert_eq!(daily.to_string(), "every 24h");
        assert_eq!(daily.due_after(Timestamp::MAX), Timestamp::MAX);
    }

    #[test]
    fn a_cron_expression_has_its_own_times_and_a_call_may_come_a_little_early() {
        let nightly = cron("0 3 * * *");
        assert_eq!(nightly.to_string(), "at \"0 3 * * *\" (Europe/Berlin)");
        // Three in Berlin is two in UTC in winter.
        assert_eq!(nightly.due_after(at("2026-11-22T02:05:00Z")), at("2026-11-23T02:00:00Z"));
        assert_eq!(nightly.due_after(at("2026-11-22T01:59:30Z")), at("2026-11-23T02:00:00Z"));
        assert_eq!(nightly.due_after(at("2026-11-22T01:58:00Z")), at("2026-11-22T02:00:00Z"));
        let each_minute = cron("* * * * *");
        assert_eq!(each_minute.due_after(at("2026-11-22T02:05:10Z")), at("2026-11-22T02:06:00Z"));
        assert_eq!(each_minute.due_after(at("2026-11-22T02:05:40Z")), at("2026-11-22T02:07:00Z"));
    }
}
