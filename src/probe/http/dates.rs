//! Holds the clock of this machine against the `Date` that web servers send.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use launchready_checks::probe::HttpAnswer;

/// A clock that is off by more than this is off; the signatures of webhooks tolerate as much
/// (Stripe's libraries: 300 s).
const TOLERATED_S: i64 = 300;
/// Hosts whose clocks agree to this many seconds are believed.
const AGREE_S: i64 = 60;
/// One host alone may be the one that is wrong.
const HOSTS: usize = 2;
/// The most hosts that are remembered.
const KEPT: usize = 64;

/// How far each host's clock is ahead of this machine's, in seconds.
#[derive(Debug, Default)]
pub(super) struct Dates(Mutex<BTreeMap<String, i64>>);

impl Dates {
    /// Reads the date of one answer that came at `now`.
    pub(super) fn read(&self, host: &str, answer: &HttpAnswer, now: Timestamp) {
        let Some(date) = answer.header("date") else { return };
        let Ok(date) = DateTimeParser::new().parse_timestamp(date) else { return };
        // A cache may send the date of the day on which it fetched the page.
        let age = answer.header("age").and_then(|age| age.parse::<u32>().ok()).unwrap_or(0);
        let ahead = date.as_second() + i64::from(age) - now.as_second();
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < KEPT {
            hosts.entry(host.to_owned()).or_insert(ahead);
        }
    }

    /// By how many seconds this machine is behind what the hosts agree on, where that is too much.
    pub(super) fn behind(&self) -> Option<i64> {
        let hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (least, most) = (hosts.values().min()?, hosts.values().max()?);
        let agree = hosts.len() >= HOSTS && most - least <= AGREE_S;
        Some(*least).filter(|least| agree && least.abs() > TOLERATED_S)
    }
}

#[cfg(test)]
mod tests {
    use launchready_checks::probe::Timings;

    use super::*;

    fn answer(date: &str, age: Option<&str>) -> HttpAnswer {
        let mut headers = vec![("date".to_owned(), date.to_owned())];
        headers.extend(age.map(|age| ("age".to_owned(), age.to_owned())));
        HttpAnswer {
            url: "https://harbor.example/".to_owned(),
            address: [192, 0, 2, 1].into(),
            version: "HTTP/1.1".to_owned(),
            status: 200,
            headers,
            body: Vec::new().into(),
            body_cut: false,
            timings: Timings::default(),
            trust: None,
        }
    }

    #[test]
    fn a_clock_is_off_when_two_hosts_agree_that_it_is() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let right = "Sun, 01 Mar 2026 12:00:02 GMT";
        let later = "Sun, 01 Mar 2026 14:00:02 GMT";
        let behind = |said: &[(&str, &str, Option<&str>)]| {
            let dates = Dates::default();
            for (host, date, age) in said {
                dates.read(host, &answer(date, *age), now);
            }
            dates.behind()
        };
        assert_eq!(behind(&[("a.test", right, None), ("b.test", right, None)]), None);
        assert_eq!(behind(&[("a.test", later, None), ("b.test", later, None)]), Some(7202));
        assert_eq!(behind(&[("a.test", later, None)]), None, "one host may be wrong itself");
        assert_eq!(behind(&[("a.test", later, None), ("b.test", right, None)]), None);
        let cached = "Sun, 01 Mar 2026 09:00:00 GMT";
        let old = Some("10800");
        assert_eq!(behind(&[("a.test", cached, old), ("b.test", cached, old)]), None);
        assert_eq!(behind(&[("a.test", "yesterday", None), ("b.test", "", None)]), None);
    }
}
