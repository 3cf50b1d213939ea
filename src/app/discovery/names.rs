//! The names below a domain: usual words, certificates and pages, with where each leads.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;
use launchready_checks::dns::names::{WORDS, below, unlikely_label};
use launchready_checks::probe::{Dns, DnsQuestion, Probes, RecordType, TlsQuestion};

use crate::discover::{HostSeen, Place, Sign, Stack, is_product, platform};

/// The most names from certificates and pages that are looked up.
const FOUND: usize = 30;

/// The names that exist.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// In the order of the words, then by name.
    found: Vec<(String, Place)>,
    /// Where a name leads that nobody made.
    wild: Place,
}

/// Looks the usual words up, and the names in the certificates.
pub(super) async fn look(probes: &Probes, domain: &str) -> Names {
    let dns = &*probes.dns;
    let nobodys = format!("{}.{domain}", unlikely_label(domain));
    let words: Vec<String> = WORDS.iter().map(|word| format!("{word}.{domain}")).collect();
    let (apex, wild, words_seen, certificates) = join!(
        place(dns, domain),
        place(dns, &nobodys),
        join_all(words.iter().map(|name| place(dns, name))),
        certificates(probes, domain),
    );
    let mut names = Names { found: Vec::new(), wild: wild.unwrap_or_default() };
    names.found.extend(apex.map(|place| (domain.to_owned(), place)));
    for (name, place) in words.into_iter().zip(words_seen) {
        names.keep(name, place);
    }
    names.add(dns, domain, certificates).await;
    names
}

impl Names {
    /// Looks further names up, those that are not known yet.
    pub(super) async fn add(&mut self, dns: &dyn Dns, domain: &str, names: BTreeSet<String>) {
        let new = names.into_iter().filter_map(|name| below(&name, domain));
        let new: Vec<String> =
            new.filter(|name| !self.names().any(|known| known == name)).take(FOUND).collect();
        let looks = join_all(new.iter().map(|name| place(dns, name))).await;
        for (name, place) in new.into_iter().zip(looks) {
            self.keep(name, place);
        }
    }

    /// Keeps a name that leads somewhere, and not merely where every name leads.
    fn keep(&mut self, name: String, place: Option<Place>) {
        let Some(place) = place.filter(|it| !it.addresses.is_empty() || !it.aliases.is_empty())
        else {
            return;
        };
        let wild = &self.wild;
        let shares = place.addresses.iter().any(|address| wild.addresses.contains(address));
        let same = shares || platform(wild).is_some() && platform(wild) == platform(&place);
        if !(same && place.aliases.first() == wild.aliases.first()) {
            self.found.push((name, place));
        }
    }

    /// Every name, the domain first.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.found.iter().map(|(name, _)| name.as_str())
    }

    /// Every name with where it leads.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.found.iter().map(|(name, place)| (name.as_str(), place))
    }

    /// The host under which Supabase answers in the product's own name.
    pub(super) fn supabase_host(&self) -> Option<&str> {
        self.all().find(|(_, place)| reference_of(place).is_some()).map(|(name, _)| name)
    }

    /// The project of Supabase to which a name leads.
    pub(super) fn supabase(&self) -> Option<(String, String)> {
        self.all().find_map(|(name, place)| {
            let reference = reference_of(place)?;
            Some((reference.to_owned(), format!("{name}: alias to {reference}.supabase.co")))
        })
    }

    /// Writes the hosts of the product into the stack, and mentions the other names.
    pub(super) fn enter(
        &self,
        stack: &mut Stack,
        domain: &str,
        platform: impl Fn(&Place, &str) -> Option<&'static str>,
    ) {
        for (name, place) in self.all() {
            if name == domain {
                stack.platform = platform(place, name);
            } else if is_product(name, domain) && !place.addresses.is_empty() {
                stack
                    .hosts
                    .push(HostSeen { name: name.to_owned(), platform: platform(place, name) });
            } else {
                stack.other_names.push(name.to_owned());
            }
        }
    }
}

