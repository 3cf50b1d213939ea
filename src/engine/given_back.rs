//! Jobs that an agent took and gave back, so that another one may take them: not the same ones again and again
//! where no other does.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::store::JobKey;

/// A job that came back so often within a lease stays where it is until the lease ends: nobody else takes it.
const TIMES: u32 = 10;

/// How often each job was given back of late.
#[derive(Debug, Default)]
pub(super) struct GivenBack(HashMap<JobKey, Times>);

#[derive(Debug, Clone, Copy)]
struct Times {
    count: u32,
    last: Instant,
}

impl GivenBack {
    /// Takes note of jobs that are given back now, and says how many of them nobody else wants by now.
    pub(super) fn note(&mut self, jobs: Vec<JobKey>, now: Instant, lease: Duration) -> usize {
        self.0.retain(|_, times| now.saturating_duration_since(times.last) < lease);
        let mut unwanted = 0;
        for job in jobs {
            let times = self.0.entry(job).or_insert(Times { count: 0, last: now });
            *times = Times { count: times.count.saturating_add(1), last: now };
            unwanted += usize::from(times.count == TIMES);
        }
        unwanted
    }

    /// Those that stay held until their lease ends.
    pub(super) fn held(&self, now: Instant, lease: Duration) -> impl Iterator<Item = &JobKey> {
        let held = self.0.iter().filter(move |(_, times)| {
            times.count >= TIMES && now.saturating_duration_since(times.last) < lease
        });
        held.map(|(job, _)| job)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_nobody_else_takes_is_held_for_a_lease_and_then_offered_again() {
        let lease = Duration::from_mins(3);
        let job = |check: &str| JobKey { project: "quay".to_owned(), check: check.to_owned() };
        let mut back = GivenBack::default();
        let mut now = Instant::now();
        let held = |back: &GivenBack, now: Instant| -> Vec<String> {
            back.held(now, lease).map(|job| job.check.clone()).collect()
        };
        for _ in 1..TIMES {
            assert_eq!(back.note(vec![job("web"), job("dns")], now, lease), 0);
            assert!(held(&back, now).is_empty());
            now += Duration::from_secs(1);
        }
        // The other one was taken by somebody meanwhile.
        assert_eq!(back.note(vec![job("web")], now, lease), 1);
        assert_eq!(held(&back, now), ["web"]);
        now += Duration::from_mins(2);
        assert_eq!(back.note(vec![job("mail")], now, lease), 0);
        assert_eq!(held(&back, now), ["web"]);
        now += lease;
        assert!(held(&back, now).is_empty());
        assert_eq!(back.note(vec![job("web"), job("dns")], now, lease), 0);
        assert!(held(&back, now).is_empty(), "others may have read their config again");
    }
}
