//! `secrets-source`: see `source.md`.

mod collect;
mod function;
mod judge;
mod place;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::collect::{Collector, Findings};
use super::leak::shortened;
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx, MeasurementSpec,
    Need, Schedule, Target, Unit, Unseen, Vantage,
};
use crate::probe::{FileLook, Folder, ProbeError, Probes};

const SECRET: FindingSpec = FindingSpec::critical(
    "source-secret",
    "A private key stands in a source file",
    "Everybody who can read the repository, now or after a leaked laptop or a changed setting, can \
     take money, customer data or mail in your name.",
);
const IN_BUILD: FindingSpec = FindingSpec::critical(
    "source-secret-in-build",
    "A private key stands in build output",
    "The next deployment publishes it: every visitor can then use it.",
);
const PUBLIC_VARIABLE: FindingSpec = FindingSpec::critical(
    "source-public-variable",
    "A variable that bundlers publish holds a private key",
    "The prefix of the name tells the bundler to write the value into what browsers download, so the \
     next build publishes it.",
);
const IN_HISTORY: FindingSpec = FindingSpec::critical(
    "source-secret-in-history",
    "A private key stands in the git history",
    "Deleting a line does not delete it from history: every clone still holds the key.",
);
const POSSIBLE: FindingSpec = FindingSpec::warning(
    "source-possible-secret",
    "What looks like a private key stands in a source file",
    "If it is one, everybody who can read the repository can use it; only you can tell, because its \
     shape alone does not prove it.",
);
const SERVICE_ROLE: FindingSpec = FindingSpec::warning(
    "source-service-role-in-function",
    "An Edge Function uses the service role for callers that it does not check",
    "The service role passes every access rule: whoever calls the function with any token may read \
     or change the data of other customers.",
);
const TEST_KEY: FindingSpec = FindingSpec::info(
    "source-test-key",
    "Secret keys of a test mode stand in the sources",
    "They open no real money, but a live key that is set by the same hand ends in the same place.",
);

/// Keys in a folder, its build output, its environment files and its git history.
#[derive(Debug)]
pub struct Source;

/// Limits of `secrets-source`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether every version in the git history is read too.
    pub history: bool,
    /// Larger files are not read, in mebibytes.
    pub max_file_mib: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { history: true, max_file_mib: 16 }
    }
}

/// What was read, and where keys stand in it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    path: String,
    look: FileLook,
    found: Findings,
}

const FILES: MeasurementSpec = MeasurementSpec {
    name: "files-read",
    metric: "launchready_secrets_source_read_files",
    unit: Unit::Count,
    help: "Files of the source folder that were searched for keys.",
    label: None,
    window: Duration::ZERO,
};

impl Check for Source {
    const META: CheckMeta = CheckMeta {
        id: "secrets-source",
        area: Area::Secrets,
        title: "Keys in source files and history",
        vantage: Vantage::Source,
        findings: &[
            SECRET,
            IN_BUILD,
            PUBLIC_VARIABLE,
            IN_HISTORY,
            POSSIBLE,
            SERVICE_ROLE,
            TEST_KEY,
        ],
        measurements: &[FILES],
        default_schedule: Schedule::Every(Duration::from_hours(24)),
        min_interval: Duration::from_mins(10),
        timeout: Duration::from_secs(40),
        needs: &[Need::Setting("project.source")],
        evidence_version: 1,
        doc: include_str!("../source.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let Some(source) = &target.source else {
            return Err(CheckError::skipped(
                "no source folder is given",
                "launchready check secrets-source PATH, or path under [project.source] in the config",
            ));
        };
        let folder = Folder {
            path: source.path.clone(),
            history: look.options.history,
            max_file_bytes: look.options.max_file_mib.saturating_mul(1024 * 1024),
        };
        let collector = Collector::new(&target.project);
        let seen = probes.files.walk(folder, &|file| collector.visit(file)).await;
        let seen = seen.map_err(|error| match error {
            ProbeError::Agent(fault) => CheckError::from(fault),
            ProbeError::Target(fault) => CheckError::unknown(
                format!("{}: {fault}", source.path),
                "give the path of a folder that can be read",
            ),
        })?;
        if seen.files == 0 && seen.versions == 0 {
            return Err(CheckError::unknown(
                format!("no file of {} was read", source.path),
                "give the path of the folder that holds the product's sources",
            ));
        }
        let path = shortened(&source.path);
        Ok((Evidence { path, look: bounded(seen), found: collector.finish() }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        judge::keys(&evidence.found, &evidence.path, &mut out);
        judge::variables(&evidence.found, &mut out);
        judge::functions(&evidence.found, &mut out);
        unseen(evidence, cx.options, &mut out);
        out.measure(FILES.value(None, evidence.look.files as f64));
        out
    }
}

/// The most paths of one list that are kept as evidence.
const PATHS: usize = 10;

/// What was read, with as many paths as evidence keeps.
fn bounded(mut look: FileLook) -> FileLook {
    for paths in [&mut look.too_large, &mut look.unreadable] {
        paths.truncate(PATHS);
        for path in paths {
            *path = shortened(path);
        }
    }
    for reason in [&mut look.stopped, &mut look.no_history] {
        *reason = reason.as_deref().map(shortened);
    }
    look
}

fn unseen(evidence: &Evidence, options: &Options, out: &mut Assessment) {
    let look = &evidence.look;
    if let Some(reason) = look.no_history.as_ref().filter(|_| options.history) {
        out.not_checked(
            Unseen::Condition,
            "git history",
            reason,
            "install git and give the folder of a whole clone that belongs to you, or set \
             history = false in checks.secrets-source",
        );
    }
    if let Some(reason) = &look.stopped {
        out.not_checked(
            Unseen::Condition,
            "the rest of the folder",
            reason,
            "give a smaller folder, such as that of the web application",
        );
    }
    if let Some(first) = look.too_large.first() {
        out.not_checked(
            Unseen::Noted,
            "large files",
            format!("{first}, or it and others, are larger than {} MiB", options.max_file_mib),
            "raise max_file_mib of checks.secrets-source",
        );
    }
    if let Some(first) = look.unreadable.first() {
        out.not_checked(
            Unseen::Condition,
            "unreadable files",
            format!("{first}, or it and others, cannot be opened"),
            "run it as a user who may read the whole folder",
        );
    }
    if evidence.found.keys.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "further keys",
            format!("{} more places hold keys", evidence.found.keys.cut),
            "mend those that are listed, then look again",
        );
    }
}
