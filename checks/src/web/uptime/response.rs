//! Judges how fast an endpoint answers.

use super::look::Look;
use super::times::Samples;
use super::{FIRST_BYTE, Options, P95, SLOW_API, SLOW_PAGE};
use crate::contract::{Age, Assessment, Finding, Severity, Unseen};
use crate::web::recipe::Stack;

/// Judges the timed requests of an endpoint that answers rightly: an API by its whole answer, a page
/// by its first byte. A bound of the endpoint's own holds for the whole answer of either.
pub(super) fn judge(look: &Look, options: &Options, out: &mut Assessment) {
    let Some(samples) = &look.samples else { return };
    let api = look.is_api();
    let mut open = false;
    let (whole, begun) = (&samples.total, &samples.first_byte);
    if let Some(warning) = look.p95.or(api.then_some(options.api_p95_warning)) {
        let critical = api.then_some(options.p95_critical.max(warning));
        match samples.least_p95(whole) {
            Some(p95) if p95 > ms(warning) => {
                let critical = critical.filter(|critical| p95 > ms(*critical));
                out.find(slow(look, samples, p95, critical.unwrap_or(warning), critical.is_some()));
            }
            _ => open = true,
        }
        measure(P95, look, samples, whole, Some(warning), critical, out);
    } else {
        measure(P95, look, samples, whole, None, None, out);
    }
    let bound = (!api).then_some(options.first_byte_warning);
    if let Some(warning) = bound {
        match samples.least_p95(begun) {
            Some(p95) if p95 > ms(warning) => {
                out.find(page(look, samples, p95, warning));
            }
            _ => open = true,
        }
    }
    measure(FIRST_BYTE, look, samples, begun, bound, None, out);
    // What is already too slow is known; what was cut short and looks fast is not.
    if let Some(stop) = samples.stopped.as_ref().filter(|_| open) {
        let (reason, unlock) = stop.reason();
        let n = whole.len() + samples.failed;
        out.not_checked(
            Unseen::Condition,
            format!("response time of {}", look.name),
            format!("{n} of {} timed requests were made: {reason}", samples.planned),
            unlock,
        );
    }
}

fn ms(age: Age) -> f64 {
    age.seconds() * 1000.0
}

fn measure(
    spec: crate::contract::MeasurementSpec,
    look: &Look,
    samples: &Samples,
    sorted: &[f64],
    warning: Option<Age>,
    critical: Option<Age>,
    out: &mut Assessment,
) {
    if let Some(p95) = samples.least_p95(sorted) {
        let value = spec.value(Some(&look.name), p95 / 1000.0);
        out.measure(value.bounds(warning.map(Age::seconds), critical.map(Age::seconds)));
    }
}

/// "at least" where the run was cut short.
fn at_least(samples: &Samples) -> &'static str {
    if samples.stopped.is_some() { "at least " } else { "" }
}

fn slow(look: &Look, samples: &Samples, p95: f64, bound: Age, critical: bool) -> Finding {
    let url = &look.asked;
    let severity = if critical { Severity::Critical } else { Severity::Warning };
    SLOW_API
        .finding(url)
        .at(severity)
        .summary(format!(
            "The p95 of {url}, the time within which 95 of 100 answers come, is {}{p95} ms from this \
             machine; the threshold is {bound}.",
            at_least(samples)
        ))
        .saw(samples.line("whole answer", &samples.total))
        .saw(samples.line("first byte", &samples.first_byte))
        .saw(samples.answers())
        .fix(format!(
            "Find what {url} waits for: put the function into the region of the database, add an \
             index to the slow query (Supabase: Advisors → Performance), connect through the pooler, \
             and answer what does not change from a cache.{}",
            region(look.stack())
        ))
        .undo("Set the region back, or drop the index or the cache rule again.")
}

fn page(look: &Look, samples: &Samples, p95: f64, bound: Age) -> Finding {
    let url = &look.asked;
    SLOW_PAGE
        .finding(url)
        .summary(format!(
            "The p95 of the first byte of {url}, the time within which 95 of 100 visitors get it, is \
             {}{p95} ms from this machine; the threshold is {bound}.",
            at_least(samples)
        ))
        .saw(samples.line("first byte", &samples.first_byte))
        .saw(samples.answers())
        .fix(format!(
            "Build {url} ahead of time or let the CDN keep it for a while: `Cache-Control: public, \
             s-maxage=60, stale-while-revalidate=600` for a page that is the same for every \
             visitor.{}",
            region(look.stack())
        ))
        .undo("Take the caching out again and redeploy.")
}

const fn region(stack: Stack) -> &'static str {
    match stack {
        Stack::Vercel => {
            " In Vercel the region stands under Settings → Functions → Function Regions."
        }
        Stack::Netlify => {
            " In Netlify the region stands under Project configuration → Build & deploy → Functions."
        }
        Stack::Cloudflare => " On Cloudflare a Cache Rule under Caching → Cache Rules keeps pages.",
        Stack::Other => "",
    }
}
