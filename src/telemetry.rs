//! Log lines on standard error.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// A complaint that stays the same is written so often: a database that is away for a night says so some hundred
/// times and not a hundred thousand.
const AGAIN: Duration = Duration::from_mins(1);
/// The target of what loops complain of that go round several times a second. What is said elsewhere is said of one
/// event each time, such as of a config that was read again.
const LOOPS: &str = "loops";
/// So many complaints are remembered. With more of them at once, some are written more often.
const REMEMBERED: usize = 1_000;

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging: warnings and worse, everything down to `debug` when `verbose`. What a loop complains of is written
/// once a minute at most.
pub fn start(format: LogFormat, verbose: bool) {
    let level = match (format, verbose) {
        (_, true) => LevelFilter::DEBUG,
        (LogFormat::Json, false) => LevelFilter::INFO,
        (LogFormat::Text, false) => LevelFilter::WARN,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    let once = Complaints::default();
    // A second start, as in tests, keeps the first.
    match format {
        LogFormat::Text => drop(builder.with_target(false).finish().with(once).try_init()),
        LogFormat::Json => drop(builder.json().finish().with(once).try_init()),
    }
}

/// Logs an error of a loop, with its cause; the log takes the same words once a minute.
pub(crate) fn complain(error: impl std::error::Error + Send + Sync + 'static) {
    tracing::error!(target: LOOPS, "{:#}", anyhow::Error::new(error));
}

/// Holds back what a loop complained of a moment ago, with the same words.
#[derive(Debug, Default)]
struct Complaints(Mutex<HashMap<String, Instant>>);

impl Complaints {
    fn is_due(&self, words: String, now: Instant) -> bool {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if written.get(&words).is_some_and(|before| now.duration_since(*before) < AGAIN) {
            return false;
        }
        if written.len() >= REMEMBERED {
            written.retain(|_, before| now.duration_since(*before) < AGAIN);
        }
        if written.len() < REMEMBERED {
            written.insert(words, now);
        }
        true
    }
}

impl<S: Subscriber> Layer<S> for Complaints {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        if level > Level::WARN || target != LOOPS {
            return true;
        }
        let mut words = Words(String::new());
        event.record(&mut words);
        self.is_due(words.0, Instant::now())
    }
}

/// All fields of an event, as text.
struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        _ = write!(self.0, " {field}={value:?}");
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_same_complaint_is_written_once_and_another_one_at_once() {
        let written = Written::default();
        let writer = written.clone();
        let log = tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false);
        tracing::subscriber::with_default(log.finish().with(Complaints::default()), || {
            for round in 0..5 {
                tracing::error!(target: LOOPS, "the store is away");
                tracing::warn!(target: LOOPS, channel = "founder", "a message waits");
                tracing::warn!(target: LOOPS, channel = "desk", "a message waits");
                tracing::info!(target: LOOPS, "going round");
                tracing::warn!("read again");
                if round == 3 {
                    tracing::error!(target: LOOPS, "the store refuses");
                }
            }
        });
        let written = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let count = |part: &str| written.matches(part).count();
        assert_eq!((count("the store is away"), count("the store refuses")), (1, 1), "{written}");
        assert_eq!((count("founder"), count("desk")), (1, 1), "{written}");
        assert_eq!((count("going round"), count("read again")), (5, 5), "{written}");
    }

    #[test]
    fn a_complaint_that_lasts_is_written_again_after_a_minute() {
        let complaints = Complaints::default();
        let now = Instant::now();
        let due = |words: &str, after| complaints.is_due(words.to_owned(), now + after);
        assert!(due("away", Duration::ZERO));
        assert!(!due("away", AGAIN / 2) && due("away", AGAIN) && !due("away", AGAIN));
        // However many there are, what is remembered has an end.
        for number in 0..2 * REMEMBERED {
            assert!(due(&number.to_string(), AGAIN));
        }
        assert!(complaints.0.lock().unwrap().len() <= REMEMBERED);
    }
}
