//! The port to programs on this machine, run without a shell and bounded in time and output.

use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// One program to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandCall {
    /// The absolute path of the program, then its arguments as they are.
    pub program: Vec<String>,
    /// Variables beside `PATH` and `LANG`; the program sees no others of the agent.
    pub environment: Vec<(String, String)>,
    /// After this many milliseconds it is ended with everything that it has started.
    pub timeout_ms: u64,
    /// More bytes than these on one of its outputs end it.
    pub max_output: usize,
}

impl CommandCall {
    /// What one output of an ordinary program may take: 64 KiB.
    pub const OUTPUT_BYTES: usize = 64 * 1024;

    /// A program with the usual limits.
    pub fn new(program: Vec<String>, timeout_ms: u64) -> Self {
        Self { program, environment: Vec::new(), timeout_ms, max_output: Self::OUTPUT_BYTES }
    }
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "how", content = "code")]
pub enum CommandEnd {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal, which was not ours.
    Signalled(i32),
    /// By us, because its time was over.
    TimedOut,
    /// By us, because it wrote more than it may.
    Flooded,
    /// By itself, with this exit code, but it left programs running, which we ended.
    LeftBehind(i32),
}

/// What a program did.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandAnswer {
    /// How it ended.
    pub end: CommandEnd,
    /// What it wrote, bounded; invalid UTF-8 as U+FFFD.
    pub stdout: String,
    /// What it complained, bounded; invalid UTF-8 as U+FFFD.
    pub stderr: String,
    /// How long it ran.
    pub duration_ms: f64,
}

/// Runs programs that the user named in the config.
///
/// A program that cannot be started is the agent's fault. When the answer is given, or nobody waits for
/// it any more, nothing that the program has started is left.
pub trait Command: Send + Sync {
    /// Runs one program to its end.
    fn run(&self, call: CommandCall) -> Answer<'_, Result<CommandAnswer, ProbeError>>;
}
