//! What name servers said, in the shape in which it is kept as evidence.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::record::is_record;
use crate::probe::{
    Dns, DnsAnswer, DnsData, DnsQuestion, ProbeError, Rcode, RecordType, Seen, TargetFault,
    addresses, txt_strings,
};

/// Look-ups made for the records of one project; a record that needs more is broken many times over.
const QUESTIONS: usize = 60;
/// SPF records kept for one name: one is right, two are the defect.
const RECORDS_KEPT: usize = 4;
/// Bytes of JSON that all kept texts may take together, so that the evidence stays below its limit.
const TEXT_BYTES: usize = 16 * 1024;
/// Bytes of JSON kept of one record; the part of a record past this is not judged.
const RECORD_BYTES: usize = 6 * 1024;
/// Texts kept that look as if they were meant to be an SPF record.
const NEAR_KEPT: usize = 2;
/// Mail servers kept of one name.
const SERVERS: usize = 6;
/// Characters kept of such a text.
const NEAR_CHARS: usize = 160;

/// Something that the evaluation of a record needs to know.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Question {
    /// The SPF records of a name.
    Record(String),
    /// Whether a name has an address of any family (`a`).
    Address(String),
    /// Whether a name has an IPv4 address (`exists`).
    Exists(String),
    /// How many mail servers a name has (`mx`).
    Mx(String),
}

impl Question {
    /// The key of a counting question.
    fn key(&self) -> String {
        match self {
            Self::Record(name) => format!("TXT {name}"),
            Self::Address(name) => format!("A/AAAA {name}"),
            Self::Exists(name) => format!("A {name}"),
            Self::Mx(name) => format!("MX {name}"),
        }
    }
}

/// The TXT records of a name, as far as they concern SPF.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Texts {
    /// The SPF records, each as its list of strings.
    pub(super) records: Vec<Vec<String>>,
    /// SPF records past the ones kept.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) more: usize,
    /// How long the longest of them is in bytes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) bytes: usize,
    /// A record was too long to be kept whole.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) cut: bool,
    /// Texts that are no SPF record but look as if they should be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) near: Vec<String>,
    /// The name is an alias, and leads here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) alias: Option<String>,
    /// The name does not exist.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) missing: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

impl Texts {
    pub(super) fn count(&self) -> usize {
        self.records.len() + self.more
    }

    /// The text of the only record.
    pub(super) fn only(&self) -> Option<String> {
        if self.count() == 1 { self.records.first().map(|strings| strings.concat()) } else { None }
    }

    fn from_answer(answer: &DnsAnswer, budget: &mut usize) -> Self {
        let mut texts = Self {
            alias: answer.aliases().last().map(|name| affordable(name, budget)).unwrap_or_default(),
            missing: answer.rcode == Rcode::NxDomain,
            ..Self::default()
        };
        for strings in txt_strings(answer) {
            let whole = strings.concat();
            if is_record(&whole) {
                texts.bytes = texts.bytes.max(whole.chars().count());
                if texts.records.len() < RECORDS_KEPT {
                    texts.keep(strings, budget);
                } else {
                    texts.more += 1;
                }
            } else if whole.to_ascii_lowercase().contains("spf1") && texts.near.len() < NEAR_KEPT {
                let near: String = whole.chars().take(NEAR_CHARS).collect();
                texts.near.extend(affordable(&near, budget));
            }
        }
        texts
    }

    /// Keeps a record as far as the budget goes, cut behind a whole term.
    fn keep(&mut self, strings: &[String], budget: &mut usize) {
        let most = RECORD_BYTES.min(*budget);
        let mut kept = Vec::new();
        let mut used = 0;
        for string in strings {
            let size = json_bytes(string);
            if used + size > most {
                self.cut = true;
                let words: String = string.chars().take((most - used) / 6).collect();
                if let Some((words, _)) = words.rsplit_once(' ') {
                    used += json_bytes(words);
                    kept.push(words.to_owned());
                }
                break;
            }
            used += size;
            kept.push(string.clone());
        }
        *budget = budget.saturating_sub(used);
        self.records.push(kept);
    }
}

/// The text, where there is still room for it.
fn affordable(text: &str, budget: &mut usize) -> Option<String> {
    *budget = budget.checked_sub(json_bytes(text))?;
    Some(text.to_owned())
}

/// How much room a string takes in JSON; a control character takes six bytes.
fn json_bytes(text: &str) -> usize {
    3 + text.chars().map(|c| if c.is_control() { 6 } else { c.len_utf8() + 1 }).sum::<usize>()
}

/// Everything that was asked for, and its answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Answers {
    records: BTreeMap<String, Seen<Texts>>,
    counts: BTreeMap<String, Seen<usize>>,
    /// Questions that were not asked, because there were too many.
    pub(super) left: usize,
}

impl Answers {
    pub(super) fn texts(&self, name: &str) -> Option<&Seen<Texts>> {
        self.records.get(name)
    }

