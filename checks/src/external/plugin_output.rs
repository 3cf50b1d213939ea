//! What a monitoring plugin writes: text, more text, and performance data.
//!
//! `TEXT | PERFDATA`, then lines of long text, of which one may hold another `|`: from there on
//! everything is performance data.

use serde::{Deserialize, Serialize};

use super::range::Range;
use super::value::ValueUnit;

/// The most values of one answer that are kept.
pub(super) const VALUES: usize = 20;
/// The most characters of a label.
const LABEL: usize = 60;

/// One value of the performance data, in base units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Figure {
    /// Its label.
    pub label: String,
    /// The value; absent where the plugin could not tell (`U`).
    pub value: Option<f64>,
    /// Its unit.
    pub unit: ValueUnit,
    /// When the plugin warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<f64>,
    /// When it is critical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<f64>,
}

/// What a plugin wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Output {
    /// The first line, without performance data.
    pub text: String,
    /// The lines of long text.
    pub long: Vec<String>,
    /// The performance data; each label once.
    pub values: Vec<Figure>,
    /// Values that were left out because there are too many.
    pub cut: usize,
    /// Words of the performance data that break its form.
    pub unreadable: usize,
}

impl Output {
    /// Takes an output apart. Whatever stands in it, something comes out.
    pub(super) fn read(output: &str) -> Self {
        let mut read = Self::default();
        let mut lines = output.lines();
        let (text, data) = halves(lines.next().unwrap_or_default());
        text.trim().clone_into(&mut read.text);
        read.data(data);
        let mut is_data = false;
        for line in lines {
            if is_data {
                read.data(line);
                continue;
            }
            let (text, data) = halves(line);
            if !text.trim().is_empty() {
                read.long.push(text.trim_end().to_owned());
            }
            is_data = line.contains('|');
            read.data(data);
        }
        read
    }

    fn data(&mut self, data: &str) {
        let mut rest = data.trim_start();
        while !rest.is_empty() {
            let (value, behind) = one(rest);
            rest = behind.trim_start();
            match value {
                None => self.unreadable += 1,
                Some(value) if self.values.iter().any(|known| known.label == value.label) => {}
                Some(_) if self.values.len() >= VALUES => self.cut += 1,
                Some(value) => self.values.push(value),
            }
        }
    }
}

fn halves(line: &str) -> (&str, &str) {
    line.split_once('|').unwrap_or((line, ""))
}

/// The first value, and what stands behind it.
fn one(text: &str) -> (Option<Figure>, &str) {
    let to_blank = |text| split(text, char::is_whitespace);
    let Some((label, rest)) = label(text) else { return (None, to_blank(text).1) };
    let (fields, behind) = to_blank(rest);
    let mut fields = fields.split(';');
    let Some((number, unit)) = fields.next().and_then(quantity) else { return (None, behind) };
    let mut edge = || {
        let (_, factor) = base(unit);
        let range = fields.next().and_then(|field| field.parse::<Range>().ok());
        range.and_then(Range::edge).map(|edge| edge * factor)
    };
    let (warning, critical) = (edge(), edge());
    let (unit, factor) = base(unit);
    let value = Figure {
        label: label.chars().take(LABEL).collect(),
        value: number.map(|number| number * factor),
        unit,
        warning,
        critical,
    };
    (Some(value), behind)
}

/// The label in front of `=`, and what stands behind that. In quotes it may hold anything; a quote is
/// doubled there.
fn label(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('\'') else {
        let (label, rest) = text.split_once('=')?;
        let fits = !label.is_empty() && !label.contains(|c: char| c.is_whitespace() || c == '\'');
        return fits.then(|| (label.to_owned(), rest));
    };
    let mut label = String::new();
    loop {
        let (part, behind) = rest.split_once('\'')?;
        label.push_str(part);
        match behind.strip_prefix('\'') {
            Some(behind) => {
                label.push('\'');
                rest = behind;
            }
            None => return Some((label, behind.strip_prefix('=')?)).filter(|(l, _)| !l.is_empty()),
        }
    }
}

/// A number and its unit; no number where the plugin could not tell.
fn quantity(text: &str) -> Option<(Option<f64>, &str)> {
    if text == "U" {
        return Some((None, ""));
    }
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+');
    let (mut number, mut unit) = split(text, |c: char| !is_part(c));
    // Some plugins write 1e-05, which the guidelines do not have.
    if let Some(exponent) = unit.strip_prefix(['e', 'E']) {
        let (power, behind) = split(exponent, |c: char| !is_part(c));
        let length = number.len() + 1 + power.len();
        if power.parse::<i16>().is_ok() {
            (number, unit) = (text.get(..length)?, behind);
        }
    }
    let value: f64 = number.parse().ok()?;
    value.is_finite().then_some((Some(value), unit))
}

