//! Asks for every record of the approved state, all at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::IpAddr;

use futures_util::future::{join, join_all};

use super::{Evidence, Kind, Records};
use crate::contract::{CheckError, Target};
use crate::dns::records::{RecordSet, absolute, rcode_name, zone_text};
use crate::probe::{
    AddressLook, AgentFault, Dns, DnsAnswer, DnsData, DnsQuestion, Probes, Rcode, RecordType, Seen,
    TargetFault, addresses,
};
use crate::vendor::{by_address, by_alias};

/// The most hosts whose addresses are looked up.
const HOSTS: usize = 40;
/// The most records of a set that are kept, and the most characters of one. A TXT record of 1,000
/// characters is longer than any policy that mail servers accept.
const LINES: usize = 40;
const CHARACTERS: usize = 1000;
/// The most bytes of record text that are kept over all sets; evidence may take 64 KiB.
const TEXT_BYTES: usize = 36 * 1024;
/// The most addresses of a host whose names are looked up to recognise a platform.
const REVERSED: usize = 4;

/// Looks at apex, declared hosts, `www` and the DMARC record.
pub(super) async fn collect(target: &Target, probes: &Probes) -> Result<Evidence, CheckError> {
    let (dns, domain) = (probes.dns.as_ref(), target.domain.as_str());
    let mut hosts = target.declared_hosts();
    let www = format!("www.{domain}");
    if !hosts.contains(&www) {
        hosts.insert(1.min(hosts.len()), www);
    }
    let hosts_cut = hosts.len().saturating_sub(HOSTS);
    hosts.truncate(HOSTS);
    let apex = [
        (Kind::Ns, RecordType::Ns),
        (Kind::Mx, RecordType::Mx),
        (Kind::Txt, RecordType::Txt),
        (Kind::Caa, RecordType::Caa),
        (Kind::Ds, RecordType::Ds),
    ];
    let dmarc = format!("_dmarc.{domain}");
    let questions = apex.iter().map(|(kind, wanted)| (*kind, domain, *wanted)).chain([(
        Kind::Dmarc,
        dmarc.as_str(),
        RecordType::Txt,
    )]);
    let answers = questions.map(async |(kind, name, wanted)| {
        let answer = Seen::from(dns.lookup(DnsQuestion::new(name, wanted)).await);
        (kind, name.to_owned(), wanted, sound(answer, name, wanted))
    });
    let (answers, looks) = join(
        join_all(answers),
        join_all(hosts.iter().map(async |name| (name.clone(), host(dns, name).await))),
    )
    .await;
    let mut sets = BTreeMap::new();
    for (kind, name, wanted, answer) in answers {
        if kind == Kind::Txt {
            // Mail policy apart from verification records, which come and go.
            let (spf, other) = split(answer);
            sets.insert(Kind::Spf.of(&name), spf.map(plain));
            sets.insert(kind.of(&name), other.map(plain));
        } else {
            let lines = answer.map(|answer| (answer.rcode, lines(&answer, wanted)));
            sets.insert(kind.of(&name), lines.map(plain));
        }
    }
    sets.extend(looks.into_iter().map(|(name, look)| (Kind::Address.of(&name), look)));
    let faults: Vec<&AgentFault> = sets.values().filter_map(Seen::agent_fault).collect();
    if let (Some(fault), true) = (faults.first(), faults.len() == sets.len()) {
        return Err((*fault).clone().into());
    }
    keep_within(&mut sets);
    Ok(Evidence { sets, hosts_cut })
}

/// An answer that tells whether there are records; a failing server tells nothing.
fn sound(answer: Seen<DnsAnswer>, name: &str, kind: RecordType) -> Seen<DnsAnswer> {
    match answer {
        Seen::Ok(answer) if !matches!(answer.rcode, Rcode::NoError | Rcode::NxDomain) => {
            let code = rcode_name(answer.rcode);
            Seen::Target(TargetFault::Malformed(format!("{name} {kind}: {code}")))
        }
        other => other,
    }
}

/// Type and data of the records of one type.
fn lines(answer: &DnsAnswer, wanted: RecordType) -> Vec<String> {
    answer
        .answers
        .iter()
        .filter_map(|record| zone_text(&record.data))
        .filter(|(kind, _)| *kind == wanted)
        .map(|(kind, text)| format!("{kind} {text}"))
        .collect()
}

type Lines = (Rcode, Vec<String>);

