//! `supabase-functions`: see `functions.md`.

mod judge;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::join;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Ratio, Schedule, Target, Unit, Vantage,
};
use crate::probe::{
    EdgeFunction, FunctionCalls, FunctionLogs, FunctionPrints, LOG_HOURS, Period, ProbeError,
    Probes, Seen,
};

const ERRORS: FindingSpec = FindingSpec::critical(
    "function-errors",
    "An Edge Function fails too often",
    "Each failed call is a click without effect, a webhook that is retried and then lost, or a payment \
     without an order.",
)
.now();
const TIMEOUTS: FindingSpec = FindingSpec::warning(
    "function-timeouts",
    "Calls of an Edge Function run into its limits",
    "The call is broken off in the middle: the caller sees an error, and what was begun is half done.",
);
const SLOW: FindingSpec = FindingSpec::warning(
    "function-slow",
    "An Edge Function is slow",
    "Customers wait for it and click twice, and callers with a time limit, such as Stripe, give up.",
);
const JSON_ERRORS: FindingSpec = FindingSpec::warning(
    "function-json-errors",
    "An Edge Function gets JSON that it cannot read",
    "What was sent is lost: often a form, a webhook of another shape, or an error page read as data.",
);
const REFUSED: FindingSpec = FindingSpec::warning(
    "function-refused",
    "An Edge Function turns away many of its callers",
    "Sessions that run out, a rotated key or a webhook without a token: callers who mean well get 401.",
);
const PRIVATE: FindingSpec = FindingSpec::warning(
    "function-prints-private",
    "An Edge Function prints secrets or e-mail addresses into its log",
    "Logs are read by more people and tools than the database. A printed key has to be replaced, and \
     printed addresses are personal data without need.",
);
const DISABLED: FindingSpec = FindingSpec::critical(
    "function-disabled",
    "An Edge Function is removed or throttled",
    "Calls of it fail or are held back, whatever the product needs it for.",
);
const OPEN: FindingSpec = FindingSpec::info(
    "function-without-jwt",
    "An Edge Function can be called without a token",
    "That is right for webhooks that check a signature, and else lets anybody call it.",
);

const CALLS: MeasurementSpec = MeasurementSpec {
    name: "calls",
    metric: "launchready_supabase_function_calls",
    unit: Unit::Count,
    help: "Calls of the Edge Function in the judged window.",
    label: Some("function"),
    window: Duration::ZERO,
};
const FAILURES: MeasurementSpec = MeasurementSpec {
    name: "failure-ratio",
    metric: "launchready_supabase_function_failure_ratio",
    unit: Unit::Ratio,
    help: "Part of the calls of the Edge Function in the judged window that ended in an error of the server.",
    label: Some("function"),
    window: Duration::ZERO,
};
const P95: MeasurementSpec = MeasurementSpec {
    name: "p95",
    metric: "launchready_supabase_function_p95_seconds",
    unit: Unit::Seconds,
    help: "95th percentile of the time that a call of the Edge Function took in the judged window.",
    label: Some("function"),
    window: Duration::ZERO,
};

/// The most functions of each list that evidence keeps.
const FUNCTIONS: usize = 80;

/// How the Edge Functions of a Supabase project do.
#[derive(Debug)]
pub struct Functions;

/// Thresholds of `supabase-functions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning above this part of calls that end in an error of the server.
    pub error_rate_warning: Ratio,
    /// Critical above this part.
    pub error_rate_critical: Ratio,
    /// Rates are judged from this many calls on.
    pub calls: u64,
    /// Errors are judged from this many on.
    pub errors: u64,
    /// Warning when the p95 of a function is above this.
    pub p95_warning: Age,
    /// Other limits for single functions, by name.
    pub limits: BTreeMap<String, Age>,
    /// Warning from this many calls on that ran into a limit.
    pub timeouts: u64,
    /// Warning from this many lines on that tell of JSON that could not be read.
    pub json_errors: u64,
    /// Warning above this part of calls that are answered 401.
    pub refused_warning: Ratio,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            error_rate_warning: Ratio(0.01),
            error_rate_critical: Ratio(0.05),
            calls: 100,
            errors: 3,
            p95_warning: Age::secs(2),
            limits: BTreeMap::new(),
            timeouts: 3,
            json_errors: 3,
            refused_warning: Ratio(0.2),
        }
    }
}

/// What functions are and did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    functions: Seen<Bounded<EdgeFunction>>,
    /// Calls of the last hour.
    hour: Seen<Counted<FunctionCalls>>,
    /// Calls of the last 24 hours.
    day: Seen<Counted<FunctionCalls>>,
    /// What was printed in the last 24 hours.
    prints: Seen<Counted<FunctionPrints>>,
}

/// What the logs of a period told.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Counted<T> {
    functions: Bounded<T>,
    cut: bool,
}

impl<T> Counted<T> {
    fn of(logs: Result<FunctionLogs<T>, ProbeError>) -> Seen<Self> {
        Seen::from(logs)
            .map(|logs| Self { functions: Bounded::keep(logs.functions, FUNCTIONS), cut: logs.cut })
    }
}

impl Check for Functions {
    const META: CheckMeta = CheckMeta {
        id: "supabase-functions",
        area: Area::Supabase,
        title: "Edge Functions",
        vantage: Vantage::Provider,
        findings: &[ERRORS, TIMEOUTS, SLOW, JSON_ERRORS, REFUSED, PRIVATE, DISABLED, OPEN],
        measurements: &[CALLS, FAILURES, P95],
        // Five questions about logs a minute, of the thirty that are allowed.
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(1),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("functions.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let supabase = probes.accounts.supabase.get()?;
        let functions = supabase.functions().await;
        if let Ok(functions) = &functions
            && functions.is_empty()
        {
            return Err(CheckError::skipped("the project has no Edge Function", ""));
        }
        let (hour, day) = (last(look.now, 1), last(look.now, LOG_HOURS));
        let (hour, day, prints) =
            join!(supabase.calls(hour), supabase.calls(day), supabase.prints(day));
        if let (Err(error), Err(_), Err(_)) = (&functions, &hour, &day) {
            return Err(CheckError::unseen(error.clone()));
        }
        let functions = Seen::from(functions).map(|all| Bounded::keep(all, FUNCTIONS));
        let evidence = Evidence {
            functions,
            hour: Counted::of(hour),
            day: Counted::of(day),
            prints: Counted::of(prints),
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}

/// The hours before now.
fn last(now: Timestamp, hours: i64) -> Period {
    let since = now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(now);
    Period { since, until: Some(now) }
}
