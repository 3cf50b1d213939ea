//! Reads MTA-STS records and policies (RFC 8461 sections 3.1 and 3.2) and TLS-RPT records (RFC 8460).

use serde::{Deserialize, Serialize};

use crate::contract::Bounded;

/// The most `mx` lines of a policy that are kept.
const PATTERNS_KEPT: usize = 10;
/// The most defects of a policy that are kept.
const PROBLEMS_KEPT: usize = 6;
/// The most lines of a policy that are read.
const LINES_READ: usize = 1000;
/// The keys that senders know.
const KEYS: [&str; 4] = ["version", "mode", "max_age", "mx"];
/// The longest `max_age`: about a year (RFC 8461 section 3.2).
const MAX_AGE: u64 = 31_557_600;

/// What a policy asks of senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Do not deliver to a server that fails.
    Enforce,
    /// Deliver and report.
    Testing,
    /// The policy is being withdrawn.
    None,
}

/// An MTA-STS policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Policy {
    pub(super) mode: Option<Mode>,
    /// Names of mail servers; `*.` stands for one label.
    pub(super) patterns: Bounded<String>,
    /// What is wrong with it, in words.
    pub(super) problems: Vec<String>,
}

impl Policy {
    /// Reads a policy file.
    pub(super) fn read(text: &str) -> Self {
        let mut policy = Self::default();
        let mut problems = Vec::new();
        let mut patterns = Vec::new();
        let (mut version, mut mode, mut max_age) = (None, None, None);
        for line in text.lines().take(LINES_READ) {
            if line.trim().is_empty() {
                continue;
            }
            let Some((key, value)) = line.split_once(':') else {
                problems.push(format!("the line “{}” is no “key: value”", short(line)));
                continue;
            };
            let value = value.trim();
            // The grammar has blanks behind the colon alone, so such a key is one that nobody knows.
            if key.trim() != key && KEYS.contains(&key.trim()) {
                problems.push(format!("there is a blank beside the key “{}”", key.trim()));
            }
            // The first of a repeated key counts; only mx may be repeated.
            match key.trim() {
                "version" => version = version.or(Some(value)),
                "mode" => mode = mode.or(Some(value)),
                "max_age" => max_age = max_age.or(Some(value)),
                "mx" if is_pattern(value) => patterns.push(value.to_ascii_lowercase()),
                "mx" => problems.push(format!("“mx: {}” is no host name", short(value))),
                _ => {}
            }
        }
        if version != Some("STSv1") {
            problems.push("it has no line “version: STSv1”".to_owned());
        }
        policy.mode = match mode {
            Some("enforce") => Some(Mode::Enforce),
            Some("testing") => Some(Mode::Testing),
            Some("none") => Some(Mode::None),
            Some(other) => {
                problems.push(format!("its mode is “{}”", short(other)));
                None
            }
            None => {
                problems.push("it has no line “mode: …”".to_owned());
                None
            }
        };
        match max_age.map(seconds) {
            Some(Some(seconds)) if seconds <= MAX_AGE => {}
            Some(_) => problems.push(format!("its max_age is no number up to {MAX_AGE}")),
            None => problems.push("it has no line “max_age: …”".to_owned()),
        }
        if patterns.is_empty() && policy.mode != Some(Mode::None) {
            problems.push("it has no line “mx: …”".to_owned());
        }
        problems.truncate(PROBLEMS_KEPT);
        policy.problems = problems;
        policy.patterns = Bounded::keep(patterns, PATTERNS_KEPT);
        policy
    }

    /// Whether a mail server is named by the policy (RFC 8461 section 4.1).
    pub(super) fn covers(&self, host: &str) -> bool {
        // A line that was not kept may name it.
        self.patterns.cut > 0
            || self.patterns.items.iter().any(|pattern| match pattern.strip_prefix("*.") {
                Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
                None => host == pattern,
            })
    }
}

/// `1*10(DIGIT)`: a sign is none.
fn seconds(text: &str) -> Option<u64> {
    let digits = (1..=10).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

fn short(text: &str) -> String {
    text.trim().chars().take(80).collect()
}

fn is_pattern(value: &str) -> bool {
    let name = value.strip_prefix("*.").unwrap_or(value);
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label)
}

/// Whether a record at `_mta-sts` is meant as an MTA-STS record.
pub(super) fn is_sts(text: &str) -> bool {
    starts(text, "v=sts")
}

/// Whether a record at `_smtp._tls` is meant as a TLS-RPT record.
pub(super) fn is_tls_rpt(text: &str) -> bool {
    starts(text, "v=tlsrpt")
}

/// Whether a record at `default._bimi` is a BIMI record.
pub(super) fn is_bimi(text: &str) -> bool {
    starts(text, "v=bimi1")
}

fn starts(text: &str, prefix: &str) -> bool {
    let dense: String =
        text.chars().filter(|c| !c.is_whitespace() && *c != '"').take(prefix.len()).collect();
    dense.eq_ignore_ascii_case(prefix)
}

/// The value of a tag in a record of the form `name=value; …`.
pub(super) fn tag<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.split(';')
        .filter_map(|part| part.split_once('='))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

