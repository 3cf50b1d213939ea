//! Record sets as sorted zone-file text, so that two looks can be compared and one written back.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::contract::Bounded;
use crate::probe::{DnsAnswer, DnsData, Rcode, RecordType};

/// The records of one type at one name, without their times to live.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RecordSet {
    /// The code of the answer.
    pub(super) rcode: Rcode,
    /// The data as in a zone file, sorted; a long line ends in `…`.
    pub(super) lines: Bounded<String>,
    /// 16 hexadecimal digits over the whole set, whatever was cut.
    pub(super) digest: String,
}

impl RecordSet {
    /// The records of `kind` in an answer, at most `lines` of them with `characters` each.
    pub(super) fn of(
        answer: &DnsAnswer,
        kind: RecordType,
        lines: usize,
        characters: usize,
    ) -> Self {
        let all = answer.answers.iter().filter_map(|record| {
            let (found, text) = zone_text(&record.data)?;
            (found == kind).then_some(text)
        });
        Self::from_lines(answer.rcode, all.collect(), lines, characters)
    }

    /// A set of lines; equal lines count once.
    pub(super) fn from_lines(
        rcode: Rcode,
        mut all: Vec<String>,
        lines: usize,
        characters: usize,
    ) -> Self {
        all.sort();
        all.dedup();
        let digest = digest(&all);
        let lines = Bounded::keep(all.iter().map(|line| shorten(line, characters)), lines);
        Self { rcode, lines, digest }
    }

    /// Whether the name, or the type at it, has no record.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.total() == 0
    }
}

/// The type of a record and its data as in a zone file; `None` for a type that no check asks for.
pub(super) fn zone_text(data: &DnsData) -> Option<(RecordType, String)> {
    Some(match data {
        DnsData::A(address) => (RecordType::A, address.to_string()),
        DnsData::Aaaa(address) => (RecordType::Aaaa, address.to_string()),
        DnsData::Caa { critical, tag, value } => {
            let flags = if *critical { 128 } else { 0 };
            (RecordType::Caa, format!("{flags} {tag} {}", quoted(value)))
        }
        DnsData::Cname(target) => (RecordType::Cname, absolute(target)),
        DnsData::Dnskey { flags, algorithm, key_tag, .. } => {
            (RecordType::Dnskey, format!("{flags} 3 {algorithm} ; key tag {key_tag}"))
        }
        DnsData::Ds { key_tag, algorithm, digest_type, digest } => {
            (RecordType::Ds, format!("{key_tag} {algorithm} {digest_type} {digest}"))
        }
        DnsData::Mx { preference, exchange } => {
            (RecordType::Mx, format!("{preference} {}", absolute(exchange)))
        }
        DnsData::Ns(name) => (RecordType::Ns, absolute(name)),
        DnsData::Ptr(name) => (RecordType::Ptr, absolute(name)),
        DnsData::Soa { mname, rname, serial, refresh, retry, expire, minimum } => (
            RecordType::Soa,
            format!(
                "{} {} {serial} {refresh} {retry} {expire} {minimum}",
                absolute(mname),
                absolute(rname)
            ),
        ),
        DnsData::Txt(strings) => {
            let strings: Vec<String> = strings.iter().map(|string| quoted(string)).collect();
            (RecordType::Txt, strings.join(" "))
        }
        DnsData::Tlsa { usage, selector, matching, data } => {
            (RecordType::Tlsa, format!("{usage} {selector} {matching} {data}"))
        }
        DnsData::Rrsig { .. } | DnsData::Other(_) => return None,
    })
}

/// A name as it stands in a zone file, so that no suffix is added to it.
pub(super) fn absolute(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

/// A character string of a zone file (RFC 1035 section 5.1): bytes outside printable ASCII are
/// written as three decimal digits.
fn quoted(string: &str) -> String {
    let mut out = String::with_capacity(string.len() + 2);
    out.push('"');
    for c in string.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            ' '..='~' => out.push(c),
            _ => {
                let _infallible = write!(out, "\\{:03}", u32::from(c).min(255));
            }
        }
    }
    out.push('"');
    out
}

/// The text, or its beginning and `…`.
pub(super) fn shorten(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => text.chars().take(characters.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn digest(lines: &[String]) -> String {
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
        hash.update([0]);
    }
    hex::encode(hash.finalize().get(..8).unwrap_or_default())
}

/// How an answer code is called in a message.
pub(super) fn rcode_name(rcode: Rcode) -> String {
    match rcode {
        Rcode::NoError => "NOERROR".to_owned(),
        Rcode::NxDomain => "NXDOMAIN".to_owned(),
        Rcode::ServFail => "SERVFAIL".to_owned(),
        Rcode::Refused => "REFUSED".to_owned(),
        Rcode::Other(code) => format!("code {code}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_quoted_as_a_zone_file_wants_it() {
        let text = |strings: &[&str]| {
            let strings = strings.iter().map(|s| (*s).to_owned()).collect();
            zone_text(&DnsData::Txt(strings)).unwrap().1
        };
        assert_eq!(text(&["a \"b\"", "c\\d"]), r#""a \"b\"" "c\\d""#);
        assert_eq!(text(&["\u{e9}\n"]), "\"\\233\\010\"");
    }

    #[test]
    fn order_and_repetition_make_no_difference() {
        let set = |lines: &[&str]| {
            let lines = lines.iter().map(|line| (*line).to_owned()).collect();
            RecordSet::from_lines(Rcode::NoError, lines, 1, 4)
        };
        assert_eq!(set(&["b", "a", "b"]), set(&["a", "b"]));
        assert_eq!(set(&["b", "a"]).lines.cut, 1);
        assert_ne!(set(&["a"]).digest, set(&["a", "b"]).digest);
        assert_eq!(set(&["abcdef"]).lines.items, ["abc…"]);
    }

    proptest! {
        #[test]
        fn any_string_becomes_one_printable_line(string in any::<String>()) {
            let (_, line) = zone_text(&DnsData::Txt(vec![string])).unwrap();
            prop_assert!(line.chars().all(|c| (' '..='~').contains(&c)));
        }
    }
}
