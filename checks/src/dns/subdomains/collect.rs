//! Looks names up: usual words, declared hosts, and those that certificates, SPF and pages show.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures_util::future::join_all;
use futures_util::join;

use super::evidence::{Evidence, NameAnswer, NameView, PageLook, Source, Unread};
use super::names::{WORDS, below, in_page, in_spf, unlikely_label};
use super::services::{Sign, is_vendor, of_alias, says_unclaimed};
use crate::contract::{Bounded, CheckError, Target};
use crate::dns::records::shorten;
use crate::probe::{
    AddressLook, AgentFault, Dns, DnsData, DnsQuestion, HttpRequest, ProbeError, Probes, Rcode,
    RecordType, Seen, TlsQuestion, addresses,
};
use crate::suffix::{handed_out_by_registry, registrable};
use crate::vendor::{by_address, by_alias, is_below};

/// The most declared hosts and the most names from other sources that are looked up.
const DECLARED: usize = 24;
const FOUND: usize = 30;
/// The most names that are kept as evidence.
const KEPT: usize = 80;
/// The most bytes of a page that are searched for the text of an unclaimed name.
const PAGE_BYTES: usize = 64 * 1024;

/// Looks at every name that can be thought of, at most 120 in all.
pub(super) async fn collect(target: &Target, probes: &Probes) -> Result<Evidence, CheckError> {
    let domain = target.domain.as_str();
    let dns = probes.dns.as_ref();
    let declared: Vec<String> =
        target.hosts.iter().filter(|h| *h != domain).take(DECLARED).cloned().collect();
    let words: Vec<String> = WORDS
        .iter()
        .map(|word| format!("{word}.{domain}"))
        .filter(|name| !declared.contains(name))
        .collect();
    let unlikely = format!("{}.{domain}", unlikely_label(domain));
    let (wild, first, words_seen, servers, (found, unread), apex) = join!(
        addresses(dns, &unlikely),
        join_all(declared.iter().map(|name| addresses(dns, name))),
        join_all(words.iter().map(|name| by_one_question(dns, name))),
        server_names(dns, domain),
        found_names(probes, domain),
        addresses(dns, domain),
    );
    let mut views: Vec<(String, Source, Seen<AddressLook>)> = Vec::new();
    for (name, look) in declared.iter().zip(first) {
        views.push((name.clone(), Source::Declared, look.into()));
    }
    for (name, look) in words.iter().zip(words_seen) {
        views.push((name.clone(), Source::Word, look.into()));
    }
    let known: BTreeSet<String> = views.iter().map(|(name, _, _)| name.clone()).collect();
    let new: Vec<(String, Source)> =
        found.into_iter().filter(|(name, _)| !known.contains(name)).take(FOUND).collect();
    let looks = join_all(new.iter().map(|(name, _)| addresses(dns, name))).await;
    for ((name, source), look) in new.into_iter().zip(looks) {
        views.push((name, source, look.into()));
    }
    let (wildcard, apex) = (Seen::from(wild), Seen::from(apex));
    let faults: Vec<&AgentFault> = views.iter().filter_map(|(_, _, s)| s.agent_fault()).collect();
    if let (Some(fault), true) = (faults.first(), faults.len() == views.len()) {
        return Err((*fault).clone().into());
    }
    let answers = views.iter().map(|(_, _, look)| look).chain([&wildcard, &apex]);
    must_answer(domain, &apex, answers)?;
    let mut in_use: BTreeSet<IpAddr> =
        apex.ok().into_iter().flat_map(|look| look.addresses.iter().copied()).collect();
    for (_, source, look) in &views {
        if let (Source::Declared, Seen::Ok(look)) = (*source, look) {
            in_use.extend(&look.addresses);
        }
    }
    let is_wild = |look: &AddressLook| wildcard.ok().is_some_and(|wild| same_answer(wild, look));
    views.retain(|(_, source, look)| match (source, look) {
        (Source::Declared, _) => true,
        (_, Seen::Ok(look)) => is_there(look) && !is_wild(look),
        _ => false,
    });
    let answers_all = wildcard.clone().map(|look| is_there(&look));
    if answers_all.ok() == Some(&true) {
        views.push((unlikely, Source::Wildcard, wildcard));
    }
    let names = join_all(views.into_iter().map(async |(name, source, look)| {
        let look = match look {
            Seen::Ok(look) => {
                let shared = look.addresses.iter().any(|address| in_use.contains(address));
                let in_use = shared || servers.contains(&name);
                Seen::Ok(inspect(probes, domain, &name, &look, in_use).await)
            }
            Seen::Target(fault) => Seen::Target(fault),
            Seen::Agent(fault) => Seen::Agent(fault),
        };
        let name = if source == Source::Wildcard { format!("*.{domain}") } else { name };
        NameView { name, source, look }
    }))
    .await;
    Ok(Evidence {
        domain: domain.to_owned(),
        wildcard: answers_all,
        names: Bounded::keep(names, KEPT),
        declared_cut: target.hosts.len().saturating_sub(DECLARED),
        unread,
    })
}