/// What is wrong with an MTA-STS record, if anything.
pub(super) fn sts_record_problem(text: &str) -> Option<&'static str> {
    let (version, _) = text.split_once(';').unwrap_or((text, ""));
    if version.trim_end() != "v=STSv1" {
        return Some("it does not begin with “v=STSv1;”");
    }
    let is_id = |id: &str| {
        (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match tag(text, "id") {
        Some(id) if is_id(id) => None,
        Some(_) => Some("its id is not made of 1 to 32 letters and digits"),
        None => Some("it has no id"),
    }
}

/// What is wrong with a TLS-RPT record, if anything.
pub(super) fn tls_rpt_problem(text: &str) -> Option<&'static str> {
    let (version, _) = text.split_once(';').unwrap_or((text, ""));
    if version.trim_end() != "v=TLSRPTv1" {
        return Some("it does not begin with “v=TLSRPTv1;”");
    }
    let known = |uri: &str| {
        let uri = uri.trim().to_ascii_lowercase();
        (uri.starts_with("mailto:") && uri.contains('@')) || uri.starts_with("https://")
    };
    match tag(text, "rua") {
        Some(list) if list.split(',').all(known) => None,
        Some(_) => Some("its rua holds something else than mailto: and https: addresses"),
        None => Some("it has no rua"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "version: STSv1\r\nmode: enforce\r\nmx: MX1.harbor.com\r\n\
                        mx: *.mail.harbor.com\r\nmax_age: 604800\r\n";

    #[test]
    fn a_policy_names_its_servers_and_a_star_is_one_label() {
        let policy = Policy::read(GOOD);
        assert_eq!((policy.mode, policy.problems.as_slice()), (Some(Mode::Enforce), &[][..]));
        assert!(policy.covers("mx1.harbor.com") && policy.covers("a.mail.harbor.com"));
        for other in ["mx2.harbor.com", "mail.harbor.com", "a.b.mail.harbor.com"] {
            assert!(!policy.covers(other), "{other}");
        }
    }

    #[test]
    fn each_missing_or_wrong_line_is_named() {
        let problems = |text: &str| Policy::read(text).problems.len();
        assert_eq!(problems("version: STSv1\nmode: none\nmax_age: 86400"), 0);
        assert_eq!(problems("version: STSv1\nmode: none\nmax_age: 86400\nnote: x\n\n"), 0);
        assert_eq!(problems("version: STSv1\nmode: testing\nmax_age: 86400"), 1);
        assert_eq!(problems("version: STSv1\nmode: on\nmx: a.b\nmax_age: 31557601"), 2);
        assert_eq!(problems("<!doctype html>"), 5);
        assert_eq!(problems("version: STSv2\nmode: none\nmax_age: -1\nmx: a b\nmx a.b"), 4);
        assert_eq!(problems(""), 4);
        assert_eq!(problems("version : STSv1\n mode: none\nmax_age: 86400"), 2);
        assert_eq!(problems("version: STSv1\nmode: none\nmax_age: +86400"), 1);
    }

    #[test]
    fn records_are_exact() {
        assert_eq!(sts_record_problem("v=STSv1; id=20260101T000000;"), None);
        assert_eq!(sts_record_problem("v=STSv1 ;id=1"), None);
        for bad in ["v=STSv1", "v=STSV1; id=1", "v=STSv1; id=2026-01-01", "v=STSv1; id="] {
            assert!(is_sts(bad) && sts_record_problem(bad).is_some(), "{bad}");
        }
        assert_eq!(tls_rpt_problem("v=TLSRPTv1; rua=mailto:tls@harbor.com"), None);
        assert_eq!(tls_rpt_problem("v=TLSRPTv1;rua=https://r.example/x, mailto:a@b.c"), None);
        for bad in [
            "v=TLSRPTv1",
            "v=TLSRPTv1; rua=tls@harbor.com",
            "v=TLSRPTv1; rua=mailto:a@b.c,tls@harbor.com",
            "v=TLSRPTv2; rua=mailto:a@b",
        ] {
            assert!(is_tls_rpt(bad) && tls_rpt_problem(bad).is_some(), "{bad}");
        }
        assert!(!is_sts("v=spf1 -all") && is_bimi("v=BIMI1; l=https://harbor.com/logo.svg"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "\\PC*|([a-z_]{0,8}:? ?[\\x00-\\u{ff}]{0,20}\\r?\\n){0,9}") {
            let policy = Policy::read(&text);
            let _ = policy.covers(&text);
            prop_assert!(policy.problems.len() <= PROBLEMS_KEPT);
            let _ = (is_sts(&text), sts_record_problem(&text), tls_rpt_problem(&text));
        }

        #[test]
        fn what_is_written_is_covered(
            hosts in prop::collection::vec("[a-z]{1,5}\\.[a-z]{1,5}\\.com", 1..9),
            blank in " {0,3}",
            end in "(\r\n|\n)",
        ) {
            let lines: Vec<_> = hosts.iter().map(|host| format!("mx:{blank}{host}{end}")).collect();
            let text = format!(
                "version:{blank}STSv1{end}mode:{blank}testing{end}{}max_age:{blank}86400{end}",
                lines.concat()
            );
            let policy = Policy::read(&text);
            prop_assert_eq!(&policy.problems, &Vec::<String>::new());
            prop_assert!(hosts.iter().all(|host| policy.covers(host)));
        }
    }
}
