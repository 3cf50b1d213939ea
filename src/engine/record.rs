//! What an audit saw: everything that the judgement needs, so that it can be judged again.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Age, History, Target, json};
use launchready_checks::probe::AgentFault;
use launchready_checks::registry;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::handover::Handover;
use crate::files;
use crate::incident::Waiver;

/// One audit, before it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// The version that looked.
    pub version: String,
    /// When the audit began; also the time that everything is judged at.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// The declared facts.
    pub target: Target,
    /// Parts that the product does not have.
    pub not_used: Vec<String>,
    /// Waivers that an agent with the same config keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// What config and store say for whoever takes the project over; none without a config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// The command that looks again; `{id}` stands for the check.
    pub recheck: String,
    /// The config that named the project, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// By how many seconds the clock of this machine was behind, where web servers agree that it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_behind_s: Option<i64>,
    /// The runs, in the order of the registry.
    #[serde(skip)]
    pub runs: Vec<RunRecord>,
}

impl AuditRecord {
    /// The command that looks again with one check.
    pub fn recheck(&self, id: &str) -> String {
        self.recheck.replacen("{id}", id, 1)
    }

    /// That the clock of this machine is off, and the step that mends it.
    pub fn clock_off(&self) -> Option<(String, String)> {
        let behind = self.clock_behind_s?;
        let way = if behind > 0 { "behind" } else { "ahead of" };
        let seconds = behind.unsigned_abs();
        let unit = match seconds {
            172_800.. => 86_400,
            7_200.. => 3_600,
            _ => 60,
        };
        let off = Age(Duration::from_secs(seconds - seconds % unit));
        let fault = AgentFault::ClockOff(format!("{off} {way} what web servers say"));
        Some((fault.to_string(), fault.unlock().to_owned()))
    }
}

/// One run of one check, before it is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The check's id.
    pub id: String,
    /// The version of its evidence.
    pub evidence_version: u32,
    /// The options in force.
    pub options: Value,
    /// How long it took.
    pub duration_ms: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// The approved evidence that drift is measured against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Value>,
    /// The evidence of the last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Value>,
    /// Bounded windows of the check's own measurements.
    #[serde(default)]
    pub history: History,
    /// What the next run is given; the judgement does not need it.
    #[serde(skip)]
    pub carry: Option<Value>,
}

/// What came of one look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum Outcome {
    /// It looked.
    Looked {
        /// What it saw.
        evidence: Value,
    },
    /// It does not apply or is not configured.
    Skipped {
        /// Why.
        reason: String,
        /// The step that makes it run.
        unlock: String,
    },
    /// It could not look.
    Unknown {
        /// Why.
        cause: String,
        /// The step that unlocks it.
        unlock: String,
    },
}

/// Why stored evidence could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A file cannot be written.
    #[error("cannot write evidence to {path}; name a folder that you may write to")]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file cannot be read.
    #[error("cannot read evidence from {path}; name the folder that --save-evidence wrote")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file is no evidence.
    #[error("{path} is no evidence of launchready")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: json::Error,
    },
}

/// The file with the facts about the audit itself.
const AUDIT: &str = "audit.json";
/// More is no record.
const RECORD_BYTES: u64 = 64 * 1024 * 1024;

fn failed(path: &Path) -> impl FnOnce(io::Error) -> EvidenceError {
    let path = path.to_owned();
    move |source| EvidenceError::Write { path, source }
}

/// Makes the folder, so that a place that cannot be written is known before the look.
///
/// # Errors
/// The folder cannot be made.
pub fn prepare_evidence(folder: &Path) -> Result<(), EvidenceError> {
    std::fs::create_dir_all(folder).map_err(failed(folder))
}

/// Writes one file per check and one for the audit, and takes away those of an earlier audit.
///
/// # Errors
/// A file cannot be written.
pub fn save_evidence(folder: &Path, record: &AuditRecord) -> Result<(), EvidenceError> {
    prepare_evidence(folder)?;
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(failed(&path))
    };
    for plugin in registry::ALL {
        let path = folder.join(format!("{}.json", plugin.meta.id));
        if path.exists() {
            std::fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    write(AUDIT, pretty(record))?;
    for run in &record.runs {
        write(&format!("{}.json", run.id), pretty(run))?;
    }
    Ok(())
}

/// Reads what [`save_evidence`] wrote; `ids` gives the order of the runs.
///
/// # Errors
/// A file cannot be read or is no evidence.
pub fn load_evidence(folder: &Path, ids: &[&str]) -> Result<AuditRecord, EvidenceError> {
    let mut record: AuditRecord = read(&folder.join(AUDIT))?;
    for id in ids {
        let path = folder.join(format!("{id}.json"));
        if path.exists() {
            record.runs.push(read(&path)?);
        }
    }
    Ok(record)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, EvidenceError> {
    let text = files::read_text(path, RECORD_BYTES)
        .map_err(|source| EvidenceError::Read { path: path.to_owned(), source })?;
    json::from_str(&text)
        .map_err(|source| EvidenceError::Malformed { path: path.to_owned(), source })
}

/// Our own types have string keys and finite numbers only, so they always become JSON.
fn pretty<T: Serialize>(value: &T) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default() + "\n"
}
