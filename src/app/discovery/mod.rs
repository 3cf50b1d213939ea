//! Looks at a domain from outside, as a stranger's browser and resolver would, and has its stack put
//! together.

mod crawl;
mod names;
mod paths;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use launchready_checks::contract::Ownership;
use launchready_checks::dns::names::unlikely_label;
use launchready_checks::mail::selectors::USUAL_SELECTORS;
use launchready_checks::probe::{
    AgentFault, Dns, DnsData, DnsQuestion, ProbeError, Probes, Rcode, RecordType,
};
use tokio::time::Instant;

use super::heard::Nobody;
use super::{Memory, Session};
use crate::discover::{
    BOUNCE_LABELS, Key, MailRecords, Place, SIGNS, Sign, Stack, Supabase, is_product, platform,
    recognise_mail,
};

/// Why there is nothing to draft a config from.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The name does not exist.
    #[error(
        "there is no domain {0} (NXDOMAIN); check the spelling, or at your registrar whether it is \
         registered and has name servers"
    )]
    NoSuchDomain(String),
    /// Nobody answers for the name.
    #[error(
        "nobody answers for {domain} ({what}); `launchready check dns-resolution {domain}` says what is wrong \
         with its name servers"
    )]
    Silent {
        /// The domain.
        domain: String,
        /// What came instead of an answer.
        what: String,
    },
    /// This machine cannot ask.
    #[error(
        "nothing could be looked at from here ({0}); is this machine online? If it is, name a resolver that \
         answers, such as --resolver 1.1.1.1"
    )]
    Blind(AgentFault),
}

impl Session {
    /// Finds the stack of a domain. What a fault or the end of the time hides is named in the stack.
    ///
    /// # Errors
    /// The domain does not exist, nobody answers for it, or this machine cannot look.
    pub async fn discover(&self, domain: &str, limit: Duration) -> anyhow::Result<Stack> {
        let end = Instant::now() + limit;
        let dns: std::sync::Arc<dyn Dns> = self.dns.clone();
        let nobody = std::sync::Arc::new(Nobody);
        let memory =
            Memory { heartbeats: nobody.clone(), alerting: nobody.clone(), figures: nobody };
        let ports = (dns, std::sync::Arc::clone(&self.dialer));
        let (probes, _http) = self.probes(ports, false, memory, &self.sharers)?;
        must_exist(&*probes.dns, domain).await?;
        Ok(look(&probes, domain, end).await)
    }

    /// What the TXT record of a project proves to whoever has its token.
    pub async fn ownership(&self, domain: &str, token: &str, limit: Duration) -> Ownership {
        super::ownership(&*self.dns, domain, Some(token), limit).await
    }
}

/// A new token, of which the TXT record that proves ownership is made.
///
/// # Errors
/// The system gives no random bytes.
pub fn new_token() -> anyhow::Result<String> {
    let mut random = [0; 16];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_opaque| anyhow::anyhow!("the system gives no random bytes; try again"))?;
    Ok(crate::discover::token(random))
}

async fn must_exist(dns: &dyn Dns, domain: &str) -> Result<(), DiscoveryError> {
    let answer = dns.lookup(DnsQuestion::new(domain, RecordType::A)).await;
    match answer {
        Ok(answer) => match answer.rcode {
            Rcode::NoError => Ok(()),
            Rcode::NxDomain => Err(DiscoveryError::NoSuchDomain(domain.to_owned())),
            other => {
                let what = format!("the resolver says {other:?}");
                Err(DiscoveryError::Silent { domain: domain.to_owned(), what })
            }
        },
        Err(ProbeError::Target(fault)) => {
            Err(DiscoveryError::Silent { domain: domain.to_owned(), what: fault.to_string() })
        }
        Err(ProbeError::Agent(fault)) => Err(DiscoveryError::Blind(fault)),
    }
}

