//! Results on standard output or in a file, messages on standard error.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use launchready_checks::contract::Severity;

use super::UsageError;
use super::args::Format;
use crate::report::{Paint, Report};

/// Writes results; a reader that has gone away, as `head` does, ends it quietly.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Writes a message to standard error.
pub(super) fn complain(text: &str) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Colours and width of standard output: `NO_COLOR`, `CLICOLOR_FORCE` and `TERM` are honoured.
pub(super) fn paint() -> Paint {
    let choice = anstream::AutoStream::choice(&io::stdout());
    let width = if io::stdout().is_terminal() {
        terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0))
    } else {
        80
    };
    Paint { colour: choice != anstream::ColorChoice::Never, width }
}

/// Draws a report in a form.
pub(super) fn draw(report: &Report, format: Format, fail_on: Severity, paint: Paint) -> String {
    match format {
        Format::Terminal => crate::report::to_terminal(report, paint),
        Format::Json => crate::report::to_json(report),
        Format::Markdown => crate::report::to_markdown(report),
        Format::Html => crate::report::to_html(report),
        Format::Sarif => crate::report::to_sarif(report),
        Format::Junit => crate::report::to_junit(report, fail_on),
    }
}

/// A place for a report that was found to be writable before the work began.
#[derive(Debug)]
pub(super) enum Place {
    /// Standard output.
    Stdout,
    /// A file.
    File(PathBuf),
}

impl Place {
    /// Checks that the file which this option names can be written, without touching what is there.
    pub(super) fn prepare(out: Option<&Path>, option: &str) -> anyhow::Result<Self> {
        let Some(path) = out else { return Ok(Self::Stdout) };
        let refuse = |why: String| {
            let text = format!(
                "cannot write {}: {why}; name a file in a folder that exists and that you may write to with {option}",
                path.display()
            );
            anyhow::Error::from(UsageError(text))
        };
        if path.is_dir() {
            return Err(refuse("it is a folder".to_owned()));
        }
        let trial = beside(path);
        std::fs::write(&trial, b"").map_err(|error| refuse(error.to_string()))?;
        std::fs::remove_file(&trial).map_err(|error| refuse(error.to_string()))?;
        Ok(Self::File(path.to_owned()))
    }

    /// Writes the whole text, or nothing.
    pub(super) fn write(&self, text: &str) -> anyhow::Result<()> {
        match self {
            Self::Stdout => {
                print(text);
                Ok(())
            }
            Self::File(path) => {
                let partial = beside(path);
                let write = std::fs::write(&partial, text);
                write.and_then(|()| std::fs::rename(&partial, path)).map_err(|error| {
                    drop(std::fs::remove_file(&partial));
                    anyhow::Error::from(error).context(format!("cannot write {}", path.display()))
                })
            }
        }
    }
}

fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
