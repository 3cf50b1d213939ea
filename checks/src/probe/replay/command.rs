//! The port to programs, answered from a written-down world.

use serde::{Deserialize, Serialize};

use super::{Replay, fault};
use crate::probe::{Answer, Command, CommandAnswer, CommandCall, CommandEnd, ProbeError};

/// What one program does.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct CommandEntry {
    /// The program with its first arguments; more arguments may follow.
    pub program: Vec<String>,
    /// How it ends; exit code 0 unless said otherwise.
    pub end: Option<CommandEnd>,
    /// What it writes.
    pub stdout: String,
    /// What it complains.
    pub stderr: String,
    /// How long it runs.
    pub duration_ms: f64,
    /// Fails instead, as in [`super::HttpEntry::fault`].
    pub fault: Option<String>,
    /// Answers only the n-th run and later ones (counting from 1).
    pub from_run: usize,
}

impl Command for Replay {
    fn run(&self, call: CommandCall) -> Answer<'_, Result<CommandAnswer, ProbeError>> {
        let nth = self.count(format!("RUN {}", call.program.join(" ")));
        let entries = self.world.command.iter().rev();
        let mut entries = entries
            .filter(|entry| call.program.starts_with(&entry.program) && nth >= entry.from_run);
        let answer = match entries.next() {
            None => Err(fault("misconfigured", "no such program is written down")),
            Some(entry) => match &entry.fault {
                Some(word) => Err(fault(word, "the program")),
                None => Ok(CommandAnswer {
                    end: entry.end.unwrap_or(CommandEnd::Exited(0)),
                    stdout: entry.stdout.clone(),
                    stderr: entry.stderr.clone(),
                    duration_ms: entry.duration_ms,
                }),
            },
        };
        Box::pin(async move { answer })
    }
}