/// The base unit of a unit of a plugin, and by what its values are multiplied. `KB` and its like count
/// 1024 each, as `check_disk` does; what is no known unit is a number of things.
fn base(unit: &str) -> (ValueUnit, f64) {
    const KIB: f64 = 1024.0;
    match unit {
        "s" => (ValueUnit::Seconds, 1.0),
        "ms" => (ValueUnit::Seconds, 1e-3),
        "us" | "µs" => (ValueUnit::Seconds, 1e-6),
        "%" => (ValueUnit::Ratio, 0.01),
        "B" => (ValueUnit::Bytes, 1.0),
        "KB" | "kB" | "KiB" => (ValueUnit::Bytes, KIB),
        "MB" | "MiB" => (ValueUnit::Bytes, KIB * KIB),
        "GB" | "GiB" => (ValueUnit::Bytes, KIB * KIB * KIB),
        "TB" | "TiB" => (ValueUnit::Bytes, KIB * KIB * KIB * KIB),
        _ => (ValueUnit::Count, 1.0),
    }
}

fn split(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(text: &str) -> Vec<(String, Option<f64>, ValueUnit)> {
        let read = Output::read(&format!("OK | {text}"));
        read.values.into_iter().map(|value| (value.label, value.value, value.unit)).collect()
    }

    #[test]
    fn a_long_answer_is_taken_apart() {
        let read = Output::read(
            "DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968\n\
             / 15272 MB (77%);\n\
             /boot 68 MB (69%); | /boot=68MB;88;93;0;98\n\
             '/home dir'=69357MB;253404;253409;0;253414 /var=818MB",
        );
        assert_eq!(read.text, "DISK OK - free space: / 3326 MB (56%);");
        assert_eq!(read.long, ["/ 15272 MB (77%);", "/boot 68 MB (69%);"]);
        let labels: Vec<_> = read.values.iter().map(|value| value.label.as_str()).collect();
        assert_eq!(labels, ["/", "/boot", "/home dir", "/var"]);
        let first = &read.values[0];
        assert_eq!(first.value, Some(2643.0 * 1_048_576.0));
        assert_eq!(first.warning, Some(5948.0 * 1_048_576.0));
        assert_eq!(first.critical, Some(5958.0 * 1_048_576.0));
        assert_eq!(read.unreadable, 0);
    }

    #[test]
    fn every_form_of_a_value() {
        use ValueUnit::{Bytes, Count, Ratio, Seconds};
        let one = |text: &str, label: &str, value: f64, unit| {
            assert_eq!(values(text), [(label.to_owned(), Some(value), unit)], "{text}");
        };
        one("time=0.5s;;;0", "time", 0.5, Seconds);
        one("rta=250ms", "rta", 0.25, Seconds);
        one("wait=1e-05s", "wait", 1e-5, Seconds);
        one("pl=50%;80;100;0", "pl", 0.5, Ratio);
        one("size=2KB", "size", 2048.0, Bytes);
        one("queries=123c", "queries", 123.0, Count);
        one("'it''s here'=-3;~:1;@0:5", "it's here", -3.0, Count);
        one("temperature=21.5C", "temperature", 21.5, Count);
        assert_eq!(values("gone=U;1;2"), [("gone".to_owned(), None, Count)]);
        let read = Output::read("OK | =1 a b=2 c= 'd=3 e=x f=4;1:;@2:3");
        assert_eq!(read.values.len(), 2, "{read:?}");
        assert_eq!(read.values[1].warning, Some(1.0));
        assert_eq!(read.values[1].critical, Some(2.0));
        assert_eq!(read.unreadable, 5);
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let data: Vec<_> = (0..25).map(|n| format!("v{n}={n}")).collect();
        let read = Output::read(&format!("OK | {} v1=7", data.join(" ")));
        assert_eq!((read.values.len(), read.cut), (VALUES, 5));
        assert_eq!(read.values[1].value, Some(1.0), "a label counts once");
    }

    proptest! {
        #[test]
        fn no_output_ends_the_program(text in "(?s).{0,300}") {
            let read = Output::read(&text);
            prop_assert!(read.values.len() <= VALUES);
            for value in &read.values {
                prop_assert!(value.label.chars().count() <= LABEL && !value.label.is_empty());
                prop_assert!(value.value.is_none_or(f64::is_finite));
            }
        }

        #[test]
        fn what_is_written_by_the_rules_is_read(
            label in "[ -&(-~]{1,20}",
            number in -1_000_000i32..1_000_000,
            others in 0usize..5,
        ) {
            prop_assume!(!label.trim().is_empty());
            let data: Vec<_> = (0..others).map(|n| format!("other{n}={n}s;1;2;0;9")).collect();
            let label_written = format!("it's {label}").replace('\'', "''");
            let read = Output::read(&format!("OK - fine|{} '{label_written}'={number};~:5;10:", data.join(" ")));
            // A pipe in the label begins no new part: only the first one of the line does.
            prop_assert_eq!(read.unreadable, 0);
            let last = read.values.last().unwrap();
            prop_assert_eq!(&last.label, &format!("it's {label}"));
            prop_assert_eq!(last.value, Some(f64::from(number)));
            prop_assert_eq!((last.warning, last.critical), (Some(5.0), Some(10.0)));
        }
    }
}