    /// How many records answer a counting question.
    pub(super) fn count(&self, question: &Question) -> Option<&Seen<usize>> {
        self.counts.get(&question.key())
    }

    fn knows(&self, question: &Question) -> bool {
        match question {
            Question::Record(name) => self.records.contains_key(name),
            counting => self.counts.contains_key(&counting.key()),
        }
    }

    /// Asks, all at once, what `wanted` says of the answers so far, until it wants nothing more.
    pub(super) async fn gather(
        dns: &dyn Dns,
        wanted: impl Fn(&Self) -> BTreeSet<Question>,
    ) -> Self {
        let mut answers = Self::default();
        let mut text_budget = TEXT_BYTES;
        loop {
            let mut open: Vec<Question> =
                wanted(&answers).into_iter().filter(|question| !answers.knows(question)).collect();
            let room = QUESTIONS.saturating_sub(answers.records.len() + answers.counts.len());
            answers.left = open.len().saturating_sub(room);
            open.truncate(room);
            if open.is_empty() {
                return answers;
            }
            let round = join_all(open.into_iter().map(async |question| {
                let answer = ask(dns, &question).await;
                (question, answer)
            }));
            for (question, answer) in round.await {
                match (question, answer) {
                    (Question::Record(name), Reply::Texts(answer)) => {
                        let texts =
                            answer.map(|answer| Texts::from_answer(&answer, &mut text_budget));
                        answers.records.insert(name, texts.into());
                    }
                    (question, Reply::Count(count)) => {
                        answers.counts.insert(question.key(), count.into());
                    }
                    (question, Reply::Texts(_)) => drop(question),
                }
            }
        }
    }
}

enum Reply {
    Texts(Result<DnsAnswer, ProbeError>),
    Count(Result<usize, ProbeError>),
}

async fn ask(dns: &dyn Dns, question: &Question) -> Reply {
    let look_up =
        async |name: &str, kind| answered(dns.lookup(DnsQuestion::new(name, kind)).await, name);
    match question {
        Question::Record(name) => Reply::Texts(look_up(name, RecordType::Txt).await),
        Question::Address(name) => Reply::Count(match addresses(dns, name).await {
            Ok(look) if look.addresses.is_empty() => refused(look.rcode, name).map(|()| 0),
            Ok(look) => Ok(look.addresses.len()),
            Err(error) => Err(error),
        }),
        Question::Exists(name) => {
            Reply::Count(look_up(name, RecordType::A).await.map(|answer| answer.addresses().len()))
        }
        Question::Mx(name) => Reply::Count(look_up(name, RecordType::Mx).await.map(|answer| {
            answer.of(|data| matches!(data, DnsData::Mx { .. }).then_some(())).len()
        })),
    }
}

/// The mail servers of a name, best first; an empty name stands for a null MX (RFC 7505).
///
/// # Errors
/// A fault when the question was not answered.
pub(in crate::mail) async fn mail_servers(
    dns: &dyn Dns,
    name: &str,
) -> Result<Vec<String>, ProbeError> {
    let answer = answered(dns.lookup(DnsQuestion::new(name, RecordType::Mx)).await, name)?;
    let mut hosts = answer.of(|data| match data {
        DnsData::Mx { preference, exchange } => Some((*preference, exchange.clone())),
        _ => None,
    });
    hosts.sort();
    Ok(hosts
        .into_iter()
        .take(SERVERS)
        .map(|(_, host)| host.trim_end_matches('.').to_owned())
        .collect())
}

/// An answer that says something: SERVFAIL and its like are a fault of the name's servers.
pub(in crate::mail) fn answered(
    answer: Result<DnsAnswer, ProbeError>,
    name: &str,
) -> Result<DnsAnswer, ProbeError> {
    let answer = answer?;
    refused(answer.rcode, name)?;
    Ok(answer)
}

fn refused(rcode: Rcode, name: &str) -> Result<(), ProbeError> {
    let code = match rcode {
        Rcode::NoError | Rcode::NxDomain => return Ok(()),
        Rcode::ServFail => "SERVFAIL".to_owned(),
        Rcode::Refused => "REFUSED".to_owned(),
        Rcode::Other(code) => format!("answer code {code}"),
    };
    Err(TargetFault::Unresolvable(format!("{name}: {code}")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_kept_within_the_budget_and_cut_behind_a_term() {
        let mut budget = 700;
        let mut texts = Texts::default();
        texts.keep(&["v=spf1 ".to_owned() + &"a:harbor.com ".repeat(100)], &mut budget);
        assert!(texts.cut);
        assert!(texts.records.concat().concat().ends_with("a:harbor.com"));
        assert!(budget < 700);
        let mut nothing = 0;
        texts.keep(&["v=spf1 -all".to_owned()], &mut nothing);
        assert_eq!(texts.records.len(), 2);
    }
}
