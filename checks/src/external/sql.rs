//! `external-sql`: see `sql.md`.

use std::time::Duration;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::question::{self, Question, Worst, checked, unseen, without_answer};
use super::range::Range;
use super::value::{ByUnit, ValueUnit, measured, measurement, number, wrong};
use crate::contract::{
    Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx, MeasurementSpec,
    Need, Schedule, Severity, Target, Unit, Vantage,
};
use crate::probe::{AgentFault, ProbeError, Probes, Seen, SqlAnswer};

const CRITICAL: FindingSpec = FindingSpec::critical(
    "query-critical",
    "A query of your own gives a critical number",
    "You wrote this query down because its number matters to the product, and the number is out of the \
     range that you called critical.",
)
.now();
const WARNING: FindingSpec = FindingSpec::warning(
    "query-warning",
    "A query of your own gives a number to worry about",
    "You wrote this query down because its number matters to the product, and the number is out of the \
     range that you called a warning.",
);

const COUNT: MeasurementSpec = measured(
    "value",
    "launchready_external_sql_value",
    Unit::Count,
    "The number that the query of the question gives.",
);
const SECONDS: MeasurementSpec = measured(
    "value-seconds",
    "launchready_external_sql_value_seconds",
    Unit::Seconds,
    "The time that the query of the question gives.",
);
const BYTES: MeasurementSpec = measured(
    "value-bytes",
    "launchready_external_sql_value_bytes",
    Unit::Bytes,
    "The size that the query of the question gives.",
);
const RATIO: MeasurementSpec = measured(
    "value-ratio",
    "launchready_external_sql_value_ratio",
    Unit::Ratio,
    "The part of one that the query of the question gives.",
);
const VALUES: ByUnit = ByUnit([COUNT, SECONDS, BYTES, RATIO]);

/// The most bytes of a statement.
const STATEMENT: usize = 8_000;

/// What the project's database says about questions of the user.
#[derive(Debug)]
pub struct Sql;

/// The queries of `external-sql`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The queries, each with a name.
    #[serde(deserialize_with = "queries")]
    pub query: Vec<SqlQuestion>,
}

fn queries<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SqlQuestion>, D::Error> {
    checked("query", Vec::deserialize(deserializer)?)
}

/// One query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqlQuestion {
    /// The name of the question.
    pub name: String,
    /// One statement that gives one row; the first column is the number.
    pub sql: String,
    /// When the number is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<Range>,
    /// When the number is critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<Range>,
    /// What the number counts: count, seconds, bytes or ratio.
    #[serde(default)]
    pub unit: ValueUnit,
    /// How bad it is when the number is critical: critical, warning or info.
    #[serde(default)]
    pub severity: Worst,
    /// What to do then, in your own words.
    #[serde(default)]
    pub fix: String,
}

impl Question for SqlQuestion {
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
        if self.sql.trim().is_empty() || self.sql.len() > STATEMENT {
            let text = format!("write one statement of at most {STATEMENT} bytes");
            return Some(("sql", text));
        }
        if self.warning.is_none() && self.critical.is_none() {
            let text =
                "say when the number is wrong: warning = \"10\", critical = \"100\", or both";
            return Some(("warning", text.to_owned()));
        }
        None
    }
}

/// What a query gave.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "gave", content = "value")]
pub(super) enum Gave {
    /// A number in the first column of the only row.
    Number(f64),
    /// One row with nothing in its first column.
    Null,
    /// One row whose first column is no number; the text is not kept.
    Text,
    /// So many rows, and not one.
    Rows(usize),
}

impl Gave {
    fn of(answer: &SqlAnswer) -> Self {
        let [row] = answer.rows.as_slice() else { return Self::Rows(answer.rows.len()) };
        match row.first() {
            Some(Some(text)) => number(text).map_or(Self::Text, Self::Number),
            _ => Self::Null,
        }
    }
}

/// The answers by the name of the question, in the order of the config.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    answers: Vec<(String, Seen<Gave>)>,
}

impl Check for Sql {
    const META: CheckMeta = CheckMeta {
        id: "external-sql",
        area: Area::External,
        title: "Queries of your own",
        vantage: Vantage::Database,
        findings: &[CRITICAL, WARNING],
        measurements: &[COUNT, SECONDS, BYTES, RATIO],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(10),
        timeout: Duration::from_mins(5),
        needs: &[Need::Setting("project.checks.external-sql.query")],
        evidence_version: 1,
        doc: include_str!("sql.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        if look.options.query.is_empty() {
            let example = "name = \"stuck-orders\", sql = \"select count(*) from orders where …\" and \
                           critical = \"0\"";
            return Err(question::none("external-sql.query", example));
        }
        let database = probes.accounts.database.get()?;
        let answers = look.options.query.iter().map(async |asked| {
            let seen = Seen::from(database.ask(asked.sql.clone()).await);
            (asked.name.clone(), seen.map(|answer| Gave::of(&answer)))
        });
        Ok((Evidence { answers: join_all(answers).await }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let mut saw_any = false;
        for (name, seen) in &evidence.answers {
            let asked = cx.options.query.iter().find(|known| known.name == *name);
            let Some(asked) = asked else { continue };
            match seen {
                Seen::Ok(gave) => saw_any |= judge(&mut out, asked, gave),
                Seen::Target(fault) => without_answer(&mut out, asked, &fault.clone().into()),
                Seen::Agent(fault) => refused(&mut out, asked, fault),
            }
        }
        out.unless_seen(saw_any);
        out
    }
}

/// What the server does not allow stands in the config, so the config is named.
fn refused(out: &mut Assessment, asked: &SqlQuestion, fault: &AgentFault) {
    if let AgentFault::Misconfigured(says) | AgentFault::Forbidden(says) = fault {
        let key = format!("project.checks.external-sql.query of the name {:?}", asked.name);
        let reason = format!("the config does not fit: {key}: {says}");
        unseen(out, asked, reason, "write one statement that only reads and that the user may run");
        return;
    }
    without_answer(out, asked, &ProbeError::Agent(fault.clone()));
}

/// Whether the query gave a number.
fn judge(out: &mut Assessment, asked: &SqlQuestion, gave: &Gave) -> bool {
    let reason = match gave {
        Gave::Number(value) => {
            of_number(out, asked, *value);
            return true;
        }
        Gave::Null => "its row holds nothing in the first column".to_owned(),
        Gave::Text => "the first column of its row is no number".to_owned(),
        Gave::Rows(0) => "it gives no row".to_owned(),
        Gave::Rows(rows) => format!("it gives {rows} rows"),
    };
    let unlock = "write a query that gives one row with one number, such as select count(*) …, or \
                  coalesce(max(…), 0)";
    unseen(out, asked, reason, unlock);
    false
}

fn of_number(out: &mut Assessment, asked: &SqlQuestion, value: f64) {
    let bounds = (asked.warning, asked.critical);
    out.measure(measurement(&VALUES, asked.unit, &asked.name, value, bounds));
    let Some((severity, range)) = wrong(value, asked.warning, asked.critical) else { return };
    let spec = if severity == Severity::Critical { &CRITICAL } else { &WARNING };
    let unit = asked.unit.suffix();
    let finding = question::finding(spec, asked, severity)
        .summary(format!("{} gives {value}{unit}, and right is {}", asked.name, range.right()))
        .saw(format!("value {value}{unit}, range {range}"))
        .saw(format!("asked {}", question::cut(&asked.sql, 400)));
    out.find(finding);
}
