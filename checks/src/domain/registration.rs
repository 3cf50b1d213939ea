//! `domain-registration`: see `registration.md`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Finding, FindingSpec, LookCx,
    Measurement, MeasurementSpec, Schedule, Severity, Target, Unit, Unseen, Vantage, in_days,
};
use crate::probe::{Probes, RegistrationAnswer, RegistrationEvent, Seen, TargetFault};
use crate::suffix::{belongs_to_platform, registrable};

const EXPIRED: FindingSpec = FindingSpec::critical(
    "registration-expired",
    "The registration of the domain has run out",
    "The registry stops answering for the name: site, mail and webhooks go dark together, and after \
     the grace period anyone can buy it.",
)
.now();
const PENDING_DELETE: FindingSpec = FindingSpec::critical(
    "registration-pending-delete",
    "The registry is about to delete the domain",
    "In redemption or pending delete the name no longer works and getting it back costs a fee, or is \
     impossible.",
)
.now();
const NOT_REGISTERED: FindingSpec = FindingSpec::critical(
    "registration-missing",
    "The registry knows no such domain",
    "Nobody owns the name: nothing under it can work, and anyone can register it.",
)
.now();
const EXPIRING: FindingSpec = FindingSpec::warning(
    "registration-expiring",
    "The registration of the domain runs out soon",
    "A card that has expired or a mail to somebody who left is enough to lose the domain, and \
     everything that depends on it.",
);
const NO_LOCK: FindingSpec = FindingSpec::warning(
    "registration-transfer-unlocked",
    "The domain is not locked against transfer",
    "Whoever gets into the registrar account, or tricks its support, can move the domain away.",
);

/// The registration of the domain, from the registry (RDAP).
#[derive(Debug)]
pub struct Registration;

/// Thresholds of `domain-registration`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Critical when the registration runs out within this time.
    pub critical: Age,
    /// Warning when the registration runs out within this time.
    pub warning: Age,
    /// Critical within this time where `registration.auto_renew` is attested; a warning before.
    pub auto_renew_critical: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { critical: Age::days(14), warning: Age::days(30), auto_renew_critical: Age::days(2) }
    }
}

/// What the registry answered, and for which name.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The registrable domain that was looked up.
    domain: String,
    /// The registry's answer.
    answer: Seen<RegistrationAnswer>,
}

const EXPIRES_AT: MeasurementSpec = MeasurementSpec {
    name: "expires-at",
    metric: "launchready_domain_registration_expiry_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the registration of the domain runs out.",
    label: None,
    window: Duration::ZERO,
};