async fn look(probes: &Probes, domain: &str, end: Instant) -> Stack {
    let mut stack = Stack { domain: domain.to_owned(), ..Stack::default() };
    let dns = &*probes.dns;
    let (mut names, records, servers, verified) = join!(
        names::look(probes, domain),
        mail(dns, domain),
        name_servers(dns, domain),
        verified(dns, domain),
    );
    let mut crawl = crawl::Crawl::new(domain, end);
    crawl.run(&*probes.http, &[domain.to_owned(), format!("www.{domain}")]).await;
    names.add(dns, domain, crawl.names()).await;
    let product = names.names().filter(|name| is_product(name, domain));
    let product: Vec<String> = product.map(str::to_owned).collect();
    crawl.run(&*probes.http, &product).await;

    stack.mail = recognise_mail(&records);
    stack.take_up(crawl.bundle());
    for (name, look) in names.all() {
        let place = Place { headers: crawl.headers_of(name), ..look.clone() };
        for (word, sign) in place.systems(domain) {
            stack.note(word, &format!("{name}: {sign}"));
        }
        for alias in &place.aliases {
            if let Some(sign) = Sign::of_alias(alias) {
                stack.note_service(sign, &format!("{name}: alias to {alias}"));
                names::account(&mut stack, sign, alias);
            }
        }
        if name.starts_with("n8n.") {
            stack.note("n8n", &format!("the name {name}"));
            stack.n8n = Some(name.to_owned());
        }
    }
    if let Some(server) = servers.iter().find(|name| name.ends_with(".ns.cloudflare.com")) {
        stack.note("cloudflare", &format!("name server {server}"));
    }
    for text in &records.txt {
        if let Some(sign) = Sign::of_txt(text) {
            stack.note_service(sign, "a TXT record of the domain");
        }
    }
    for (sign, name) in verified {
        stack.note_service(sign, &format!("a TXT record at {name}"));
    }
    for (word, sign) in stack.mail.tools.clone() {
        if ["hubspot", "zendesk", "intercom", "helpscout"].contains(&word) {
            stack.note(word, &sign);
        }
    }
    if let Some((reference, sign)) = names.supabase().or_else(|| crawl.supabase()) {
        stack.note("supabase", &sign);
        let public_key = crawl.bundle().public_key.clone();
        stack.supabase = Some(Supabase { reference, public_key });
    }
    names.enter(&mut stack, domain, |place, name| {
        let place = Place { headers: crawl.headers_of(name), ..place.clone() };
        platform(&place).map(|platform| platform.name)
    });
    paths::look(&*probes.http, &mut stack, &names, &crawl, end).await;
    stack.legal_pages = crawl.legal_pages();
    stack.unseen = crawl.unseen();
    stack
}

/// The records that mail leaves in the DNS.
async fn mail(dns: &dyn Dns, domain: &str) -> MailRecords {
    let ask = |name: String, kind| dns.lookup(DnsQuestion::new(name, kind));
    let key = async |selector: &str| {
        let name = format!("{selector}._domainkey.{domain}");
        let answer = ask(name, RecordType::Txt).await.ok()?;
        let has_key = answer.texts().iter().any(|text| text.contains("p="));
        let aliases: Vec<String> = answer.aliases().into_iter().map(str::to_owned).collect();
        (has_key || !aliases.is_empty()).then(|| Key { selector: selector.to_owned(), aliases })
    };
    let bounce = async |label: &str| {
        let name = format!("{label}.{domain}");
        let (mx, aliases) = join!(ask(name.clone(), RecordType::Mx), ask(name, RecordType::Cname));
        let aliases = aliases
            .ok()
            .map(|answer| answer.aliases().into_iter().map(str::to_owned).collect::<Vec<_>>());
        let mut found = mx.ok().map(exchanges).unwrap_or_default();
        found.extend(aliases.unwrap_or_default());
        found
    };
    // A wildcard answers for every selector, and says nothing.
    let nobodys = unlikely_label(domain);
    let (mx, txt, wild, keys, bounces) = join!(
        ask(domain.to_owned(), RecordType::Mx),
        ask(domain.to_owned(), RecordType::Txt),
        key(&nobodys),
        join_all(USUAL_SELECTORS.iter().map(|selector| key(selector))),
        join_all(BOUNCE_LABELS.iter().map(|label| bounce(label))),
    );
    let keys = if wild.is_some() { Vec::new() } else { keys.into_iter().flatten().collect() };
    MailRecords {
        mx: mx.ok().map(exchanges).unwrap_or_default(),
        txt: txt.ok().map(|answer| answer.texts()).unwrap_or_default(),
        keys,
        bounces: bounces.into_iter().flatten().collect(),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map")]
fn exchanges(answer: launchready_checks::probe::DnsAnswer) -> Vec<String> {
    answer.of(|data| match data {
        DnsData::Mx { exchange, .. } => Some(exchange.clone()),
        _ => None,
    })
}

async fn name_servers(dns: &dyn Dns, domain: &str) -> Vec<String> {
    let answer = dns.lookup(DnsQuestion::new(domain, RecordType::Ns)).await;
    let name =
        |data: &DnsData| if let DnsData::Ns(name) = data { Some(name.clone()) } else { None };
    answer.ok().map(|answer| answer.of(name)).unwrap_or_default()
}

/// Services that have had the domain verified at a name of their own.
async fn verified(dns: &dyn Dns, domain: &str) -> Vec<(&'static Sign, String)> {
    let names = SIGNS.iter().flat_map(|sign| sign.txt_at.iter().map(move |label| (sign, *label)));
    let asked = join_all(names.map(async |(sign, label)| {
        let name = format!("{label}.{domain}");
        let answer = dns.lookup(DnsQuestion::new(&name, RecordType::Txt)).await.ok()?;
        (!answer.texts().is_empty()).then_some((sign, name))
    }));
    let nobodys = format!("{}.{domain}", unlikely_label(domain));
    let (asked, wild) = join!(asked, dns.lookup(DnsQuestion::new(&nobodys, RecordType::Txt)));
    let is_wild = wild.is_ok_and(|answer| !answer.texts().is_empty());
    if is_wild { Vec::new() } else { asked.into_iter().flatten().collect() }
}
