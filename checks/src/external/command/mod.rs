//! `external-command`: see `command.md`.

mod judge;

use std::time::Duration;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::plugin_output::{Figure, Output};
use super::question::{self, Question, Worst, checked, cut};
use super::value::{ByUnit, measured};
use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Vantage,
};
use crate::probe::{CommandAnswer, CommandCall, CommandEnd, Probes, Seen};

const CRITICAL: FindingSpec = FindingSpec::critical(
    "command-critical",
    "A program of your own says critical",
    "You wrote this question down because its answer matters to the product, and the answer is as bad as \
     it can be.",
)
.now();
const WARNING: FindingSpec = FindingSpec::warning(
    "command-warning",
    "A program of your own warns",
    "You wrote this question down because its answer matters to the product, and the answer is on its \
     way to be bad.",
);

const STATE: MeasurementSpec = measured(
    "state",
    "launchready_external_command_state",
    Unit::Count,
    "What the program of the question said last: 0 fine, 1 warning, 2 critical.",
);
const DURATION: MeasurementSpec = measured(
    "duration",
    "launchready_external_command_duration_seconds",
    Unit::Seconds,
    "How long the program of the question ran.",
);
const COUNT: MeasurementSpec = measured(
    "value",
    "launchready_external_command_value",
    Unit::Count,
    "A number of the performance data, as question:label.",
);
const SECONDS: MeasurementSpec = measured(
    "value-seconds",
    "launchready_external_command_value_seconds",
    Unit::Seconds,
    "A time of the performance data, as question:label.",
);
const BYTES: MeasurementSpec = measured(
    "value-bytes",
    "launchready_external_command_value_bytes",
    Unit::Bytes,
    "A size of the performance data, as question:label.",
);
const RATIO: MeasurementSpec = measured(
    "value-ratio",
    "launchready_external_command_value_ratio",
    Unit::Ratio,
    "A percentage of the performance data as a part of one, as question:label.",
);
const VALUES: ByUnit = ByUnit([COUNT, SECONDS, BYTES, RATIO]);

/// The most arguments of a program, and the most bytes of one.
const ARGUMENTS: usize = 64;
const ARGUMENT: usize = 4096;
/// Characters of the first line, of a line of long text and of a complaint that are kept.
const LINE: usize = 300;
/// Lines of long text that are kept.
const LONG: usize = 4;
/// What the evidence of all questions may take, with room for its frame.
const EVIDENCE: usize = 60_000;

/// What programs of the user say.
#[derive(Debug)]
pub struct Command;

/// The programs of `external-command`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The programs, each with a name.
    #[serde(deserialize_with = "commands")]
    pub command: Vec<CommandQuestion>,
}

fn commands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CommandQuestion>, D::Error> {
    checked("command", Vec::deserialize(deserializer)?)
}

/// One program.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandQuestion {
    /// The name of the question.
    pub name: String,
    /// The absolute path of the program, then its arguments. No shell reads them.
    pub command: Vec<String>,
    /// The program is ended after this long.
    #[serde(default = "usual_timeout")]
    pub timeout: Age,
    /// How bad it is when the program says critical: critical, warning or info.
    #[serde(default)]
    pub severity: Worst,
    /// What to do then, in your own words.
    #[serde(default)]
    pub fix: String,
}

const fn usual_timeout() -> Age {
    Age::secs(30)
}

impl Question for CommandQuestion {
    fn name(&self) -> &str {
        &self.name
    }

    fn worst(&self) -> Worst {
        self.severity
    }

    fn remedy(&self) -> &str {
        &self.fix
    }

    fn fault(&self) -> Option<(&'static str, String)> {
        let of_command = |text: &str| Some(("command", text.to_owned()));
        let Some(path) = self.command.first() else {
            return of_command(
                "name the program, such as [\"/usr/lib/nagios/plugins/check_disk\"]",
            );
        };
        if !path.starts_with('/') {
            return of_command(&format!(
                "{path:?} is no absolute path; write it in full, because nothing is looked for in PATH"
            ));
        }
        if self.command.len() > ARGUMENTS {
            return of_command(&format!("there are more than {ARGUMENTS} arguments"));
        }
        if self.command.iter().any(|part| part.len() > ARGUMENT || part.contains('\0')) {
            return of_command(&format!(
                "an argument has more than {ARGUMENT} bytes, or a byte that is zero"
            ));
        }
        question::timeout_fault(self.timeout)
    }
}

/// What one program said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Said {
    /// How it ended.
    end: CommandEnd,
    /// Its first line.
    text: String,
    /// Further lines.
    long: Vec<String>,
    /// The first line of what it complained.
    complaint: String,
    /// Its performance data.
    values: Vec<Figure>,
    /// Values that were left out.
    cut: usize,
    /// Words of the performance data that could not be read.
    unreadable: usize,
    /// How long it ran.
    duration_ms: f64,
}

impl Said {
    fn new(answer: &CommandAnswer) -> Self {
        let output = Output::read(&answer.stdout);
        let complaint = answer.stderr.lines().find(|line| !line.trim().is_empty());
        Self {
            end: answer.end,
            text: cut(&output.text, LINE),
            long: output.long.iter().take(LONG).map(|line| cut(line, LINE)).collect(),
            complaint: cut(complaint.unwrap_or_default().trim(), LINE),
            values: output.values,
            cut: output.cut,
            unreadable: output.unreadable,
            duration_ms: question::rounded(answer.duration_ms),
        }
    }

    /// Keeps at most so many values and lines.
    fn shorten(&mut self, most: usize) {
        self.cut += self.values.len().saturating_sub(most);
        self.values.truncate(most);
        self.long.truncate(most / 5);
    }
}

/// The answers by the name of the question, in the order of the config.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    answers: Vec<(String, Seen<Said>)>,
}

impl Evidence {
    /// Leaves out values, of every question the same number, until all of it may be stored.
    fn bounded(mut self) -> Self {
        for most in [15, 10, 5, 2, 0] {
            let size = serde_json::to_string(&self).map_or(0, |text| text.len());
            if size <= EVIDENCE {
                break;
            }
            for (_, seen) in &mut self.answers {
                if let Seen::Ok(said) = seen {
                    said.shorten(most);
                }
            }
        }
        self
    }
}

impl Check for Command {
    const META: CheckMeta = CheckMeta {
        id: "external-command",
        area: Area::External,
        title: "Programs of your own",
        vantage: Vantage::Outside,
        findings: &[CRITICAL, WARNING],
        measurements: &[STATE, DURATION, COUNT, SECONDS, BYTES, RATIO],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(10),
        timeout: Duration::from_mins(5),
        needs: &[Need::Setting("project.checks.external-command.command")],
        evidence_version: 1,
        doc: include_str!("../command.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        if look.options.command.is_empty() {
            let example = "name = \"disk\" and command = [\"/usr/lib/nagios/plugins/check_disk\", \"-w\", \
                           \"20%\", \"-c\", \"10%\"]";
            return Err(question::none("external-command.command", example));
        }
        let answers = look.options.command.iter().map(async |asked| {
            let timeout = u64::try_from(asked.timeout.0.as_millis()).unwrap_or(u64::MAX);
            let call = CommandCall::new(asked.command.clone(), timeout);
            let answer = probes.command.run(call).await;
            (asked.name.clone(), Seen::from(answer).map(|answer| Said::new(&answer)))
        });
        Ok((Evidence { answers: join_all(answers).await }.bounded(), ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options)
    }
}
