//! Money at risk, and amounts as people write them.

use serde::{Deserialize, Serialize};

/// Money that a finding puts at risk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AtRisk {
    /// ISO 4217, lower case.
    pub currency: String,
    /// In the currency's minor unit.
    pub amount_minor: i64,
    /// How many payments.
    pub count: u64,
}

impl AtRisk {
    /// Adds up amounts by currency, in the order of their names.
    pub fn sum(all: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut sums: Vec<Self> = Vec::new();
        for one in all {
            match sums.iter_mut().find(|sum| sum.currency == one.currency) {
                Some(sum) => {
                    sum.amount_minor = sum.amount_minor.saturating_add(one.amount_minor);
                    sum.count = sum.count.saturating_add(one.count);
                }
                None => sums.push(one),
            }
        }
        sums.sort();
        sums
    }
}

/// Currencies without a minor unit, and those with a thousandth (ISO 4217).
const WHOLE: [&str; 15] = [
    "bif", "clp", "djf", "gnf", "isk", "jpy", "kmf", "krw", "pyg", "rwf", "ugx", "vnd", "vuv",
    "xaf", "xpf",
];
const THOUSANDTHS: [&str; 6] = ["bhd", "iqd", "jod", "kwd", "omr", "tnd"];

/// How many digits the minor unit of a currency has: 2 for most.
pub fn minor_digits(currency: &str) -> usize {
    match currency.to_ascii_lowercase().as_str() {
        code if WHOLE.contains(&code) => 0,
        code if THOUSANDTHS.contains(&code) => 3,
        _ => 2,
    }
}

/// An amount of the minor unit as people write it: `EUR 1234.50`, `JPY 900`.
pub fn amount(currency: &str, minor: i64) -> String {
    let digits = minor_digits(currency);
    let unit = 10_u64.pow(u32::try_from(digits).unwrap_or_default());
    let sign = if minor < 0 { "-" } else { "" };
    let whole = minor.unsigned_abs() / unit;
    let mut text = format!("{} {sign}{whole}", currency.to_ascii_uppercase());
    if let Some(rest) = (minor.unsigned_abs() % unit).checked_add(unit).filter(|_| digits > 0) {
        // The leading one keeps the noughts in front.
        text.push('.');
        text.extend(rest.to_string().chars().skip(1));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_digits_of_their_currency() {
        assert_eq!(amount("eur", 123_405), "EUR 1234.05");
        assert_eq!(amount("jpy", 900), "JPY 900");
        assert_eq!(amount("kwd", -1_005), "KWD -1.005");
        assert_eq!(amount("usd", 0), "USD 0.00");
    }

    #[test]
    fn sums_are_by_currency() {
        let one = |currency: &str, amount_minor| AtRisk {
            currency: currency.to_owned(),
            amount_minor,
            count: 1,
        };
        let sums = AtRisk::sum([one("usd", 5), one("eur", 7), one("usd", 6)]);
        assert_eq!(sums, [one("eur", 7), AtRisk { count: 2, ..one("usd", 11) }]);
    }
}
