//! Zone lines: a small reader for the record types that checks ask for.

use crate::probe::{DnsAnswer, DnsData, DnsRecord, Rcode, RecordType};

/// The longest chain of aliases that a resolver follows.
const ALIASES_FOLLOWED: usize = 16;

/// Records in the order in which they were written.
#[derive(Debug, Clone, Default)]
pub(super) struct Zone {
    records: Vec<(DnsRecord, RecordType)>,
    removed: Vec<(String, RecordType)>,
}

impl Zone {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut zone = Self::default();
        for line in text.lines().map(str::trim) {
            if line.is_empty() || line.starts_with(';') {
                continue;
            }
            zone.read_line(line).ok_or_else(|| format!("cannot read the zone line {line:?}"))?;
        }
        Ok(zone)
    }

    fn read_line(&mut self, line: &str) -> Option<()> {
        let mut words = line.split_whitespace();
        let name = lower(words.next()?);
        let ttl: u32 = words.next()?.parse().ok()?;
        let mut kind = words.next()?;
        if kind == "IN" {
            kind = words.next()?;
        }
        let kind: RecordType = kind.parse().ok()?;
        let at = line.find(kind.as_str())? + kind.as_str().len();
        let rest = line.get(at..)?.trim();
        if rest == "-" {
            self.removed.push((name, kind));
            return Some(());
        }
        let data = data(kind, rest)?;
        self.records.push((DnsRecord { name, ttl, data }, kind));
        Some(())
    }

    /// This zone with every name and type that `other` mentions replaced.
    pub(super) fn overridden_by(&self, other: &Self) -> Self {
        let replaced = |name: &str, kind: RecordType| {
            other.removed.iter().any(|(n, k)| n == name && *k == kind)
                || other.records.iter().any(|(record, k)| record.name == name && *k == kind)
        };
        let mut records: Vec<_> = self
            .records
            .iter()
            .filter(|(record, kind)| !replaced(&record.name, *kind))
            .cloned()
            .collect();
        records.extend(other.records.iter().cloned());
        Self { records, removed: Vec::new() }
    }

    fn exists(&self, name: &str) -> bool {
        let below = format!(".{name}");
        self.records.iter().any(|(record, _)| record.name == name || record.name.ends_with(&below))
    }

    /// The name whose records answer for `name`: itself, or the closest wildcard.
    fn owner(&self, name: &str) -> Option<String> {
        if self.exists(name) {
            return Some(name.to_owned());
        }
        let mut parent = name;
        while let Some((_, rest)) = parent.split_once('.') {
            let wildcard = format!("*.{rest}");
            if self.exists(&wildcard) {
                return Some(wildcard);
            }
            if self.exists(rest) {
                return None;
            }
            parent = rest;
        }
        None
    }

    /// Answers as a resolver does, aliases followed; `follow` is off for a name server.
    pub(super) fn answer(&self, name: &str, kind: RecordType, signed: bool) -> DnsAnswer {
        let mut answers = Vec::new();
        let mut rcode = Rcode::NoError;
        let mut current = name.to_owned();
        for _ in 0..ALIASES_FOLLOWED {
            let Some(owner) = self.owner(&current) else {
                rcode = Rcode::NxDomain;
                break;
            };
            let of = |wanted: RecordType| {
                let (owner, current) = (&owner, &current);
                self.records
                    .iter()
                    .filter(move |(record, k)| record.name == *owner && *k == wanted)
                    .map(move |(record, _)| DnsRecord { name: current.clone(), ..record.clone() })
            };
            let found: Vec<_> = of(kind).collect();
            if signed {
                let covers = |record: &DnsRecord| matches!(&record.data, DnsData::Rrsig { covered, .. } if covered == kind.as_str());
                answers.extend(of(RecordType::Rrsig).filter(covers));
            }
            if !found.is_empty() {
                answers.extend(found);
                break;
            }
            let Some(alias) = of(RecordType::Cname).next() else { break };
            let next =
                if let DnsData::Cname(target) = &alias.data { target.clone() } else { break };
            answers.push(alias);
            if kind == RecordType::Cname {
                break;
            }
            current = next;
        }
        let soa = self.soa_above(&current);
        let authority = if answers.is_empty() { soa } else { Vec::new() };
        DnsAnswer { rcode, authoritative: false, authenticated: false, answers, authority }
    }

    fn soa_above(&self, name: &str) -> Vec<DnsRecord> {
        let mut at = Some(name);
        while let Some(zone) = at {
            let soa = self.records.iter().find(|(r, k)| r.name == zone && *k == RecordType::Soa);
            if let Some((record, _)) = soa {
                return vec![record.clone()];
            }
            at = zone.split_once('.').map(|(_, rest)| rest);
        }
        Vec::new()
    }
}

