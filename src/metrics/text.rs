//! The words of the exposition formats: label values, numbers, and the lines at the head of a family.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::catalogue::{Family, Kind};

/// The most characters of a label value; what is longer is cut and told apart by a hash.
pub const LABEL_CHARS: usize = 200;

/// Writes `name="value"` with the value bounded and escaped.
pub(super) fn label(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    escape(out, &bounded(value), true);
    out.push('"');
}

/// The value as it is exported: at most [`LABEL_CHARS`] characters, and without NUL, at which
/// Prometheus stops reading.
pub fn bounded(value: &str) -> Cow<'_, str> {
    let is_short = value.len() <= LABEL_CHARS || value.chars().nth(LABEL_CHARS).is_none();
    if is_short && !value.contains('\0') {
        return Cow::Borrowed(value);
    }
    let clean = |c: char| if c == '\0' { '\u{fffd}' } else { c };
    if is_short {
        return Cow::Owned(value.chars().map(clean).collect());
    }
    // Two values that begin alike stay two series.
    let hash = format!("…{:016x}", hash(value));
    let kept = LABEL_CHARS - hash.chars().count();
    Cow::Owned(value.chars().take(kept).map(clean).chain(hash.chars()).collect())
}

/// FNV-1a with 64 bits (RFC 9923), mixed once more so that its low digits are even; the same on every
/// machine and in every version.
pub(super) fn hash(text: &str) -> u64 {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fold);
    (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd) >> 17
}

fn escape(out: &mut String, text: &str, quotes: bool) {
    let is_special = |c: char| c == '\\' || c == '\n' || (quotes && c == '"');
    if !text.contains(is_special) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        if is_special(c) {
            out.push('\\');
        }
        out.push(if c == '\n' { 'n' } else { c });
    }
}

/// Writes a number, or nothing where it is none: Prometheus would keep NaN and Inf, and every sum over
/// them would be lost.
pub(super) fn number(out: &mut String, value: f64) -> bool {
    if !value.is_finite() {
        return false;
    }
    let size = value.abs();
    if size >= 1e17 || (size > 0.0 && size < 1e-6) {
        _ = write!(out, "{value:e}");
    } else {
        _ = write!(out, "{value}");
    }
    true
}

/// The bound of a bucket, in the form that `OpenMetrics` demands and the older format takes too, so that
/// a rule finds the series whichever one Prometheus asks for.
pub(super) fn bound(out: &mut String, value: f64) {
    if value.is_infinite() {
        out.push_str("+Inf");
    } else {
        _ = write!(out, "{value:?}");
    }
}

/// Writes HELP, TYPE and, for `OpenMetrics`, UNIT.
pub(super) fn head(out: &mut String, family: &Family, openmetrics: bool) {
    let name = if openmetrics { family.openmetrics_name() } else { family.name };
    let kind = match (family.kind, openmetrics) {
        (Kind::Info, false) | (Kind::Gauge, _) => "gauge",
        (Kind::Info, true) => "info",
        (Kind::Counter, _) => "counter",
        (Kind::Histogram, _) => "histogram",
    };
    _ = write!(out, "# HELP {name} ");
    escape(out, family.help, openmetrics);
    _ = write!(out, "\n# TYPE {name} {kind}\n");
    if openmetrics && let Some(unit) = family.unit() {
        _ = writeln!(out, "# UNIT {name} {unit}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: f64) -> String {
        let mut out = String::new();
        number(&mut out, value);
        out
    }

    #[test]
    fn numbers_are_short_and_never_none() {
        assert_eq!(shown(1_790_000_000.0), "1790000000");
        assert_eq!(shown(0.25), "0.25");
        assert_eq!(shown(1e300), "1e300");
        assert_eq!(shown(2e-9), "2e-9");
        assert_eq!(shown(f64::NAN) + &shown(f64::INFINITY), "");
    }

    #[test]
    fn long_values_are_cut_and_stay_apart() {
        let (a, b) = (format!("{}a", "ü".repeat(300)), format!("{}b", "ü".repeat(300)));
        assert_eq!(bounded(&a).chars().count(), LABEL_CHARS);
        assert_ne!(bounded(&a), bounded(&b));
        let whole = "ü".repeat(LABEL_CHARS);
        assert_eq!(bounded(&whole), whole);
    }
}
