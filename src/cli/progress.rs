//! Progress on standard error: a bar on a terminal, plain lines otherwise.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::Cli;
use super::output::complain;
use crate::engine::{Outcome, Progress, RunRecord, Silent};
use crate::telemetry::LogFormat;

/// What fits the command line and standard error.
pub(super) fn of(cli: &Cli) -> Box<dyn Progress> {
    if cli.quiet {
        Box::new(Silent)
    } else if cli.log_format == LogFormat::Json {
        Box::new(Log)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bar(ProgressBar::new(0)))
    } else {
        Box::new(Lines)
    }
}

/// A message that is no result, in the form of the log.
pub(super) fn note(cli: &Cli, text: &str) {
    say(cli.quiet, cli.log_format, text);
}

/// The same, from where the command line is out of reach.
pub(super) fn say(quiet: bool, format: LogFormat, text: &str) {
    if quiet {
        return;
    }
    if format == LogFormat::Json { tracing::info!("{text}") } else { complain(text) }
}

struct Bar(ProgressBar);

impl Progress for Bar {
    fn begin(&self, total: usize) {
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} checks  {msg}") {
            self.0.set_style(style);
        }
        self.0.set_length(total as u64);
    }

    fn ended(&self, run: &RunRecord) {
        self.0.set_message(run.id.clone());
        self.0.inc(1);
    }

    fn finish(&self) {
        self.0.finish_and_clear();
    }
}

struct Lines;

impl Progress for Lines {
    fn begin(&self, total: usize) {
        complain(&format!("running {total} {}", if total == 1 { "check" } else { "checks" }));
    }

    fn ended(&self, run: &RunRecord) {
        complain(&format!("{} {} ({} ms)", word(run), run.id, run.duration_ms));
    }

    fn finish(&self) {}
}

struct Log;

impl Progress for Log {
    fn begin(&self, total: usize) {
        tracing::info!(total, "checks begin");
    }

    fn ended(&self, run: &RunRecord) {
        let outcome = word(run);
        tracing::info!(check = run.id, outcome, duration_ms = run.duration_ms, "check ended");
    }

    fn finish(&self) {
        tracing::info!("checks ended");
    }
}

const fn word(run: &RunRecord) -> &'static str {
    match run.outcome {
        Outcome::Looked { .. } => "looked",
        Outcome::Skipped { .. } => "skipped",
        Outcome::Unknown { .. } => "unknown",
    }
}
