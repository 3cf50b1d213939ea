//! The TXT records at one name as they stand in evidence: picked, and bounded in number and length.

use serde::{Deserialize, Serialize};

use crate::contract::Bounded;
use crate::probe::{Dns, DnsQuestion, Rcode, RecordType, Seen};

/// The most records of one name that are kept.
const RECORDS_KEPT: usize = 5;
/// A longer record is counted as cut: half a record must not be judged.
const RECORD_BYTES: usize = 2000;

/// The TXT records of one name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Published {
    /// The name that was asked.
    pub(super) name: String,
    /// The answer.
    pub(super) answer: Seen<Texts>,
}

/// The records that were picked from an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Texts {
    /// The answer code.
    pub(super) rcode: Rcode,
    /// The records, each joined from its strings; `cut` counts those that were left out.
    pub(super) records: Bounded<String>,
}

/// Why a name was not seen, and what would help.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Unanswered {
    pub(super) reason: String,
    pub(super) unlock: String,
}

impl Published {
    /// Asks for the TXT records of a name and keeps those that `wanted` picks.
    pub(super) async fn look(dns: &dyn Dns, name: String, wanted: fn(&str) -> bool) -> Self {
        let answer = dns.lookup(DnsQuestion::new(name.as_str(), RecordType::Txt)).await;
        let answer = Seen::from(answer).map(|answer| {
            let picked: Vec<_> = answer.texts().into_iter().filter(|text| wanted(text)).collect();
            let total = picked.len();
            let short = picked.into_iter().filter(|text| text.len() <= RECORD_BYTES);
            let items: Vec<_> = short.take(RECORDS_KEPT).collect();
            let cut = total.saturating_sub(items.len());
            Texts { rcode: answer.rcode, records: Bounded { items, cut } }
        });
        Self { name, answer }
    }

    /// The records; none where the name was not seen.
    pub(super) fn records(&self) -> &[String] {
        self.answer.ok().map_or(&[], |texts| texts.records.items.as_slice())
    }

    /// How many records were seen and not kept.
    pub(super) fn cut(&self) -> usize {
        self.answer.ok().map_or(0, |texts| texts.records.cut)
    }

    /// Why nothing can be said about this name, if that is so.
    pub(super) fn unanswered(&self) -> Option<Unanswered> {
        match &self.answer {
            Seen::Ok(texts) => unanswered_code(&self.name, "TXT", texts.rcode),
            Seen::Target(fault) => Some(Unanswered {
                reason: format!("the name servers of {} do not answer: {fault}", self.name),
                unlock: "mend the name servers of the domain, then run it again".to_owned(),
            }),
            Seen::Agent(fault) => {
                Some(Unanswered { reason: fault.to_string(), unlock: fault.unlock().to_owned() })
            }
        }
    }
}

/// An answer code other than NOERROR and NXDOMAIN says nothing about the records.
pub(super) fn unanswered_code(name: &str, kind: &str, rcode: Rcode) -> Option<Unanswered> {
    let code = match rcode {
        Rcode::NoError | Rcode::NxDomain => return None,
        Rcode::ServFail => "SERVFAIL".to_owned(),
        Rcode::Refused => "REFUSED".to_owned(),
        Rcode::Other(code) => format!("code {code}"),
    };
    Some(Unanswered {
        reason: format!("{kind} {name} is answered with {code}"),
        unlock: "mend the name servers or the DNSSEC signatures of the domain, then run it again"
            .to_owned(),
    })
}

/// Keeps the records that fit into `bytes` as JSON, in order, and counts the others as cut.
pub(super) fn fit<'a>(all: impl IntoIterator<Item = &'a mut Published>, bytes: usize) {
    let mut left = bytes;
    for published in all {
        let Seen::Ok(texts) = &mut published.answer else { continue };
        let before = texts.records.items.len();
        texts.records.items.retain(|text| {
            let rest = left.checked_sub(text.bytes().map(json_bytes).sum::<usize>() + 3);
            left = rest.unwrap_or(left);
            rest.is_some()
        });
        texts.records.cut += before - texts.records.items.len();
    }
}

const fn json_bytes(byte: u8) -> usize {
    match byte {
        0..=0x1f => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    }
}

/// A record with the local parts of addresses hidden, unless they name a role: reports are read by
/// people who need not know who reads the mail.
pub(super) fn shown(record: &str) -> String {
    let mut out = String::new();
    for word in record.split_inclusive(|c: char| ";,=: \t\"!<>".contains(c)) {
        let role = |local: &str| {
            let local = local.to_ascii_lowercase();
            let roles = ["dmarc", "report", "rpt", "rua", "postmaster", "hostmaster", "abuse"];
            roles.iter().any(|role| local.contains(role))
        };
        match word.split_once('@') {
            Some((local, host)) if !local.is_empty() && !role(local) => {
                out.push('…');
                out.push('@');
                out.push_str(host);
            }
            _ => out.push_str(word),
        }
    }
    out
}

/// Whether a record is an SPF record (RFC 7208 section 4.5).
pub(super) fn is_spf(text: &str) -> bool {
    let (version, rest) = text.split_once(' ').unwrap_or((text, ""));
    version.eq_ignore_ascii_case("v=spf1") && (rest.is_empty() || text.contains(' '))
}

/// Whether an SPF record lets anybody send: it has a term beside an `all` that does not pass.
pub(super) fn spf_lets_somebody_send(text: &str) -> bool {
    let silent = ["-all", "~all", "?all"];
    is_spf(text)
        && text
            .split_ascii_whitespace()
            .skip(1)
            .map(str::to_ascii_lowercase)
            .any(|term| !silent.contains(&term.as_str()) && !term.starts_with("exp="))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(texts: &[&str]) -> Published {
        let items = texts.iter().map(|text| (*text).to_owned()).collect();
        let records = Bounded { items, cut: 0 };
        Published {
            name: "a.test".to_owned(),
            answer: Seen::Ok(Texts { rcode: Rcode::NoError, records }),
        }
    }

    #[test]
    fn what_does_not_fit_is_counted_and_not_halved() {
        let mut all = vec![published(&["12345", "1234567890"]), published(&["\u{1}", "ab"])];
        fit(&mut all, 14);
        assert_eq!((all[0].records(), all[0].cut()), (&["12345".to_owned()][..], 1));
        assert_eq!((all[1].records(), all[1].cut()), (&["ab".to_owned()][..], 1));
    }

    #[test]
    fn addresses_of_people_are_hidden_and_roles_are_not() {
        assert_eq!(
            shown("v=DMARC1; rua=mailto:jo@harbor.com,mailto:dmarc@harbor.com!10m"),
            "v=DMARC1; rua=mailto:…@harbor.com,mailto:dmarc@harbor.com!10m"
        );
        assert_eq!(shown("rua=jo@harbor.com"), "rua=…@harbor.com");
    }

    #[test]
    fn only_a_record_with_a_passing_term_lets_somebody_send() {
        assert!(spf_lets_somebody_send("v=spf1 include:_spf.google.com ~all"));
        assert!(spf_lets_somebody_send("V=SPF1 +all"));
        assert!(spf_lets_somebody_send("v=spf1 redirect=_spf.harbor.com"));
        for silent in ["v=spf1 -all", "v=spf1", "v=spf1 ~ALL", "v=spf10 a -all", "spf1 a"] {
            assert!(!spf_lets_somebody_send(silent), "{silent}");
        }
    }
}