/// Names below a domain that does not exist, or whose servers say nothing of it, were not seen.
fn must_answer<'a>(
    domain: &str,
    apex: &Seen<AddressLook>,
    mut answers: impl Iterator<Item = &'a Seen<AddressLook>>,
) -> Result<(), CheckError> {
    let missing = |look: &AddressLook| look.rcode == Rcode::NxDomain && !is_there(look);
    if apex.ok().is_some_and(missing) {
        return Err(CheckError::unknown(
            format!("{domain} does not exist (NXDOMAIN); see dns-resolution"),
            "check the spelling of the domain, or whether it is registered, then run it again",
        ));
    }
    let says = |look: &AddressLook| matches!(look.rcode, Rcode::NoError | Rcode::NxDomain);
    if answers.any(|answer| answer.ok().is_some_and(says)) {
        return Ok(());
    }
    Err(CheckError::unknown(
        format!("nothing answers for {domain} and the names below it; see dns-resolution"),
        "mend the name servers or the DNSSEC signatures of the domain, then run it again",
    ))
}

fn is_there(look: &AddressLook) -> bool {
    !look.addresses.is_empty() || !look.aliases.is_empty()
}

/// A name that has only what every undefined name has. Addresses of a platform rotate.
fn same_answer(wild: &AddressLook, look: &AddressLook) -> bool {
    if !is_there(wild) || wild.aliases.first() != look.aliases.first() {
        return false;
    }
    let platform =
        |look: &AddressLook| look.addresses.first().and_then(|a| by_address(*a)).map(|p| p.name);
    !wild.aliases.is_empty()
        || look.addresses.iter().any(|address| wild.addresses.contains(address))
        || platform(wild).is_some() && platform(wild) == platform(look)
}

/// The question for an IPv4 address also shows the alias, and the usual names are many.
async fn by_one_question(dns: &dyn Dns, name: &str) -> Result<AddressLook, ProbeError> {
    let answer = dns.lookup(DnsQuestion::new(name, RecordType::A)).await?;
    Ok(AddressLook {
        addresses: answer.addresses(),
        aliases: answer.aliases().into_iter().map(str::to_owned).collect(),
        rcode: answer.rcode,
    })
}

/// The mail and name servers of the domain.
async fn server_names(dns: &dyn Dns, domain: &str) -> BTreeSet<String> {
    let (mx, ns) = join!(
        dns.lookup(DnsQuestion::new(domain, RecordType::Mx)),
        dns.lookup(DnsQuestion::new(domain, RecordType::Ns)),
    );
    let answers = [mx, ns].into_iter().filter_map(Result::ok);
    answers
        .flat_map(|answer| answer.answers)
        .filter_map(|record| match record.data {
            DnsData::Mx { exchange, .. } => Some(exchange),
            DnsData::Ns(name) => Some(name),
            _ => None,
        })
        .collect()
}