impl Check for Registration {
    const META: CheckMeta = CheckMeta {
        id: "domain-registration",
        area: Area::Domain,
        title: "Registration of the domain",
        vantage: Vantage::Outside,
        findings: &[EXPIRED, PENDING_DELETE, NOT_REGISTERED, EXPIRING, NO_LOCK],
        measurements: &[EXPIRES_AT],
        default_schedule: Schedule::Every(Duration::from_hours(24)),
        min_interval: Duration::from_hours(24),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("registration.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let domain = registrable(&target.domain).unwrap_or(&target.domain).to_owned();
        if belongs_to_platform(&domain) {
            return Err(CheckError::skipped(
                format!("{domain} is a name that a hosting platform hands out, and no registry"),
                "",
            ));
        }
        let answer = probes.registration.domain(domain.clone()).await.into();
        Ok((Evidence { domain, answer }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let domain = evidence.domain.as_str();
        match &evidence.answer {
            Seen::Ok(RegistrationAnswer::Known { status, events, server, registrar, .. }) => {
                let registrar = registrar.as_deref().unwrap_or("your registrar");
                judge_status(domain, status, registrar, &mut out);
                let declared = cx.target.registration.expires;
                match expiry(events).or_else(|| declared.and_then(end_of)) {
                    Some(at) => judge_expiry(domain, at, registrar, cx, &mut out),
                    None => no_date(&mut out, format!("{server} publishes no expiry date")),
                }
            }
            Seen::Ok(RegistrationAnswer::NotRegistered { server }) => out.find(
                NOT_REGISTERED
                    .finding(domain)
                    .summary(format!("{domain} is not registered."))
                    .saw(format!("{server} answers 404 for {domain}"))
                    .fix(format!("Register {domain}, or correct the domain in the config."))
                    .undo("A registration can be cancelled within the registrar's grace period."),
            ),
            Seen::Ok(RegistrationAnswer::NoService { suffix }) => {
                match cx.target.registration.expires.and_then(end_of) {
                    Some(at) => judge_expiry(domain, at, "your registrar", cx, &mut out),
                    None => no_date(&mut out, format!("no RDAP service is known for .{suffix}")),
                }
            }
            Seen::Target(fault) => no_answer(&mut out, fault),
            Seen::Agent(fault) => out.not_checked(
                Unseen::Condition,
                "registration",
                fault.to_string(),
                fault.unlock(),
            ),
        }
        let registered = matches!(evidence.answer, Seen::Ok(RegistrationAnswer::Known { .. }));
        out.unless_seen(registered || !out.measurements.is_empty());
        out
    }
}

fn judge_status(domain: &str, status: &[String], registrar: &str, out: &mut Assessment) {
    let has = |wanted: &str| status.iter().any(|status| status == wanted);
    let seen = || format!("status: {}", status.join(", "));
    if has("pending delete") || has("redemption period") || has("pending restore") {
        out.find(
            PENDING_DELETE
                .finding(domain)
                .summary(format!(
                    "{domain} is in {}.",
                    if has("pending delete") { "pending delete" } else { "its redemption period" }
                ))
                .saw(seen())
                .fix(format!(
                    "Ask {registrar} today to restore {domain}, and pay the redemption fee."
                ))
                .undo("A restored domain can be left to expire again."),
        );
    }
    // Only the registries of generic suffixes publish the lock of RFC 5731 for every domain.
    let suffix = domain.rsplit('.').next().unwrap_or_default();
    // Suffixes of countries in their own script begin with `xn--`; edu, gov and mil are not for sale.
    let generic = suffix.len() > 2
        && !suffix.starts_with("xn--")
        && !["edu", "gov", "mil", "int"].contains(&suffix);
    let locked = has("client transfer prohibited") || has("server transfer prohibited");
    if generic && !locked {
        out.find(
            NO_LOCK
                .finding(domain)
                .summary(format!("{domain} can be transferred away without unlocking it first."))
                .saw(seen())
                .fix(format!("At {registrar}, open the domain and switch on “Transfer lock” (also called registrar lock)."))
                .undo("Switch the transfer lock off again, for instance before a move to another registrar."),
        );
    }
}

fn judge_expiry(
    domain: &str,
    at: Timestamp,
    registrar: &str,
    cx: &AssessCx<'_, Registration>,
    out: &mut Assessment,
) {
    let renews = cx.target.registration.auto_renew;
    let critical = if renews { cx.options.auto_renew_critical } else { cx.options.critical };
    let bound = |age: Age| {
        cx.now.checked_add(SignedDuration::from_secs(age.whole_seconds())).unwrap_or(Timestamp::MAX)
    };
    let seconds = |at: Timestamp| at.as_duration().as_secs_f64();
    out.measure(measured(
        seconds(at),
        seconds(bound(cx.options.warning)),
        seconds(bound(critical)),
    ));
    let day = at.strftime("%Y-%m-%d");
    let finish = |finding: Finding| {
        finding
            .saw(format!("expiration: {at}"))
            .fix(format!("At {registrar}, renew {domain}, switch on auto-renew and check that the card on file is valid."))
            .undo("Switch auto-renew off again; a renewal itself is not refunded.")
    };
    if at <= cx.now {
        out.find(finish(EXPIRED.finding(domain).summary(format!("{domain} expired on {day}."))));
    } else if at <= bound(cx.options.warning.max(critical)) {
        let when = in_days(at, cx.now);
        let severity = if at <= bound(critical) { Severity::Critical } else { Severity::Warning };
        let note = if renews { ", although it is said to renew by itself" } else { "" };
        let finding = EXPIRING.finding(domain).at(severity);
        out.find(finish(finding.summary(format!("{domain} expires on {day}, {when}{note}."))));
    }
}

fn measured(at: f64, warning: f64, critical: f64) -> Measurement {
    EXPIRES_AT.value(None, at).bounds(Some(warning), Some(critical))
}

/// The registry's own date; the registrar's is only used where there is no other.
fn expiry(events: &[RegistrationEvent]) -> Option<Timestamp> {
    ["expiration", "registrar expiration"]
        .iter()
        .find_map(|action| events.iter().find(|event| event.action == *action)?.date.parse().ok())
}

fn end_of(day: Date) -> Option<Timestamp> {
    TimeZone::UTC.to_timestamp(day.to_datetime(jiff::civil::time(23, 59, 59, 0))).ok()
}

fn no_date(out: &mut Assessment, reason: String) {
    out.not_checked(
        Unseen::Noted,
        "expiry of the registration",
        reason,
        "read the date at your registrar and set it as registration.expires in the config",
    );
}

fn no_answer(out: &mut Assessment, fault: &TargetFault) {
    out.not_checked(
        Unseen::Condition,
        "registration",
        format!("the registry did not answer: {fault}"),
        "run it again later; registries limit how often a domain may be looked up",
    );
}
