//! `ops-attestation`: see `attestation.md`.

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    ATTESTATIONS, Age, Area, AssessCx, Assessment, AttestationFacts, AttestationFigure,
    AttestationItem, Check, CheckError, CheckMeta, Finding, FindingSpec, LookCx, MeasurementSpec,
    Schedule, Target, Unit, Unseen, Vantage, attestation_item,
};
use crate::probe::Probes;

const MISSING: FindingSpec = FindingSpec::warning(
    "attestation-missing",
    "Things that only a person can confirm are not signed",
    "No machine sees from outside whether a backup can be restored or whether somebody else can deploy. What \
     nobody has tried fails on the day on which it is needed.",
);
const EXPIRED: FindingSpec = FindingSpec::warning(
    "attestation-expired",
    "A signature is out of date",
    "People leave, keys leak and backups break: what was true when it was signed is a memory by now.",
);
const ROLLBACK_SLOW: FindingSpec = FindingSpec::warning(
    "attestation-rollback-slow",
    "Bringing back the last good build takes too long",
    "Each minute of a bad build is a minute in which customers pay for what does not work, or leave.",
);
const TRUTH_SCATTERED: FindingSpec = FindingSpec::warning(
    "attestation-truth-scattered",
    "Too many systems hold the truth of one object",
    "When three systems each say what a customer has paid for, two of them are wrong sooner or later, and \
     somebody compares them by hand.",
);

const SIGNED_UNTIL: MeasurementSpec = MeasurementSpec {
    name: "signed-until",
    metric: "launchready_attestation_until_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the last signature for an item ends.",
    label: Some("item"),
    window: Duration::ZERO,
};
const ROLLBACK: MeasurementSpec = MeasurementSpec {
    name: "rollback",
    metric: "launchready_attestation_rollback_seconds",
    unit: Unit::Seconds,
    help: "How long the last rollback that somebody tried took.",
    label: None,
    window: Duration::ZERO,
};
const TRUTH_SYSTEMS: MeasurementSpec = MeasurementSpec {
    name: "truth-systems",
    metric: "launchready_attestation_truth_systems",
    unit: Unit::Count,
    help: "How many systems hold the truth of one object, for the object that has most.",
    label: None,
    window: Duration::ZERO,
};

/// What only people can confirm.
#[derive(Debug)]
pub struct Attestation;

/// Options of `ops-attestation`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning when the rollback that was tried took longer than this.
    pub rollback: Age,
    /// Warning when more systems than this hold the truth of one object.
    pub truth_systems: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { rollback: Age::minutes(15), truth_systems: 2 }
    }
}

/// What was signed, as the file beside the config has it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The items that this product is asked for.
    asked: Vec<String>,
    /// The last signature of each item.
    signed: Vec<AttestationFacts>,
}

impl Check for Attestation {
    const META: CheckMeta = CheckMeta {
        id: "ops-attestation",
        area: Area::Ops,
        title: "What only people can confirm",
        vantage: Vantage::Attestation,
        findings: &[MISSING, EXPIRED, ROLLBACK_SLOW, TRUTH_SCATTERED],
        measurements: &[SIGNED_UNTIL, ROLLBACK, TRUTH_SYSTEMS],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(10),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("attestation.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        _probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let Some(signed) = &target.attestations else {
            return Err(CheckError::skipped(
                "people sign beside a config, and there is none",
                "write one with `launchready config example > launchready.toml`, then sign with `launchready attest`",
            ));
        };
        let configured = target.accounts.configured();
        let is_asked =
            |item: &&AttestationItem| item.part.is_none_or(|part| configured.contains(&part));
        let asked = ATTESTATIONS.iter().filter(is_asked);
        let last = |item: &AttestationItem| {
            let mine = signed.iter().filter(|one| one.item == item.id && one.at <= look.now);
            mine.max_by_key(|one| one.at).cloned()
        };
        Ok((
            Evidence {
                signed: asked.clone().filter_map(last).collect(),
                asked: asked.map(|item| item.id.to_owned()).collect(),
            },
            (),
        ))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let mut missing = Vec::new();
        let asked = evidence.asked.iter().filter_map(|id| attestation_item(id));
        for item in asked.clone() {
            match evidence.signed.iter().find(|signed| signed.item == item.id) {
                None => missing.push(item),
                Some(signed) => judge(item, signed, cx.options, cx.now, &mut out),
            }
        }
        if !missing.is_empty() {
            out.find(unsigned(&missing, evidence.asked.len(), &cx.target.domain));
        }
        out.unless_seen(asked.count() > 0);
        out
    }
}