/// Names below the domain that the product itself shows, and the sources that could not be read.
async fn found_names(probes: &Probes, domain: &str) -> (BTreeMap<String, Source>, Vec<Unread>) {
    let www = format!("www.{domain}");
    let shake = |host: &str| {
        let host = host.to_owned();
        probes.tls.handshake(TlsQuestion { host, address: None, port: 443, ecdsa: None })
    };
    let get = |host: &str| probes.http.send(HttpRequest::get(format!("https://{host}/")));
    let (apex_tls, www_tls, apex_page, www_page, txt) = join!(
        shake(domain),
        shake(&www),
        get(domain),
        get(&www),
        probes.dns.lookup(DnsQuestion::new(domain, RecordType::Txt)),
    );
    let mut found = BTreeMap::new();
    let mut unread = Vec::new();
    let mut note = |source: &str, error: ProbeError| {
        if let ProbeError::Agent(fault) = error {
            unread.push(Unread { source: source.to_owned(), fault });
        }
    };
    match txt {
        Ok(answer) => {
            for name in answer.texts().iter().flat_map(|text| in_spf(text, domain)) {
                found.insert(name, Source::Spf);
            }
        }
        Err(error) => note("names in the SPF record", error),
    }
    for page in [apex_page, www_page] {
        match page {
            Ok(page) => {
                for name in in_page(&page.text(), domain) {
                    found.insert(name, Source::Page);
                }
            }
            Err(error) => note("names on the home page", error),
        }
    }
    for answer in [apex_tls, www_tls] {
        match answer {
            Ok(answer) => {
                let names = answer.chain.first().map(|leaf| leaf.names.clone()).unwrap_or_default();
                for name in names.iter().filter_map(|name| below(name, domain)) {
                    found.insert(name, Source::Certificate);
                }
            }
            Err(error) => note("names in the certificate", error),
        }
    }
    unread.dedup_by(|a, b| a.source == b.source);
    (found, unread)
}

/// Where a name leads, and whether it is claimed there.
async fn inspect(
    probes: &Probes,
    domain: &str,
    name: &str,
    look: &AddressLook,
    in_use: bool,
) -> NameAnswer {
    let at_service = look.aliases.iter().rev().find(|alias| of_alias(alias).is_some());
    let alias = at_service.or(look.aliases.last());
    let service = alias.and_then(|alias| of_alias(alias));
    let platform = look
        .addresses
        .first()
        .and_then(|address| by_address(*address))
        .or_else(|| look.aliases.iter().find_map(|alias| by_alias(alias)));
    let nowhere = look.addresses.is_empty() && look.rcode == Rcode::NxDomain;
    let page = match service.map(|service| service.sign) {
        Some(Sign::Page(text)) if !look.addresses.is_empty() => {
            Some(page(probes, name, text).await)
        }
        _ => None,
    };
    let own = registrable(domain).unwrap_or(domain);
    let unregistered = match look.aliases.last() {
        Some(last) if nowhere && !is_below(last, own) => {
            unregistered(probes.dns.as_ref(), last).await
        }
        _ => None,
    };
    NameAnswer {
        rcode: look.rcode,
        addresses: look.addresses.len(),
        alias: alias.map(|alias| shorten(alias, 120)),
        platform: platform.map(|platform| platform.name.to_owned()),
        in_use,
        vendor: look.aliases.iter().any(|alias| is_vendor(alias)),
        service: service.map(|service| service.name.to_owned()),
        page,
        unregistered,
    }
}

/// Reads the page over both protocols: an unclaimed name often has no certificate.
async fn page(probes: &Probes, name: &str, text: &str) -> Seen<PageLook> {
    let get = |scheme: &str| {
        probes.http.send(HttpRequest::get(format!("{scheme}://{name}/")).at_most(PAGE_BYTES))
    };
    let (plain, secure) = join!(get("http"), get("https"));
    let mut seen: Vec<Seen<PageLook>> = [plain, secure]
        .into_iter()
        .map(|answer| {
            Seen::from(answer).map(|page| PageLook {
                status: page.status,
                unclaimed: says_unclaimed(&page.text(), page.status, text),
            })
        })
        .collect();
    let rank = |seen: &Seen<PageLook>| match seen {
        Seen::Ok(look) if look.unclaimed => 0,
        Seen::Ok(_) => 1,
        Seen::Target(_) => 2,
        Seen::Agent(_) => 3,
    };
    seen.sort_by_key(rank);
    seen.into_iter().next().unwrap_or(Seen::Agent(AgentFault::Bug(format!("no look at {name}"))))
}

/// The registrable domain of an alias target when nobody has registered it. Suffixes that a
/// company hands out below its own domain are left out: their names cannot be registered.
async fn unregistered(dns: &dyn Dns, name: &str) -> Option<String> {
    let domain = handed_out_by_registry(name)?;
    let answer = dns.lookup(DnsQuestion::new(domain, RecordType::Ns)).await.ok()?;
    (answer.rcode == Rcode::NxDomain).then(|| shorten(domain, 120))
}