/// TXT records: those of SPF, and the others.
fn split(answer: Seen<DnsAnswer>) -> (Seen<Lines>, Seen<Lines>) {
    let part = |answer: &DnsAnswer, wanted: bool| {
        let of = answer.answers.iter().filter(|record| {
            let DnsData::Txt(strings) = &record.data else { return false };
            let start: String = strings.concat().chars().take(6).collect();
            start.eq_ignore_ascii_case("v=spf1") == wanted
        });
        let texts = of.filter_map(|record| zone_text(&record.data));
        (answer.rcode, texts.map(|(kind, text)| format!("{kind} {text}")).collect())
    };
    let spf = answer.clone().map(|answer| part(&answer, true));
    (spf, answer.map(|answer| part(&answer, false)))
}

fn plain((rcode, lines): Lines) -> Records {
    Records { set: RecordSet::from_lines(rcode, lines, LINES, CHARACTERS), platform: None }
}

/// The alias of a host, or its addresses and the platform that all of them belong to.
async fn host(dns: &dyn Dns, name: &str) -> Seen<Records> {
    let look = match Seen::from(addresses(dns, name).await) {
        Seen::Ok(look) => look,
        Seen::Target(fault) => return Seen::Target(fault),
        Seen::Agent(fault) => return Seen::Agent(fault),
    };
    if !matches!(look.rcode, Rcode::NoError | Rcode::NxDomain) {
        return Seen::Target(TargetFault::Malformed(format!("{name}: {}", rcode_name(look.rcode))));
    }
    if let Some(alias) = look.aliases.first() {
        // What stands behind an alias is the other side's to change.
        return Seen::Ok(plain((Rcode::NoError, vec![format!("CNAME {}", absolute(alias))])));
    }
    let lines = look.addresses.iter().map(|address| match address {
        IpAddr::V4(address) => format!("A {address}"),
        IpAddr::V6(address) => format!("AAAA {address}"),
    });
    let mut records = plain((look.rcode, lines.collect()));
    records.platform = platform(dns, &look).await.map(str::to_owned);
    Seen::Ok(records)
}

/// The one platform of all addresses: by its published ranges, else by the name of the address.
async fn platform(dns: &dyn Dns, look: &AddressLook) -> Option<&'static str> {
    let names = join_all(look.addresses.iter().take(REVERSED).map(async |address| {
        if let Some(platform) = by_address(*address) {
            return Some(platform.name);
        }
        let question = DnsQuestion::new(reverse_name(*address), RecordType::Ptr);
        let answer = dns.lookup(question).await.ok()?;
        answer
            .of(|data| if let DnsData::Ptr(name) = data { by_alias(name) } else { None })
            .first()
            .map(|platform| platform.name)
    }))
    .await;
    let first = (*names.first()?)?;
    names.iter().all(|name| *name == Some(first)).then_some(first)
}

/// The name at which an address has its own name (RFC 1035 section 3.5, RFC 3596 section 2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(address) => {
            let mut name = String::with_capacity(72);
            for byte in address.octets().iter().rev() {
                let _infallible = write!(name, "{:x}.{:x}.", byte & 15, byte >> 4);
            }
            name + "ip6.arpa"
        }
    }
}

/// Drops record texts past the limit, the longest sets first; digests and counts stay.
fn keep_within(sets: &mut BTreeMap<String, Seen<Records>>) {
    let cost = |line: &String| serde_json::to_string(line).map_or(0, |json| json.len() + 1);
    loop {
        let mut sizes: Vec<(usize, &mut RecordSet)> = sets
            .values_mut()
            .filter_map(|seen| match seen {
                Seen::Ok(records) => Some(&mut records.set),
                Seen::Target(_) | Seen::Agent(_) => None,
            })
            .map(|set| (set.lines.items.iter().map(cost).sum(), set))
            .collect();
        let total: usize = sizes.iter().map(|(size, _)| *size).sum();
        if total <= TEXT_BYTES {
            return;
        }
        sizes.sort_by_key(|(size, _)| *size);
        let Some((_, longest)) = sizes.pop() else { return };
        let half = longest.lines.items.len() / 2;
        longest.lines.cut += longest.lines.items.len() - half;
        longest.lines.items.truncate(half);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_reversed_nibble_by_nibble() {
        assert_eq!(reverse_name("192.0.2.1".parse().unwrap()), "1.2.0.192.in-addr.arpa");
        let name = reverse_name("2001:db8::1".parse().unwrap());
        assert!(name.starts_with("1.0.0.0.") && name.ends_with("8.b.d.0.1.0.0.2.ip6.arpa"));
        assert_eq!(name.len(), 72);
    }
}
