//! Log lines on standard error.

use tracing_subscriber::filter::LevelFilter;

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging: warnings and worse, everything down to `debug` when `verbose`.
pub fn start(format: LogFormat, verbose: bool) {
    let level = match (format, verbose) {
        (_, true) => LevelFilter::DEBUG,
        (LogFormat::Json, false) => LevelFilter::INFO,
        (LogFormat::Text, false) => LevelFilter::WARN,
    };
    let builder = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    // A second start, as in tests, keeps the first.
    match format {
        LogFormat::Text => drop(builder.with_target(false).try_init()),
        LogFormat::Json => drop(builder.json().try_init()),
    }
}