/// The project of Supabase to which an alias leads.
fn reference_of(place: &Place) -> Option<&str> {
    let reference = |alias: &'_ String| {
        let label = alias.strip_suffix(".supabase.co")?;
        let fits = label.len() == 20 && label.bytes().all(|byte| byte.is_ascii_lowercase());
        fits.then_some(label.len())
    };
    place.aliases.iter().find_map(|alias| alias.get(..reference(alias)?))
}

/// The account at a help desk to which an alias leads.
pub(super) fn account(stack: &mut Stack, sign: &Sign, alias: &str) {
    let account = |suffix: &str| {
        let label = alias.strip_suffix(suffix)?.rsplit('.').next()?;
        (!label.is_empty()).then(|| label.to_owned())
    };
    match sign.system {
        Some("zendesk") if stack.zendesk.is_none() => stack.zendesk = account(".zendesk.com"),
        Some("freshdesk") if stack.freshdesk.is_none() => {
            stack.freshdesk = account(".freshdesk.com");
        }
        _ => {}
    }
}

/// Where a name leads; nothing where it does not exist or nobody says.
async fn place(dns: &dyn Dns, name: &str) -> Option<Place> {
    let answer = dns.lookup(DnsQuestion::new(name, RecordType::A)).await.ok()?;
    let aliases = answer.aliases().into_iter().map(str::to_owned).collect();
    Some(Place { aliases, addresses: answer.addresses(), headers: Vec::new() })
}

/// The names in the certificates of the domain and its `www`.
async fn certificates(probes: &Probes, domain: &str) -> BTreeSet<String> {
    let shake = |host: String| {
        probes.tls.handshake(TlsQuestion { host, address: None, port: 443, ecdsa: None })
    };
    let (apex, www) = join!(shake(domain.to_owned()), shake(format!("www.{domain}")));
    let leaves = [apex, www].into_iter().filter_map(Result::ok);
    leaves
        .filter_map(|answer| answer.chain.first().map(|leaf| leaf.names.clone()))
        .flatten()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads(alias: &str, address: &str) -> Place {
        Place {
            aliases: Some(alias)
                .filter(|it| !it.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            addresses: address.parse().into_iter().collect(),
            headers: Vec::new(),
        }
    }

    #[test]
    fn names_that_lead_where_every_name_leads_are_left_out() {
        let mut names = Names { wild: leads("", "203.0.113.9"), ..Names::default() };
        names.keep("app.harbor.example".to_owned(), Some(leads("", "203.0.113.9")));
        names.keep("api.harbor.example".to_owned(), Some(leads("", "203.0.113.8")));
        names.keep("docs.harbor.example".to_owned(), Some(leads("gone.netlify.app", "")));
        names.keep("none.harbor.example".to_owned(), Some(Place::default()));
        assert_eq!(
            names.names().collect::<Vec<_>>(),
            ["api.harbor.example", "docs.harbor.example"]
        );
        let mut stack = Stack::default();
        names.enter(&mut stack, "harbor.example", |_, _| None);
        assert_eq!(stack.hosts[0].name, "api.harbor.example");
        assert_eq!(stack.other_names, ["docs.harbor.example"]);
    }

    #[test]
    fn a_project_of_supabase_is_known_by_the_alias() {
        let place = leads("abcdefghijklmnopqrst.supabase.co", "203.0.113.9");
        assert_eq!(reference_of(&place), Some("abcdefghijklmnopqrst"));
        assert_eq!(reference_of(&leads("short.supabase.co", "")), None);
        let mut stack = Stack::default();
        let sign = Sign::of_alias("harbor.zendesk.com").unwrap();
        account(&mut stack, sign, "harbor.zendesk.com");
        assert_eq!(stack.zendesk.as_deref(), Some("harbor"));
    }
}