/// Judges one signature.
fn judge(
    item: &AttestationItem,
    signed: &AttestationFacts,
    options: &Options,
    now: Timestamp,
    out: &mut Assessment,
) {
    let ends = signed.ends();
    out.measure(SIGNED_UNTIL.value(Some(item.id), ends.as_duration().as_secs_f64()));
    if !signed.holds(now) {
        out.find(expired(item, signed));
        return;
    }
    match (item.figure, signed.took, signed.systems) {
        (None, _, _) => {}
        (Some(AttestationFigure::Took), Some(took), _) => {
            let most = Some(options.rollback.seconds());
            out.measure(ROLLBACK.value(None, took.seconds()).bounds(most, None));
            if took > options.rollback {
                out.find(slow(item, signed, took, options.rollback));
            }
        }
        (Some(AttestationFigure::Systems), _, Some(systems)) => {
            let most = Some(f64::from(options.truth_systems));
            out.measure(TRUTH_SYSTEMS.value(None, f64::from(systems)).bounds(most, None));
            if systems > options.truth_systems {
                out.find(scattered(item, signed, systems, options.truth_systems));
            }
        }
        (Some(AttestationFigure::Took), None, _) => {
            figure_missing("how long the rollback took", item, out);
        }
        (Some(AttestationFigure::Systems), _, None) => {
            figure_missing("how many systems hold the truth of one object", item, out);
        }
    }
}

fn figure_missing(part: &str, item: &AttestationItem, out: &mut Assessment) {
    out.not_checked(
        Unseen::Condition,
        part,
        format!("the signature for {} does not say it", item.id),
        format!("sign again: `{}`", command(item)),
    );
}

fn unsigned(missing: &[&AttestationItem], asked: usize, domain: &str) -> Finding {
    let commands: Vec<String> = missing.iter().map(|item| format!("`{}`", command(item))).collect();
    MISSING
        .finding(domain)
        .summary(format!(
            "{} of {asked} things that only a person can confirm {} not signed.",
            missing.len(),
            if missing.len() == 1 { "is" } else { "are" },
        ))
        .saw_all(missing.iter().map(|item| format!("{}: {}", item.id, item.title)))
        .fix(format!(
            "Do each one yourself (`launchready explain ops-attestation` says how), and sign it with your name:\n{}\n\
             What does not apply to the product is signed too, with a note that says so.",
            commands.join("\n")
        ))
        .undo("Take a signature back with `launchready attest remove ITEM`; nothing else was changed.")
}

fn expired(item: &AttestationItem, signed: &AttestationFacts) -> Finding {
    EXPIRED
        .finding(item.id)
        .summary(format!(
            "{}: {} signed it on {}, and that held until {}.",
            item.title,
            signed.by,
            day(signed.at),
            day(signed.ends())
        ))
        .saw_all(lines(signed))
        .fix(format!("{} Then sign it anew: `{}`.", item.how, command(item)))
        .undo(format!("Take the new signature back with `launchready attest remove {}`.", item.id))
}

fn slow(item: &AttestationItem, signed: &AttestationFacts, took: Age, most: Age) -> Finding {
    ROLLBACK_SLOW
        .finding(item.id)
        .summary(format!("Bringing back the last good build took {took}, and {most} is the most."))
        .saw_all(lines(signed))
        .fix(format!(
            "Let the host bring it back by a click (Vercel: Deployments, Instant Rollback; Netlify: Deploys, \
             Publish deploy; elsewhere: keep the last image and one command), write the steps down, try it again \
             and sign: `{}`.",
            command(item)
        ))
        .undo("Publish the newer build again, in the same place. Variables and data are not brought back by it.")
}

fn scattered(
    item: &AttestationItem,
    signed: &AttestationFacts,
    systems: u32,
    most: u32,
) -> Finding {
    TRUTH_SCATTERED
        .finding(item.id)
        .summary(format!("{systems} systems hold the truth of one object, and {most} are the most."))
        .saw_all(lines(signed))
        .fix(format!(
            "Say for the object which one system decides, such as Stripe for payments and the database for \
             access; let the others copy from it and never be changed by hand. Count again and sign: `{}`.",
            command(item)
        ))
        .undo("Let people change the copies again; what was changed meanwhile is found by the checks of orders and CRM.")
}

/// What to type to sign an item.
fn command(item: &AttestationItem) -> String {
    let figure = match item.figure {
        None => "",
        Some(AttestationFigure::Took) => " --took 12m",
        Some(AttestationFigure::Systems) => " --systems 2",
    };
    format!("launchready attest {} --by NAME --note \"what you saw\"{figure}", item.id)
}

fn lines(signed: &AttestationFacts) -> Vec<String> {
    let mut lines = vec![format!("signed by {} on {}", signed.by, day(signed.at))];
    lines.push(format!("holds until {}", day(signed.ends())));
    lines.extend(signed.took.map(|took| format!("it took {took}")));
    lines.extend(signed.systems.map(|systems| format!("{systems} systems")));
    lines.extend(
        Some(&signed.note).filter(|note| !note.is_empty()).map(|note| format!("note: {note}")),
    );
    lines
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