fn lower(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

fn data(kind: RecordType, rest: &str) -> Option<DnsData> {
    let words: Vec<&str> = rest.split_whitespace().collect();
    let word = |n: usize| words.get(n).copied();
    Some(match kind {
        RecordType::A => DnsData::A(rest.parse().ok()?),
        RecordType::Aaaa => DnsData::Aaaa(rest.parse().ok()?),
        RecordType::Cname => DnsData::Cname(lower(rest)),
        RecordType::Ns => DnsData::Ns(lower(rest)),
        RecordType::Ptr => DnsData::Ptr(lower(rest)),
        RecordType::Mx => {
            DnsData::Mx { preference: word(0)?.parse().ok()?, exchange: lower(word(1)?) }
        }
        RecordType::Txt => DnsData::Txt(strings(rest)?),
        RecordType::Soa => DnsData::Soa {
            mname: lower(word(0)?),
            rname: lower(word(1)?),
            serial: word(2)?.parse().ok()?,
            refresh: word(3)?.parse().ok()?,
            retry: word(4)?.parse().ok()?,
            expire: word(5)?.parse().ok()?,
            minimum: word(6)?.parse().ok()?,
        },
        RecordType::Caa => DnsData::Caa {
            critical: word(0)?.parse::<u8>().ok()? & 128 != 0,
            tag: word(1)?.to_ascii_lowercase(),
            value: strings(rest.splitn(3, char::is_whitespace).nth(2)?)?.concat(),
        },
        RecordType::Ds => DnsData::Ds {
            key_tag: word(0)?.parse().ok()?,
            algorithm: word(1)?.parse().ok()?,
            digest_type: word(2)?.parse().ok()?,
            digest: words.get(3..)?.concat().to_ascii_lowercase(),
        },
        // `flags algorithm key_tag public_key`: the tag is written down and not computed.
        RecordType::Dnskey => DnsData::Dnskey {
            flags: word(0)?.parse().ok()?,
            algorithm: word(1)?.parse().ok()?,
            key_tag: word(2)?.parse().ok()?,
            public_key: word(3)?.to_owned(),
        },
        // `covered algorithm key_tag signer inception expiration`, times in Unix seconds.
        RecordType::Rrsig => DnsData::Rrsig {
            covered: word(0)?.to_owned(),
            algorithm: word(1)?.parse().ok()?,
            key_tag: word(2)?.parse().ok()?,
            signer: lower(word(3)?),
            inception: word(4)?.parse().ok()?,
            expiration: word(5)?.parse().ok()?,
        },
        RecordType::Tlsa => DnsData::Tlsa {
            usage: word(0)?.parse().ok()?,
            selector: word(1)?.parse().ok()?,
            matching: word(2)?.parse().ok()?,
            data: words.get(3..)?.concat().to_ascii_lowercase(),
        },
    })
}

/// `"one" "two"` or a bare word; `\"` and `\\` are escapes.
fn strings(text: &str) -> Option<Vec<String>> {
    if !text.starts_with('"') {
        return Some(vec![text.to_owned()]);
    }
    let mut all = Vec::new();
    let mut current: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (&mut current, c) {
            (Some(string), '\\') => string.push(chars.next()?),
            (Some(_), '"') => all.push(current.take()?),
            (Some(string), c) => string.push(c),
            (None, '"') => current = Some(String::new()),
            (None, c) if c.is_whitespace() => {}
            (None, _) => return None,
        }
    }
    if current.is_none() { Some(all) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_wildcards_and_empty_names_answer_as_a_resolver_does() {
        let zone = Zone::parse(
            "a.test 60 A 192.0.2.1\nwww.a.test 60 CNAME a.test\n*.w.a.test 60 TXT \"x\" \"y\"\n\
             a.test 60 SOA ns.a.test host.a.test 1 2 3 4 5",
        )
        .unwrap();
        let answer = zone.answer("www.a.test", RecordType::A, false);
        assert_eq!(answer.answers.len(), 2);
        assert_eq!(answer.aliases(), ["a.test"]);
        assert_eq!(zone.answer("x.w.a.test", RecordType::Txt, false).texts(), ["xy"]);
        assert_eq!(zone.answer("w.a.test", RecordType::Txt, false).rcode, Rcode::NoError);
        assert_eq!(zone.answer("b.test", RecordType::A, false).rcode, Rcode::NxDomain);
        assert_eq!(zone.answer("no.a.test", RecordType::A, false).authority.len(), 1);
    }
}
